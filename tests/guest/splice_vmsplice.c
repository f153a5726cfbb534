/* vmsplice: memory into a pipe, and out of one. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

/* More than the pipe holds: what fits is taken, and nothing waits for the rest. */
static void large(void)
{
	static char memory[128 * 1024] __attribute__((aligned(4096)));
	struct iovec part = {memory, sizeof memory};
	int ends[2];

	section("more than there is room for");
	MUST(pipe(ends));
	SHOW(vmsplice(ends[1], &part, 1, 0));
	SHOW(vmsplice(ends[1], &part, 1, SPLICE_F_NONBLOCK));
	SHOW(read(ends[0], memory, 4096));
	SHOW(vmsplice(ends[1], &part, 1, 0));
}

/* What cannot be spliced is refused, although the pipe is empty and its writer lives. */
static void refused(void)
{
	sigset_t none;
	int ends[2];

	section("refused before waiting");
	MUST(pipe(ends));
	sigemptyset(&none);
	int files[] = {MUST(eventfd(0, 0)), MUST(epoll_create1(0)), MUST(timerfd_create(CLOCK_MONOTONIC, 0)),
		       MUST(signalfd(-1, &none, 0))};
	for (unsigned i = 0; i < COUNT(files); i++) {
		SHOW(splice(ends[0], NULL, files[i], NULL, 1, 0));
		SHOW(splice(files[i], NULL, ends[1], NULL, 1, 0));
	}
}

int main(void)
{
	int ends[2];
	char one[] = "one ", two[] = "two", got[32] = "";
	struct iovec parts[] = {{one, 4}, {two, 3}}, into[] = {{got, 2}, {got + 10, 20}};
	MUST(pipe2(ends, O_NONBLOCK));
	SHOW(vmsplice(ends[1], parts, 2, 0));
	SHOW(vmsplice(ends[0], into, 2, 0));
	show_bytes("got", got, 16);
	SHOW(vmsplice(ends[0], into, 2, SPLICE_F_NONBLOCK));
	SHOW(vmsplice(ends[1], parts, 0, 0));
	SHOW(vmsplice(0, parts, 2, 0));
	SHOW(vmsplice(ends[1], (struct iovec *)8, 2, 0));
	parts[1].iov_base = (void *)8;
	SHOW(vmsplice(ends[1], parts + 1, 1, 0));
	SHOW(vmsplice(ends[1], parts, 2, 0x100));
	SHOW(vmsplice(ends[1], parts, 2000, 0));
	large();
	refused();
	return 0;
}
