/* tcgetattr and tcsetattr: what is kept, rates, the old and the new structures, when input is flushed. */
#include "tty.h"

struct termios2 {
	tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
	cc_t c_line, c_cc[19];
	speed_t c_ispeed, c_ospeed;
};
#undef TCGETS2
#undef TCSETS2
#define TCGETS2 _IOR('T', 0x2a, struct termios2)
#define TCSETS2 _IOW('T', 0x2b, struct termios2)
struct old_termio {
	unsigned short c_iflag, c_oflag, c_cflag, c_lflag;
	unsigned char c_line, c_cc[8];
};

static void show2(void)
{
	struct termios2 now;
	MUST(ioctl(slave, TCGETS2, &now));
	say("%o %o %o %o line %d speed %u %u\n", now.c_iflag, now.c_oflag, now.c_cflag, now.c_lflag, now.c_line,
	    now.c_ispeed, now.c_ospeed);
	show_bytes("keys", now.c_cc, sizeof now.c_cc);
}

static void flushing(void)
{
	struct termios now;
	section("flushing");
	type("lost\nlost too");
	tcgetattr(slave, &now);
	SHOW(tcsetattr(slave, TCSAFLUSH, &now));
	SHOW_SLAVE();
	type("kept\n");
	SHOW(tcsetattr(slave, TCSADRAIN, &now));
	SHOW_SLAVE();
	MUST(write(slave, "output", 6));
	SHOW(tcsetattr(slave, TCSAFLUSH, &now));
	SHOW_MASTER();
	type("in\n");
	SHOW(tcflush(slave, TCOFLUSH));
	SHOW_SLAVE();
	MUST(write(slave, "out", 3));
	SHOW(tcflush(master, TCIFLUSH));
	SHOW_MASTER();
	type("in\n");
	SHOW(tcflush(master, TCOFLUSH));
	SHOW_SLAVE();
}

int main(void)
{
	struct termios now;
	open_pair();
	show2();
	MUST(tcgetattr(slave, &now));
	CHECK(cfgetospeed(&now) == B38400);
	cfmakeraw(&now);
	SHOW(tcsetattr(slave, TCSANOW, &now));
	show2();
	now.c_cflag = CS5 | PARENB | CSTOPB | HUPCL | CLOCAL;
	cfsetspeed(&now, B115200);
	SHOW(tcsetattr(slave, TCSADRAIN, &now));
	show2();
	now.c_iflag = now.c_oflag = now.c_lflag = ~0u & ~(tcflag_t)EXTPROC;
	now.c_line = 9;
	memset(now.c_cc, 7, sizeof now.c_cc);
	SHOW(tcsetattr(slave, TCSANOW, &now));
	show2();
	SHOW(tcsetattr(slave, 77, &now));

	section("rates");
	struct termios2 new;
	MUST(ioctl(slave, TCGETS2, &new));
	new.c_cflag = 010000 | CS8;
	new.c_ospeed = 12345;
	new.c_ispeed = 777;
	SHOW(ioctl(slave, TCSETS2, &new));
	show2();
	new.c_cflag = 010000 | 010000 << 16 | CS8;
	new.c_ospeed = 12345;
	new.c_ispeed = 777;
	SHOW(ioctl(slave, TCSETS2, &new));
	show2();
	new.c_cflag = B0 | CS8;
	SHOW(ioctl(slave, TCSETS2, &new));
	show2();

	section("the old structure");
	struct old_termio old;
	SHOW(ioctl(slave, TCGETA, &old));
	old.c_iflag = ICRNL;
	old.c_oflag = OPOST;
	old.c_lflag = ICANON;
	old.c_cflag = B9600;
	memcpy(old.c_cc, "\3\x1c\x7f\x15\4\1\1\1", 8);
	SHOW(ioctl(slave, TCSETA, &old));
	show2();

	flushing();
	return 0;
}
