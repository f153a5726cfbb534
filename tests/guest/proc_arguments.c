/* Arguments of exec: long ones, many, too many. */
#include "guest.h"
#include <sys/resource.h>

static char *args[60004], program[256];
static char *const none[] = {NULL};

static void run(void)
{
	SHOW(execve(program, args, none));
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		size_t bytes = 0;
		for (int i = 0; i < argc; i++)
			bytes += strlen(argv[i]) + 1;
		say("%d arguments, %zu bytes\n", argc, bytes - strlen(argv[0]));
		return 0;
	}
	/* All arguments together may take a quarter of the stack. */
	MUST(setrlimit(RLIMIT_STACK, &(struct rlimit){8 << 20, RLIM_INFINITY}));
	snprintf(program, sizeof program, "%s", argv[0]);
	char *big = malloc(200000);
	memset(big, 'b', 200000);
	args[0] = "x";

	big[131071] = 0;
	args[1] = big;
	in_child("the longest argument", run);
	big[131071] = 'b';
	big[131072] = 0;
	in_child("one byte more", run);

	for (int i = 1; i < 60000; i++)
		args[i] = "twelve bytes";
	in_child("many arguments", run);

	big[100000] = 0;
	for (int i = 1; i < 60000; i++)
		args[i] = i < 40 ? big : NULL;
	in_child("four megabytes", run);
	args[1] = "";
	args[2] = "";
	args[3] = NULL;
	in_child("empty ones", run);
	return 0;
}
