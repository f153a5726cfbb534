/* diff.c - see diff.h. Nothing is unpacked, and no name of the archive is looked up anywhere. */
#include "runtime/diff.h"

#include "runtime/fail.h"
#include "runtime/tar_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES (8 * TAR_PAX_LIMIT) /* each byte escaped, a path and a target */

static const char usage[] = "Usage: usbx diff [--json] FILE\n"
			    "\n"
			    "Shows what changed in a sandbox whose changes usbx run --save FILE has kept:\n"
			    "A path, M path and D path for what was made, changed and removed; with --json a\n"
			    "JSON object a line. FILE - is standard input.\n";

static void print_changes(struct tar_reader *reader, const char *path, bool json)
{
	char *line = must_alloc(LINE_BYTES);
	struct change_shown change;
	struct text text;
	int got;

	while ((got = tar_read(reader, &change)) > 0) {
		/* As --diff shows it. */
		char *full = must_alloc(change.length + 2);
		full[0] = '/';
		memcpy(full + 1, change.path, change.length);
		change.path = full;
		change.length++;
		text_init(&text, line, LINE_BYTES);
		if (json)
			change_add_json(&text, &change);
		else
			change_add_text(&text, &change);
		fwrite(text.data, 1, text.length, stdout);
		free(full);
	}
	free(line);
	if (got == -EBADMSG)
		fail("diff: %s: damaged, or no archive; name one that usbx run --save has written", path);
	if (got)
		fail_to_read("diff:", path, errno);
}

int diff_main(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	struct tar_reader reader = {0};
	const char *path;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(usage, stdout);
		finish_output();
		return 0;
	}
	if (argc > 1 && argv[1][0] == '-' && argv[1][1] && !json && strcmp(argv[1], "--") != 0)
		fail("diff: %s: no such option: usbx diff [--json] FILE", argv[1]);
	int first = 1 + (argc > 1 && argv[1][0] == '-' && argv[1][1]);
	if (argc != first + 1)
		fail("diff: %s usbx diff [--json] FILE, where FILE is from usbx run --save FILE",
		     argc > first ? "one file at a time:" : "which file?");
	path = argv[first];
	reader.file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!reader.file)
		fail_to_read("diff:", path, errno);
	reader.pax = must_alloc(TAR_PAX_LIMIT);
	print_changes(&reader, path, json);
	free(reader.pax);
	finish_output();
	return 0;
}
