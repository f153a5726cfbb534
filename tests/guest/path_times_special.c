/* utimensat with UTIME_NOW and UTIME_OMIT on everything that has a name or only a descriptor. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static const struct timespec fixed[2] = {{1000000001, 123456789}, {2000000002, 987654321}};

static const char *kind(struct timespec time, time_t start)
{
	static char text[2][40];
	static int turn;
	char *at = text[turn++ & 1];
	if (time.tv_sec >= start)
		return "now";
	snprintf(at, sizeof text[0], "%ld.%09ld", (long)time.tv_sec, time.tv_nsec);
	return at;
}

static void set(int dir, const char *name, struct timespec access, struct timespec modified, int flags)
{
	struct stat st;
	time_t start = time(NULL) - 100;
	const struct timespec times[2] = {access, modified};
	if (utimensat(dir, name, times, flags)) {
		say("  %s\n", error_name(errno));
		return;
	}
	MUST(name ? fstatat(dir, name, &st, flags) : fstat(dir, &st));
	/* two calls of kind in one say would be in the order of the compiler's choice */
	const char *first = kind(st.st_atim, start), *second = kind(st.st_mtim, start);
	say("  accessed %s, modified %s\n", first, second);
}

static void all(const char *what, int dir, const char *name, int flags)
{
	const struct timespec now = {7, UTIME_NOW}, omit = {-7, UTIME_OMIT};
	say("%s\n", what);
	set(dir, name, fixed[0], fixed[1], flags);
	set(dir, name, omit, fixed[0], flags);
	set(dir, name, fixed[1], omit, flags);
	set(dir, name, omit, omit, flags);
	set(dir, name, now, omit, flags);
	set(dir, name, omit, now, flags);
	set(dir, name, fixed[0], now, flags);
	set(dir, name, now, now, flags);
}

int main(void)
{
	struct sockaddr_un address = {AF_UNIX, "socket"};
	make_file("file", "x");
	MUST(mkdir("dir", 0755));
	MUST(symlink("file", "link"));
	MUST(symlink("nowhere", "dangling"));
	MUST(mkfifo("fifo", 0600));
	int server = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(server, (struct sockaddr *)&address, sizeof address));
	all("file", AT_FDCWD, "file", 0);
	all("directory", AT_FDCWD, "dir", 0);
	all("link itself", AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW);
	all("dangling itself", AT_FDCWD, "dangling", AT_SYMLINK_NOFOLLOW);
	all("fifo", AT_FDCWD, "fifo", 0);
	all("socket", AT_FDCWD, "socket", 0);
	all("descriptor to read", MUST(open("file", O_RDONLY)), NULL, 0);
	all("memfd", MUST(memfd_create("m", 0)), NULL, 0);
	int ends[2];
	MUST(pipe(ends));
	all("pipe", ends[0], NULL, 0);
	int unlinked = MUST(open("u", O_RDWR | O_CREAT, 0600));
	MUST(unlink("u"));
	all("unlinked", unlinked, NULL, 0);

	section("through the link");
	SHOW(utimensat(AT_FDCWD, "link", fixed, 0));
	struct stat st;
	MUST(lstat("file", &st));
	SHOW(st.st_mtim.tv_sec);
	SHOW(utimensat(AT_FDCWD, "dangling", fixed, 0));

	section("errors");
	struct timespec bad[2] = {{0, 1000000000}, {0, 0}}, skip_both[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
	SHOW(utimensat(AT_FDCWD, "file", bad, 0));
	SHOW(utimensat(AT_FDCWD, "none", skip_both, 0));
	SHOW(utimensat(AT_FDCWD, "none", fixed, 0));
	SHOW(utimensat(99, "file", fixed, 0));
	SHOW(syscall(SYS_utimensat, AT_FDCWD, NULL, fixed, 0));
	SHOW(syscall(SYS_utimensat, AT_FDCWD, "file", fixed, 0x8000));
	SHOW(syscall(SYS_utimensat, server, NULL, fixed, AT_SYMLINK_NOFOLLOW));
	SHOW(utimensat(AT_FDCWD, "file/", fixed, 0));
	SHOW(utimensat(AT_FDCWD, "", fixed, 0));
	int path = MUST(open("file", O_PATH));
	SHOW(syscall(SYS_utimensat, path, NULL, fixed, 0));
	SHOW(syscall(SYS_utimensat, path, "", fixed, AT_EMPTY_PATH));
	return 0;
}
