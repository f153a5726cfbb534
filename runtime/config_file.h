/* config_file.h - the file that --config names: read, and kept from the sandbox. */
#ifndef RUNTIME_CONFIG_FILE_H
#define RUNTIME_CONFIG_FILE_H

#include "runtime/option_table.h"
#include "runtime/options.h"

typedef void (*option_taker)(struct options *o, const char *value);

/* Hands each option of the file to its taker. Fails (see fail.h) with file and line when one makes no sense. */
void config_apply(struct options *o, const char *path, const option_taker takers[OPTION_COUNT]);

/* After all options: makes read-only, in what is shared for writing, the file at path that option named (NULL: none)
 * and every file that is called like one; fails where that cannot be done. */
void config_protect(struct options *o, const char *option, const char *path);

#endif
