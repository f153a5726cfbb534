/* What output processing makes of characters, and where it thinks the cursor is. */
#include "tty.h"

static const tcflag_t all = OPOST | ONLCR | OCRNL | ONOCR | ONLRET | OLCUC | XTABS;

static void with(const char *name, tcflag_t flags)
{
	static const char text[] = "\rab\tc\n\r\rd\bE\tf\r\ng\n\th\n";
	section(name);
	OUTPUT(flags, all & ~flags);
	MUST(write(slave, text, sizeof text - 1));
	SHOW_MASTER();
	MUST(write(slave, "\xc3\xa4\t.\a\t.\x7f\t.\n", 12));
	SHOW_MASTER();
	type("\tx\x7f\x7fy\n"); /* the echo goes the same way */
	SHOW_MASTER();
	tcflush(slave, TCIFLUSH);
}

int main(void)
{
	open_pair();
	with("none", 0);
	with("flags without OPOST", ONLCR | OCRNL | XTABS);
	with("OPOST", OPOST);
	with("ONLCR", OPOST | ONLCR);
	with("OCRNL", OPOST | OCRNL);
	with("ONOCR", OPOST | ONOCR);
	with("ONOCR and ONLCR", OPOST | ONOCR | ONLCR);
	with("ONLRET", OPOST | ONLRET | ONOCR);
	with("OLCUC", OPOST | OLCUC);
	with("XTABS", OPOST | XTABS | ONLCR);
	with("OCRNL and ONLRET", OPOST | OCRNL | ONLRET | XTABS);
	INPUT(IUTF8, 0);
	with("XTABS and IUTF8", OPOST | XTABS | ONLCR);
	return 0;
}
