/* How much a pipe holds, and changes of it. */
#include "guest.h"

static char data[1 << 21];

static void full(int fd)
{
	long sum = 0, n;
	while ((n = write(fd, data, sizeof data)) > 0)
		sum += n;
	SHOW(sum);
	SHOW(errno == EAGAIN);
}

int main(void)
{
	int ends[2];
	MUST(pipe2(ends, O_NONBLOCK));
	SHOW(fcntl(ends[0], F_GETPIPE_SZ));
	full(ends[1]);
	SHOW(fcntl(ends[0], F_SETPIPE_SZ, 4096));
	SHOW(fcntl(ends[0], F_SETPIPE_SZ, 65537));
	SHOW(write(ends[1], data, 10));
	SHOW(read(ends[0], data, 70000));
	SHOW(fcntl(ends[1], F_SETPIPE_SZ, 1));
	full(ends[1]);
	SHOW(read(ends[0], data, 1));
	SHOW(write(ends[1], data, 1));
	SHOW(read(ends[0], data, 4095));
	SHOW(write(ends[1], data, 1));
	SHOW(fcntl(ends[1], F_SETPIPE_SZ, 0));
	SHOW(fcntl(ends[1], F_SETPIPE_SZ, 1048576));
	full(ends[1]);
	SHOW(fcntl(0, F_GETPIPE_SZ));
	SHOW(fcntl(-1, F_GETPIPE_SZ));

	section("slots");
	int small[2], count = 0;
	MUST(pipe2(small, O_NONBLOCK));
	while (write(small[1], data, 2049) > 0)
		count++;
	SHOW(count);
	SHOW(read(small[0], data, 2049));
	SHOW(write(small[1], data, 4096));
	SHOW(write(small[1], data, 1));
	for (count = 0; read(small[0], data, 1000) > 0;)
		count++;
	SHOW(count);
	for (count = 0; write(small[1], data, 100) > 0;)
		count++;
	SHOW(count);

	section("an ordinary user");
	become_user(1000);
	int ours[2];
	MUST(pipe(ours));
	SHOW(fcntl(ours[0], F_SETPIPE_SZ, 1048576));
	SHOW(fcntl(ours[0], F_SETPIPE_SZ, 1048577));
	return 0;
}
