/* Files of the host's directory are written, cut, appended to: whoever has them open sees one file all along. */
#include "guest.h"
#include <sys/uio.h>

static long size_of(const char *name)
{
	struct stat st;
	MUST(stat(name, &st));
	return st.st_size;
}

static ino_t number_of(const char *name)
{
	struct stat st;
	MUST(stat(name, &st));
	return st.st_ino;
}

static void show_fd(const char *what, int fd)
{
	char text[64] = "";
	MUST(pread(fd, text, sizeof text - 1, 0));
	say("%s: \"%s\"\n", what, text);
}

int main(void)
{
	ino_t before = number_of("a");
	int early = MUST(open("a", O_RDONLY));
	show_fd("before", early);
	int fd = MUST(open("a", O_RDWR));
	MUST(pwrite(fd, "UPPER", 5, 0));
	show_fd("opened before the write", early);
	show_fd("opened for the write", fd);
	show_fd("opened after", MUST(open("a", O_RDONLY)));
	CHECK(number_of("a") == before);
	struct stat st;
	MUST(fstat(early, &st));
	CHECK(st.st_ino == before);
	SHOW(st.st_nlink);
	show_file("d/hard");

	section("append");
	fd = MUST(open("b", O_WRONLY | O_APPEND));
	MUST(write(fd, "more", 4));
	show_file("b");
	MUST(stat("b", &st));
	SHOW(st.st_mode & 07777);
	CHECK(st.st_mtime > 1600000000);

	section("cut");
	early = MUST(open("big", O_RDONLY));
	SHOW(truncate("big", 20));
	show_fd("opened before", early);
	SHOW(size_of("big"));
	SHOW(truncate("big", 5000));
	SHOW(size_of("big"));
	SHOW(lseek(early, 0, SEEK_END));
	close(MUST(open("big", O_WRONLY | O_TRUNC)));
	show_fd("after O_TRUNC", early);

	section("attributes alone");
	SHOW(chmod("d/1", 0711));
	SHOW(chown("d/e/2", 12, 34));
	struct timespec times[2] = {{77, 7}, {88, 8}};
	SHOW(utimensat(AT_FDCWD, "d/e/f/3", times, 0));
	MUST(stat("d/1", &st));
	say("%o %ld\n", st.st_mode & 07777, (long)st.st_mtime);
	MUST(stat("d/e/2", &st));
	say("%d %d\n", st.st_uid, st.st_gid);
	MUST(stat("d/e/f/3", &st));
	say("%ld.%ld %ld.%ld\n", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec, (long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec);
	show_file("d/1");
	show_file("d/e/2");
	show_file("d/e/f/3");
	return 0;
}
