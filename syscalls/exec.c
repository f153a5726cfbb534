/* exec.c - execve(2), execveat(2): the strings of argv and envp, the file, then task_exec.
 *
 * The strings are copied once into one block. First the pointers are read, and counted against the limit; then each
 * string goes behind the other. The block grows, so offsets stand in the array until all is there.
 *
 * Limits: exec_args_limit for all, ARG_LIMIT_BYTES for one string.
 */
#include "sentry/exec.h"
#include "fs/inode.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define POINTERS_FIRST  64
#define TEXT_FIRST      8192
#define POINTERS_A_READ 64
#define FD_PATH_BYTES   (PATH_LIMIT + 32) /* "/dev/fd/N/" before the path */
#define EXECVE_CHECK    0x10000           /* AT_EXECVE_CHECK: only ask */

/* argv and envp while they are copied: each a run of `count` words followed by a zero. */
struct exec_strings {
	uint64_t *words; /* guest addresses, then offsets, then pointers */
	size_t words_room, argc, envc;
	char *text;
	size_t text_room, text_used;
};

static void strings_free(struct exec_strings *strings)
{
	arena_free(strings->words, strings->words_room * sizeof *strings->words);
	arena_free(strings->text, strings->text_room);
}

static int words_grow(struct exec_strings *strings, size_t wanted)
{
	size_t room = MAX(strings->words_room, (size_t)POINTERS_FIRST);

	while (room < wanted)
		room *= 2;
	if (room == strings->words_room)
		return 0;
	uint64_t *words = arena_realloc(strings->words, strings->words_room * sizeof *words, room * sizeof *words);
	if (!words)
		return -ENOMEM;
	strings->words = words;
	strings->words_room = room;
	return 0;
}

/* Reads pointers up to the zero one to words[at ...]; *count without it. A NULL array is an empty one. */
static int words_read(struct task *task, struct exec_strings *strings, size_t at, struct uaddr from, size_t *count)
{
	uint64_t part[POINTERS_A_READ];

	*count = 0;
	while (from.v) {
		/* Not beyond the page: what follows the zero may not be there. */
		size_t n = (PAGE_SIZE - from.v % PAGE_SIZE) / sizeof part[0];
		n = MAX(MIN(n, (size_t)POINTERS_A_READ), (size_t)1);
		if (user_read(task_user(task), part, from, n * sizeof part[0]))
			return -EFAULT;
		if (words_grow(strings, at + *count + n + 2))
			return -ENOMEM;
		for (size_t i = 0; i < n; i++) {
			if (!part[i])
				return 0;
			strings->words[at + (*count)++] = part[i];
		}
		if ((at + *count) * sizeof part[0] > ARGS_LIMIT_BYTES * 3ul)
			return -E2BIG;
		from = uaddr_add(from, n * sizeof part[0]);
	}
	return words_grow(strings, at + 2);
}

static int text_grow(struct exec_strings *strings)
{
	size_t room = strings->text_room ? strings->text_room * 2 : TEXT_FIRST;
	char *text = arena_realloc(strings->text, strings->text_room, room);

	if (!text)
		return -ENOMEM;
	strings->text = text;
	strings->text_room = room;
	return 0;
}

