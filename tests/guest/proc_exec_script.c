/* Files that begin with #!: interpreter, its one argument, nesting, limits. */
#include "guest.h"

static const char *script;

static void run(void)
{
	char *const args[] = {"name", "first", "second word", NULL}, *const env[] = {"PATH=/usr/bin:/bin", NULL};
	SHOW(execve(script, args, env));
	_exit(99);
}

static void try(const char *name, const char *content)
{
	make_file(name, content);
	MUST(chmod(name, 0755));
	script = name;
	in_child(name, run);
}

int main(int argc, char **argv)
{
	char line[512];
	if (argc > 1 && !strcmp(argv[1], "interpret me")) {
		for (int i = 0; i < argc; i++)
			say("argv[%d] = %s\n", i, argv[i]);
		return argc;
	}
	try("./shell", "#!/bin/sh\necho \"$0|$#|$1|$2\"\nexit 4\n");
	try("./option", "#!/bin/sh -e\nfalse\necho not reached\n");
	try("./spaces", "#!   /bin/sh   \t -eu  \t \necho \"$0\"; exit 5\n");
	try("./no_newline", "#!/bin/sh");
	snprintf(line, sizeof line, "#!%s interpret me\n", argv[0]);
	try("./one_argument", line);
	/* A script's interpreter may be a script. */
	try("./nested", "#!./one_argument and more\n");
	try("./missing", "#!/absent/interpreter\n");
	try("./directory", "#!/usr\n");
	try("./nothing", "#!\n");
	try("./blank", "#!    \n");
	try("./itself", "#!./itself\n");
	try("./carriage", "#!/bin/sh\r\necho x\n");
	memset(line, ' ', sizeof line);
	memcpy(line, "#!/bin/sh", 9);
	memcpy(line + 300, "\necho long; exit 3\n", 20);
	try("./long", line);
	memset(line, 'x', sizeof line);
	memcpy(line, "#!/", 3);
	line[300] = 0;
	try("./too_long", line);
	try("./unreadable", "#!/bin/sh\nexit 2\n");
	section("by PATH");
	MUST(setenv("PATH", ".:/usr/bin", 1));
	SHOW(WEXITSTATUS(system("shell a b")));
	SHOW(WEXITSTATUS(system("absent 2>/dev/null")));
	make_file("bare", "exit 6\n");
	MUST(chmod("bare", 0755));
	SHOW(WEXITSTATUS(system("./bare")));
	return 0;
}
