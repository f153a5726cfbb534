/* exec.c - one execve(2) from the opened file to a process image ready to run (do_execveat_common, exec_binprm and
 * load_elf_binary of Linux 6.x).
 *
 * Steps: follow "#!" lines until the file is no script; read the ELF headers of the program and of its interpreter; ask
 * who the program will be; build the new mm. Linux tears the old program down before it maps the new one, so a failure
 * behind that point kills the process: such a failure is marked `fatal` in the image, and the old program is still
 * whole.
 *
 * Limits: ELF for x86-64 and "#!" only, no binfmt_misc.
 */
#include "loader/loader.h"

#include "fs/inode.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <string.h>
#include <sys/personality.h>

#define START_FLAGS 0x202u /* interrupts enabled, as every user program has them */

/* All of one exec that is too large for a fiber's stack. */
struct load {
	const struct exec_request *request;
	struct file *file, *interp; /* counted */
	struct script_args args;
	char line[SCRIPT_DEPTH_LIMIT + 1][SCRIPT_BYTES];
	char interp_path[PATH_LIMIT + 1];
	uint8_t header[ELF_HEADER_BYTES];
	uint8_t phdrs[ELF_PHDRS_LIMIT * ELF_PHDR_BYTES];
	struct elf_image image, interp_image;
	struct image_place place, interp_place;
};

/* ---------------------------------------------------------------------------------------------------------- scripts */

static int read_line(struct file *file, char line[SCRIPT_BYTES])
{
	memset(line, 0, SCRIPT_BYTES);
	ssize_t n = file_read_kernel(file, line, SCRIPT_BYTES, 0);
	return n < 0 ? (int)n : 0;
}

/* One step from a script to its interpreter. *name is how the file is known: becomes the interpreter's. */
static int follow_script(struct load *load, char *line, const char **name)
{
	char *interpreter, *argument;
	struct file *next;

	if (!script_parse(line, &interpreter, &argument))
		return -ENOEXEC;
	if (load->request->filename_closed)
		return -ENOENT;
	script_splice(&load->args, interpreter, argument, *name);
	*name = interpreter;
	int error = exec_open(load->request->walker, interpreter, WALK_FOLLOW, &next);
	if (error)
		return error;
	file_put(load->file);
	load->file = next;
	return 0;
}

static int follow_scripts(struct load *load)
{
	const char *name = load->request->filename;

	for (unsigned depth = 0;; depth++) {
		char *line;
		if (depth > SCRIPT_DEPTH_LIMIT)
			return -ELOOP;
		line = load->line[depth];
		int error = read_line(load->file, line);
		if (error)
			return error;
		if (line[0] != '#' || line[1] != '!')
			return 0;
		error = follow_script(load, line, &name);
		if (error)
			return error;
	}
}

/* ---------------------------------------------------------------------------------------------------------- headers */

/* bad: what a file that is no ELF file means here. */
static int read_image(struct load *load, struct file *file, struct elf_image *image, int bad, bool *late)
{
	uint64_t phdrs_offset;
	size_t phdrs_bytes;

	*late = false;
	memset(load->header, 0, sizeof load->header);
	ssize_t n = file_read_kernel(file, load->header, sizeof load->header, 0);
	if (n < 0)
		return (int)n;
	if (bad == -ELIBBAD && n < (ssize_t)sizeof load->header)
		return -EIO;
	if (elf_header(load->header, &phdrs_offset, &phdrs_bytes) || !file_ops(file)->map ||
	    phdrs_offset > (uint64_t)INT64_MAX - phdrs_bytes)
		return bad;
	n = file_read_kernel(file, load->phdrs, phdrs_bytes, (int64_t)phdrs_offset);
	if (n < (ssize_t)phdrs_bytes)
		return bad;
	int error = elf_parse(load->header, load->phdrs, phdrs_bytes, image, late);
	return error == -ENOEXEC ? bad : error;
}

static int open_interp(struct load *load)
{
	const struct elf_image *image = &load->image;
	uint64_t bytes = image->interp_bytes;
	ssize_t n = file_read_kernel(load->file, load->interp_path, bytes, (int64_t)image->interp_offset);

	if (n < (ssize_t)bytes)
		return n < 0 ? (int)n : -EIO;
	if (load->interp_path[bytes - 1])
		return -ENOEXEC;
	return exec_open(load->request->walker, load->interp_path, WALK_FOLLOW, &load->interp);
}

