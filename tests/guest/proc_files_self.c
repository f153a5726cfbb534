/* /proc/self: arguments, environment, auxiliary vector, names, directories, limits. */
#include "guest.h"
#include <sys/auxv.h>
#include <sys/resource.h>

extern char **environ;

static ssize_t slurp(const char *name, char *text, size_t size)
{
	int fd = open(name, O_RDONLY);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n;
}

static void links(void)
{
	char text[4096], cwd[4096];
	ssize_t n = readlink("/proc/self/cwd", text, sizeof text);
	CHECK(getcwd(cwd, sizeof cwd) && n == (ssize_t)strlen(cwd) && !memcmp(cwd, text, n));
	n = readlink("/proc/self/root", text, sizeof text);
	show_bytes("root", text, n);
	n = readlink("/proc/self/exe", text, sizeof text - 1);
	text[n] = 0;
	say("exe ends with %s\n", strrchr(text, '/'));
	n = readlink("/proc/self", text, sizeof text - 1);
	text[n] = 0;
	CHECK(atoi(text) == getpid());
	n = readlink("/proc/thread-self", text, sizeof text - 1);
	text[n] = 0;
	CHECK(strstr(text, "/task/"));
	CHECK(!access("/proc/self/cwd/proc_files_self", X_OK));
}

static void limits(void)
{
	static const struct {
		const char *name;
		int resource;
	} all[] = {{"Max open files", RLIMIT_NOFILE},
		   {"Max stack size", RLIMIT_STACK},
		   {"Max core file size", RLIMIT_CORE},
		   {"Max cpu time", RLIMIT_CPU},
		   {"Max file size", RLIMIT_FSIZE}};
	char text[4096], want[100];
	struct rlimit small = {77, 88};
	MUST(setrlimit(RLIMIT_NOFILE, &small));
	slurp("/proc/self/limits", text, sizeof text);
	int lines = 0;
	for (char *c = text; *c; c++)
		lines += *c == '\n';
	say("limits: %d lines, first \"%.25s\"\n", lines, text);
	for (unsigned i = 0; i < COUNT(all); i++) {
		struct rlimit limit;
		MUST(getrlimit(all[i].resource, &limit));
		char *at = strstr(text, all[i].name);
		if (limit.rlim_cur == RLIM_INFINITY)
			snprintf(want, sizeof want, "unlimited ");
		else
			snprintf(want, sizeof want, "%lu ", limit.rlim_cur);
		say("%s: %s\n", all[i].name,
		    at && !strncmp(at + 26, want, strlen(want)) ? "as getrlimit says" : "different");
	}
}

int main(int argc, char **argv)
{
	char text[65536];
	if (argc == 1) {
		char *args[] = {"a name", "", "two words", "-x", NULL}, *env[] = {"ONE=1", "EMPTY=", "NOEQUALS", NULL};
		execve("./proc_files_self", args, env);
		return 1;
	}
	ssize_t n = slurp("/proc/self/cmdline", text, sizeof text);
	show_bytes("cmdline", text, n);
	n = slurp("/proc/self/environ", text, sizeof text);
	show_bytes("environ", text, n);
	strcpy(argv[0], "TITLE");
	n = slurp("/proc/self/cmdline", text, sizeof text);
	show_bytes("cmdline, changed", text, n);
	n = slurp("/proc/self/comm", text, sizeof text);
	show_bytes("comm", text, n);
	int fd = MUST(open("/proc/self/comm", O_RDWR));
	SHOW(write(fd, "a much longer name than fits", 28));
	close(fd);
	n = slurp("/proc/self/comm", text, sizeof text);
	show_bytes("comm", text, n);
	prctl(PR_GET_NAME, text);
	SHOW_TEXT(text);

	n = slurp("/proc/self/auxv", text, sizeof text);
	unsigned long *words = (void *)text,
		      types[] = {AT_PHDR, AT_PAGESZ, AT_ENTRY, AT_UID, AT_RANDOM, AT_EXECFN, AT_CLKTCK};
	for (unsigned i = 0; i < COUNT(types); i++)
		for (unsigned long *at = words; *at; at += 2)
			if (*at == types[i])
				say("auxv %lu: %s\n", types[i], at[1] == getauxval(types[i]) ? "same" : "different");
	links();
	limits();
	n = slurp("/proc/self/oom_score_adj", text, sizeof text);
	show_bytes("oom_score_adj", text, n);
	n = slurp("/proc/self/coredump_filter", text, sizeof text);
	show_bytes("coredump_filter", text, n);
	n = slurp("/proc/self/personality", text, sizeof text);
	show_bytes("personality", text, n);
	CHECK(slurp("/proc/self/cgroup", text, sizeof text) > 0 && strchr(text, ':'));
	CHECK(slurp("/proc/self/uid_map", text, sizeof text) > 0 && atoi(text) == 0);
	SHOW(slurp("/proc/self/nothing", text, sizeof text));
	return 0;
}
