/* /proc/self/fd and fdinfo: what the links say, reopening, positions and flags. */
#include "guest.h"
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static void link_of(const char *what, int fd)
{
	char name[64], text[300];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(name, text, sizeof text - 1);
	if (n < 0) {
		say("%s: %s\n", what, error_name(errno));
		return;
	}
	text[n] = 0;
	char *digits = strpbrk(text, "[");
	if (text[0] != '/' && digits && strncmp(text, "anon", 4))
		strcpy(digits, "[number]");
	struct stat st;
	MUST(lstat(name, &st));
	const char *base = text[0] == '/' ? strrchr(text, '/') : text;
	say("%s: %s, mode %o\n", what, base, st.st_mode);
}

static void info_of(const char *what, int fd)
{
	char name[64], text[1000];
	long pos;
	unsigned flags, mount;
	snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
	int in = MUST(open(name, O_RDONLY));
	ssize_t n = MUST(read(in, text, sizeof text - 1));
	close(in);
	text[n] = 0;
	int got = sscanf(text, "pos: %ld flags: %o mnt_id: %u", &pos, &flags, &mount);
	say("%s: %d values, pos %ld flags 0%o\n", what, got, pos, flags);
}

int main(void)
{
	int ends[2], pair[2];
	make_file("plain", "0123456789");
	int fd = MUST(open("plain", O_RDWR | O_APPEND | O_CLOEXEC));
	MUST(lseek(fd, 4, SEEK_SET));
	link_of("a file", fd);
	info_of("a file", fd);
	int other = MUST(open("plain", O_WRONLY | O_NONBLOCK));
	link_of("write only", other);
	info_of("write only", other);
	int place = MUST(open("plain", O_PATH));
	link_of("only a place", place);
	info_of("only a place", place);
	MUST(pipe2(ends, O_NONBLOCK));
	link_of("a pipe", ends[0]);
	info_of("a pipe", ends[0]);
	info_of("its other end", ends[1]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	link_of("a socket", pair[0]);
	link_of("an epoll", MUST(epoll_create1(0)));
	link_of("an eventfd", MUST(eventfd(0, 0)));
	int dir = MUST(open(".", O_RDONLY | O_DIRECTORY));
	info_of("a directory", dir);
	link_of("nothing", 99);
	SHOW(open("/proc/self/fdinfo/99", O_RDONLY));

	section("unlinked, and opened again by its link");
	char name[64], byte;
	MUST(unlink("plain"));
	link_of("unlinked", fd);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	int again = open(name, O_RDONLY);
	CHECK(again >= 0 && read(again, &byte, 1) == 1 && byte == '0');
	CHECK(open("plain", O_RDONLY) == -1);
	snprintf(name, sizeof name, "/proc/self/fd/%d", place);
	CHECK(open(name, O_RDONLY) >= 0);

	section("listing");
	DIR *list = opendir("/proc/self/fd");
	int count = 0;
	bool all_numbers = true;
	for (struct dirent *entry; (entry = readdir(list));) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		all_numbers &= strspn(entry->d_name, "0123456789") == strlen(entry->d_name);
	}
	int expected = 0;
	for (int i = 0; i < 100; i++)
		expected += fcntl(i, F_GETFD) != -1;
	closedir(list);
	CHECK(all_numbers && count == expected);
	return 0;
}
