/* json.c - see json.h. A library would build a tree of each record in the heap and refuse bytes that are no UTF-8; this
 * writes into memory that is there, and no byte is lost.
 *
 * Limits: a text that is full cuts what is written; whoever sends it on looks at text->truncated.
 */
#include "sentry/base/json.h"
#include "sentry/base/utf8.h"
#include <inttypes.h>
#include <string.h>

#define HEX_SUFFIX  ".hex"
#define REPLACEMENT 0xfffdu

static const char hex_digits[] = "0123456789abcdef";

void json_init(struct json *json, struct text *text)
{
	*json = (struct json){.text = text};
}

static void add_unit(struct text *text, uint32_t unit)
{
	const char escape[] = {'\\',
			       'u',
			       hex_digits[unit >> 12 & 15],
			       hex_digits[unit >> 8 & 15],
			       hex_digits[unit >> 4 & 15],
			       hex_digits[unit & 15]};

	text_add(text, escape, sizeof escape);
}

static void add_character(struct text *text, uint32_t c)
{
	static const char specials[] = "\"\\\n\t\r\b\f", letters[] = "\"\\ntrbf";
	const char *special = c && c < 0x80 ? strchr(specials, (int)c) : NULL;

	if (special) {
		const char escape[] = {'\\', letters[special - specials]};
		text_add(text, escape, sizeof escape);
	} else if (c < 0x10000) {
		add_unit(text, c);
	} else {
		add_unit(text, 0xd800 + ((c - 0x10000) >> 10));
		add_unit(text, 0xdc00 + (c & 0x3ff));
	}
}

static bool is_plain(uint8_t byte)
{
	return byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
}

/* False: not all of it was UTF-8. */
static bool add_quoted(struct text *text, const uint8_t *bytes, size_t size)
{
	bool whole = true;

	text_add_char(text, '"');
	for (size_t i = 0, plain; i < size; i += plain) {
		uint32_t c = REPLACEMENT;
		for (plain = 0; i + plain < size && is_plain(bytes[i + plain]);)
			plain++;
		text_add(text, (const char *)bytes + i, plain);
		i += plain;
		plain = 0;
		if (i == size)
			break;
		unsigned length = utf8_decode(bytes + i, size - i, &c);
		whole = whole && length;
		i += MAX(length, 1u);
		add_character(text, c);
	}
	text_add_char(text, '"');
	return whole;
}

static void add_key(struct json *json, const char *key, const char *suffix)
{
	if (json->comma)
		text_add_char(json->text, ',');
	json->comma = true;
	if (!key)
		return;
	/* Our own names: nothing in them to escape. */
	text_add_char(json->text, '"');
	text_add_string(json->text, key);
	text_add_string(json->text, suffix);
	text_add(json->text, "\":", 2);
}

void json_open(struct json *json, const char *key, char bracket)
{
	add_key(json, key, "");
	text_add_char(json->text, bracket);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	text_add_char(json->text, bracket);
	json->comma = true;
}

void json_raw(struct json *json, const char *key, const char *value)
{
	add_key(json, key, "");
	text_add_string(json->text, value);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	add_key(json, key, "");
	text_printf(json->text, "%" PRId64, value);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	add_key(json, key, "");
	text_printf(json->text, "%" PRIu64, value);
}

void json_seconds(struct json *json, const char *key, uint64_t ns, unsigned digits)
{
	uint64_t fraction = ns % NS_PER_S;

	assert(digits > 0 && digits <= 9);
	add_key(json, key, "");
	for (unsigned i = digits; i < 9; i++)
		fraction /= 10;
	text_printf(json->text, "%llu.%0*" PRIu64, ns / NS_PER_S, (int)digits, fraction);
}

void json_bool(struct json *json, const char *key, bool value)
{
	json_raw(json, key, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
	json_raw(json, key, "null");
}

void json_string(struct json *json, const char *key, const char *string)
{
	json_bytes(json, key, string, strlen(string));
}

void json_bytes(struct json *json, const char *key, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	add_key(json, key, "");
	if (add_quoted(json->text, at, size) || !key)
		return;
	add_key(json, key, HEX_SUFFIX);
	text_add_char(json->text, '"');
	for (size_t i = 0; i < size; i++) {
		const char digits[] = {hex_digits[at[i] >> 4], hex_digits[at[i] & 15]};
		text_add(json->text, digits, sizeof digits);
	}
	text_add_char(json->text, '"');
}
