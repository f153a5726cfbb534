/* Canonical mode: lines, editing keys, end of file, what a short read leaves. */
#include "tty.h"

static void editing(void)
{
	section("editing");
	type("abc\x7f"
	     "d\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("one two  \x17"
	     "three\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("a.b-c_d\x17"
	     "x\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("gone\x15kept\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("\x7f\x15\x17\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("a\x16\x7f"
	     "b\x16\x16"
	     "c\x16\n\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("again\x12 and\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("\x01\x02\t\x1b\x7f\x7f\x7f\n");
	SHOW_SLAVE();
	SHOW_MASTER();
}

static void lines(void)
{
	section("lines");
	type("first\nsecond\nthi");
	int n;
	SHOW(ioctl(slave, FIONREAD, &n));
	SHOW(n);
	show_read("slave", slave, 3);
	show_read("slave", slave, 3);
	SHOW_SLAVE();
	SHOW_SLAVE();
	type("rd\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	set_key(VEOL, ';');
	set_key(VEOL2, ',');
	type("a;b,c\n");
	SHOW_SLAVE();
	SHOW_SLAVE();
	SHOW_SLAVE();
	set_key(VEOL, 0);
	set_key(VEOL2, 0);
	SHOW_MASTER();
}

static void end_of_file(void)
{
	int n;
	section("end of file");
	type("\x04");
	SHOW(ioctl(slave, FIONREAD, &n));
	SHOW(n);
	SHOW_SLAVE();
	SHOW_SLAVE();
	type("abc\x04");
	SHOW(ioctl(slave, FIONREAD, &n));
	SHOW(n);
	show_read("slave", slave, 3);
	SHOW_SLAVE();
	type("abc\x04"
	     "def\n");
	show_read("slave", slave, 2);
	SHOW_SLAVE();
	SHOW_SLAVE();
	type("x\x04\x04y\n");
	SHOW_SLAVE();
	SHOW_SLAVE();
	SHOW_SLAVE();
	SHOW_MASTER();
}

static void no_extensions(void)
{
	section("without IEXTEN");
	LOCAL(0, IEXTEN);
	type("a b\x17\x16\x12\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	LOCAL(IEXTEN, 0);
	section("a disabled key");
	set_key(VERASE, 0);
	type("a\x7f");
	type_bytes("\0b\n", 3);
	SHOW_SLAVE();
	SHOW_MASTER();
}

int main(void)
{
	open_pair();
	editing();
	lines();
	end_of_file();
	no_extensions();
	return 0;
}
