/* config.h - options that a team keeps in a file: `usbx run --config FILE` (docs/config.md). */
#ifndef RUNTIME_CONFIG_H
#define RUNTIME_CONFIG_H

#include "runtime/option_table.h"

#define CONFIG_BYTES_LIMIT (64u << 10)
#define CONFIG_ERROR_BYTES 512
#define CONFIG_NAME        "usbx.yaml" /* as it is usually called */

/* Is told of each option in turn, in the order of the file: value is NULL where none was given, and only lent. */
typedef void (*config_take)(void *context, enum option_id option, const char *value, unsigned line);

/* Reads the text of such a file. False: error says what is wrong, "LINE: KEY: what, and what to do". */
must_check bool config_parse(const char *text, size_t size, config_take take, void *context,
			     char error[CONFIG_ERROR_BYTES]);

#endif
