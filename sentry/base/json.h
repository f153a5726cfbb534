/* json.h - writes JSON (RFC 8259) into a text: --trace, --stats=json, --diff=json.
 *
 * Only ASCII comes out, so that no name of a guest's can do anything to a terminal: everything else is written \uXXXX.
 * Bytes that are no UTF-8 become U+FFFD each; then a second member, its name with ".hex" behind it, has all the bytes.
 *
 * Members are given in order; the comma is the writer's affair. key is NULL in an array and at the top.
 */
#ifndef SENTRY_BASE_JSON_H
#define SENTRY_BASE_JSON_H

#include "sentry/base/text.h"

struct json {
	struct text *text;
	bool comma; /* a member stands before the next one */
};

void json_init(struct json *json, struct text *text);
/* bracket: '{' or '['. Each has its json_close. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_int(struct json *json, const char *key, int64_t value);
void json_uint(struct json *json, const char *key, uint64_t value);
/* Nanoseconds as seconds with this many digits behind the point, 0 < digits <= 9. */
void json_seconds(struct json *json, const char *key, uint64_t ns, unsigned digits);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_string(struct json *json, const char *key, const char *string);
void json_bytes(struct json *json, const char *key, const void *bytes, size_t size);
/* Already JSON. */
void json_raw(struct json *json, const char *key, const char *value);

#endif
