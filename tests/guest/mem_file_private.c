/* A private file mapping: writes stay in this process; pages not yet written to follow the file. */
#include "fault.h"

static char *memory;

static void child(void)
{
	SHOW_TEXT(memory);
	memcpy(memory, "CHILD", 5);
}

int main(void)
{
	make_file("file", "0123456789");
	MUST(truncate("file", 2 * PAGE));
	int fd = MUST(open("file", O_RDWR));
	memory = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	memcpy(memory, "priv", 4);
	SHOW_TEXT(memory);
	char start[11] = "";
	MUST(pread(fd, start, 10, 0));
	SHOW_TEXT(start);
	MUST(pwrite(fd, "FILE", 4, 0));
	SHOW_TEXT(memory);
	in_child("child", child);
	SHOW_TEXT(memory);
	SHOW(msync(memory, 2 * PAGE, MS_SYNC));
	MUST(pread(fd, start, 10, 0));
	SHOW_TEXT(start);

	section("a read-only descriptor is enough, and may go away");
	int reader = MUST(open("file", O_RDONLY));
	char *other = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader);
	close(reader);
	other[0] = 'o';
	SHOW_TEXT(other);
	MUST(unlink("file"));
	SHOW_TEXT(other);
	return 0;
}
