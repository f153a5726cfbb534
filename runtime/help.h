/* help.h - what usbx says about its own use, from the one list of options (options.def). */
#ifndef RUNTIME_HELP_H
#define RUNTIME_HELP_H

#include "sentry/base/types.h"

#include <stdio.h>

/* `usbx --help`: the commands and the topics. */
void help_overview(FILE *out);

/* `usbx run --help`: every option in a line or two. */
void help_options(FILE *out);

/* `usbx help TOPIC`: one topic with all there is to say, or "run". Fails (see fail.h) when there is no such topic. */
void help_topic(FILE *out, const char *name);

#endif
