/* boot_program.c - see boot_program.h. Looks programs up as execvp(3) does, and explains refusals as a good shell
 * would: execve(2) has few errors for many reasons, so the file is looked at once more to tell them apart.
 *
 * Limits: PATH_LIMIT bytes of a directory of PATH and the name; NAME_SHOWN bytes of a name in a message. The loader of
 * an ELF file is not named, only that it is missing.
 */
#include "sentry/boot_program.h"

#include "fs/dentry.h"
#include "fs/inode.h"
#include "fs/namei.h"
#include "sentry/exec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define NAME_SHOWN   600
#define LINE_BYTES   128 /* of a script's first line */

static struct walker walker_of(struct task *task)
{
	return (struct walker){.context = task->fs, .cred = task->cred, .start = task->fs->cwd};
}

static int open_program(struct task *task, const char *path, struct file **out)
{
	struct walker walker = walker_of(task);

	return exec_open(&walker, path, WALK_FOLLOW, out);
}

static const char *variable(char *const *envp, const char *name)
{
	size_t length = strlen(name);

	for (; *envp; envp++)
		if (!strncmp(*envp, name, length) && (*envp)[length] == '=')
			return *envp + length + 1;
	return NULL;
}

/* Directories that refuse are remembered. What has nothing to do with the directory (no memory, no host file) ends the
 * search. */
int boot_program_open(struct task *task, const char *name, char *const *envp, char found[PATH_LIMIT], struct file **out)
{
	const char *path = variable(envp, "PATH");
	int result = -ENOENT;

	if (strchr(name, '/')) {
		if (snprintf(found, PATH_LIMIT, "%s", name) >= PATH_LIMIT)
			return -ENAMETOOLONG;
		return open_program(task, found, out);
	}
	for (path = path && *path ? path : DEFAULT_PATH;;) {
		size_t length = strcspn(path, ":");
		if (snprintf(found, PATH_LIMIT, "%.*s%s%s", (int)length, path, length ? "/" : "", name) < PATH_LIMIT) {
			int error = open_program(task, found, out);
			if (!error)
				return 0;
			if (error == -EACCES)
				result = error;
			else if (error != -ENOENT && error != -ENOTDIR)
				return error;
		}
		if (!path[length])
			return result;
		path += length + 1;
	}
}

printf_like(3, 4) static void say(char message[BOOT_MESSAGE_BYTES], const char *name, const char *format, ...)
{
	int used = snprintf(message, BOOT_MESSAGE_BYTES, "%.*s: ", NAME_SHOWN, name);
	va_list args;

	va_start(args, format);
	vsnprintf(message + used, (size_t)(BOOT_MESSAGE_BYTES - used), format, args);
	va_end(args);
}

/* Which of the reasons for EACCES of a name with a slash is it? */
static void explain_refusal(struct task *task, const char *name, char message[BOOT_MESSAGE_BYTES])
{
	struct walker walker = walker_of(task);
	struct path path;
	int error = walk(&walker, name, WALK_FOLLOW, &path);

	if (error) {
		say(message, name, "%s: user %u may not enter a directory on the way to it; see --user",
		    strerror(-error), task->cred->uid);
		return;
	}
	if (S_ISDIR(path.dentry->inode->mode))
		say(message, name, "is a directory; name a program in it");
	else if (!S_ISREG(path.dentry->inode->mode))
		say(message, name, "is no regular file; name a program");
	else
		say(message, name,
		    "Permission denied: user %u may not execute it; chmod +x it, or run it by what it is "
		    "written for, such as sh",
		    task->cred->uid);
	path_put(&path);
}

/* The program is there, and what it needs to run is not, or is refused. */
static void explain_interpreter(const char *name, struct file *file, int error, char message[BOOT_MESSAGE_BYTES])
{
	char line[LINE_BYTES + 1] = "";
	ssize_t n = file_read_kernel(file, line, LINE_BYTES, 0);
	const char *why = error == ENOENT ? "is not in the sandbox" : strerror(error);

	if (n < 2 || line[0] != '#' || line[1] != '!') {
		say(message, name, "what loads it %s (readelf -l names it); see --mount and --rootfs",
		    error == ENOENT ? why : "cannot be run");
		return;
	}
	char *interpreter = line + 2 + strspn(line + 2, " \t");
	interpreter[strcspn(interpreter, " \t\n")] = 0;
	say(message, name, "its first line asks for %s, which %s%s; see --mount", interpreter,
	    error == ENOENT ? "" : "cannot be run: ", why);
}

void boot_program_explain(struct task *task, const char *name, const char *found, struct file *file, int error,
			  char message[BOOT_MESSAGE_BYTES])
{
	bool by_path = strchr(name, '/');

	if (file && (error == -ENOENT || error == -EACCES || error == -ENOTDIR))
		explain_interpreter(name, file, -error, message);
	else if (error == -ENOENT)
		say(message, name, "no such program in the sandbox; see --mount%s", by_path ? "" : " and --env PATH");
	else if (error == -EACCES && by_path)
		explain_refusal(task, found, message);
	else if (error == -EACCES)
		say(message, name, "found in PATH, but user %u may not execute it; chmod +x it, or see --user",
		    task->cred->uid);
	else if (error == -ENOEXEC)
		say(message, name,
		    "neither a program for Linux on x86-64 nor a script that begins with #!; run it by "
		    "what it is written for, such as sh");
	else if (error == -E2BIG)
		say(message, name,
		    "its arguments and variables are too long; make them shorter, or see --ulimit stack");
	else if (error == -ENOMEM)
		say(message, name, "no memory for it; see --memory");
	else
		say(message, name, "cannot run it: %s", strerror(-error));
}
