/* option_values.h - for each row of options.def the function that takes its value. */
#ifndef RUNTIME_OPTION_VALUES_H
#define RUNTIME_OPTION_VALUES_H

#include "runtime/options.h"

/* Fails (see fail.h) when the value makes no sense; value is NULL where none was given, and is kept. */
#define OPTION(function, name, letter, value, argument, offers, topic, times, help, more)                              \
	void option_##function(struct options *o, const char *value);
#include "runtime/options.def"

/* Outer places come before inner ones. Fails when the place is another mount's already, or there are too many. */
void share_add(struct options *o, const struct mount_option *mount);

/* Takes "NAME=VALUE", which is kept; a later value of the same name replaces the earlier one. */
void env_add(struct options *o, char *pair);

/* The host's variable of that name, if there is one. */
void env_pass(struct options *o, const char *name);

#endif
