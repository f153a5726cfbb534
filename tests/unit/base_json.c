/* base_json.c - JSON as it is written: escapes, bytes that are no UTF-8, numbers. */
#include "sentry/base/json.h"
#include "sentry/base/utf8.h"
#include <criterion/criterion.h>
#include <string.h>

static char bytes[4096];
static struct text text;
static struct json json;

static void init(void)
{
	text_init(&text, bytes, sizeof bytes);
	json_init(&json, &text);
}

TestSuite(json, .init = init);

#define SAYS(string, wanted)                                                                                           \
	do {                                                                                                           \
		init();                                                                                                \
		json_bytes(&json, NULL, string, sizeof(string) - 1);                                                   \
		cr_expect_str_eq(bytes, wanted);                                                                       \
	} while (0)

Test(json, strings_are_ascii)
{
	SAYS("", "\"\"");
	SAYS("a b~", "\"a b~\"");
	SAYS("\"\\\n\t\r\b\f", "\"\\\"\\\\\\n\\t\\r\\b\\f\"");
	SAYS("\0\x1b\x7f", "\"\\u0000\\u001b\\u007f\"");
	SAYS("\xc3\xbc\xe2\x82\xac", "\"\\u00fc\\u20ac\"");
	SAYS("\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\"");
	SAYS("\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\"");
}

Test(json, bytes_that_are_no_utf8_are_kept)
{
	SAYS("\xff", "\"\\ufffd\"");
	SAYS("\xc0\x80", "\"\\ufffd\\ufffd\"");                       /* overlong */
	SAYS("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");            /* a surrogate */
	SAYS("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* beyond the last */
	SAYS("a\xe2\x82", "\"a\\ufffd\\ufffd\"");                     /* cut */
	init();
	json_bytes(&json, "path", "x\xffy", 3);
	cr_expect_str_eq(bytes, "\"path\":\"x\\ufffdy\",\"path.hex\":\"78ff79\"");
}

Test(json, members)
{
	json_open(&json, NULL, '{');
	json_int(&json, "a", INT64_MIN);
	json_uint(&json, "b", UINT64_MAX);
	json_seconds(&json, "c", 1234567891ull, 9);
	json_seconds(&json, "d", 1999999999ull, 3);
	json_open(&json, "e", '[');
	json_null(&json, NULL);
	json_bool(&json, NULL, true);
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_close(&json, ']');
	json_string(&json, "f", "g");
	json_close(&json, '}');
	cr_expect_str_eq(bytes, "{\"a\":-9223372036854775808,\"b\":18446744073709551615,\"c\":1.234567891,\"d\":1.999,"
				"\"e\":[null,true,{}],\"f\":\"g\"}");
}

Test(json, a_full_text_is_cut_and_says_so)
{
	text_init(&text, bytes, 8);
	json_init(&json, &text);
	json_string(&json, NULL, "0123456789");
	cr_expect(text.truncated);
	cr_expect_str_eq(bytes, "\"012345");
}

Test(utf8, what_may_not_be_shown)
{
	static const uint32_t bad[] = {0, 0x1b, 0x7f, 0x85, 0x9b, 0x200b, 0x202e, 0x2066, 0xfeff, 0xe0041};
	static const uint32_t good[] = {' ', 'a', 0xa0, 0xfc, 0x20ac, 0x1f600};

	for (size_t i = 0; i < COUNT(bad); i++)
		cr_expect(utf8_is_control(bad[i]), "%#x", bad[i]);
	for (size_t i = 0; i < COUNT(good); i++)
		cr_expect(!utf8_is_control(good[i]), "%#x", good[i]);
}
