/* boot_program.h - finding the program that a sandbox is for, and saying why it cannot be run. */
#ifndef SENTRY_BOOT_PROGRAM_H
#define SENTRY_BOOT_PROGRAM_H

#include "fs/file.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"

#define BOOT_MESSAGE_BYTES 1024

/* PARKS. As execvp(3) in the variables of envp: a name with a slash is a path, any other is looked up in PATH. found
 * is what was opened, or tried last. -errno. */
must_check int boot_program_open(struct task *task, const char *name, char *const *envp, char found[PATH_LIMIT],
				 struct file **out);

/* PARKS. One line about `name` that cannot be run, with what can be done about it. file: the program, which was opened
 * as `found`; NULL: it could not be. */
void boot_program_explain(struct task *task, const char *name, const char *found, struct file *file, int error,
			  char message[BOOT_MESSAGE_BYTES]);

#endif
