/* mlock and its kin: limits, counts, what munlock and fork do. */
#include "fault.h"
#include <sys/resource.h>

static long locked(void)
{
	char line[256];
	long kib = -1;
	FILE *status = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof line, status))
		sscanf(line, "VmLck: %ld", &kib);
	fclose(status);
	return kib;
}

static void as_user(void)
{
	struct rlimit limit = {64 * 1024, 64 * 1024};
	MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
	become_user(1000);
	char *memory = map_anonymous(128 * 1024);
	SHOW(mlock(memory, 64 * 1024));
	SHOW(mlock(memory + 64 * 1024, PAGE));
	SHOW(mlock(memory, 32 * 1024));
	SHOW(munlock(memory, 32 * 1024));
	SHOW(mlock(memory + 64 * 1024, PAGE));
	SHOW(locked());
	SHOW(mlockall(MCL_CURRENT));
	SHOW(address_result(mmap(NULL, 64 * 1024, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0)));
	MUST(munlock(memory, 128 * 1024));
	SHOW(address_result(mmap(NULL, 64 * 1024, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0)));
	SHOW(locked());
	limit = (struct rlimit){0, 0};
	MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
	SHOW(mlock(memory, PAGE));
	SHOW(mlockall(MCL_FUTURE));
	SHOW(address_result(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0)));
}

static void in_fork(void)
{
	SHOW(locked());
}

int main(void)
{
	char *memory = map_anonymous(16 * PAGE);
	SHOW(locked());
	SHOW(mlock(memory + 100, 1));
	SHOW(locked());
	SHOW(mlock2(memory, 4 * PAGE, MLOCK_ONFAULT));
	SHOW(mlock2(memory, 4 * PAGE, 8));
	SHOW(locked());
	in_child("child", in_fork);
	SHOW(munlock(memory + PAGE, PAGE));
	SHOW(locked());
	MUST(munmap(memory + 8 * PAGE, PAGE));
	SHOW(mlock(memory, 16 * PAGE));
	SHOW(mlock(memory, 0));
	SHOW(mlock((void *)-PAGE, 2 * PAGE));
	SHOW(munlockall());
	SHOW(locked());
	SHOW(mlockall(0));
	SHOW(mlockall(64));
	SHOW(mlockall(MCL_FUTURE));
	long before = locked();
	map_anonymous(4 * PAGE);
	SHOW(locked() - before);
	SHOW(munlockall());
	in_child("as an ordinary user", as_user);
	return 0;
}
