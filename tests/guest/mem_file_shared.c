/* A shared file mapping, the file's read and write and other mappings all see the same bytes at once. */
#include "fault.h"

static char *memory;

static void child(void)
{
	memcpy(memory + 5, "child", 5);
}

int main(void)
{
	char buffer[16] = "";
	make_file("file", "0123456789abcdef");
	int fd = MUST(open("file", O_RDWR)), other = MUST(open("file", O_RDWR));
	memory = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	char *twin = map(PAGE, PROT_READ, MAP_SHARED, other);
	SHOW_TEXT(memory);
	MUST(pwrite(other, "WRITTEN", 7, 0));
	SHOW_TEXT(memory);
	memcpy(memory, "stored ", 7);
	SHOW_TEXT(twin);
	SHOW(pread(other, buffer, 10, 0));
	SHOW_TEXT(buffer);
	in_child("child", child);
	show_file("file");

	section("bytes behind the end are not the file's");
	memory[16] = '!';
	struct stat st;
	MUST(fstat(fd, &st));
	SHOW(st.st_size);
	show_file("file");

	section("closing and unlinking change nothing");
	close(fd);
	close(other);
	MUST(unlink("file"));
	memcpy(memory, "alone", 5);
	SHOW(!memcmp(twin, "alone", 5));
	SHOW(msync(memory, PAGE, MS_SYNC));
	SHOW(munmap(memory, PAGE));
	SHOW(!memcmp(twin, "alone", 5));

	section("at an offset, growing");
	fd = MUST(open("grow", O_RDWR | O_CREAT, 0644));
	MUST(ftruncate(fd, 4 * PAGE));
	char *second = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	strcpy(second, "page one");
	strcpy(second + PAGE, "page two");
	memset(buffer, 0, sizeof buffer);
	MUST(pread(fd, buffer, 8, 2 * PAGE));
	SHOW_TEXT(buffer);
	MUST(ftruncate(fd, PAGE + 4));
	MUST(ftruncate(fd, 4 * PAGE));
	show_bytes("cut and grown", second, 8);
	return 0;
}
