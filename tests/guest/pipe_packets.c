/* Pipes in packet mode (O_DIRECT). */
#include "guest.h"

static char data[10000];

int main(void)
{
	int ends[2];
	MUST(pipe2(ends, O_DIRECT | O_NONBLOCK));
	SHOW(fcntl(ends[1], F_GETFL) & O_DIRECT);
	SHOW(fcntl(ends[0], F_GETFL) & O_DIRECT);
	SHOW(write(ends[1], "one", 3));
	SHOW(write(ends[1], "two", 3));
	SHOW(write(ends[1], "", 0));
	SHOW(write(ends[1], "three", 5));
	SHOW(read(ends[0], data, sizeof data));
	SHOW(read(ends[0], data, 2));
	SHOW(read(ends[0], data, sizeof data));
	SHOW(read(ends[0], data, sizeof data));
	SHOW(write(ends[1], data, 9000));
	SHOW(read(ends[0], data, sizeof data));
	SHOW(read(ends[0], data, sizeof data));
	SHOW(read(ends[0], data, sizeof data));
	int count = 0;
	while (write(ends[1], "x", 1) > 0)
		count++;
	SHOW(count);
	while (read(ends[0], data, 1) > 0)
		;
	section("switched off and on");
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	SHOW(write(ends[1], "ab", 2));
	SHOW(write(ends[1], "cd", 2));
	SHOW(fcntl(ends[1], F_SETFL, O_NONBLOCK | O_DIRECT));
	SHOW(write(ends[1], "ef", 2));
	SHOW(write(ends[1], "gh", 2));
	SHOW(read(ends[0], data, sizeof data));
	show_bytes("bytes", data, 6);
	SHOW(read(ends[0], data, sizeof data));
	return 0;
}
