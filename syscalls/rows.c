/* rows.c - what the rows of syscalls.def say, as data and as text for people.
 *
 * Free of everything but the list, so that scripts/tidy can build the generator of docs/syscalls.md from this file
 * alone.
 */
#include "syscalls/pairs.h"
#include "syscalls/table.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ROW_KIND(index, kind, name) KIND_##kind,
#define ROW_NAME(index, kind, name) #name,
#define ROW_TYPE(index, kind, name) #kind,
#define SYSCALL(nr, name, level, ret, argc, args, note)                                                                \
	[nr] = {#name,                                                                                                 \
		note,                                                                                                  \
		LEVEL_##level,                                                                                         \
		RETURN_##ret,                                                                                          \
		argc,                                                                                                  \
		{PAIRS(argc, ROW_KIND, args)},                                                                         \
		{PAIRS(argc, ROW_NAME, args)},                                                                         \
		{PAIRS(argc, ROW_TYPE, args)}},
#define MISSING(nr, name, reason) [nr] = {#name, reason, LEVEL_MISSING, RETURN_HEX, 0, {0}, {0}, {0}},

static const struct syscall_row rows[] = {
#include "syscalls/syscalls.def"
};

/* Kinds and sizes share one word of prefetch.h's table, and a row keeps a kind in a byte. */
static_assert(KIND_COUNT < 256, "a row stores kinds in bytes");

static const char *const level_names[] = {
	[LEVEL_NONE] = "", [LEVEL_MISSING] = "missing", [LEVEL_PARTIAL] = "partial", [LEVEL_FULL] = "full"};
static_assert(COUNT(level_names) == LEVEL_FULL + 1, "every level has a name");

const struct syscall_row *syscall_row(uint64_t nr)
{
	return nr < COUNT(rows) && rows[nr].name ? &rows[nr] : NULL;
}

unsigned syscall_row_count(void)
{
	return COUNT(rows);
}

struct print {
	void (*write)(void *context, const char *text, size_t size);
	void *context;
};

printf_like(2, 3) static void print(const struct print *to, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	int length = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	assert(length >= 0 && (size_t)length < sizeof line);
	to->write(to->context, line, (size_t)length);
}

static void print_row(const struct print *to, unsigned nr, const struct syscall_row *row, bool markdown)
{
	char arguments[256] = "";
	size_t used = 0;

	for (unsigned i = 0; i < row->argc; i++)
		used += (size_t)snprintf(arguments + used, sizeof arguments - used, "%s%s", i ? ", " : "",
					 row->args[i]);
	if (markdown)
		print(to, "| %u | %s | %s | %s | %s |\n", nr, row->name, level_names[row->level], arguments, row->note);
	else
		print(to, "%3u %-24s %-8s %s\n", nr, row->name, level_names[row->level], row->note);
}

void syscalls_print(void (*write)(void *context, const char *text, size_t size), void *context, bool markdown)
{
	struct print to = {write, context};
	unsigned counts[COUNT(level_names)] = {0};

	for (unsigned nr = 0; nr < COUNT(rows); nr++)
		counts[rows[nr].level]++;
	if (markdown)
		print(&to,
		      "# System calls\n\nMade from syscalls/syscalls.def by `scripts/tidy --write`; do not edit.\n\n"
		      "Of the %u calls of Linux on x86-64, %u are there in full, %u in part (the note says what lacks) "
		      "and %u "
		      "are missing: these answer `ENOSYS`, as does every number that is not listed.\n\n"
		      "| number | call | level | arguments | note |\n|---|---|---|---|---|\n",
		      counts[LEVEL_FULL] + counts[LEVEL_PARTIAL] + counts[LEVEL_MISSING], counts[LEVEL_FULL],
		      counts[LEVEL_PARTIAL], counts[LEVEL_MISSING]);
	for (unsigned nr = 0; nr < COUNT(rows); nr++)
		if (rows[nr].name)
			print_row(&to, nr, &rows[nr], markdown);
	if (!markdown)
		print(&to, "%u full, %u partial, %u missing\n", counts[LEVEL_FULL], counts[LEVEL_PARTIAL],
		      counts[LEVEL_MISSING]);
}
