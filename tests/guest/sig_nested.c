/* Handlers interrupt handlers; each comes back to where it was. */
#include "guest.h"

static char text[64];
static volatile int used;

static void put(char c)
{
	text[used++] = c;
}

static void first(int sig)
{
	put('a');
	raise(SIGUSR2);
	put('b');
}

static void second(int sig)
{
	put('c');
	raise(SIGRTMIN);
	if (used < 10)
		raise(SIGUSR1); /* waits until first() is through, if that is running */
	put('d');
}

static void third(int sig)
{
	static int times;
	put('0' + times);
	if (++times < 3)
		raise(SIGRTMIN);
	put('.');
}

int main(void)
{
	handle(SIGUSR2, second, 0);
	handle(SIGRTMIN, third, SA_NODEFER);
	struct sigaction once = {.sa_handler = first, .sa_flags = 0};
	MUST(sigaction(SIGUSR1, &once, NULL));
	raise(SIGUSR2);
	SHOW_TEXT(text);
	section("a chain of handlers, one for each signal");
	used = 0;
	memset(text, 0, sizeof text);
	handle(SIGRTMIN, third, 0);
	handle(SIGUSR1, third, 0);
	raise(SIGUSR1);
	SHOW_TEXT(text);
	return 0;
}
