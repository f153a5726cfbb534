/* Code that a program writes by itself and then changes: a system call instruction among it is like any other code. */
#include "fault.h"

/* mov $39 (getpid), %eax; syscall; ret */
static const unsigned char ask_pid[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
/* mov $110 (getppid), %eax; syscall; ret */
static const unsigned char ask_parent[] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};
/* mov $7, %eax; add $1, %eax; ret; the 0x0f 0x05 of the others are gone */
static const unsigned char plain[] = {0xb8, 7, 0, 0, 0, 0x83, 0xc0, 1, 0xc3};

static char *memory;

static long call(size_t offset)
{
	long result;
	__asm__ volatile("call *%1" : "=a"(result) : "r"(memory + offset) : "rcx", "r11", "memory", "cc");
	return result;
}

static void write_code(size_t offset, const void *code, size_t size)
{
	MUST(mprotect(memory, 2 * PAGE, PROT_READ | PROT_WRITE));
	memcpy(memory + offset, code, size);
	MUST(mprotect(memory, 2 * PAGE, PROT_READ | PROT_EXEC));
}

static void child(void)
{
	CHECK(call(0) == getppid());
	write_code(0, ask_pid, sizeof ask_pid);
	CHECK(call(0) == getpid());
}

int main(void)
{
	memory = map_anonymous(2 * PAGE);
	write_code(0, ask_pid, sizeof ask_pid);
	for (int i = 0; i < 3; i++)
		CHECK(call(0) == getpid());
	section("other code in the same place");
	write_code(0, plain, sizeof plain);
	SHOW(call(0));
	write_code(0, ask_parent, sizeof ask_parent);
	for (int i = 0; i < 3; i++)
		CHECK(call(0) == getppid());
	section("writable and executable at the same time");
	MUST(mprotect(memory, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	memcpy(memory, ask_pid, sizeof ask_pid);
	CHECK(call(0) == getpid());
	memcpy(memory, plain, sizeof plain);
	SHOW(call(0));
	memcpy(memory, ask_parent, sizeof ask_parent);
	CHECK(call(0) == getppid());
	section("across two pages, so that no jump fits");
	write_code(PAGE - 6, ask_pid, sizeof ask_pid);
	for (int i = 0; i < 3; i++)
		CHECK(call(PAGE - 6) == getpid());
	write_code(2 * PAGE - 8, ask_pid, sizeof ask_pid);
	CHECK(call(2 * PAGE - 8) == getpid());
	section("child");
	write_code(0, ask_parent, sizeof ask_parent);
	CHECK(call(0) == getppid());
	in_child("child", child);
	CHECK(call(0) == getppid());
	section("mapped anew at the same address");
	MUST(munmap(memory, 2 * PAGE));
	memory = mmap(memory, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	write_code(0, plain, sizeof plain);
	SHOW(call(0));
	return 0;
}
