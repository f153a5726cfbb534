/* MAP_GROWSDOWN and the main stack: growth, the gap below, the limit. */
#include "fault.h"
#include <sys/resource.h>

static void eat(int depth)
{
	volatile char frame[64 * 1024];
	frame[0] = frame[sizeof frame - 1] = 1;
	if (depth)
		eat(depth - 1);
	frame[1] = 2;
}

static void deep(void)
{
	eat(110); /* 7 of the 8 MiB */
	say("seven\n");
}

static void too_deep(void)
{
	eat(1 << 20);
}

static void raised(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_STACK, &limit);
	limit.rlim_cur = 16 << 20;
	MUST(setrlimit(RLIMIT_STACK, &limit));
	eat(200);
	say("twelve\n");
}

int main(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_STACK, &limit);
	if (limit.rlim_cur != 8 << 20)
		skip("another stack limit");
	char *area = map(512 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	MUST(munmap(area, 512 * PAGE));
	char *top = mmap(area + 500 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	fault_catch();
	WRITE(top);
	WRITE(top - PAGE);
	WRITE(top - 20 * PAGE);
	READ(top - 10 * PAGE);
	SHOW(munmap(top - 20 * PAGE, 22 * PAGE));
	READ(top);
	handle(SIGSEGV, SIG_DFL, 0);
	in_child("deep", deep);
	in_child("too deep", too_deep);
	in_child("raised", raised);
	return 0;
}
