/* Where a bad access happened, and why, as the handler learns it. */
#include "fault.h"

static const char text[] = "constant";
static volatile char *volatile constant = (volatile char *)text;

static volatile char *volatile nowhere;

static void at_null(void)
{
	*nowhere = 1;
}
static void at_constant(void)
{
	*constant = 1;
}
static void call_null(void)
{
	((void (*)(void))0)();
}

int main(void)
{
	fault_catch();
	char *memory = map_anonymous(3 * PAGE);
	MUST(munmap(memory + PAGE, PAGE));
	READ(NULL);
	WRITE(NULL);
	WRITE((char *)100);
	READ(memory + PAGE);
	READ(memory + 2 * PAGE - 1);
	WRITE(memory + PAGE + 123);
	WRITE(constant);
	CALL(memory);
	CALL(memory + PAGE);
	CALL((char *)0);
	section("not an address at all");
	READ((char *)(1ul << 62));
	WRITE((char *)0xdead000000000000);
	section("the kernel's half");
	READ((char *)0xffffffff81000000);
	WRITE((char *)-8);
	section("many times over");
	for (int i = 0; i < 1000; i++)
		if (!sigsetjmp(fault_back, 1))
			*(volatile char *)(memory + PAGE + i) = 1;
	CHECK(fault_address == memory + PAGE + 999);
	section("without a handler");
	handle(SIGSEGV, SIG_DFL, 0);
	in_child("write to NULL", at_null);
	in_child("write to a constant", at_constant);
	in_child("call of NULL", call_null);
	return 0;
}
