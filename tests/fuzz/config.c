/* config.c - hostile bytes as the file of --config: what options.def does not name never reaches an option, and every
 * refusal says its line.
 *
 *     make fuzz
 */
#include "runtime/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void take(void *context, enum option_id option, const char *value, unsigned line)
{
	unsigned *taken = context;

	must(option < OPTION_COUNT && option_rows[option].topic != TOPIC_CONFIG &&
	     option_rows[option].topic != TOPIC_HELP);
	must(line > 0 && (!value ? option_rows[option].value != VALUE_REQUIRED : strlen(value) <= CONFIG_BYTES_LIMIT));
	must(option_rows[option].many || !(taken[option]++));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[CONFIG_ERROR_BYTES] = "";
	unsigned taken[OPTION_COUNT] = {0};

	if (size <= CONFIG_BYTES_LIMIT && !config_parse((const char *)data, size, take, taken, error))
		must(*error >= '0' && *error <= '9' && strstr(error, ": "));
	return 0;
}
