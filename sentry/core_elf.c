/* core_elf.c - the core dump itself: an ELF file of type ET_CORE, as fs/binfmt_elf.c writes it.
 *
 *     ELF header | program headers | notes | memory, each mapping from a page boundary on
 *
 * Notes: NT_PRSTATUS of the thread that took the signal, NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE, its NT_PRFPREG and
 * NT_X86_XSTATE; then NT_PRSTATUS, NT_PRFPREG and NT_X86_XSTATE of each other thread. Which mappings are dumped, and
 * how much of them, says coredump_filter; pages that were never touched are holes of the file. Every thread is stopped
 * meanwhile; the list of mappings is taken once.
 *
 * Limits: nobody knows which pages of a private file mapping were written to: such a mapping is dumped as a whole when
 * it is writable, or is no code and no beginning of a file (what the dynamic linker has made read-only).
 */
#include "fs/bounce.h"
#include "fs/namei.h"
#include "platform/platform.h"
#include "sentry/abi/core.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/text.h"
#include "sentry/core.h"
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NOTE_LIMIT    (16ul << 20) /* of all notes: thousands of threads */
#define FILE_LIMIT    (4ul << 20)  /* of NT_FILE, as core_file_note_size_limit */
#define XSTATE_LEGACY 512
#define XSTATE_SW     464 /* what the signal frame has there, a core dump has not */
#define XSTATE_MASK   472 /* in the signal frame: the features that may be in use */
#define USER_CS       0x33
#define USER_SS       0x2b

#define FILTER_ANON_PRIVATE   1u
#define FILTER_ANON_SHARED    2u
#define FILTER_MAPPED_PRIVATE 4u
#define FILTER_MAPPED_SHARED  8u
#define FILTER_ELF_HEADERS    16u

struct segment {
	uint64_t start, end, dumped; /* bytes from start on that are in the file */
	uint32_t prot;
};

struct dump {
	const struct core *core;
	struct mm *mm;
	struct file *file;
	uint64_t limit, written, at; /* at: where the next byte goes */
	int error;                   /* the first; nothing is written after it */
	struct segment *segments;
	size_t segment_count, segment_room;
	struct text notes;
};

/* ------------------------------------------------------------------------------------------------ bytes */

static void emit(struct dump *dump, void *bytes, size_t size)
{
	struct uio uio;
	int64_t pos = (int64_t)dump->at;

	if (dump->error)
		return;
	if (dump->core->task->killed || size > dump->limit - dump->written) {
		dump->error = -EFBIG;
		return;
	}
	uio_init_kernel(&uio, bytes, size);
	ssize_t done = file_write(dump->file, &uio, &pos);
	if (done != (ssize_t)size)
		dump->error = done < 0 ? (int)done : -ENOSPC;
	dump->written += size;
	dump->at += size;
}

static void note_add(struct dump *dump, const char *name, uint32_t type, const void *bytes, size_t size)
{
	static const char zeros[4];
	const Elf64_Nhdr header = {
		.n_namesz = (Elf64_Word)strlen(name) + 1, .n_descsz = (Elf64_Word)size, .n_type = type};

	text_add(&dump->notes, (const char *)&header, sizeof header);
	text_add(&dump->notes, name, header.n_namesz);
	text_add(&dump->notes, zeros, -header.n_namesz & 3);
	text_add(&dump->notes, bytes, size);
	text_add(&dump->notes, zeros, -size & 3);
}

/* ------------------------------------------------------------------------------------------------ notes */

static void fill_registers(uint64_t out[ABI_CORE_REGISTERS], const struct core_thread *thread)
{
	const struct uregs *r = &thread->regs;
	const uint64_t values[ABI_CORE_REGISTERS] = {r->r15,    r->r14, r->r13,  r->r12,          r->rbp,    r->rbx,
						     r->r11,    r->r10, r->r9,   r->r8,           r->rax,    r->rcx,
						     r->rdx,    r->rsi, r->rdi,  thread->call_nr, r->rip,    USER_CS,
						     r->rflags, r->rsp, USER_SS, r->fs_base,      r->gs_base};

	memcpy(out, values, sizeof values); /* ds, es, fs and gs are 0 */
}

