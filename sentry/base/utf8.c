/* utf8.c - see utf8.h. The table of well-formed sequences is that of RFC 3629, section 4. */
#include "sentry/base/utf8.h"

#include <string.h>

unsigned utf8_decode(const void *bytes, size_t size, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *at = bytes;
	unsigned length = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	uint32_t c = length == 1 ? at[0] : at[0] & (0x7fu >> length);

	assert(size > 0);
	if ((at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4 || length > size)
		return 0;
	for (unsigned i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3f);
	}
	if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*out = c;
	return length;
}

bool utf8_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

void utf8_make_harmless(char *text)
{
	size_t left = strlen(text);
	uint32_t character;
	char *to = text;

	while (left) {
		unsigned bytes = utf8_decode(text, left, &character);
		if (!bytes || utf8_is_control(character)) {
			*to++ = '?';
			bytes = MAX(bytes, 1u);
		} else {
			memmove(to, text, bytes);
			to += bytes;
		}
		text += bytes;
		left -= bytes;
	}
	*to = 0;
}
