/* tar.c - hostile archives against `usbx diff`: whatever is in them, what is printed is ASCII, and nothing is overrun.
 *
 *     make fuzz
 */
#include "runtime/tar_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[LINE_BYTES], pax[TAR_PAX_LIMIT];
	struct tar_reader reader = {.file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL, .pax = pax};
	struct change_shown change;
	struct text text;
	int got;

	if (!reader.file)
		return 0;
	while ((got = tar_read(&reader, &change)) > 0) {
		text_init(&text, line, sizeof line);
		change_add_text(&text, &change);
		change_add_json(&text, &change);
		for (size_t i = 0; i < text.length; i++)
			if (line[i] != '\n' && (line[i] < ' ' || line[i] == 0x7f) && (unsigned char)line[i] < 0x80)
				abort();
	}
	if (got && got != -EBADMSG && got != -EIO)
		abort();
	fclose(reader.file);
	return 0;
}
