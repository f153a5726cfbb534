/* prctl: names, dumpable, no-new-privileges, and what it refuses. */
#include "guest.h"
#include <pthread.h>

static void show_name(const char *who)
{
	char name[17] = "";
	MUST(prctl(PR_GET_NAME, name));
	say("%s is called \"%s\"\n", who, name);
}

static void *thread(void *arg)
{
	show_name("new thread");
	MUST(prctl(PR_SET_NAME, "a thread"));
	show_name("renamed thread");
	return NULL;
}

static void child(void)
{
	show_name("child");
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

int main(void)
{
	pthread_t id;
	char comm[32] = "";
	show_name("the program");
	SHOW(prctl(PR_SET_NAME, "0123456789abcdefghij"));
	show_name("the program");
	MUST(pthread_create(&id, NULL, thread, NULL));
	pthread_join(id, NULL);
	show_name("the program");
	int fd = MUST(open("/proc/self/comm", O_RDWR));
	MUST(read(fd, comm, sizeof comm - 1));
	SHOW_TEXT(comm);
	SHOW(write(fd, "by file", 7));
	show_name("the program");
	in_child("child", child);
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	section("others");
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_SET_DUMPABLE, 0));
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_SET_DUMPABLE, 2));
	SHOW(prctl(PR_SET_DUMPABLE, 1));
	SHOW(prctl(PR_GET_KEEPCAPS));
	SHOW(prctl(PR_GET_SECCOMP));
	SHOW(prctl(PR_GET_TIMING));
	SHOW(prctl(PR_SET_NAME, 8));
	SHOW(prctl(12345));
	SHOW(prctl(PR_SET_PDEATHSIG, 1000));
	SHOW(prctl(PR_CAPBSET_READ, 0));
	SHOW(prctl(PR_CAPBSET_READ, 1000));
	return 0;
}
