/* A file that is replaced by rename while it is open, mapped and locked: the old one lives on for those who have it. */
#include "fault.h"
#include <sys/file.h>

static void exchanged(char *mapped, int fd)
{
	section("renamed while mapped, then exchanged");
	make_file("third", "third");
	SHOW(renameat2(AT_FDCWD, "old", AT_FDCWD, "third", RENAME_EXCHANGE));
	memcpy(mapped, "exchanged", 9);
	show_file("third");
	show_file("old");
	SHOW(rename("third", "moved"));
	MUST(ftruncate(fd, 4));
	show_file("moved");
	show_bytes("mapped", mapped, 6);
}

int main(void)
{
	struct stat st;
	make_file("old", "old content");
	make_file("new", "new, longer content");
	int fd = MUST(open("old", O_RDWR)), locked = MUST(open("old", O_RDONLY));
	MUST(flock(locked, LOCK_EX));
	char *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	char *private = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	shared[0] = 'O';

	section("replaced");
	MUST(rename("new", "old"));
	show_file("old");
	SHOW_TEXT(shared);
	SHOW_TEXT(private);
	MUST(fstat(fd, &st));
	SHOW(st.st_nlink);
	SHOW(st.st_size);
	int again = MUST(open("old", O_RDWR));
	SHOW(flock(again, LOCK_EX | LOCK_NB));

	section("both go on");
	char *other = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, again);
	memcpy(shared, "mapped", 6);
	memcpy(other, "MAPPED", 6);
	MUST(pwrite(fd, "!", 1, 6));
	MUST(pwrite(again, "?", 1, 6));
	SHOW_TEXT(shared);
	SHOW_TEXT(other);
	show_file("old");
	private[1] = '-';
	MUST(pwrite(fd, "++++", 4, 0));
	SHOW_TEXT(shared);
	SHOW(private[1]);

	section("the old one has no name, and gets none");
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
	char target[512];
	ssize_t n = MUST(readlink(path, target, sizeof target - 1));
	target[n] = 0;
	SHOW_TEXT(strrchr(target, '/'));
	int through = MUST(open(path, O_RDONLY));
	char bytes[4];
	SHOW(read(through, bytes, 4));
	show_bytes("bytes", bytes, 4);

	section("descriptors closed: the mapping is enough");
	close(fd);
	close(locked);
	close(through);
	shared[0] = 'M';
	SHOW_TEXT(shared);
	pid_t child = fork_child();
	if (!child) {
		shared[1] = 'C';
		other[1] = 'C';
		_exit(0);
	}
	reap("child", child);
	SHOW_TEXT(shared);
	show_file("old");
	MUST(munmap(shared, PAGE));

	exchanged(other, again);
	return 0;
}
