/* Namespaces as an ordinary user without any sees them: names in /proc, what unshare(2) refuses and what it does. */
#include "guest.h"
#include <pthread.h>
#include <sched.h>

static void *working_directory(void *unused)
{
	(void)unused;
	SHOW(unshare(CLONE_FS));
	SHOW(chdir("/"));
	umask(077);
	return NULL;
}

static void *descriptors(void *fd)
{
	SHOW(unshare(CLONE_FILES));
	SHOW(close(*(int *)fd));
	return NULL;
}

/* pthread_join returns a little before the thread is gone for the kernel. */
static void wait_until_alone(void)
{
	char text[512], *field;

	do {
		FILE *file = fopen("/proc/self/stat", "r");
		text[fread(text, 1, sizeof text - 1, file)] = 0;
		fclose(file);
		field = strrchr(text, ')') + 1;
		for (int i = 0; i < 17; i++) /* num_threads is the 20th */
			field = strchr(field + 1, ' ');
	} while (atoi(field) > 1 && !usleep(1000));
}

int main(void)
{
	static const char *const names[] = {"cgroup",           "ipc",  "mnt",  "net", "pid",
					    "pid_for_children", "time", "user", "uts"};
	char path[64], text[64], where[4096], now[4096];
	for (unsigned i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
		ssize_t n = readlink(path, text, sizeof text - 1);
		text[n < 0 ? 0 : n] = 0;
		char *colon = strchr(text, ':');
		say("%s: %s, a number in brackets %d\n", names[i], colon ? "named" : "not there",
		    colon && colon[1] == '[' && strtoul(colon + 2, NULL, 10) > 4026530000u);
	}
	section("what a thread may have for itself");
	pthread_t thread;
	int fd = MUST(open("/dev/null", O_RDONLY));
	MUST(getcwd(where, sizeof where) ? 0 : -1);
	pthread_create(&thread, NULL, working_directory, NULL);
	pthread_join(thread, NULL);
	CHECK(getcwd(now, sizeof now) && !strcmp(where, now));
	say("umask %o\n", umask(022));
	pthread_create(&thread, NULL, descriptors, &fd);
	pthread_join(thread, NULL);
	SHOW(fcntl(fd, F_GETFD));
	section("refused");
	become_user(1000);
	SHOW(unshare(CLONE_NEWNS));
	SHOW(unshare(CLONE_NEWPID));
	SHOW(unshare(CLONE_NEWUTS));
	SHOW(unshare(CLONE_NEWIPC));
	SHOW(unshare(CLONE_NEWNET));
	SHOW(unshare(CLONE_NEWCGROUP));
	SHOW(unshare(0x10));
	wait_until_alone();
	SHOW(unshare(CLONE_THREAD));
	SHOW(unshare(0));
	SHOW(syscall(SYS_setns, 99, 0));
	SHOW(syscall(SYS_setns, 0, 0));
	SHOW(syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0));
	return 0;
}