static void note_status(struct dump *dump, const struct core_thread *thread, bool first)
{
	const struct process *process = dump->core->task->process;
	const struct abi_siginfo *info = &dump->core->info;
	uint64_t user_ns = first ? process_cpu_ns(process) : 0;
	struct abi_prstatus status = {
		.pr_signo = info->si_signo, /* as Linux: code and errno stay 0 */
		.pr_cursig = (int16_t)info->si_signo,
		.pr_sigpend = thread->pending,
		.pr_sighold = thread->blocked,
		.pr_pid = thread->tid,
		.pr_ppid = process_ppid(process),
		.pr_pgrp = process->pgroup->pgid,
		.pr_sid = process->pgroup->session->sid,
		.pr_utime = {.tv_sec = (int64_t)(user_ns / NS_PER_S),
			     .tv_usec = (int64_t)(user_ns % NS_PER_S / NS_PER_US)},
		.pr_fpvalid = thread->fpstate != NULL,
	};

	fill_registers(status.pr_reg, thread);
	note_add(dump, "CORE", NT_PRSTATUS, &status, sizeof status);
}

/* The arguments as ps(1) shows them: spaces between them. */
static void fill_arguments(const struct dump *dump, char *out, size_t size)
{
	const struct mm *mm = dump->mm;
	size_t n = mm->arg_end > mm->arg_start ? (size_t)MIN(mm->arg_end - mm->arg_start, size - 1) : 0;

	if (aspace_read(mm->as, NULL, out, UADDR(mm->arg_start), n))
		n = 0;
	for (size_t i = 0; i < n; i++)
		if (!out[i])
			out[i] = ' ';
	memset(out + n, 0, size - n);
}

static void note_process(struct dump *dump)
{
	const struct task *task = dump->core->task;
	const struct process *process = task->process;
	struct abi_prpsinfo info = {
		.pr_sname = 'R',
		.pr_nice = (char)process->nice,
		.pr_uid = task->cred->uid,
		.pr_gid = task->cred->gid,
		.pr_pid = process->pid,
		.pr_ppid = process_ppid(process),
		.pr_pgrp = process->pgroup->pgid,
		.pr_sid = process->pgroup->session->sid,
	};

	memcpy(info.pr_fname, task->comm, MIN(sizeof info.pr_fname, sizeof task->comm));
	fill_arguments(dump, info.pr_psargs, sizeof info.pr_psargs);
	note_add(dump, "CORE", NT_PRPSINFO, &info, sizeof info);
}

/* Which file is mapped where, for debuggers: count, page size, then three words each, then the names. */
static void note_files(struct dump *dump)
{
	uint64_t head[2] = {0, 1};
	struct text words, names, note;
	char name[PATH_LIMIT];

	text_init_growing(&words, FILE_LIMIT);
	text_init_growing(&names, FILE_LIMIT);
	text_init_growing(&note, FILE_LIMIT);
	for (struct vma *vma = mm_first(dump->mm); vma; vma = mm_next(vma)) {
		if (!vma->file || file_name(vma->file, &dump->core->task->fs->root, name, sizeof name) <= 0)
			continue;
		/* A page size of 1, so offsets are bytes. */
		const uint64_t entry[3] = {vma->start, vma->end, vma->offset};
		text_add(&words, (const char *)entry, sizeof entry);
		text_add(&names, name, strlen(name) + 1);
		head[0]++;
	}
	text_add(&note, (const char *)head, sizeof head);
	if (head[0]) {
		text_add(&note, words.data, words.length);
		text_add(&note, names.data, names.length);
	}
	if (head[0] && !words.truncated && !names.truncated && !note.truncated)
		note_add(dump, "CORE", NT_FILE, note.data, note.length);
	text_free(&words);
	text_free(&names);
	text_free(&note);
}

