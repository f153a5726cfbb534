/* loader.h - from a file to a process image: execve(2) as sentry/exec.h describes it.
 *
 * loader_exec builds a complete new mm: scripts are followed to their interpreters, the program and its ELF interpreter
 * are mapped, vDSO, stack, arguments and auxiliary vector are in place. The calling process is not touched.
 */
#ifndef LOADER_LOADER_H
#define LOADER_LOADER_H

#include "loader/elf.h"
#include "sentry/exec.h"

/* Called once at start, before the first exec: makes the vDSO's host file and enters the loader in sentry/exec.h.
 * -errno. */
must_check int loader_init(void);

must_check int loader_exec(const struct exec_request *request, struct exec_image *image);

/* ---- parts of the loader; each in the file of its name */

/* script.c. The argument vector as scripts change it: heads first, then rest. */
#define SCRIPT_DEPTH_LIMIT 5   /* scripts whose interpreters are scripts, as Linux */
#define SCRIPT_BYTES       256 /* of a file that are looked at: BINPRM_BUF_SIZE */
#define SCRIPT_HEADS_LIMIT (2 * (SCRIPT_DEPTH_LIMIT + 1) + 1)

struct script_args {
	const char *head[SCRIPT_HEADS_LIMIT];
	unsigned head_count;
	char *const *rest;
};

/* A first line: the interpreter's path and its argument (NULL: none) in line, which is changed. false: no interpreter
 * in it
 * (-ENOEXEC). line is SCRIPT_BYTES of the file, zeroes behind its end, and begins with "#!". */
must_check bool script_parse(char line[SCRIPT_BYTES], char **interpreter, char **argument);
/* argv[0] gives way to interpreter, argument and the script's own name. The strings stay the caller's. */
void script_splice(struct script_args *args, const char *interpreter, const char *argument, const char *script);
unsigned script_args_count(const struct script_args *args);
const char *script_arg(const struct script_args *args, unsigned index);

/* map.c. Maps an image at its place (ET_EXEC), at a random one (programs) or where there is room (interpreters).
 * PARKS. *bias is what was added to its addresses. */
struct image_place {
	bool is_interp, randomize;
	uint64_t bias;
};
must_check int image_map(struct mm *mm, struct file *file, const struct elf_image *image, struct image_place *place);

/* stack.c. Where stack and mappings go, before anything is mapped. */
struct stack_plan {
	uint64_t limit; /* RLIMIT_STACK */
	bool executable, randomize;
};
must_check int stack_place(struct mm *mm, const struct stack_plan *plan);

/* What the stack's content is made of. */
struct stack_content {
	const struct script_args *args;
	char *const *envp;
	const char *filename;
	const struct exec_identity *identity;
	uint64_t args_limit; /* bytes of strings, as exec_args_limit says */
	uint64_t phdrs, phdr_count, base, entry;
	bool randomize;
};
/* PARKS. Writes strings, auxiliary vector and pointers; *rsp is where argc is. -E2BIG, -EFAULT, -ENOMEM. */
must_check int stack_write(struct mm *mm, const struct stack_content *content, uint64_t *rsp);

/* vdso.c. */
must_check int vdso_init(void);
must_check int vdso_map(struct mm *mm); /* PARKS; sets mm->vdso */

/* A random number below limit; 0 when randomize is false. */
uint64_t loader_random(bool randomize, uint64_t limit);

#endif
