/* Other file systems that can be mounted, what watches and others see of it, and sysfs(2). */
#include "mount.h"
#include <poll.h>
#include <sys/inotify.h>

static void kinds(void)
{
	section("kinds");
	SHOW(mount("p", "a", "proc", 0, NULL));
	show_mount("a");
	SHOW(access("a/self/status", F_OK));
	SHOW(mount("p", "a", "proc", 0, NULL));
	SHOW(umount("a"));
	SHOW(mount("s", "a", "sysfs", 0, NULL));
	SHOW(access("a/kernel", F_OK));
	SHOW(mount("s", "a", "sysfs", 0, NULL));
	SHOW(umount("a"));
}

static void watched(void)
{
	char bytes[512];

	section("watched");
	MUST(mount("t", "a", "tmpfs", 0, NULL));
	int fd = MUST(inotify_init1(IN_NONBLOCK));
	SHOW(inotify_add_watch(fd, "a", IN_CREATE));
	SHOW(umount("a"));
	ssize_t size = read(fd, bytes, sizeof bytes);
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(bytes + at);
		say("wd %d mask %x\n", event->wd, event->mask);
		at += (ssize_t)(sizeof *event + event->len);
	}
	close(fd);
}

static void unprivileged(void)
{
	section("without the right to");
	fflush(NULL);
	pid_t child = MUST(fork());
	if (!child) {
		MUST(setuid(65534));
		SHOW(mount("t", "a", "tmpfs", 0, NULL));
		SHOW(mount("t", "nowhere", "tmpfs", 0, NULL));
		SHOW(umount("a"));
		SHOW(umount2("a", 0x100));
		SHOW(umount("nowhere"));
		_exit(0);
	}
	MUST(waitpid(child, NULL, 0));
}

/* The types are numbered, which number is whose is the kernel's affair. */
static void types(void)
{
	char name[64] = "";

	section("types");
	long count = syscall(SYS_sysfs, 3), index = syscall(SYS_sysfs, 1, "tmpfs");
	CHECK(count > 5);
	CHECK(index >= 0 && index < count);
	SHOW(syscall(SYS_sysfs, 2, index, name));
	say("%s\n", name);
	SHOW(syscall(SYS_sysfs, 1, "no_such_type"));
	SHOW(syscall(SYS_sysfs, 1, (char *)1));
	SHOW(syscall(SYS_sysfs, 2, count, name));
	SHOW(syscall(SYS_sysfs, 2, 0, (char *)1));
	SHOW(syscall(SYS_sysfs, 4));
}

int main(void)
{
	own_tree();
	MUST(mkdir("a", 0755));
	kinds();
	watched();
	unprivileged();
	types();
	return 0;
}
