/* telldir, seekdir, rewinddir, getdents with small buffers, lseek on directories. */
#include "guest.h"
#include <dirent.h>

int main(void)
{
	char name[32], buffer[4096];
	MUST(mkdir("dir", 0755));
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "dir/f%02d", i);
		make_file(name, "");
	}
	DIR *d = opendir("dir");
	char names[60][32];
	long place[60];
	int count = 0;
	for (struct dirent *e; place[count] = telldir(d), (e = readdir(d));)
		strcpy(names[count++], e->d_name);
	SHOW(count);
	int wrong = 0;
	for (int i = 0; i < count; i++) {
		int j = i * 7 % count;
		seekdir(d, place[j]);
		wrong += strcmp(readdir(d)->d_name, names[j]) != 0;
	}
	SHOW(wrong);
	seekdir(d, place[count]);
	CHECK(!readdir(d));
	MUST(unlink("dir/f10"));
	make_file("dir/new", "");
	for (int j = 0; j < count; j++) {
		seekdir(d, place[j]);
		struct dirent *e = readdir(d);
		wrong += !e || (strcmp(names[j], "f10") ? strcmp(e->d_name, names[j]) != 0 : !strcmp(e->d_name, "f10"));
	}
	CHECK(wrong <= 1);
	rewinddir(d);
	for (count = 0; readdir(d);)
		count++;
	SHOW(count);
	closedir(d);

	section("getdents");
	int fd = MUST(open("dir", O_RDONLY | O_DIRECTORY));
	SHOW(syscall(SYS_getdents64, fd, buffer, 10));
	long got;
	for (count = 0; (got = syscall(SYS_getdents64, fd, buffer, 64)) > 0;)
		for (long at = 0; at < got; at += ((struct dirent64 *)(buffer + at))->d_reclen)
			count++;
	SHOW(count);
	SHOW(got);
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
	SHOW(lseek(fd, -1, SEEK_SET));
	SHOW(lseek(fd, 0, 77));
	MUST(lseek(fd, 0, SEEK_SET));
	SHOW(read(fd, buffer, 10));
	SHOW(syscall(SYS_getdents64, fd, NULL, sizeof buffer));
	SHOW(syscall(SYS_getdents64, MUST(open("dir/f01", O_RDONLY)), buffer, sizeof buffer));
	SHOW(syscall(SYS_getdents64, -1, buffer, sizeof buffer));
	return 0;
}
