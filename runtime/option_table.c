/* option_table.c - see option_table.h. Stands alone, so that scripts/tidy and the fuzzer can build it by itself. */
#include "runtime/option_table.h"

#include <string.h>

#define WORD_LIMIT 40 /* longer words are nobody's slip */

const struct topic_row topic_rows[TOPIC_COUNT] = {
#define TOPIC(id, name, title, more) [TOPIC_##id] = {name, title, more},
#include "runtime/options.def"
};

enum { TIMES_ONCE, TIMES_MANY };

const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(function, name, letter, value, argument, offers, topic, times, help, more)                              \
	[OPTION_##function] = {name, letter, VALUE_##value, argument, offers, TOPIC_##topic, TIMES_##times, help, more},
#include "runtime/options.def"
};

/* How many letters must be inserted, removed, replaced or swapped with their neighbour to make b of a: Damerau and
 * Levenshtein's distance, by rows. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_LIMIT + 1], *before = rows[0], *last = rows[1], *now = rows[2];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > WORD_LIMIT || b_length > WORD_LIMIT)
		return WORD_LIMIT;
	for (size_t j = 0; j <= b_length; j++)
		last[j] = (unsigned)j;
	memset(before, 0, sizeof rows[0]);
	for (size_t i = 1; i <= a_length; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned changed = last[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = MIN(changed, MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
		unsigned *oldest = before;
		before = last;
		last = now;
		now = oldest;
	}
	return last[b_length];
}

const char *nearest_word(const char *word, const char *const *first, size_t count, size_t stride)
{
	unsigned best = strlen(word) > 5 ? 3 : 2; /* from here on it would be a guess */
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *known = *(const char *const *)((const char *)first + i * stride);
		unsigned away = distance(word, known);
		if (away < best && away < strlen(known)) {
			best = away;
			found = known;
		}
	}
	return found;
}

const char *nearest_option(const char *word)
{
	return nearest_word(word, &option_rows[0].name, OPTION_COUNT, sizeof option_rows[0]);
}

const char *nearest_topic(const char *word)
{
	return nearest_word(word, &topic_rows[0].name, TOPIC_COUNT, sizeof topic_rows[0]);
}
