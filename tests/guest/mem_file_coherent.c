/* read, write, truncate and mappings of one file see each other at once. */
#include "fault.h"

int main(void)
{
	char text[16];
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	MUST(ftruncate(fd, 2 * PAGE + 100));
	char *shared = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	strcpy(shared + 50, "mapped");
	MUST(pread(fd, text, 7, 50));
	SHOW_TEXT(text);
	MUST(pwrite(fd, "written", 8, PAGE));
	SHOW_TEXT(shared + PAGE);
	section("behind the end, on its page");
	strcpy(shared + 2 * PAGE + 200, "beyond");
	SHOW(pread(fd, text, 7, 2 * PAGE + 200));
	MUST(ftruncate(fd, 2 * PAGE + 1000));
	SHOW(pread(fd, text, 7, 2 * PAGE + 200));
	show_bytes("text", text, 7);
	section("cut and grown again");
	strcpy(shared + PAGE + 500, "lost");
	MUST(ftruncate(fd, PAGE + 10));
	SHOW(shared[PAGE + 500]);
	fault_catch();
	READ(shared + 2 * PAGE);
	MUST(ftruncate(fd, 4 * PAGE));
	READ(shared + 2 * PAGE);
	SHOW(shared[PAGE + 500]);
	SHOW(shared[PAGE]);
	section("a hole under a mapping");
	memset(shared, 'x', 4 * PAGE);
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE));
	say("%d %d %d\n", shared[PAGE - 1], shared[PAGE], shared[2 * PAGE]);
	section("appended");
	int append = MUST(open("file", O_WRONLY | O_APPEND));
	MUST(write(append, "end", 4));
	char *tail = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 4 * PAGE);
	SHOW_TEXT(tail);
	MUST(write(append, "more", 5));
	SHOW_TEXT(tail + 4);
	section("reading into one's own mapping");
	MUST(pwrite(fd, "0123456789", 10, 0));
	SHOW(pread(fd, shared + 4, 10, 0));
	show_bytes("shared", shared, 16);
	SHOW(pwrite(fd, shared, 16, PAGE + 1));
	show_bytes("shared", shared + PAGE, 18);
	return 0;
}
