/* getdents64: the sorted content of a directory, positions, small buffers. */
#include "guest.h"
#include <dirent.h>

struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t length;
	uint8_t type;
	char name[];
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Everything, read with a buffer of this size. */
static void list(int fd, size_t size)
{
	static char buffer[65536], texts[600][64];
	char *lines[600];
	int count = 0;
	for (long got; (got = MUST(syscall(SYS_getdents64, fd, buffer, size))) > 0;) {
		for (long at = 0; at < got;) {
			struct entry *entry = (void *)(buffer + at);
			snprintf(texts[count], 64, "%s type %d%s", entry->name, entry->type,
				 entry->ino ? "" : " NO INODE");
			lines[count] = texts[count];
			count++;
			at += entry->length;
		}
	}
	qsort(lines, count, sizeof *lines, by_name);
	say("%d entries\n", count);
	for (int i = 0; i < count && i < 12; i++)
		say("  %s\n", lines[i]);
}

int main(void)
{
	char buffer[64], name[32];
	MUST(mkdir("dir", 0755));
	int fd = MUST(open("dir", O_RDONLY));
	list(fd, 4096);
	make_file("dir/file", "");
	MUST(mkdir("dir/directory", 0755));
	MUST(symlink("x", "dir/link"));
	MUST(mkfifo("dir/fifo", 0644));
	SHOW(lseek(fd, 0, SEEK_SET));
	list(fd, 4096);
	SHOW(syscall(SYS_getdents64, fd, buffer, sizeof buffer));
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "dir/many%03d", i);
		make_file(name, "");
	}
	MUST(lseek(fd, 0, SEEK_SET));
	list(fd, 200);
	MUST(lseek(fd, 0, SEEK_SET));
	SHOW(syscall(SYS_getdents64, fd, buffer, 8));
	SHOW(syscall(SYS_getdents64, fd, (void *)8, 4096));
	SHOW(syscall(SYS_getdents64, -1, buffer, sizeof buffer));
	SHOW(syscall(SYS_getdents64, MUST(open("dir/file", O_RDONLY)), buffer, sizeof buffer));

	section("telldir and seekdir");
	DIR *dir = opendir("dir");
	for (int i = 0; i < 100; i++)
		readdir(dir);
	long position = telldir(dir);
	snprintf(name, sizeof name, "%.31s", readdir(dir)->d_name);
	for (int i = 0; i < 100; i++)
		readdir(dir);
	seekdir(dir, position);
	CHECK(!strcmp(readdir(dir)->d_name, name));
	rewinddir(dir);
	int count = 0;
	while (readdir(dir))
		count++;
	SHOW(count);

	section("removed while being read");
	rewinddir(dir);
	int removed = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		removed += entry->d_type == DT_REG && !unlinkat(dirfd(dir), entry->d_name, 0);
	SHOW(removed);
	rewinddir(dir);
	for (count = 0; readdir(dir); count++)
		;
	SHOW(count);
	return closedir(dir);
}
