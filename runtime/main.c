/* main.c - usbx: which of its few commands was meant. */
#include "platform/host.h"
#include "runtime/diff.h"
#include "runtime/doctor.h"
#include "runtime/fail.h"
#include "runtime/help.h"
#include "runtime/option_table.h"
#include "runtime/policy_command.h"
#include "runtime/start.h"
#include "runtime/supervise.h"
#include "runtime/users.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>

static int print_host_calls(void)
{
	for (const struct host_call *call = host_calls; call->name; call++)
		printf("%-18s %s\n", call->name, call->why);
	return 0;
}

static void print_version(void)
{
	printf("usbx %s\n"
	       "for Linux on x86-64, built by gcc %s with glibc %s\n",
	       USBX_VERSION, __VERSION__, gnu_get_libc_version());
}

/* "--help=TOPIC" becomes "help TOPIC". */
static bool is_help(const char *command, const char **topic)
{
	if (!strncmp(command, "--help=", 7))
		*topic = command + 7;
	return *topic || !strcmp(command, "--help") || !strcmp(command, "-h") || !strcmp(command, "help");
}

static void print_help(const char *topic)
{
	if (topic)
		help_topic(stdout, topic);
	else
		help_overview(stdout);
}

/* Not a command: says so, and which one it may have been. */
no_return static void fail_command(const char *word)
{
	static const char *const known[] = {"run",      "diff",         "policy",    "doctor", "help",
					    "syscalls", "--host-calls", "--version", "--help"};

	if (!*word)
		fail("what to run? usbx run -- command [argument...]; see usbx --help");
	const char *near = nearest_word(word, known, COUNT(known), sizeof known[0]);
	if (near)
		fail("%s: no such command; did you mean usbx %s? See usbx --help", word, near);
	fail("%s: no such command; to run a program: usbx run -- %s; see usbx --help", word, word);
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
	if (!strcmp(command, "diff"))
		return diff_main(argc - 1, argv + 1);
	if (!strcmp(command, "policy"))
		return policy_main(argc - 1, argv + 1);
	if (!strcmp(command, "doctor"))
		return doctor_main(argc - 1, argv + 1);
	const char *topic = NULL;
	bool help = is_help(command, &topic);
	int used = help && argc > 2 && !topic ? 3 : 2;
	if (used == 3)
		topic = argv[2];
	if (argc > used && *command)
		fail("%s: what is %s for? It is one word too many; see usbx --help", command, argv[used]);
	if (help)
		print_help(topic);
	else if (!strcmp(command, "syscalls"))
		start_print_syscalls();
	else if (!strcmp(command, "--host-calls"))
		print_host_calls();
	else if (!strcmp(command, "--version"))
		print_version();
	else
		fail_command(command);
	finish_output();
	return 0;
}
