/* option_table.h - options.def as data, for whoever prints, completes or looks up options. */
#ifndef RUNTIME_OPTION_TABLE_H
#define RUNTIME_OPTION_TABLE_H

#include "sentry/base/types.h"

enum topic_id {
#define TOPIC(id, name, title, more) TOPIC_##id,
#include "runtime/options.def"
	TOPIC_COUNT
};

enum option_id {
#define OPTION(function, name, letter, value, argument, offers, topic, times, help, more) OPTION_##function,
#include "runtime/options.def"
	OPTION_COUNT
};

enum option_value { VALUE_NONE, VALUE_REQUIRED, VALUE_OPTIONAL };

struct topic_row {
	const char *name, *title, *more;
};

/* See options.def for what each field is. */
struct option_row {
	const char *name;
	char letter;
	enum option_value value;
	const char *argument, *offers;
	enum topic_id topic;
	bool many;
	const char *help, *more;
};

extern const struct topic_row topic_rows[TOPIC_COUNT];
extern const struct option_row option_rows[OPTION_COUNT];

/* The text among count texts, next of which lies stride bytes further on, that word was perhaps meant to be; NULL when
 * none is near. For "did you mean". */
const char *nearest_word(const char *word, const char *const *first, size_t count, size_t stride);

/* The option whose name is near to it, or NULL; the topic. */
const char *nearest_option(const char *word);
const char *nearest_topic(const char *word);

#endif
