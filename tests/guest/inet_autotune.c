/* TCP: the receive buffer grows with a reader that keeps up, unless somebody has set it. */
#include "inet.h"
#include <sys/wait.h>

#define BYTES        (64u << 20)
#define FIRST_BUFFER 131072
#define MOST_BUFFER  6291456

static void transfer(int ends[2])
{
	static char bytes[262144];
	size_t all = 0;

	pid_t child = MUST(fork());
	if (!child) {
		for (size_t sent = 0; sent < BYTES;) {
			ssize_t n = send(ends[0], bytes, sizeof bytes, 0);
			if (n <= 0)
				_exit(1);
			sent += (size_t)n;
		}
		_exit(0);
	}
	close(ends[0]);
	for (ssize_t n; (n = recv(ends[1], bytes, sizeof bytes, 0)) > 0;)
		all += (size_t)n;
	MUST(waitpid(child, NULL, 0));
	CHECK(all == BYTES);
}

int main(void)
{
	int ends[2];

	section("by itself");
	connection4(ends);
	SHOW(option_of(ends[1], SOL_SOCKET, SO_RCVBUF));
	transfer(ends);
	int after = option_of(ends[1], SOL_SOCKET, SO_RCVBUF);
	CHECK(after > FIRST_BUFFER && after <= MOST_BUFFER);
	close(ends[1]);

	section("set");
	connection4(ends);
	MUST(option_set(ends[1], SOL_SOCKET, SO_RCVBUF, 100000));
	SHOW(option_of(ends[1], SOL_SOCKET, SO_RCVBUF));
	transfer(ends);
	SHOW(option_of(ends[1], SOL_SOCKET, SO_RCVBUF));
	close(ends[1]);
	return 0;
}
