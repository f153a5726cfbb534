/* exec.h - where execve(2) crosses from the tasks (sentry/exec.c) to the loader (loader/), and back.
 *
 * sentry/ must not include loader/, so the loader registers itself here at start. The order of an exec:
 *
 * 1. sys_execve: exec_open gives the file by the rules for executing; exec_args_limit says how many bytes of strings
 * may be copied from the guest.
 * 2. task_exec: exec_load lets the loader do scripts, interpreter and a complete new mm. If it fails the caller is as
 *    before. The loader asks exec_identity (written by the task side) who the program will be.
 * 3. The point of no return: other threads die, the thread moves to image->mm, the old mm is put,
 *    uthread_new(image->mm->as, NULL, &image->start, ...).
 */
#ifndef SENTRY_EXEC_H
#define SENTRY_EXEC_H

#include "fs/namei.h"
#include "sentry/mm.h"

struct exec_request {
	const struct walker *walker; /* borrowed: opens interpreters; its cred is the caller's old one */
	struct task *task;           /* borrowed: for exec_identity only; the loader does not look inside */
	struct file *file;           /* borrowed, from exec_open */
	const char *filename; /* AT_EXECFN and a script's argument: path as given, or "/dev/fd/N", "/dev/fd/N/path" */
	bool filename_closed; /* filename goes by a descriptor that closes on exec: a script is -ENOENT */
	char *const *argv, *const *envp;                           /* NULL-terminated; the sentry's own copies */
	uint64_t stack_limit, data_limit, as_limit, memlock_limit; /* soft limits in bytes, UINT64_MAX: none */
	uint32_t personality;                                      /* ADDR_NO_RANDOMIZE ... */
};

/* Who the program will run as: what exec_identity decides by the set-id bits of the final program (not of a script). */
struct exec_identity {
	struct cred *cred;             /* counted, given; goes into task->cred at the point of no return */
	uint32_t uid, euid, gid, egid; /* for the auxiliary vector */
	bool secure;                   /* AT_SECURE */
	bool dumpable;                 /* false: set-id or unreadable program */
};

/* Everything that the task needs at the point of no return. All references are the caller's (exec_image_free gives back
 * what it did not take: set what was taken to NULL). */
struct exec_image {
	struct mm *mm; /* complete; mm->exe is the program (for a script its interpreter), deny_writers counted by mm */
	struct uregs start; /* registers of the first instruction */
	/* Set with an error: Linux would have noticed only behind the point of no return. The program is as before, but
	 * the process shall die by SIGSEGV instead of seeing the error. */
	bool fatal;
	struct exec_identity identity;
};

/* Written by the task side (sentry/exec.c), called by the loader. PARKS not. 0 or -errno (-EPERM, -ENOMEM). */
must_check int exec_identity(const struct exec_request *request, struct file *program, struct exec_identity *out);

/* PARKS. The loader. Errors as execve(2): -ENOEXEC -EINVAL -ELIBBAD -EACCES -ENOENT -ELOOP -E2BIG -ETXTBSY -ENOMEM ...
 */
typedef int exec_loader(const struct exec_request *request, struct exec_image *image);
void exec_set_loader(exec_loader *loader); /* once, by loader_init */
must_check int exec_load(const struct exec_request *request, struct exec_image *image);
void exec_image_free(struct exec_image *image);

/* PARKS. Opens a file to be executed. walk_flags: WALK_FOLLOW, or 0: a symbolic link in the last place is -ELOOP.
 * -EACCES (not executable, not a regular file), -ETXTBSY, and what walk says. */
must_check int exec_open(const struct walker *walker, const char *path, uint32_t walk_flags, struct file **out);
/* PARKS. The same for a file by its descriptor (O_PATH too): execveat with AT_EMPTY_PATH. */
must_check int exec_open_file(struct cred *cred, struct file *file, struct file **out);

/* How many bytes argv's and envp's strings may have together with their zero bytes, given how many there are (a quarter
 * of the stack limit, at most 6 MiB, at least 128 KiB, less a pointer each). One string: ARG_LIMIT_BYTES. -E2BIG when
 * the pointers alone are too many. */
must_check int64_t exec_args_limit(uint64_t argc, uint64_t envc, uint64_t stack_limit);

#endif
