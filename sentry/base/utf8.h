/* utf8.h - reads UTF-8 (RFC 3629) and says which characters are safe to show. */
#ifndef SENTRY_BASE_UTF8_H
#define SENTRY_BASE_UTF8_H

#include "sentry/base/types.h"

/* The character at bytes, of which there are size > 0: how many bytes it has, or 0 when they are no UTF-8 (overlong
 * forms, surrogates and what lies beyond U+10FFFF included). */
unsigned utf8_decode(const void *bytes, size_t size, uint32_t *out);
/* Would showing it do something to a terminal or to the order of what stands around it? Control characters, and those
 * that change the direction of writing. */
bool utf8_is_control(uint32_t character);
/* Such characters, and bytes that are no text, become question marks, in place. */
void utf8_make_harmless(char *text);

#endif