/* Both headers. An error that Linux notices late gives way to one that it notices early, such as a missing interpreter.
 */
static int read_headers(struct load *load, bool *late)
{
	bool main_late, interp_late = false;
	int error = read_image(load, load->file, &load->image, -ENOEXEC, &main_late), interp_error = 0;

	*late = false;
	if (error && !main_late)
		return error;
	if (load->image.has_interp) {
		interp_error = open_interp(load);
		if (!interp_error)
			interp_error = read_image(load, load->interp, &load->interp_image, -ELIBBAD, &interp_late);
		if (interp_error && !interp_late)
			return interp_error;
	}
	*late = error || interp_error;
	return error ? error : interp_error;
}

/* -------------------------------------------------------------------------------------------------------- the image */

static int map_images(struct load *load, struct mm *mm)
{
	const struct exec_request *request = load->request;
	bool randomize = !(request->personality & ADDR_NO_RANDOMIZE);
	struct stack_plan plan = {.limit = request->stack_limit, .executable = load->image.stack_exec};

	plan.randomize = load->place.randomize = load->interp_place.randomize = randomize;
	load->interp_place.is_interp = true;
	int error = stack_place(mm, &plan);
	if (!error)
		error = image_map(mm, load->file, &load->image, &load->place);
	if (!error && load->interp)
		error = image_map(mm, load->interp, &load->interp_image, &load->interp_place);
	return error ? error : vdso_map(mm);
}

static int write_stack(struct load *load, struct mm *mm, const struct exec_identity *identity, struct uregs *start)
{
	const struct exec_request *request = load->request;
	struct stack_content content = {.args = &load->args, .envp = request->envp, .filename = request->filename};
	uint64_t envc = 0;

	while (request->envp[envc])
		envc++;
	int64_t limit = exec_args_limit(script_args_count(&load->args), envc, request->stack_limit);
	if (limit < 0)
		return (int)limit;
	content.args_limit = (uint64_t)limit;
	content.identity = identity;
	content.randomize = load->place.randomize;
	content.phdrs = load->image.phdrs_vaddr + load->place.bias;
	content.phdr_count = load->image.phdr_count;
	content.base = load->interp ? load->interp_place.bias : 0;
	content.entry = load->image.entry + load->place.bias;
	*start = (struct uregs){.rip = content.entry, .rflags = START_FLAGS};
	if (load->interp)
		start->rip = load->interp_image.entry + load->interp_place.bias;
	if (start->rip >= PLATFORM_MAX_ADDR)
		return -EINVAL;
	return stack_write(mm, &content, &start->rsp);
}

static int build_mm(struct load *load, struct exec_image *image)
{
	int error = mm_new(&image->mm);

	if (error)
		return error;
	image->fatal = true;
	error = map_images(load, image->mm);
	if (error)
		return error;
	error = write_stack(load, image->mm, &image->identity, &image->start);
	if (error == -E2BIG)
		image->fatal = false;
	if (error)
		return error;
	mm_exe_set(image->mm, load->file);
	image->mm->dumpable = image->identity.dumpable;
	image->fatal = false;
	return 0;
}

static int run_steps(struct load *load, struct exec_image *image)
{
	int error = follow_scripts(load);

	if (!error)
		error = read_headers(load, &image->fatal);
	if (error)
		return error;
	error = exec_identity(load->request, load->file, &image->identity);
	return error ? error : build_mm(load, image);
}

int loader_exec(const struct exec_request *request, struct exec_image *image)
{
	static char *const no_arguments[] = {(char *)"", NULL};
	struct load *load = arena_alloc(sizeof *load);

	*image = (struct exec_image){0};
	if (!load)
		return -ENOMEM;
	load->request = request;
	load->args.rest = request->argv[0] ? request->argv : no_arguments;
	load->file = request->file;
	file_get(load->file);
	int error = run_steps(load, image);
	file_put(load->file);
	if (load->interp)
		file_put(load->interp);
	arena_free(load, sizeof *load);
	if (error)
		exec_image_free(image);
	return error;
}

int loader_init(void)
{
	int error = elf_init();

	if (!error)
		error = vdso_init();
	if (!error)
		exec_set_loader(loader_exec);
	return error;
}
