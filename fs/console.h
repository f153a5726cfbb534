/* console.h - the person's terminal, or what stands for it, as the far end of a terminal of the sandbox.
 *
 * The program has a slave of ours, /dev/pts/0; the sentry itself holds the master and carries bytes between it and two
 * host descriptors. There is one console at most.
 */
#ifndef FS_CONSOLE_H
#define FS_CONSOLE_H

#include "fs/tty.h"
#include "sentry/abi/termios.h"

struct console_config {
	uint32_t input, output;             /* host files, or HOSTFILE_NONE */
	const struct abi_termios *settings; /* what the slave starts with; NULL: the usual, and input is no terminal */
};

/* Makes the terminal, which belongs to cred, and starts carrying. -errno. */
must_check int console_start(const struct console_config *config, struct cred *cred);
/* An open file of the slave; gives. */
must_check int console_open(struct cred *cred, struct file **out);
/* It controls this session, whose leader is in the foreground. */
void console_control(int32_t sid);
/* The person's window has changed its size. */
void console_resize(void);
bool console_active(void);
/* PARKS until all that was written is with the host, or the host has not taken it for a while. */
void console_drain(void);

#endif
