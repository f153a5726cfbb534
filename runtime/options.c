/* options.c - the command line of `usbx run`: read by getopt_long, whose table is made of options.def. What a value
 * means is option_values.c's. */
#include "runtime/options.h"

#include "runtime/config_file.h"
#include "runtime/fail.h"
#include "runtime/help.h"
#include "runtime/option_table.h"
#include "runtime/option_values.h"
#include "runtime/policy_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define LONG_BASE    256 /* getopt's value of the first row; below are letters */

static const int getopt_value[] = {
	[VALUE_NONE] = no_argument, [VALUE_REQUIRED] = required_argument, [VALUE_OPTIONAL] = optional_argument};

static const option_taker takers[OPTION_COUNT] = {
#define OPTION(function, name, letter, value, argument, offers, topic, times, help, more)                              \
	[OPTION_##function] = option_##function,
#include "runtime/options.def"
};

/* "+:" first: stop at the command, and tell a missing value from an unknown option. A letter has no value. */
static void fill_getopt(struct option long_options[OPTION_COUNT + 1], char letters[OPTION_COUNT + 3])
{
	char *letter = stpcpy(letters, "+:");

	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		long_options[i] = (struct option){row->name, getopt_value[row->value], NULL, LONG_BASE + i};
		if (row->letter)
			*letter++ = row->letter;
	}
	*letter = 0;
	long_options[OPTION_COUNT] = (struct option){NULL, 0, NULL, 0};
}

static int row_of_letter(int letter)
{
	int i = 0;

	while (option_rows[i].letter != letter)
		i++;
	return i;
}

/* Returns when fewer than two options begin like this: getopt takes the beginning of a name for the whole. */
static void fail_ambiguous(const char *name)
{
	char all[256] = "";
	unsigned found = 0;

	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (!strncmp(option_rows[i].name, name, strlen(name)))
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s--%s", found++ ? " or " : "",
				 option_rows[i].name);
	if (found > 1)
		fail("--%s: %s?", name, all);
}

/* word: as it was typed; optopt is the row that getopt found in it, if it did. */
no_return static void fail_unknown(const char *word)
{
	char name[64];

	if (optopt >= LONG_BASE)
		fail("--%s takes no value; see usbx run --help", option_rows[optopt - LONG_BASE].name);
	if (strncmp(word, "--", 2) != 0)
		fail("-%c: no such option; see usbx run --help", optopt);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	fail_ambiguous(name);
	const char *near = nearest_option(name);
	if (near)
		fail("%s: no such option; did you mean --%s? See usbx run --help", word, near);
	fail("%s: no such option; see usbx run --help", word);
}

void option_help(struct options *o, const char *topic)
{
	(void)o;
	if (topic)
		help_topic(stdout, topic);
	else
		help_options(stdout);
	finish_output();
	exit(0);
}

struct given {
	int option; /* its row */
	const char *value;
};

static void take(struct options *o, const struct given *given)
{
	const struct option_row *row = &option_rows[given->option];

	if (given->value && !*given->value && given->option != OPTION_help)
		fail("--%s: its value is empty: give %s", row->name, row->argument);
	takers[given->option](o, given->value);
}

/* How many options argv can hold at most. */
static size_t given_limit(char **argv)
{
	size_t most = 0;

	for (; *argv; argv++)
		most += strncmp(*argv, "--", 2) ? strlen(*argv) : 1; /* -tTt is three */
	return most;
}

/* What the command line asks for, in order; how many. given has room for what argv can hold: given_limit. */
static unsigned read_words(struct given *given, int argc, char **argv, const char *letters,
			   const struct option *long_options)
{
	unsigned count = 0;
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "?";
		if (option == ':')
			fail("%s needs a value; see usbx run --help", word);
		if (option == '?')
			fail_unknown(word);
		int row = option < LONG_BASE ? row_of_letter(option) : option - LONG_BASE;
		given[count++] = (struct given){row, optarg};
	}
	return count;
}

void options_parse(struct options *out, int argc, char **argv)
{
	struct option long_options[OPTION_COUNT + 1];
	char letters[OPTION_COUNT + 3];

	*out = (struct options){.hostname = "usbx", .uid = getuid(), .gid = getgid()};
	env_add(out, must_copy("PATH=" DEFAULT_PATH));
	env_pass(out, "PATH");
	env_pass(out, "TERM");
	env_pass(out, "LANG");
	if (getenv("USBX_PLATFORM"))
		option_platform(out, getenv("USBX_PLATFORM"));
	fill_getopt(long_options, letters);
	struct given *given = must_alloc(given_limit(argv) * sizeof *given);
	unsigned count = read_words(given, argc, argv, letters, long_options);
	/* The file's first, so that the command line's hold against them. */
	for (unsigned i = 0; i < count; i++)
		if (given[i].option == OPTION_config)
			take(out, &given[i]);
	if (out->config_path)
		config_apply(out, out->config_path, takers);
	for (unsigned i = 0; i < count; i++)
		take(out, &given[i]);
	free(given);
	config_protect(out, "--config", out->config_path);
	config_protect(out, "--policy", out->policy_path);
	if (out->memory_bytes && out->disk_bytes > out->memory_bytes / 2)
		fail("--disk: files live in the sandbox's memory, half of which is theirs at most: give --memory %lluM",
		     (unsigned long long)((out->disk_bytes >> 19) + 1));
	network_check(&out->network);
	policy_settle(out);
	if (optind == argc)
		fail("no command; usbx run [options] -- command [argument...]");
	if (!*argv[optind])
		fail("the command is an empty word; usbx run [options] -- command [argument...]");
	out->argv = argv + optind;
}
