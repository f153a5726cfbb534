/* What is echoed, by flags: erasing, killing, control characters, tabs. */
#include "tty.h"

static const tcflag_t all = ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | ECHONL | ECHOPRT;

static void with(const char *name, tcflag_t flags)
{
	section(name);
	LOCAL(flags, all & ~flags);
	type("ab\x01\x7f\x7f"
	     "c\n");
	SHOW_MASTER();
	type("x\ty\x7f\x7f\x7f\x7f"
	     "z\n");
	SHOW_MASTER();
	type("\t\t.\x7f\x7f\x7f\n");
	SHOW_MASTER();
	type("\x02 \t1\x7f\x7f\n");
	SHOW_MASTER();
	type("one\x01 two\x15"
	     "three\n");
	SHOW_MASTER();
	type("one two\x17"
	     "2\x12"
	     "3\n");
	SHOW_MASTER();
	type("\x16\x03\x04");
	SHOW_MASTER();
	type("a\x7f\x7f\n");
	SHOW_MASTER();
	tcflush(slave, TCIFLUSH);
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
	type("a\n\r\x01\t");
	SHOW_MASTER();
	INPUT(0, ICRNL);
	type("b\n\r\x7f");
	SHOW_MASTER();
	return 0;
}