/* The vector state is that of a signal frame; a core dump has the features at another place, and nothing else there. */
static void note_vectors(struct dump *dump, const struct core_thread *thread)
{
	size_t frame_bytes = uthread_fpstate_size();
	char *state = thread->fpstate;
	uint64_t features;

	if (!state || frame_bytes < XSTATE_LEGACY)
		return;
	memcpy(&features, state + XSTATE_MASK, sizeof features);
	memset(state + XSTATE_SW, 0, XSTATE_LEGACY - XSTATE_SW);
	note_add(dump, "CORE", NT_PRFPREG, state, XSTATE_LEGACY);
	memcpy(state + XSTATE_SW, &features, sizeof features);
	/* Behind it the frame has a magic word. */
	if (frame_bytes > XSTATE_LEGACY + 4)
		note_add(dump, "LINUX", NT_X86_XSTATE, state, frame_bytes - 4);
}

static void make_notes(struct dump *dump)
{
	const struct core_thread *thread;
	bool first = true;

	text_init_growing(&dump->notes, NOTE_LIMIT);
	list_for_each (thread, &dump->core->threads, node) {
		note_status(dump, thread, first);
		if (first) {
			note_process(dump);
			note_add(dump, "CORE", NT_SIGINFO, &dump->core->info, sizeof dump->core->info);
			note_add(dump, "CORE", NT_AUXV, dump->mm->auxv,
				 dump->mm->auxv_words * sizeof dump->mm->auxv[0]);
			note_files(dump);
		}
		note_vectors(dump, thread);
		first = false;
	}
	if (dump->notes.truncated)
		dump->error = -ENOMEM;
}

/* ------------------------------------------------------------------------------------------------ memory */

/* vma_dump_size in Linux. */
static uint64_t bytes_dumped(const struct dump *dump, const struct vma *vma, uint64_t start)
{
	uint32_t filter = dump->core->task->process->coredump_filter;
	uint64_t whole = vma->end - start;

	if (!vma->file && vma->name && vma->host_file != MEM_NO_FILE) /* the vDSO */
		return whole;
	if (vma->madvise & VMA_DONTDUMP)
		return 0;
	if (vma->flags & MAP_SHARED) {
		bool named = vma->file && vma->file->inode && vma->file->inode->nlink;
		return filter & (named ? FILTER_MAPPED_SHARED : FILTER_ANON_SHARED) ? whole : 0;
	}
	bool written = !vma->file || vma->prot & MEM_WRITE || (vma->offset && !(vma->prot & MEM_EXEC));
	if (written && filter & FILTER_ANON_PRIVATE)
		return whole;
	if (!vma->file)
		return 0;
	if (filter & FILTER_MAPPED_PRIVATE)
		return whole;
	bool program = !vma->offset && vma->prot & MEM_READ && vma->file->inode && vma->file->inode->mode & 0111;
	return filter & FILTER_ELF_HEADERS && program ? MIN(whole, PAGE_SIZE) : 0;
}

static void list_segments(struct dump *dump)
{
	size_t count = dump->mm->vma_count;

	dump->segments = arena_alloc(count * sizeof *dump->segments + 1);
	dump->segment_room = count;
	if (!dump->segments) {
		dump->error = -ENOMEM;
		return;
	}
	for (struct vma *vma = mm_first(dump->mm); vma && dump->segment_count < count; vma = mm_next(vma)) {
		uint64_t start = vma_shown_start(dump->mm, vma);
		dump->segments[dump->segment_count++] =
			(struct segment){start, vma->end, bytes_dumped(dump, vma, start), vma->prot};
	}
}

