/* help.c - see help.h. Texts are wrapped here to the width of an ordinary terminal, so that options.def need not be. */
#include "runtime/help.h"

#include "runtime/fail.h"
#include "runtime/option_table.h"

#include <string.h>

#define WIDTH       80
#define HELP_COLUMN 28 /* where the explanation of an option begins */

static const char usage[] = "Usage: usbx run [options] -- command [argument...]\n";

static const char about[] = "\n"
			    "Runs a command in a sandbox with a kernel of its own. It sees the host's\n"
			    "programs and libraries read-only, the working directory with its own changes\n"
			    "kept in the sandbox, a private /tmp, and no network.\n";

static const char commands[] = "\n"
			       "Commands\n"
			       "  run          run a command in a sandbox; usbx run --help lists the options\n"
			       "  diff         what changed in a sandbox: usbx diff [--json] FILE, where FILE\n"
			       "               was written by usbx run --save FILE\n"
			       "  policy       what a running sandbox may reach: usbx policy --help\n"
			       "  doctor       what this host allows, and what to do about the rest; --json\n"
			       "  help         this text; usbx help TOPIC explains one topic\n"
			       "  syscalls     which system calls there are, and how complete they are\n"
			       "  --host-calls which host system calls the sandbox's kernel makes at most\n"
			       "  --version    which usbx this is\n";

static const char examples[] = "\n"
			       "Examples\n"
			       "  usbx run -- python3 agent.py\n"
			       "  usbx run --rw . --timeout 60 -- make test\n"
			       "  usbx run --rootfs ./debian-tree -- /bin/sh\n";

static const char status[] = "\n"
			     "Exit status: the command's; 128+N when signal N ended it; 124 its time or output\n"
			     "was used up; 126 it cannot be run; 127 not found; 125 usbx failed.\n";

/* Prints text in lines that begin at column, where the cursor is now. A line end in text begins a paragraph. */
static void print_wrapped(FILE *out, const char *text, size_t column)
{
	size_t at = column;

	while (*text) {
		size_t word = strcspn(text, " \n");
		if (at > column && at + 1 + word > WIDTH) {
			fprintf(out, "\n%*s", (int)column, "");
			at = column;
		}
		at += (size_t)fprintf(out, "%s%.*s", at > column ? " " : "", (int)word, text);
		text += word;
		if (*text == '\n') {
			fprintf(out, "\n%*s", (int)column, "");
			at = column;
		}
		text += *text != 0;
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct option_row *row, bool all)
{
	char left[80], letter[8] = "";

	if (row->letter)
		snprintf(letter, sizeof letter, "-%c, ", row->letter);
	snprintf(left, sizeof left, "  %s--%s%s%s%s", letter, row->name,
		 row->value == VALUE_OPTIONAL   ? "[="
		 : row->value == VALUE_REQUIRED ? " "
						: "",
		 row->argument, row->value == VALUE_OPTIONAL ? "]" : "");
	fprintf(out, "%-*s", HELP_COLUMN, left);
	if (strlen(left) >= HELP_COLUMN)
		fprintf(out, "\n%*s", HELP_COLUMN, "");
	print_wrapped(out, row->help, HELP_COLUMN);
	if (all && *row->more) {
		fprintf(out, "%*s", HELP_COLUMN, "");
		print_wrapped(out, row->more, HELP_COLUMN);
	}
}

void help_overview(FILE *out)
{
	fputs(usage, out);
	fputs(about, out);
	fputs(commands, out);
	fputs("\nTopics\n", out);
	for (unsigned i = 0; i < TOPIC_COUNT; i++)
		if (*topic_rows[i].more)
			fprintf(out, "  %-12s %s\n", topic_rows[i].name, topic_rows[i].title);
	fputs(examples, out);
}

void help_options(FILE *out)
{
	fputs(usage, out);
	for (unsigned topic = 0; topic < TOPIC_COUNT; topic++) {
		fprintf(out, "\n%s\n", topic_rows[topic].title);
		for (unsigned i = 0; i < OPTION_COUNT; i++)
			if (option_rows[i].topic == topic)
				print_option(out, &option_rows[i], false);
	}
	fputs(status, out);
}

static unsigned find_topic(const char *name)
{
	char all[256] = "";

	for (unsigned i = 0; i < TOPIC_COUNT; i++) {
		if (!strcmp(topic_rows[i].name, name))
			return i;
		if (*topic_rows[i].more)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "",
				 topic_rows[i].name);
	}
	const char *near = nearest_topic(name);
	if (near)
		fail("help %s: no such topic; did you mean %s?", name, near);
	fail("help %s: no such topic; there are %s", name, all);
}

void help_topic(FILE *out, const char *name)
{
	if (!strcmp(name, "run")) {
		help_options(out);
		return;
	}
	unsigned topic = find_topic(name);
	fprintf(out, "%s\n", topic_rows[topic].title);
	if (*topic_rows[topic].more) {
		fputs("\n  ", out);
		print_wrapped(out, topic_rows[topic].more, 2);
	}
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].topic == topic) {
			fputc('\n', out);
			print_option(out, &option_rows[i], true);
		}
}
