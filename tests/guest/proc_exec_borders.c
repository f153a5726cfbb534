/* execve at its borders: how much may be given, what an empty argv becomes, what fails leaves all as it was. */
#include "guest.h"
#include <sys/resource.h>

static char *big, *many[40000];
static char *self;

/* Runs this program with argv and envp; the child's answer or the error is on the transcript. */
static void try(const char *what, const char *path, char **argv, char **envp)
{
	pid_t pid = fork_child();
	if (!pid) {
		execve(path, argv, envp);
		say("%s: %s\n", what, error_name(errno));
		_exit(9);
	}
	reap(what, pid);
}

static void told(int argc, char **argv, char **envp)
{
	size_t bytes = 0, count = 0;
	for (; envp[count]; count++)
		bytes += strlen(envp[count]) + 1;
	say("argc %d, argv[0] \"%s\", %zu variables of %zu bytes\n", argc, argv[0] ? argv[0] : "(none)", count, bytes);
}

static void one_string(void)
{
	section("one string: 32 pages with its end");
	char *argv[] = {"told", NULL}, *envp[] = {big, NULL};
	memset(big, 'x', 200000);
	big[131071] = 0;
	try("131071", self, argv, envp);
	big[131071] = 'x';
	big[131072] = 0;
	try("131072", self, argv, envp);
	char *long_argv[] = {"told", big, NULL}, *none[] = {NULL};
	try("131072 as an argument", self, long_argv, none);
	big[131071] = 0;
	try("131071 as an argument", self, long_argv, none);
}

static void all_strings(void)
{
	section("all of them: a quarter of the stack's limit, at least 32 pages, at most 6 MiB");
	char *argv[] = {"told", NULL};
	big[1000] = 0;
	for (int i = 0; i < 40000; i++)
		many[i] = big;
	struct rlimit limit = {8 << 20, RLIM_INFINITY};
	MUST(setrlimit(RLIMIT_STACK, &limit));
	many[2000] = NULL;
	try("2 MB, just below", self, argv, many);
	many[2000] = big;
	many[2200] = NULL;
	try("2.2 MB", self, argv, many);
	limit.rlim_cur = 1 << 20;
	MUST(setrlimit(RLIMIT_STACK, &limit));
	many[200] = NULL;
	try("200 kB of 1 MiB", self, argv, many);
	many[200] = big;
	many[300] = NULL;
	try("300 kB of 1 MiB", self, argv, many);
	limit.rlim_cur = 64 << 20;
	MUST(setrlimit(RLIMIT_STACK, &limit));
	many[300] = big;
	many[6000] = NULL;
	try("6 MB of 64 MiB", self, argv, many);
	many[6000] = big;
	many[6400] = NULL;
	try("6.4 MB of 64 MiB", self, argv, many);
}

static void odd(void)
{
	char *none[] = {NULL}, *argv[] = {"told", NULL}, *empty[] = {"", NULL};
	section("odd vectors");
	try("no argument", self, none, none);
	try("argv is NULL", self, NULL, NULL);
	try("an empty one", self, empty, empty);
	try("argv nowhere", self, (char **)8, none);
	char *bad[] = {"told", (char *)8, NULL};
	try("an argument nowhere", self, bad, none);
	section("what cannot be run");
	make_file("text", "echo hello\n");
	make_file("loop", "#!loop\n");
	make_file("gone", "#!/no/such/interpreter\n");
	make_file("blank", "#! \n");
	make_file("short", "\177ELF");
	const char *names[] = {"text", "loop", "gone", "blank", "short"};
	try("not executable", "text", argv, none);
	for (unsigned i = 0; i < COUNT(names); i++) {
		MUST(chmod(names[i], 0755));
		try(names[i], names[i], argv, none);
	}
	try("a directory", ".", argv, none);
	try("none", "none", argv, none);
	try("below a file", "text/x", argv, none);
	int fd = MUST(open("text", O_WRONLY));
	try("open for writing", "text", argv, none);
	close(fd);
}

int main(int argc, char **argv, char **envp)
{
	if (argc == 0 || !strcmp(argv[0], "told") || !argv[0][0]) {
		told(argc, argv, envp);
		return 0;
	}
	self = "/proc/self/exe";
	big = malloc(200001);
	one_string();
	all_strings();
	odd();
	return 0;
}