/* Is a page of [from, from + pages) worth a look? present is from mm_resident. */
static void emit_pages(struct dump *dump, uint64_t from, const uint8_t *present, uint64_t pages, char *bounce)
{
	const uint64_t most = BOUNCE_BYTES / PAGE_SIZE;

	for (uint64_t i = 0, n; i < pages && !dump->error; i += n) {
		for (n = 0; n < most && i + n < pages && present[i + n] == present[i];)
			n++;
		uint64_t size = n * PAGE_SIZE;
		if (present[i] && !aspace_read(dump->mm->as, NULL, bounce, UADDR(from + i * PAGE_SIZE), size))
			emit(dump, bounce, size);
		else
			dump->at += size; /* a hole */
	}
}

static void emit_segment(struct dump *dump, const struct segment *segment, char *bounce)
{
	uint8_t present[MM_MINCORE_PAGES / 4];
	uint64_t end = segment->start + segment->dumped;

	for (uint64_t at = segment->start, pages; at < end && !dump->error; at += pages * PAGE_SIZE) {
		pages = MIN((end - at) / PAGE_SIZE, (uint64_t)COUNT(present));
		if (mm_resident(dump->mm, at, pages, present))
			memset(present, 0, pages);
		emit_pages(dump, at, present, pages, bounce);
		/* A turn of the loop: others are not to wait for a large dump, and may want to kill it. */
		(void)!fiber_park_until(clock_now_ns() + 1);
	}
}

/* ------------------------------------------------------------------------------------------------ headers */

static void emit_headers(struct dump *dump)
{
	size_t count = dump->segment_count + 1;
	uint64_t offset = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_NONE},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)count,
	};
	Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = offset, .p_filesz = dump->notes.length, .p_align = 4};

	emit(dump, &header, sizeof header);
	emit(dump, &note, sizeof note);
	offset = (offset + dump->notes.length + PAGE_SIZE - 1) & PAGE_MASK;
	for (size_t i = 0; i < dump->segment_count; i++) {
		const struct segment *segment = &dump->segments[i];
		Elf64_Phdr load = {
			.p_type = PT_LOAD,
			.p_flags = (segment->prot & MEM_READ ? PF_R : 0u) | (segment->prot & MEM_WRITE ? PF_W : 0u) |
				   (segment->prot & MEM_EXEC ? PF_X : 0u),
			.p_offset = offset,
			.p_vaddr = segment->start,
			.p_filesz = segment->dumped,
			.p_memsz = segment->end - segment->start,
			.p_align = PAGE_SIZE,
		};
		emit(dump, &load, sizeof load);
		offset += segment->dumped;
	}
	emit(dump, dump->notes.data, dump->notes.length);
	dump->at = (dump->at + PAGE_SIZE - 1) & PAGE_MASK;
}

/* The file is as long as what it describes, a last hole included. */
static void settle_size(struct dump *dump)
{
	const struct setattr change = {.valid = ATTR_SIZE, .size = dump->at};

	if (dump->file->inode->size < dump->at)
		(void)!file_setattr(dump->file, dump->core->task->cred, &change);
}

int core_write(const struct core *core, struct file *file, uint64_t limit_bytes)
{
	struct dump dump = {.core = core, .mm = core->task->mm, .file = file, .limit = limit_bytes};
	char *bounce = bounce_get();

	mm_get(dump.mm);
	list_segments(&dump);
	if (!dump.error)
		make_notes(&dump);
	int error = bounce ? dump.error : -ENOMEM;
	if (!error) {
		emit_headers(&dump);
		for (size_t i = 0; i < dump.segment_count && !dump.error; i++)
			emit_segment(&dump, &dump.segments[i], bounce);
		if (!dump.error)
			settle_size(&dump);
	}
	text_free(&dump.notes);
	arena_free(dump.segments, dump.segment_room * sizeof *dump.segments + 1);
	if (bounce)
		bounce_put(bounce);
	mm_put(dump.mm);
	return error;
}
