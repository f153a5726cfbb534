/* inotify(7): which events files and directories give, in which order, with which names. */
#include "guest.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static int in;

static const char *names[] = {"ACCESS",     "MODIFY",   "ATTRIB", "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN",
			      "MOVED_FROM", "MOVED_TO", "CREATE", "DELETE",      "DELETE_SELF",   "MOVE_SELF"};

static void show_event(const struct inotify_event *event, uint32_t *cookie)
{
	char text[200] = "";
	for (unsigned i = 0; i < COUNT(names); i++)
		if (event->mask & 1u << i)
			strcat(strcat(text, " "), names[i]);
	if (event->mask & IN_ISDIR)
		strcat(text, " ISDIR");
	if (event->mask & IN_IGNORED)
		strcat(text, " IGNORED");
	if (event->mask & IN_Q_OVERFLOW)
		strcat(text, " OVERFLOW");
	const char *pair = !event->cookie ? "" : event->cookie == *cookie ? " (the same move)" : " (a move)";
	*cookie = event->cookie;
	say("  %d:%s%s%s%s len %u\n", event->wd, text, event->len ? " " : "", event->len ? event->name : "", pair,
	    event->len);
}

static void drain(const char *what)
{
	char buffer[8192] __attribute__((aligned(8)));
	uint32_t cookie = 0;
	ssize_t n;
	say("%s:\n", what);
	while ((n = read(in, buffer, sizeof buffer)) > 0)
		for (char *at = buffer; at < buffer + n;) {
			struct inotify_event *event = (void *)at;
			show_event(event, &cookie);
			at += sizeof *event + event->len;
		}
	if (errno != EAGAIN)
		say("  read: %s\n", error_name(errno));
}

static void files(void)
{
	char byte;
	int fd = MUST(open("d/a", O_RDWR | O_CREAT, 0644));
	drain("created");
	MUST(write(fd, "12", 2));
	MUST(write(fd, "34", 2));
	drain("written twice");
	MUST(pread(fd, &byte, 1, 0));
	MUST(ftruncate(fd, 1));
	MUST(fchmod(fd, 0600));
	drain("read, truncated, chmod");
	close(fd);
	drain("closed");
	fd = MUST(open("d/a", O_RDONLY));
	close(fd);
	drain("opened to read, closed");
	fd = MUST(open("d/a", O_PATH));
	close(fd);
	drain("only its place");
	MUST(rename("d/a", "d/b"));
	drain("renamed");
	MUST(link("d/b", "d/c"));
	drain("linked");
	MUST(symlink("b", "d/s"));
	drain("a symbolic link");
	MUST(utimensat(AT_FDCWD, "d/b", NULL, 0));
	MUST(truncate("d/b", 0));
	drain("touched, truncated by name");
	MUST(unlink("d/c"));
	MUST(unlink("d/b"));
	MUST(unlink("d/s"));
	drain("unlinked");
}

static void directories(void)
{
	MUST(mkdir("d/sub", 0755));
	MUST(rename("d/sub", "e/sub"));
	MUST(rename("e/sub", "d/again"));
	MUST(rmdir("d/again"));
	drain("made, moved out and in, removed");
	MUST(mkfifo("d/fifo", 0644));
	MUST(unlink("d/fifo"));
	drain("a FIFO");
}

static void itself(void)
{
	make_file("f", "x");
	int wd = inotify_add_watch(in, "f", IN_ALL_EVENTS);
	CHECK(wd > 0);
	int fd = MUST(open("f", O_WRONLY | O_APPEND));
	MUST(write(fd, "y", 1));
	close(fd);
	MUST(rename("f", "g"));
	drain("a file watched: opened, written, closed, renamed");
	fd = MUST(open("g", O_RDONLY));
	MUST(unlink("g"));
	drain("unlinked while open");
	close(fd);
	drain("and closed");
	SHOW(inotify_rm_watch(in, wd));
	MUST(mkdir("h", 0755));
	wd = inotify_add_watch(in, "h", IN_ALL_EVENTS);
	MUST(rename("h", "i"));
	MUST(rmdir("i"));
	drain("a directory watched: moved, removed");
	make_file("over", "1");
	make_file("under", "2");
	MUST(inotify_add_watch(in, "under", IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF));
	MUST(rename("over", "under"));
	drain("renamed over");
}

static void masks(void)
{
	make_file("m", "x");
	int wd = MUST(inotify_add_watch(in, "m", IN_OPEN | IN_ONESHOT));
	close(MUST(open("m", O_RDONLY)));
	close(MUST(open("m", O_RDONLY)));
	drain("once only");
	wd = MUST(inotify_add_watch(in, "m", IN_OPEN));
	CHECK(inotify_add_watch(in, "m", IN_CLOSE | IN_MASK_ADD) == wd);
	close(MUST(open("m", O_RDONLY)));
	drain("masks added");
	CHECK(inotify_add_watch(in, "m", IN_MODIFY) == wd);
	close(MUST(open("m", O_RDONLY)));
	drain("mask replaced");
	SHOW(inotify_add_watch(in, "m", IN_MODIFY | IN_MASK_CREATE));
	SHOW(inotify_rm_watch(in, wd));
	drain("removed");
	SHOW(inotify_rm_watch(in, wd));
}

static void errors(void)
{
	SHOW(inotify_add_watch(in, "none", IN_OPEN));
	SHOW(inotify_add_watch(in, "m", 0));
	SHOW(inotify_add_watch(in, "m", IN_OPEN | IN_ONLYDIR));
	SHOW(inotify_add_watch(in, "m", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
	SHOW(inotify_add_watch(0, "m", IN_OPEN));
	SHOW(inotify_add_watch(99, "m", IN_OPEN));
	SHOW(inotify_rm_watch(0, 1));
	SHOW(inotify_init1(1));
	SHOW(write(in, "x", 1));
	SHOW(lseek(in, 0, SEEK_SET));
}

static void reading(void)
{
	char small[20];
	int size = 0;
	struct pollfd poll_in = {in, POLLIN | POLLOUT, 0};
	SHOW(poll(&poll_in, 1, 0));
	make_file("d/with_a_long_name", "x");
	SHOW(poll(&poll_in, 1, 0));
	say("revents %x\n", poll_in.revents);
	SHOW(read(in, small, sizeof small));
	SHOW(ioctl(in, FIONREAD, &size));
	SHOW(size);
	drain("all of it");
}

int main(void)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("e", 0755));
	in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	CHECK(in > 0);
	SHOW(fcntl(in, F_GETFL) & O_NONBLOCK);
	SHOW(inotify_add_watch(in, "d", IN_ALL_EVENTS));
	SHOW(inotify_add_watch(in, "e", IN_MOVE | IN_CREATE | IN_DELETE));
	section("files");
	files();
	section("directories");
	directories();
	section("the watched thing itself");
	itself();
	section("masks");
	masks();
	section("errors");
	errors();
	section("reading");
	reading();
	return 0;
}
