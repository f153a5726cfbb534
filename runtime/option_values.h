/* option_values.h - for each row of options.def the function that takes its value. */
#ifndef RUNTIME_OPTION_VALUES_H
#define RUNTIME_OPTION_VALUES_H

#include "runtime/options.h"

/* Fails (see fail.h) when the value makes no sense; value is NULL where none was given, and is kept. */
#define OPTION(function, name, letter, value, argument, offers, topic, times, help, more)                              \
	void option_##function(struct options *o, const char *value);
#include "runtime/options.def"

/* Takes "NAME=VALUE", which is kept; a later value of the same name replaces the earlier one. */
void env_add(struct options *o, char *pair);

/* The host's variable of that name, if there is one. */
void env_pass(struct options *o, const char *name);

#endif
