/* Descriptors in messages: what arrives, what is cut off, what is closed. */
#include "unix.h"

static int pair[2], files[16], sent[300], three[3], file, lowest;
static char bytes[16];

static void rest(void)
{
	section("errors");
	for (int i = 0; i < 300; i++)
		sent[i] = file;
	SHOW(send_control(pair[0], "g", SCM_RIGHTS, sent, 253 * sizeof(int)));
	SHOW(show_message(pair[1], 4000, 0, NULL));
	SHOW(send_control(pair[0], "h", SCM_RIGHTS, sent, 254 * sizeof(int)));
	sent[1] = 9999;
	SHOW(send_control(pair[0], "i", SCM_RIGHTS, sent, 2 * sizeof(int)));
	SHOW(send_control(pair[0], "j", 77, sent, 4));
	SHOW(send_control(pair[0], "k", SCM_RIGHTS, sent, 0));
	show_message(pair[1], 100, 0, NULL);
	SHOW(send_control(pair[0], "", SCM_RIGHTS, &file, sizeof file));
	show_message(pair[1], 100, 0, NULL);

	section("closed on the way");
	int ends[2];
	MUST(pipe(ends));
	SHOW(send_control(pair[0], "l", SCM_RIGHTS, &ends[1], sizeof(int)));
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	SHOW(read(ends[0], bytes, 1));
	close(pair[1]);
	SHOW(read(ends[0], bytes, 1));

	section("no descriptor is free");
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	SHOW(send_control(pair[0], "m", SCM_RIGHTS, three, sizeof three));
	while (dup(0) >= 0 && lowest_fd() < 60)
		;
	int highest = lowest_fd();
	struct {
		unsigned long soft, hard;
	} limit = {highest + 2, 1024};
	MUST(syscall(SYS_prlimit64, 0, 7, &limit, NULL));
	SHOW(show_message(pair[1], 100, 0, files));
}

int main(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	make_file("file", "content");
	file = MUST(open("file", O_RDONLY));
	lowest = lowest_fd();

	section("one");
	SHOW(send_control(pair[0], "a", SCM_RIGHTS, &file, sizeof file));
	SHOW(show_message(pair[1], 100, 0, files));
	CHECK(files[0] == lowest);
	SHOW(read(files[0], bytes, 3));
	SHOW(read(file, bytes, sizeof bytes));
	SHOW(fcntl(files[0], F_GETFD));
	close(files[0]);
	SHOW(send_control(pair[0], "a", SCM_RIGHTS, &file, sizeof file));
	SHOW(show_message(pair[1], 100, MSG_CMSG_CLOEXEC, files));
	SHOW(fcntl(files[0], F_GETFD));
	close(files[0]);

	section("never across messages with files");
	SHOW(send(pair[0], "plain ", 6, 0));
	SHOW(send_control(pair[0], "with ", SCM_RIGHTS, &file, sizeof file));
	SHOW(send(pair[0], "after", 5, 0));
	show_message(pair[1], 100, 0, NULL);
	show_message(pair[1], 100, 0, NULL);
	show_message(pair[1], 100, 0, NULL);

	section("too little room");
	three[0] = file;
	three[2] = 1;
	SHOW(send_control(pair[0], "b", SCM_RIGHTS, three, sizeof three));
	SHOW(show_message(pair[1], CMSG_SPACE(sizeof(int)), 0, NULL));
	SHOW(send_control(pair[0], "c", SCM_RIGHTS, three, sizeof three));
	SHOW(show_message(pair[1], CMSG_LEN(0), 0, NULL));
	SHOW(send_control(pair[0], "d", SCM_RIGHTS, three, sizeof three));
	SHOW(show_message(pair[1], 0, 0, NULL));
	SHOW(send_control(pair[0], "e", SCM_RIGHTS, three, sizeof three));
	show_received(pair[1], 10, 0);
	CHECK(lowest == lowest_fd());

	section("peeked");
	SHOW(send_control(pair[0], "f", SCM_RIGHTS, &file, sizeof file));
	SHOW(show_message(pair[1], 100, MSG_PEEK, NULL));
	SHOW(show_message(pair[1], 100, 0, NULL));
	CHECK(lowest == lowest_fd());

	rest();
	return 0;
}
