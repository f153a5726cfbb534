/* close_range: close, or mark close-on-exec, a whole range. */
#include "guest.h"
#include <linux/close_range.h>

static void fill(void)
{
	for (int fd = 20; fd < 30; fd++)
		MUST(dup2(STDOUT_FILENO, fd));
}

static void show_open(void)
{
	char line[64] = "open:";
	for (int fd = 18; fd < 32; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			sprintf(line + strlen(line), " %d%s", fd, fcntl(fd, F_GETFD) ? "x" : "");
	say("%s\n", line);
}

static void unshared(void)
{
	SHOW(close_range(20, ~0u, CLOSE_RANGE_UNSHARE));
	show_open();
}

int main(void)
{
	fill();
	show_open();
	SHOW(close_range(22, 25, 0));
	show_open();
	SHOW(close_range(21, 26, CLOSE_RANGE_CLOEXEC));
	show_open();
	fill();
	in_child("child", unshared);
	show_open();
	SHOW(close_range(28, ~0u, 0));
	show_open();
	SHOW(close_range(1000, 2000, 0));
	SHOW(close_range(5, 4, 0));
	SHOW(close_range(20, 21, 0x100));
	show_open();
	return 0;
}
