/* Small writes are whole, large ones are not; O_NONBLOCK can be changed under way. */
#include "guest.h"
#include <poll.h>

static char data[200000];

int main(void)
{
	int ends[2];
	MUST(pipe(ends));
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	SHOW(read(ends[0], data, 1));
	SHOW(write(ends[1], data, 65536 - 100));
	SHOW(write(ends[1], data, 200));
	SHOW(write(ends[1], data, 100));
	SHOW(write(ends[1], data, 5000));
	SHOW(read(ends[0], data, 4096));
	SHOW(write(ends[1], data, 5000));
	SHOW(write(ends[1], data, 1));
	SHOW(read(ends[0], data, sizeof data));

	section("a blocking writer and a slow reader");
	fcntl(ends[1], F_SETFL, 0);
	fcntl(ends[0], F_SETFL, 0);
	pid_t pid = fork_child();
	if (!pid) {
		close(ends[0]);
		for (size_t i = 0; i < sizeof data; i++)
			data[i] = i % 251;
		SHOW(write(ends[1], data, sizeof data));
		_exit(0);
	}
	close(ends[1]);
	size_t sum = 0;
	bool right = true;
	for (ssize_t n; (n = read(ends[0], data, 7777)) > 0; sum += n)
		for (ssize_t i = 0; i < n; i++)
			right = right && (unsigned char)data[i] == (sum + i) % 251;
	reap("writer", pid);
	SHOW(sum);
	CHECK(right);

	section("records of several writers");
	MUST(pipe(ends));
	for (int writer = 0; writer < 3; writer++) {
		if (!fork_child()) {
			memset(data, 'a' + writer, 4096);
			for (int i = 0; i < 40; i++)
				MUST(write(ends[1], data, 4096));
			_exit(0);
		}
	}
	close(ends[1]);
	int records = 0, counts[3] = {0};
	for (;;) {
		size_t have = 0;
		for (ssize_t n; have < 4096 && (n = read(ends[0], data + have, 4096 - have)) > 0;)
			have += n;
		if (have < 4096)
			break;
		for (int i = 1; i < 4096; i++)
			right = right && data[i] == data[0];
		records++;
		counts[data[0] - 'a']++;
	}
	SHOW(records);
	CHECK(right && counts[0] == 40 && counts[1] == 40 && counts[2] == 40);
	while (wait(NULL) > 0)
		;
	return 0;
}
