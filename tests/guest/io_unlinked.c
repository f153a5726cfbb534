/* An unlinked file lives as long as something has it open; a new file of that name is another one. */
#include "guest.h"

int main(void)
{
	struct stat st, fresh;
	char buffer[16] = "";
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	MUST(write(fd, "before", 6));
	MUST(fstat(fd, &st));
	SHOW(st.st_nlink);
	SHOW(unlink("file"));
	MUST(fstat(fd, &st));
	SHOW(st.st_nlink);
	SHOW(write(fd, "after", 5));
	SHOW(pread(fd, buffer, 15, 0));
	SHOW_TEXT(buffer);
	SHOW(fchmod(fd, 0600));
	SHOW(ftruncate(fd, 3));
	SHOW(open("file", O_RDONLY));

	make_file("file", "new");
	MUST(stat("file", &fresh));
	CHECK(fresh.st_ino != st.st_ino);
	SHOW(fresh.st_size);
	show_file("file");

	section("through /proc");
	char link[64], target[256] = "";
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	MUST(readlink(link, target, sizeof target - 1));
	CHECK(strlen(target) > 10 && !strcmp(target + strlen(target) - 10, " (deleted)"));
	int again = MUST(open(link, O_RDONLY));
	SHOW(read(again, buffer, 15));
	show_bytes("reopened", buffer, 3);
	return 0;
}
