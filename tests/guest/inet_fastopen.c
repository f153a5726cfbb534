/* TCP fast open as a client has it by default: options, MSG_FASTOPEN to a server that gives no cookie, what is refused.
 */
#include "inet.h"

static int client(void)
{
	return MUST(socket(AF_INET, SOCK_STREAM, 0));
}

static ssize_t fast(int fd, const void *bytes, size_t size, int port, int flags)
{
	struct sockaddr_in end = end4("127.0.0.1", port);

	return sendto(fd, bytes, size, MSG_FASTOPEN | MSG_NOSIGNAL | flags, (struct sockaddr *)&end, sizeof end);
}

static void show_setting(const char *name)
{
	char path[64], text[16] = "";
	snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
	int fd = MUST(open(path, O_RDONLY));
	MUST(read(fd, text, sizeof text - 1));
	close(fd);
	say("%s: %s", name, text);
}

static void options(void)
{
	section("options");
	int fd = client(), ends[2];
	SHOW(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN));
	SHOW(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT));
	SHOW(option_set(fd, IPPROTO_TCP, TCP_FASTOPEN, 5));
	SHOW(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN));
	SHOW(option_set(fd, IPPROTO_TCP, TCP_FASTOPEN, 100000));
	SHOW(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN));
	SHOW(option_set(fd, IPPROTO_TCP, TCP_FASTOPEN, -1));
	SHOW(option_set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 2));
	SHOW(option_set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	SHOW(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT));
	close(fd);
	connection4(ends);
	SHOW(option_set(ends[0], IPPROTO_TCP, TCP_FASTOPEN, 5));
	SHOW(option_set(ends[0], IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	SHOW(fast(ends[0], "x", 1, 1, 0));
	close(ends[0]);
	close(ends[1]);
	show_setting("tcp_fastopen");
	show_setting("tcp_ecn");
	show_setting("tcp_syncookies");
}

static void opens(void)
{
	struct sockaddr_in nothing = {.sin_family = AF_UNSPEC};
	char bytes[32] = "";

	section("MSG_FASTOPEN");
	int listener = listener4(5), port = port_of(listener);
	SHOW(option_set(listener, IPPROTO_TCP, TCP_FASTOPEN, 5));
	for (int i = 0; i < 2; i++) { /* the second time knows what the first has learnt */
		int fd = client();
		SHOW(fast(fd, "hello", 5, port, 0));
		int other = MUST(accept(listener, NULL, NULL));
		SHOW(recv(other, bytes, sizeof bytes, 0));
		say("%s\n", bytes);
		SHOW(fast(fd, "again", 5, port, 0));
		SHOW(send(fd, "more", 4, 0));
		SHOW(recv(other, bytes, sizeof bytes, 0));
		close(fd);
		close(other);
	}

	section("nothing to send");
	int fd = client();
	SHOW(fast(fd, "", 0, port, 0));
	show_poll("open", fd);
	close(fd);
	close(MUST(accept(listener, NULL, NULL)));

	section("without waiting");
	fd = client();
	SHOW(fast(fd, "hello", 5, port, MSG_DONTWAIT));
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
	SHOW(poll(&pollfd, 1, 10000));
	SHOW(send(fd, "hello", 5, 0));
	close(fd);
	close(MUST(accept(listener, NULL, NULL)));

	section("TCP_FASTOPEN_CONNECT");
	fd = client();
	SHOW(option_set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	SHOW(send(fd, "hello", 5, 0));
	int other = MUST(accept(listener, NULL, NULL));
	SHOW(recv(other, bytes, sizeof bytes, 0));
	close(fd);
	close(other);
	close(listener);

	section("what cannot be");
	fd = client();
	SHOW(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&nothing, sizeof nothing));
	SHOW(fast(fd, "hello", 5, port, 0));
	SHOW(option_of(fd, SOL_SOCKET, SO_ERROR));
	close(fd);
}

int main(void)
{
	options();
	opens();
	return 0;
}
