/* Sockets sent over themselves and each other: they go when nobody else has them. */
#include "unix.h"

int main(void)
{
	int pair[2], other[2], ends[2], files[16];
	char byte;
	MUST(pipe2(ends, O_NONBLOCK));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, other));
	int first[] = {pair[0], pair[1], ends[1]}, second[] = {other[0], pair[0]};
	SHOW(send_control(pair[0], "a", SCM_RIGHTS, first, sizeof first));
	SHOW(send_control(pair[1], "b", SCM_RIGHTS, second, sizeof second));
	SHOW(send_control(other[0], "c", SCM_RIGHTS, pair, sizeof pair));
	close(ends[1]);
	close(pair[0]);
	close(pair[1]);
	close(other[0]);
	SHOW(read(ends[0], &byte, 1));
	SHOW(show_message(other[1], 100, 0, files));
	SHOW(show_message(files[1], 100, 0, NULL));
	SHOW(show_message(files[0], 100, 0, NULL));
	close(files[0]);
	close(files[1]);
	close(other[1]);
	for (int i = 0; i < 100 && read(ends[0], &byte, 1) < 0; i++)
		nap_ms(10);
	SHOW(read(ends[0], &byte, 1));

	section("unreachable");
	MUST(pipe2(ends, O_NONBLOCK));
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	int all[] = {pair[0], pair[1], ends[1]};
	SHOW(send_control(pair[0], "x", SCM_RIGHTS, all, sizeof all));
	close(pair[0]);
	close(pair[1]);
	close(ends[1]);
	for (int i = 0; i < 100; i++) {
		MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
		close(pair[0]);
		close(pair[1]);
		if (!read(ends[0], &byte, 1))
			break;
		nap_ms(10);
	}
	SHOW(read(ends[0], &byte, 1));
	return 0;
}
