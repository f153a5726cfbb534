/* How many may wait to be accepted, and in which order they are. */
#include "unix.h"

static int try_connect(void)
{
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	return connect_to(fd, "@queue") ? -1 : fd;
}

static void rest(void)
{
	section("who waits");
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind_to(listener, "@queue"));
	MUST(listen(listener, 0));
	int first = MUST(try_connect());
	pid_t pid = fork_child();
	if (!pid) {
		int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		SHOW(connect_to(fd, "@queue"));
		_exit(0);
	}
	nap_ms(40);
	say("accepting\n");
	int server = accept(listener, NULL, NULL);
	reap("second", pid);
	pid = fork_child();
	if (!pid) {
		int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		close(listener);
		SHOW(connect_to(fd, "@queue"));
		_exit(0);
	}
	nap_ms(40);
	close(listener);
	reap("third", pid);

	section("not accepted");
	listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind_to(listener, "@gone"));
	MUST(listen(listener, 5));
	int client = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(connect_to(client, "@gone"));
	close(listener);
	say("%x\n", events_of(client));
	char byte;
	SHOW(recv(client, &byte, 1, MSG_DONTWAIT));
	SHOW(recv(client, &byte, 1, MSG_DONTWAIT));
	SHOW(send(client, &byte, 1, MSG_NOSIGNAL));
	close(first);
	close(server);
}

int main(void)
{
	static const int backlogs[] = {0, 1, 3, -1};
	for (unsigned i = 0; i < COUNT(backlogs); i++) {
		int listener = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)), count = 0, clients[64];
		MUST(bind_to(listener, "@queue"));
		MUST(listen(listener, backlogs[i]));
		while (count < 20 && (clients[count] = try_connect()) >= 0)
			count++;
		say("backlog %d: %d connections, then %s\n", backlogs[i], count,
		    count < 20 ? error_name(errno) : "more");
		for (int c = 0; c < count; c++) {
			char byte = 'a' + c;
			MUST(send(clients[c], &byte, 1, 0));
		}
		say("listener: %x\n", events_of(listener));
		for (int c = 0; c < count; c++) {
			char byte = '?';
			int fd = accept(listener, NULL, NULL);
			MUST(recv(fd, &byte, 1, 0));
			if (byte != 'a' + c)
				say("NO: out of order\n");
			close(fd);
			close(clients[c]);
		}
		SHOW(accept(listener, NULL, NULL));
		close(listener);
	}

	rest();
	return 0;
}
