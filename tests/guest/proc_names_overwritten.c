/* What /proc says of a process that writes over its arguments, renames itself, or tells the kernel where they are. */
#include "guest.h"
#include <pthread.h>

static void show_proc(const char *name)
{
	char path[64], text[256];
	snprintf(path, sizeof path, "/proc/self/%s", name);
	int fd = MUST(open(path, O_RDONLY));
	ssize_t n = MUST(read(fd, text, sizeof text));
	close(fd);
	show_bytes(name, text, n);
}

static void *renames(void *arg)
{
	char name[16] = "";
	SHOW(prctl(PR_SET_NAME, "worker thread with a long name"));
	SHOW(prctl(PR_GET_NAME, name));
	SHOW_TEXT(name);
	show_proc("comm");
	snprintf(name, sizeof name, "other");
	SHOW_ERR(pthread_setname_np(*(pthread_t *)arg, name));
	return NULL;
}

static void args(char **argv, char **envp)
{
	show_proc("cmdline");
	section("written over in place");
	memcpy(argv[1], "XX", 2);
	show_proc("cmdline");
	section("written over up to the environment, as setproctitle does");
	size_t room = envp[0] - argv[0];
	memset(argv[0], 0, room);
	memset(argv[0], 't', room);
	char text[256];
	int fd = MUST(open("/proc/self/cmdline", O_RDONLY));
	ssize_t n = MUST(read(fd, text, sizeof text));
	close(fd);
	SHOW(n > (ssize_t)room);
	SHOW(!memcmp(text, argv[0], room));
	show_bytes("what follows", text + room, n - room);
	section("shorter");
	memset(argv[0], 0, room);
	strcpy(argv[0], "title");
	fd = MUST(open("/proc/self/cmdline", O_RDONLY));
	n = MUST(read(fd, text, sizeof text));
	SHOW(n == (ssize_t)room);
	SHOW_TEXT(text);
	SHOW(pread(fd, text, 3, 2));
	show_bytes("from 2", text, 3);
	SHOW(pread(fd, text, 10, 10000));
	close(fd);
	section("the environment");
	show_proc("environ");
	memcpy(envp[0] + 2, "changed", 7);
	show_proc("environ");
	MUST(setenv("NEW", "not there", 1));
	show_proc("environ");
}

int main(int argc, char **argv, char **envp)
{
	if (argc < 2) {
		char *again[] = {"program", "first", "second argument", "", NULL};
		char *variables[] = {"A=0123456789", "B=", "C=c", NULL};
		execve("/proc/self/exe", again, variables);
		return 1;
	}
	pthread_t self = pthread_self(), other;
	args(argv, envp);
	section("names");
	int fd = MUST(open("/proc/self/comm", O_RDWR));
	SHOW(write(fd, "by a file that is too long", 26));
	show_proc("comm");
	SHOW(write(fd, "x\n", 2));
	show_proc("comm");
	MUST(pthread_create(&other, NULL, renames, &self));
	pthread_join(other, NULL);
	show_proc("comm");
	pid_t child = fork_child();
	if (!child) {
		show_proc("comm");
		_exit(0);
	}
	reap("child", child);
	SHOW(prctl(PR_SET_NAME, (char *)8));
	SHOW(prctl(PR_SET_NAME, ""));
	show_proc("comm");
	return 0;
}
