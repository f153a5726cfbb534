/* A mapping that is longer than its file, while the file grows and shrinks below it; msync. */
#include "fault.h"

static char *memory;

static void touch_pages(const char *when)
{
	section(when);
	for (int i = 0; i < 4; i++) {
		char name[32];
		snprintf(name, sizeof name, "page %d", i);
		fault_try(name, memory + i * PAGE, 'r');
	}
}

static void sums(int fd)
{
	static char page[PAGE];
	for (int i = 0; pread(fd, page, PAGE, i * PAGE) > 0; i++) {
		unsigned sum = 0;
		for (unsigned k = 0; k < PAGE; k++)
			sum = sum * 31 + (unsigned char)page[k];
		say("page %d has sum %x\n", i, sum);
	}
}

static void run(int fd)
{
	memory = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	char *copy = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	touch_pages("empty");
	MUST(ftruncate(fd, 10));
	touch_pages("10 bytes");
	memory[9] = 'a';
	MUST(ftruncate(fd, PAGE + 1));
	SHOW(memory[9]);
	touch_pages("a page and a byte");
	copy[PAGE] = 'c';
	MUST(pwrite(fd, "xyz", 3, 3 * PAGE - 1));
	touch_pages("grown by a write");
	SHOW(memory[3 * PAGE + 1]);
	SHOW(copy[3 * PAGE + 1]);
	SHOW(copy[PAGE]);
	SHOW(memory[PAGE]);
	memory[2 * PAGE + 5] = 'm';
	SHOW(msync(memory, 4 * PAGE, MS_SYNC));
	SHOW(msync(memory, 4 * PAGE, MS_ASYNC | MS_INVALIDATE));
	SHOW(msync(memory + 1, PAGE, MS_SYNC));
	SHOW(msync(memory, PAGE, MS_SYNC | MS_ASYNC));
	sums(fd);
	MUST(ftruncate(fd, 2 * PAGE - 1));
	touch_pages("cut: what was written to a copy is cut as well");
	SHOW(copy[PAGE]);
	fault_try("the copy behind the end", copy + 2 * PAGE, 'r');
	MUST(ftruncate(fd, PAGE));
	fault_try("the copy's own page", copy + PAGE, 'r');
	MUST(ftruncate(fd, 4 * PAGE));
	touch_pages("grown again");
	SHOW(memory[2 * PAGE + 5]);
	SHOW(copy[PAGE]);
	sums(fd);
	MUST(munmap(memory, 4 * PAGE));
	SHOW(msync(memory, PAGE, MS_SYNC));
	MUST(munmap(copy, 4 * PAGE));
}

int main(void)
{
	fault_catch();
	say("== a file\n");
	run(MUST(open("file", O_RDWR | O_CREAT, 0644)));
	say("== a memfd\n");
	run(MUST(memfd_create("memory", 0)));
	return 0;
}
