/* mmap and munmap: what they take and refuse. */
#include "fault.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static long try(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	return address_result(mmap(address, size, protection, flags, fd, offset));
}

int main(void)
{
	int ends[2];
	make_file("file", "some text");
	int file = MUST(open("file", O_RDWR)), reader = MUST(open("file", O_RDONLY));
	int writer = MUST(open("file", O_WRONLY)), dir = MUST(open(".", O_RDONLY));
	MUST(pipe(ends));

	char *memory = map_anonymous(3 * PAGE + 5);
	CHECK(((uintptr_t)memory & (PAGE - 1)) == 0);
	CHECK(!memory[0] && !memory[4 * PAGE - 1]);
	memory[4 * PAGE - 1] = 'x';
	SHOW(munmap(memory, 3 * PAGE + 5));
	fault_catch();
	READ(memory + 4 * PAGE - 1);

	section("arguments");
	SHOW(try(NULL, 0, RW, ANON, -1, 0));
	SHOW(try(NULL, PAGE, RW, ANON, -1, 0));
	SHOW(try(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	SHOW(try(NULL, PAGE, RW, MAP_PRIVATE, -1, 0));
	SHOW(try(NULL, PAGE, RW, MAP_PRIVATE, 99, 0));
	SHOW(try(NULL, PAGE, RW, MAP_PRIVATE, file, 1));
	SHOW(try(NULL, PAGE, RW, MAP_PRIVATE, file, PAGE));
	SHOW(try(NULL, PAGE, RW, ANON, 99, 0));
	SHOW(try((void *)1234567, PAGE, RW, ANON, -1, 0));
	SHOW(try(NULL, PAGE, PROT_NONE, ANON, -1, 0));
	SHOW(try(NULL, PAGE, RW, MAP_PRIVATE, dir, 0));
	SHOW(try(NULL, PAGE, RW, MAP_PRIVATE, ends[0], 0));
	SHOW(try(NULL, -1, RW, ANON, -1, 0));
	SHOW(try(NULL, 1ul << 60, RW, ANON, -1, 0));
	SHOW(try(NULL, PAGE, RW, MAP_PRIVATE, file, -(off_t)PAGE));

	section("access modes");
	SHOW(try(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0));
	SHOW(try(NULL, PAGE, RW, MAP_SHARED, reader, 0));
	SHOW(try(NULL, PAGE, RW, MAP_PRIVATE, reader, 0));
	SHOW(try(NULL, PAGE, PROT_WRITE, MAP_SHARED, writer, 0));
	SHOW(try(NULL, PAGE, PROT_READ, MAP_PRIVATE, writer, 0));
	SHOW(try(NULL, PAGE, RW, MAP_SHARED, file, 0));
	SHOW(try(NULL, PAGE, RW, MAP_SHARED_VALIDATE, file, 0));

	section("munmap");
	memory = map_anonymous(2 * PAGE);
	SHOW(munmap(memory + 1, PAGE));
	SHOW(munmap(memory, 0));
	SHOW(munmap(memory, 2 * PAGE));
	SHOW(munmap(memory, 2 * PAGE));
	SHOW(munmap((void *)-PAGE, PAGE));
	SHOW(munmap(memory, -1));
	return 0;
}
