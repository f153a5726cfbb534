/* jail.h - the walls around the sentry (rule W3), in the order in which they go up.
 *
 *   outside: jail_spawn   a child in new user, pid, mount, network, IPC, UTS and cgroup namespaces
 *   inside:  jail_enter   what the host shows as detached mounts; an empty root; no capability; our own proc
 *            ...          the platform starts its processes, the sandbox's tree is built
 *            jail_close   the seccomp filter made from host.def; from here on only host.h speaks to the host
 */
#ifndef PLATFORM_JAIL_H
#define PLATFORM_JAIL_H

#include "sentry/base/types.h"

#define JAIL_MESSAGE_BYTES 256

/* A directory or file of the host that the sandbox is to see. */
struct jail_view {
	const char *source; /* absolute, without symbolic links at its end */
	bool writable;      /* false: the mount itself refuses writes, whatever the sentry may try */
	bool is_file;       /* a regular file */
	int fd; /* out: O_PATH, the root of a mount of its own with everything mounted below; ".." does not leave it;
		   a file that is not writable: open for reading */
};

/* Runs child(argument) in a new process; child must not return. *pid and *pidfd (close-on-exec) are its names outside.
 * Must be called with one thread. -errno; message then says what the host forbids and what to do, without a newline. */
must_check int jail_spawn(void (*child)(void *argument), void *argument, pid_t *pid, int *pidfd,
			  char message[JAIL_MESSAGE_BYTES]);

/* In the child. Afterwards descriptors 0, 1, 2 and keep_fd are open, and the views' fds. -errno and message as above.
 */
must_check int jail_enter(struct jail_view *views, unsigned count, int keep_fd, char message[JAIL_MESSAGE_BYTES]);

/* In the child, once everything is started, with all its threads. */
must_check int jail_close(char message[JAIL_MESSAGE_BYTES]);

/* Is it closed? For assertions: what fails afterwards cannot call abort(3). */
bool jail_closed(void);

#endif
