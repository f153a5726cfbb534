/* utimensat and its elders: exact times, UTIME_NOW, UTIME_OMIT. */
#include "guest.h"
#include <sys/time.h>
#include <utime.h>

static void show_times(const char *name)
{
	struct stat st;
	MUST(lstat(name, &st));
	say("%s: accessed %ld.%09ld modified %ld.%09ld\n", name, st.st_atim.tv_sec, st.st_atim.tv_nsec,
	    st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static int set(const char *name, struct timespec accessed, struct timespec modified, int flags)
{
	return utimensat(AT_FDCWD, name, (struct timespec[]){accessed, modified}, flags);
}

#define AT_TIME(s, ns) ((struct timespec){(s), (ns)})

static void as_user(void)
{
	become_user(1000);
	SHOW(utimensat(AT_FDCWD, "writable", NULL, 0));
	SHOW(set("writable", AT_TIME(1, 0), AT_TIME(1, 0), 0));
	SHOW(utimensat(AT_FDCWD, "file", NULL, 0));
	SHOW(set("file", AT_TIME(0, UTIME_OMIT), AT_TIME(0, UTIME_OMIT), 0));
}

int main(void)
{
	make_file("file", "x");
	SHOW(set("file", AT_TIME(1000000000, 123456789), AT_TIME(2000000000, 987654321), 0));
	show_times("file");
	SHOW(set("file", AT_TIME(0, UTIME_OMIT), AT_TIME(5, 0), 0));
	show_times("file");
	SHOW(set("file", AT_TIME(7, 0), AT_TIME(0, UTIME_OMIT), 0));
	show_times("file");
	SHOW(set("file", AT_TIME(0, 1000000000), AT_TIME(0, 0), 0));
	SHOW(set("absent", AT_TIME(0, 0), AT_TIME(0, 0), 0));
	SHOW(set("file", AT_TIME(0, 0), AT_TIME(0, 0), 0x8000));
	SHOW(set("file", AT_TIME(-5, 0), AT_TIME(0, 0), 0));
	show_times("file");

	section("elders");
	SHOW(utimes("file", (struct timeval[]){{11, 500000}, {12, 250000}}));
	show_times("file");
	SHOW(utime("file", &(struct utimbuf){13, 14}));
	show_times("file");
	int fd = MUST(open("file", O_RDONLY));
	SHOW(futimens(fd, (struct timespec[]){{15, 1}, {16, 2}}));
	show_times("file");
	MUST(symlink("file", "link"));
	SHOW(set("link", AT_TIME(17, 0), AT_TIME(18, 0), AT_SYMLINK_NOFOLLOW));
	show_times("link");
	show_times("file");

	section("now");
	struct stat st;
	time_t start = time(NULL);
	SHOW(set("file", AT_TIME(0, UTIME_NOW), AT_TIME(0, UTIME_NOW), 0));
	MUST(stat("file", &st));
	CHECK(st.st_atim.tv_sec >= start - 1 && st.st_mtim.tv_sec <= time(NULL));
	CHECK(st.st_ctim.tv_sec >= start - 1);
	MUST(set("file", AT_TIME(1, 0), AT_TIME(1, 0), 0));
	MUST(truncate("file", 0));
	MUST(stat("file", &st));
	CHECK(st.st_mtim.tv_sec >= start - 1);

	section("user");
	make_file("writable", "");
	MUST(chmod("writable", 0666));
	in_child("user", as_user);
	return 0;
}
