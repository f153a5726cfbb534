/* tty.h - a pair of terminal ends for the cases about terminals. Linux moves bytes between them in the background: a
 * poll of an end waits for what is on its way to it, so settle() before looking at the other end's answer. */
#ifndef GUEST_TTY_H
#define GUEST_TTY_H

#include "guest.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static inline void open_pair(void)
{
	master = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	MUST(unlockpt(master));
	slave = MUST(open(ptsname(master), O_RDWR | O_NOCTTY));
}

static inline void close_pair(void)
{
	close(slave);
	close(master);
}

static inline int poll_events(int fd, short events, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	while (poll(&poll_fd, 1, timeout_ms) < 0)
		if (errno != EINTR)
			give_up("poll", errno);
	return poll_fd.revents;
}

static inline void settle(void)
{
	for (int i = 0; i < 3; i++) {
		poll_events(slave, POLLIN, 0);
		poll_events(master, POLLIN, 5);
	}
}

static inline void type_bytes(const char *bytes, size_t size)
{
	MUST(write(master, bytes, size));
	settle();
}

static inline void type(const char *text)
{
	type_bytes(text, strlen(text));
}

/* One read, of what is there. */
static inline void show_read(const char *name, int fd, size_t size)
{
	char bytes[8192];
	settle();
	if (!(poll_events(fd, POLLIN, 0) & (POLLIN | POLLHUP))) {
		say("%s has nothing\n", name);
		return;
	}
	ssize_t n = read(fd, bytes, size);
	if (n < 0)
		say("%s: %s\n", name, error_name(errno));
	else
		show_bytes(name, bytes, n);
}

#define SHOW_MASTER() show_master()
#define SHOW_SLAVE()  show_read("slave", slave, 4096)
/* All that is there, in however many reads. */
static inline void show_master(void)
{
	char bytes[8192];
	size_t size = 0;
	ssize_t n = 0;
	settle();
	while (size < sizeof bytes && poll_events(master, POLLIN, size ? 5 : 0) & (POLLIN | POLLHUP) && n >= 0)
		if ((n = read(master, bytes + size, sizeof bytes - size)) > 0)
			size += n;
	if (size)
		show_bytes("master", bytes, size);
	else
		say("master: %s\n", n < 0 ? error_name(errno) : "nothing");
}

static inline void change(tcflag_t *(*part)(struct termios *), tcflag_t on, tcflag_t off)
{
	struct termios now;
	MUST(tcgetattr(slave, &now));
	*part(&now) |= on;
	*part(&now) &= ~off;
	MUST(tcsetattr(slave, TCSANOW, &now));
}

static inline tcflag_t *part_input(struct termios *all)
{
	return &all->c_iflag;
}

static inline tcflag_t *part_output(struct termios *all)
{
	return &all->c_oflag;
}

static inline tcflag_t *part_local(struct termios *all)
{
	return &all->c_lflag;
}

#define INPUT(on, off)  change(part_input, on, off)
#define OUTPUT(on, off) change(part_output, on, off)
#define LOCAL(on, off)  change(part_local, on, off)

static inline void set_key(int index, int value)
{
	struct termios now;
	MUST(tcgetattr(slave, &now));
	now.c_cc[index] = value;
	MUST(tcsetattr(slave, TCSANOW, &now));
}

/* A child that leads a session whose controlling terminal is the slave. */
static inline pid_t fork_leader(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		MUST(setsid());
		MUST(ioctl(slave, TIOCSCTTY, 0));
	}
	return pid;
}

#endif
