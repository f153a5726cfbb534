/* One file in the memory of two processes: on the working directory's file system, on /tmp, in a memfd, in /dev/shm. */
#include "fault.h"
#include <sched.h>
#include <sys/mman.h>

static void share(const char *what, int fd)
{
	MUST(ftruncate(fd, 4 * PAGE));
	char *mine = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	volatile int *turn = (int *)mine;
	*turn = 0;
	pid_t child = fork_child();
	if (!child) {
		char *again = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd); /* a mapping of its own */
		munmap(mine, 4 * PAGE);
		turn = (int *)again;
		for (int i = 0; i < 8; i++) {
			while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != 2 * i)
				sched_yield();
			memcpy(again + PAGE, "child", 6);
			__atomic_store_n(turn, 2 * i + 1, __ATOMIC_RELEASE);
		}
		pwrite(fd, "by write", 8, 2 * PAGE);
		_exit(0);
	}
	for (int i = 0; i < 8; i++) {
		while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != 2 * i + 1)
			sched_yield();
		if (strcmp(mine + PAGE, "child"))
			say("NO: %s\n", mine + PAGE);
		memcpy(mine + PAGE, "parent", 7);
		__atomic_store_n(turn, 2 * i + 2, __ATOMIC_RELEASE);
	}
	reap(what, child);
	char text[16] = "";
	MUST(pread(fd, text, 7, PAGE));
	say("%s: read \"%s\", mapped \"%.8s\"\n", what, text, mine + 2 * PAGE);
	MUST(munmap(mine, 4 * PAGE));
	MUST(pread(fd, text, 7, PAGE));
	say("%s: after munmap \"%s\"\n", what, text);
}

int main(void)
{
	share("here", MUST(open("file", O_RDWR | O_CREAT, 0644)));
	char name[] = "/tmp/usbx-case-XXXXXX";
	share("tmp", MUST(mkstemp(name)));
	MUST(unlink(name));
	share("memfd", MUST(memfd_create("m", 0)));
	snprintf(name, sizeof name, "/usbx%d", getpid());
	int fd = MUST(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
	share("shm", fd);
	MUST(shm_unlink(name));
	share("unlinked", fd);
	return 0;
}
