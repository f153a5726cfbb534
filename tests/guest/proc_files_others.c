/* /proc/PID of other processes: states, what an ordinary user may see, and what is left of those that are gone. */
#include "guest.h"

static char path[64], text[8192];

static const char *file(pid_t pid, const char *name)
{
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	return path;
}

static ssize_t slurp(pid_t pid, const char *name)
{
	int fd = open(file(pid, name), O_RDONLY);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, sizeof text - 1);
	int error = errno;
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n < 0 ? -error : n;
}

static char state(pid_t pid)
{
	return slurp(pid, "stat") > 0 ? strrchr(text, ')')[2] : '-';
}

static void wait_for_state(pid_t pid, char wanted)
{
	for (int i = 0; i < 500 && state(pid) != wanted; i++)
		nap_ms(10);
	say("state %c\n", state(pid));
}

static void as_user(pid_t pid)
{
	static const char *const names[] = {"stat", "status", "cmdline", "comm", "statm", "limits", "environ",
					    "auxv", "maps",   "smaps",   "io",   "mem",   "fdinfo", "task"};
	char link[100];
	become_user(1000);
	for (unsigned i = 0; i < COUNT(names); i++) {
		int fd = open(file(pid, names[i]), O_RDONLY);
		say("%s: %s\n", names[i], fd < 0 ? error_name(errno) : "opens");
		close(fd);
	}
	SHOW(readlink(file(pid, "exe"), link, sizeof link));
	SHOW(readlink(file(pid, "cwd"), link, sizeof link));
	SHOW(open(file(pid, "fd"), O_RDONLY));
	SHOW(open(file(pid, "comm"), O_WRONLY));
}

int main(void)
{
	int ends[2], status;
	char byte;
	MUST(pipe(ends));
	pid_t pid = fork_child();
	if (!pid) {
		close(ends[1]);
		read(ends[0], &byte, 1);
		_exit(3);
	}
	wait_for_state(pid, 'S');
	MUST(kill(pid, SIGSTOP));
	wait_for_state(pid, 'T');
	MUST(kill(pid, SIGCONT));
	wait_for_state(pid, 'S');
	CHECK(slurp(pid, "stat") > 0 && atoi(text) == pid);
	section("seen by a user");
	pid_t user = fork_child();
	if (!user) {
		as_user(pid);
		_exit(0);
	}
	reap("user", user);
	section("its files after its end");
	int stat = MUST(open(file(pid, "stat"), O_RDONLY)), dir = MUST(open(file(pid, ""), O_RDONLY | O_DIRECTORY));
	tell(ends[1]);
	wait_for_state(pid, 'Z');
	SHOW(slurp(pid, "cmdline"));
	SHOW(slurp(pid, "maps"));
	SHOW(slurp(pid, "environ"));
	slurp(pid, "statm");
	SHOW_TEXT(text);
	SHOW(readlink(file(pid, "exe"), text, sizeof text));
	SHOW(readlink(file(pid, "cwd"), text, sizeof text));
	CHECK(slurp(pid, "status") > 0 && strstr(text, "State:\tZ (zombie)\n") && !strstr(text, "VmSize"));
	SHOW(slurp(pid, "fd"));
	MUST(waitpid(pid, &status, 0));
	SHOW(slurp(pid, "stat"));
	SHOW(read(stat, text, 10));
	SHOW(openat(dir, "stat", O_RDONLY));
	SHOW(openat(dir, "task", O_RDONLY));
	return 0;
}
