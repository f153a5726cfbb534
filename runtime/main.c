/* main.c - usbx: which of its few commands was meant. */
#include "platform/host.h"
#include "runtime/fail.h"
#include "runtime/start.h"
#include "runtime/supervise.h"
#include "runtime/users.h"

#include <stdio.h>
#include <string.h>

static int print_host_calls(void)
{
	for (const struct host_call *call = host_calls; call->name; call++)
		printf("%-18s %s\n", call->name, call->why);
	return 0;
}

static int flush_out(void)
{
	if (fflush(stdout) || ferror(stdout))
		fail("cannot write to standard output");
	return 0;
}

int main(int argc, char **argv)
{
	static struct options options;
	static struct view view;
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "run")) {
		options_parse(&options, argc - 1, argv + 1);
		view_build(&view, &options);
		if (options.user)
			users_find(options.rootfs, options.user, &options.uid, &options.gid);
		return supervise(&options, &view);
	}
	if (argc > 2 && *command)
		fail("%s %s: see usbx --help", command, argv[2]);
	if (!strcmp(command, "syscalls"))
		start_print_syscalls();
	else if (!strcmp(command, "--host-calls"))
		print_host_calls();
	else if (!strcmp(command, "--version"))
		printf("usbx %s\n", USBX_VERSION);
	else if (!strcmp(command, "--help") || !strcmp(command, "-h") || !strcmp(command, "help"))
		fputs(options_help, stdout);
	else if (!*command)
		fail("what to run? usbx run -- command [argument...]; see usbx --help");
	else
		fail("%s: no such command; see usbx --help", command);
	return flush_out();
}
