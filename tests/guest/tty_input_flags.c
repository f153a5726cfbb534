/* What the input flags make of characters. */
#include "tty.h"

static const tcflag_t all = ICRNL | INLCR | IGNCR | ISTRIP | IUCLC | IXON | PARMRK | IUTF8;

static void with(const char *name, tcflag_t flags)
{
	section(name);
	INPUT(flags, all & ~flags);
	type_bytes("Ab\rC\nd\xc1\xff\xe4z\n", 12);
	for (int i = 0; i < 4; i++)
		SHOW_SLAVE();
	SHOW_MASTER();
	LOCAL(0, ICANON);
	SHOW_SLAVE(); /* a line that never ended can be read now */
	type_bytes("Ab\rC\nd\xc1\xff", 8);
	SHOW_SLAVE();
	SHOW_MASTER();
	LOCAL(ICANON, 0);
	tcflush(slave, TCIOFLUSH);
	tcflush(master, TCIOFLUSH);
}

int main(void)
{
	open_pair();
	with("none", 0);
	with("ICRNL", ICRNL);
	with("INLCR", INLCR);
	with("IGNCR", IGNCR);
	with("ICRNL and INLCR", ICRNL | INLCR);
	with("ISTRIP", ISTRIP);
	with("IUCLC", IUCLC);
	with("PARMRK", PARMRK);
	with("all of them", ICRNL | ISTRIP | IUCLC | PARMRK);

	section("UTF-8");
	INPUT(IUTF8, all & ~IUTF8);
	type("a\xc3\xa4\xe2\x82\xac\x7f\x7f!\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	type("a \xc3\xa4\xe2\x82\xac\x17!\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	section("bytes");
	INPUT(0, IUTF8);
	type("a\xc3\xa4\x7f!\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	section("a continuation without a beginning");
	INPUT(IUTF8, 0);
	type("\xa4\xa4\x7f!\n");
	SHOW_SLAVE();
	SHOW_MASTER();
	return 0;
}
