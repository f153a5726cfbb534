/* Stream sockets by name: bind, listen, connect, accept, names, errors at each step. */
#include "unix.h"

int main(void)
{
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), client = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	struct sockaddr_un peer;
	socklen_t size = sizeof peer;
	SHOW(connect_to(client, "sock"));
	SHOW(listen(listener, 1));
	SHOW(accept(listener, NULL, NULL));
	SHOW(bind_to(listener, "sock"));
	SHOW(bind_to(listener, "other"));
	SHOW(connect_to(client, "sock"));
	SHOW(listen(listener, 1));
	show_name(listener, false);
	show_name(listener, true);
	SHOW(connect_to(client, "sock"));
	SHOW(connect_to(client, "sock"));
	SHOW(send(client, "early", 5, 0));
	int server = accept(listener, (struct sockaddr *)&peer, &size);
	CHECK(server >= 0);
	show_address("accepted", &peer, size);
	show_name(server, false);
	show_name(server, true);
	show_name(client, false);
	show_name(client, true);
	show_received(server, 100, 0);
	SHOW(send(server, "answer", 6, 0));
	show_received(client, 3, 0);
	show_received(client, 100, 0);
	show_received(client, 100, 0);

	section("a client with a name");
	int named = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(bind_to(named, "client"));
	SHOW(connect_to(named, "sock"));
	size = sizeof peer;
	int second = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	show_address("accepted", &peer, size);
	SHOW(fcntl(second, F_GETFD));
	SHOW(fcntl(second, F_GETFL));
	show_name(second, true);
	size = 4;
	SHOW(getpeername(second, (struct sockaddr *)&peer, &size));
	SHOW(size);
	size = -1;
	SHOW(getpeername(second, (struct sockaddr *)&peer, &size));
	SHOW(accept4(listener, NULL, NULL, 7));

	section("the end");
	close(server);
	show_received(client, 100, 0);
	signal(SIGPIPE, SIG_IGN);
	SHOW(send(client, "x", 1, 0));
	close(listener);
	SHOW(exists("sock"));
	int late = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(connect_to(late, "sock"));
	int again = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(bind_to(again, "sock"));
	SHOW(unlink("sock"));
	SHOW(bind_to(again, "sock"));
	struct stat st;
	SHOW(stat("sock", &st));
	CHECK(S_ISSOCK(st.st_mode));
	SHOW(open("sock", O_RDWR));
	make_file("file", "");
	SHOW(connect_to(late, "file"));
	SHOW(connect_to(late, "nothing"));
	SHOW(connect_to(late, "file/below"));
	return 0;
}
