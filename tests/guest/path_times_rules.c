/* Which of the three times each operation moves. */
#include "guest.h"

static struct stat before;
static const char *watched;

static void arm(const char *name)
{
	struct timespec old[2] = {{1000000000, 5}, {1000000000, 5}};
	watched = name;
	MUST(utimensat(AT_FDCWD, name, old, AT_SYMLINK_NOFOLLOW));
	nap_ms(15); /* a tick of the coarse clock */
	MUST(lstat(name, &before));
}

static void look(const char *what)
{
	struct stat after;
	MUST(lstat(watched, &after));
	say("%s: %s%s%s\n", what, after.st_atim.tv_sec != before.st_atim.tv_sec ? "a" : "-",
	    after.st_mtim.tv_sec != before.st_mtim.tv_sec ? "m" : "-",
	    after.st_ctim.tv_sec != before.st_ctim.tv_sec || after.st_ctim.tv_nsec != before.st_ctim.tv_nsec ? "c"
													     : "-");
}

#define STEP(name, call)                                                                                               \
	do {                                                                                                           \
		arm(name);                                                                                             \
		MUST(call);                                                                                            \
		look(#call);                                                                                           \
	} while (0)

int main(void)
{
	char text[10];
	make_file("file", "content");
	MUST(mkdir("dir", 0755));
	MUST(symlink("file", "link"));
	int fd = MUST(open("file", O_RDWR));
	STEP("file", write(fd, "x", 1));
	STEP("file", write(fd, "x", 0));
	STEP("file", chmod("file", 0600));
	STEP("file", chown("file", 5, 5));
	STEP("file", chown("file", -1, -1));
	STEP("file", truncate("file", 100));
	STEP("file", truncate("file", 100));
	STEP("file", ftruncate(fd, 100));
	STEP("file", close(open("file", O_WRONLY)));
	STEP("file", close(open("file", O_WRONLY | O_TRUNC)));
	STEP("file", link("file", "second"));
	STEP("file", unlink("second"));
	STEP("file", rename("file", "file2") | rename("file2", "file"));
	STEP("file", fallocate(fd, 0, 0, 5000));
	STEP("file", fsync(fd));
	STEP("file", access("file", R_OK));
	section("the directory");
	STEP("dir", close(open("dir/new", O_CREAT | O_WRONLY, 0644)));
	STEP("dir", close(open("dir/new", O_WRONLY | O_TRUNC)));
	STEP("dir", chmod("dir/new", 0600));
	STEP("dir", link("dir/new", "dir/two"));
	STEP("dir", rename("dir/two", "dir/three"));
	STEP("dir", unlink("dir/three"));
	STEP("dir", mkdir("dir/sub", 0755));
	STEP("dir", rmdir("dir/sub"));
	STEP("dir", symlink("x", "dir/sym"));
	STEP("dir", rename("dir/new", "elsewhere"));
	STEP("dir", rename("elsewhere", "dir/new"));
	STEP("dir", rename("dir", "dir2") | rename("dir2", "dir"));
	STEP("dir", chmod("dir", 0700));
	section("the link");
	STEP("link", lchown("link", 3, 3));
	STEP("link", chmod("link", 0640));
	STEP("link", readlink("link", text, sizeof text));
	STEP("file", read(fd, text, 4));
	STEP("file", lseek(fd, 0, SEEK_SET));
	STEP("file", pread(fd, text, 4, 0));
	STEP("file", pread(fd, text, 0, 0));
	STEP("dir", system("ls dir > /dev/null"));
	section("utimensat");
	struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}}, none[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
	STEP("file", utimensat(AT_FDCWD, "file", now, 0));
	STEP("file", utimensat(AT_FDCWD, "file", none, 0));
	STEP("file", utimensat(AT_FDCWD, "file", NULL, 0));
	return 0;
}