/* One string behind the others; *word becomes its offset. */
static int text_read(struct task *task, struct exec_strings *strings, uint64_t *word, int64_t *limit)
{
	size_t most = MIN((size_t)*limit, (size_t)ARG_LIMIT_BYTES);

	for (;;) {
		size_t room = MIN(strings->text_room - strings->text_used, most);
		ssize_t n = room ? aspace_read_string(task->mm->as, task->uthread, strings->text + strings->text_used,
						      UADDR(*word), room)
				 : -ENAMETOOLONG;
		if (n >= 0) {
			*word = strings->text_used;
			strings->text_used += (size_t)n + 1;
			*limit -= n + 1;
			return 0;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
		if (room == most)
			return -E2BIG;
		if (text_grow(strings))
			return -ENOMEM;
	}
}

static int strings_read(struct task *task, struct uaddr argv, struct uaddr envp, struct exec_strings *strings)
{
	int error = words_read(task, strings, 0, argv, &strings->argc);

	if (error)
		return error;
	if (!strings->argc) { /* Linux runs it with one empty argument */
		error = text_grow(strings);
		if (error)
			return error;
		strings->text_used = 1;
	}
	size_t first_env = strings->argc + 1;
	error = words_read(task, strings, first_env, envp, &strings->envc);
	if (error)
		return error;
	int64_t limit = exec_args_limit(strings->argc, strings->envc, process_limit(task->process, ABI_RLIMIT_STACK));
	if (limit < 0)
		return (int)limit;
	for (size_t i = 0; !error && i < strings->argc; i++)
		error = text_read(task, strings, &strings->words[i], &limit);
	for (size_t i = 0; !error && i < strings->envc; i++)
		error = text_read(task, strings, &strings->words[first_env + i], &limit);
	return error;
}

/* Offsets become pointers; each run gets its zero. An empty argv becomes one empty string, at offset 0. */
static int strings_finish(struct exec_strings *strings, char ***argv, char ***envp)
{
	size_t first_env = strings->argc + 1;

	if (!strings->argc) {
		int error = words_grow(strings, strings->envc + 4);
		if (error)
			return error;
		memmove(strings->words + 2, strings->words + 1, strings->envc * sizeof *strings->words);
		strings->words[0] = 0;
		strings->argc = 1;
		first_env = 2;
	}
	for (size_t i = 0; i < strings->argc; i++)
		strings->words[i] += (uint64_t)strings->text;
	for (size_t i = 0; i < strings->envc; i++)
		strings->words[first_env + i] += (uint64_t)strings->text;
	strings->words[strings->argc] = strings->words[first_env + strings->envc] = 0;
	*argv = (char **)strings->words;
	*envp = (char **)(strings->words + first_env);
	return 0;
}

/* Who runs what. */
struct exec_call {
	struct file *file;
	const char *name; /* as the program will know it */
	bool closed;      /* goes by a descriptor that closes on exec */
	struct uaddr argv, envp;
};

static long exec_run(struct task *task, const struct exec_call *call)
{
	struct exec_strings strings = {0};
	char **argv, **envp;
	long result = strings_read(task, call->argv, call->envp, &strings);

	if (!result)
		result = strings_finish(&strings, &argv, &envp);
	if (!result)
		result = task_exec_at(task, call->file, call->name, call->closed, argv, envp);
	strings_free(&strings);
	return result;
}

long sys_execve(struct task *task, const char *path, struct uaddr argv, struct uaddr envp)
{
	struct walker walker = {.context = task->fs, .cred = task->cred, .start = task->fs->cwd};
	struct exec_call call = {.name = path, .argv = argv, .envp = envp};
	int error = exec_open(&walker, path, WALK_FOLLOW, &call.file);

	if (error)
		return error;
	long result = exec_run(task, &call);
	file_put(call.file);
	return result;
}

static int open_at(struct task *task, struct file *directory, const char *path, uint32_t flags, struct file **out)
{
	struct walker walker = {.context = task->fs, .cred = task->cred, .start = task->fs->cwd};
	uint32_t walk_flags = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;

	if (!directory || *path == '/')
		return exec_open(&walker, path, walk_flags, out);
	if (!*path)
		return flags & AT_EMPTY_PATH ? exec_open_file(task->cred, directory, out) : -ENOENT;
	if (!directory->path.dentry || !S_ISDIR(directory->inode->mode))
		return -ENOTDIR;
	walker.start = directory->path;
	return exec_open(&walker, path, walk_flags, out);
}

long sys_execveat(struct task *task, int dirfd, const char *path, struct uaddr argv, struct uaddr envp, uint32_t flags)
{
	struct exec_call call = {.name = path, .argv = argv, .envp = envp};
	struct file *directory = NULL;
	char *name = NULL;
	long result = 0;

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | EXECVE_CHECK))
		return -EINVAL;
	if (dirfd != AT_FDCWD && *path != '/') {
		result = fd_get(task->files, dirfd, &directory);
		if (result)
			return result;
		name = arena_alloc(FD_PATH_BYTES);
		if (!name)
			result = -ENOMEM;
		else
			snprintf(name, FD_PATH_BYTES, "/dev/fd/%d%s%s", dirfd, *path ? "/" : "", path);
		call.name = name;
		call.closed = fd_cloexec_get(task->files, dirfd) == 1;
	}
	if (!result)
		result = open_at(task, directory, path, flags, &call.file);
	if (!result) {
		result = flags & EXECVE_CHECK ? 0 : exec_run(task, &call);
		file_put(call.file);
	}
	arena_free(name, FD_PATH_BYTES);
	if (directory)
		file_put(directory);
	return result;
}
