/* What is echoed, by flags: erasing, killing, control characters, tabs. */
#include "tty.h"

static const tcflag_t all = ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | ECHONL | ECHOPRT;

/* The slave's input goes away each time: settle() waits for what was typed only while nothing can be read. */
static void echo_of(const char *typed)
{
	type(typed);
	SHOW_MASTER();
	tcflush(slave, TCIFLUSH);
}

static void with(const char *name, tcflag_t flags)
{
	section(name);
	LOCAL(flags, all & ~flags);
	echo_of("ab\x01\x7f\x7f"
		"c\n");
	echo_of("x\ty\x7f\x7f\x7f\x7f"
		"z\n");
	echo_of("\t\t.\x7f\x7f\x7f\n");
	echo_of("\x02 \t1\x7f\x7f\n");
	echo_of("one\x01 two\x15"
		"three\n");
	echo_of("one two\x17"
		"2\x12"
		"3\n");
	echo_of("\x16\x03\x04");
	echo_of("a\x7f\x7f\n");
}

int main(void)
{
	open_pair();
	with("none", 0);
	with("ECHO", ECHO);
	with("ECHONL", ECHONL);
	with("ECHOE", ECHO | ECHOE);
	with("ECHOK", ECHO | ECHOK);
	with("ECHOCTL", ECHO | ECHOCTL);
	with("ECHOE and ECHOCTL", ECHO | ECHOE | ECHOCTL);
	with("ECHOKE without ECHOE", ECHO | ECHOK | ECHOKE);
	with("the usual", ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE);
	with("ECHOPRT", ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | ECHOPRT);
	with("ECHOPRT alone", ECHO | ECHOPRT);

	section("raw mode");
	LOCAL(ECHO | ECHOCTL, ICANON);
	echo_of("a\n\r\x01\t");
	INPUT(0, ICRNL);
	echo_of("b\n\r\x7f");
	return 0;
}
