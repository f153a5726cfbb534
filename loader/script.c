/* script.c - files that begin with "#!": fs/binfmt_script.c of Linux 6.x, line by line in its meaning.
 *
 * The first line's text goes up to a newline, or to the last of SCRIPT_BYTES if something behind the interpreter's name
 * shows that the name is whole. Blanks (space, tab) around are dropped; what follows the interpreter's name is one
 * argument, blanks inside included.
 */
#include "loader/loader.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first non-blank of [first, last], or NULL. */
static char *next_text(char *first, const char *last)
{
	for (; first <= last; first++)
		if (!is_blank(*first))
			return first;
	return NULL;
}

/* The first blank or zero byte of [first, last], or NULL. */
static char *next_end(char *first, const char *last)
{
	for (; first <= last; first++)
		if (is_blank(*first) || !*first)
			return first;
	return NULL;
}

bool script_parse(char line[SCRIPT_BYTES], char **interpreter, char **argument)
{
	char *last = line + SCRIPT_BYTES - 1, *end, *name, *behind;

	assert(line[0] == '#' && line[1] == '!');
	end = line + strnlen(line, SCRIPT_BYTES);
	end = memchr(line, '\n', (size_t)(end - line));
	if (!end) {
		end = next_text(line + 2, last);
		/* All blanks, or a name that may go on behind what we see. */
		if (!end || !next_end(end, last))
			return false;
		end = last;
	}
	while (is_blank(end[-1]))
		end--;
	name = next_text(line + 2, end);
	if (!name || name == end)
		return false;
	*argument = NULL;
	behind = next_end(name, end);
	if (behind && *behind)
		*argument = next_text(behind, end);
	*end = 0;
	if (*argument) {
		*behind = 0;
		if (*argument == end)
			*argument = NULL;
	}
	*interpreter = name;
	return true;
}

void script_splice(struct script_args *args, const char *interpreter, const char *argument, const char *script)
{
	if (args->head_count) {
		args->head_count--;
		memmove(args->head, args->head + 1, args->head_count * sizeof args->head[0]);
	} else if (*args->rest) {
		args->rest++;
	}
	unsigned more = argument ? 3 : 2;
	assert(args->head_count + more <= SCRIPT_HEADS_LIMIT);
	memmove(args->head + more, args->head, args->head_count * sizeof args->head[0]);
	args->head[0] = interpreter;
	if (argument)
		args->head[1] = argument;
	args->head[more - 1] = script;
	args->head_count += more;
}

unsigned script_args_count(const struct script_args *args)
{
	unsigned count = args->head_count;

	for (char *const *rest = args->rest; *rest; rest++)
		count++;
	return count;
}

const char *script_arg(const struct script_args *args, unsigned index)
{
	return index < args->head_count ? args->head[index] : args->rest[index - args->head_count];
}
