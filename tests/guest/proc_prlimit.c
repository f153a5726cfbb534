/* getrlimit, setrlimit, prlimit: values, inheritance, who may raise. */
#include "guest.h"
#include <sys/resource.h>

static void show_limit(const char *what, int resource)
{
	struct rlimit limit;
	MUST(getrlimit(resource, &limit));
	say("%s: %ld, at most %ld\n", what, (long)limit.rlim_cur, (long)limit.rlim_max);
}

static void child(void)
{
	show_limit("inherited", RLIMIT_NOFILE);
}

static void as_user(void)
{
	become_user(1000);
	SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 201}));
	SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){150, 150}));
	SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){150, 200}));
	show_limit("lowered", RLIMIT_NOFILE);
}

static char program[256];

static void executed(void)
{
	execl(program, program, "child", NULL);
}

int main(int argc, char **argv)
{
	struct rlimit old;
	if (argc > 1) {
		show_limit("after exec", RLIMIT_NOFILE);
		return 0;
	}
	snprintf(program, sizeof program, "%s", argv[0]);
	SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 200}));
	show_limit("set", RLIMIT_NOFILE);
	SHOW(prlimit(0, RLIMIT_NOFILE, &(struct rlimit){110, 200}, &old));
	SHOW(old.rlim_cur);
	SHOW(prlimit(getpid(), RLIMIT_NOFILE, NULL, &old));
	SHOW(old.rlim_cur);
	SHOW(prlimit(0, RLIMIT_NOFILE, NULL, NULL));
	in_child("child", child);
	in_child("program", executed);
	SHOW(sysconf(_SC_OPEN_MAX));
	section("errors");
	SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){201, 200}));
	SHOW(getrlimit(99, &old));
	SHOW(setrlimit(99, &old));
	SHOW(prlimit(1 << 22, RLIMIT_NOFILE, NULL, &old));
	SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 1ul << 40}));
	SHOW(syscall(SYS_getrlimit, RLIMIT_NOFILE, 8));
	section("user");
	in_child("user", as_user);
	section("every resource");
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (getrlimit(i, &old) || old.rlim_cur > old.rlim_max)
			say("NO: resource %d\n", i);
	SHOW(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}));
	show_limit("core", RLIMIT_CORE);
	return 0;
}
