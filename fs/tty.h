/* tty.h - terminals as the rest of the sentry sees them: whose controlling terminal one is, and how a session loses it.
 *
 * All terminals are pseudoterminals (pty(7)): one object (struct tty) for both ends, the master, which stands for the
 * wire, and the slave, which programs see. fs/tty_impl.h has the inside.
 */
#ifndef FS_TTY_H
#define FS_TTY_H

#include "fs/inode.h"

struct tty;

/* Once by fs_init: /dev/tty, /dev/ptmx, the file system devpts. */
void tty_init(void);

/* The leader of the session whose controlling terminal this is has ended: SIGHUP to the foreground group. Gives the
 * session's reference back. */
void tty_leader_gone(struct tty *tty);
/* vhangup(2): everything that is open on the slave is cut off, the session loses it. */
void tty_hangup(struct tty *tty);

/* For /proc/PID/stat: the device number as stat(2) encodes it, and the foreground group (-1: none). */
uint32_t tty_device(const struct tty *tty);
int32_t tty_foreground(const struct tty *tty);

/* Both ends have the same of these: window size and signal when it changes (tty_ioctl(4), TIOCSWINSZ). */
struct abi_winsize;
void tty_resize(struct tty *tty, const struct abi_winsize *size);
/* The terminal behind a file that is one end; NULL: it is something else. Borrowed. */
struct tty *tty_of_file(const struct file *file);

#endif
