/* policy_sniff.c - names in the first bytes of connections, however they are cut; and what tries to hide one. */
#include "netstack/policy_sniff.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct policy_sniff sniff;
static char seen[1024]; /* names, "done", "bad", with a blank before each */

/* Gives the bytes in pieces of at most n. Returns how many are held back at the end. */
static uint32_t feed(const void *bytes, uint32_t size, uint32_t n)
{
	const uint8_t *at = bytes;
	enum sniff_event event = SNIFF_MORE;

	while (size && event != SNIFF_DONE && event != SNIFF_BAD) {
		uint32_t piece = size < n ? size : n, left = piece;
		while (left && event != SNIFF_DONE && event != SNIFF_BAD) {
			uint32_t taken = sniff_take(&sniff, at, left, &event);
			at += taken;
			left -= taken;
			if (event == SNIFF_NAME)
				strcat(strcat(seen, " "), *sniff.name ? sniff.name : "-");
			cr_assert(taken || event != SNIFF_MORE);
		}
		size -= piece;
	}
	strcat(seen, event == SNIFF_DONE ? " done" : event == SNIFF_BAD ? " bad" : "");
	return sniff.held;
}

static void expect(const void *bytes, uint32_t size, uint16_t port, const char *wanted)
{
	static const uint32_t pieces[] = {1, 2, 7, 1000, 100000};

	for (unsigned i = 0; i < COUNT(pieces); i++) {
		seen[0] = 0;
		sniff_start(&sniff, port);
		feed(bytes, size, pieces[i]);
		cr_expect_str_eq(seen, wanted, "pieces of %u: %s, not %s", pieces[i], seen, wanted);
	}
}
#define HTTP(text, wanted)  expect(text, strlen(text), 80, wanted)
#define OTHER(text, wanted) expect(text, strlen(text), 8000, wanted)

Test(sniff, requests)
{
	HTTP("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", " a.example");
	HTTP("GET / HTTP/1.1\nHost:A.Example:8080\n\n", " a.example");
	HTTP("GET http://a.example/x HTTP/1.1\r\nhost: a.example\r\n\r\n", " a.example");
	HTTP("GET / HTTP/1.0\r\n\r\n", " -");
	HTTP("GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", " -");
	HTTP("GET / HTTP/1.1\r\nHost: a.example\r\n\r\nGET / HTTP/1.1\r\nHost: b.example\r\n\r\n",
	     " a.example b.example");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nHost:GET / HTTP/1.1\r\nHost: "
	     "b.example\r\n\r\n",
	     " a.example b.example");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "a;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\nHost: b.example\r\n\r\n",
	     " a.example b.example");
	OTHER("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", " a.example");
}

Test(sniff, requests_that_mean_two_things_are_bad)
{
	HTTP("GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", " bad");
	HTTP("GET / HTTP/1.1\r\nHost : a.example\r\n\r\n", " bad");
	HTTP("GET / HTTP/1.1\r\nHost: a.example\r\n folded\r\n\r\n", " bad");
	HTTP("GET / HTTP/1.1\r\nX: y\rHost: b.example\r\nHost: a.example\r\n\r\n", " bad");
	HTTP("GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", " bad");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", " bad");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", " bad");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", " bad");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: +5\r\n\r\n", " bad");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n", " a.example bad");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n", " a.example bad");
	HTTP("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n", " a.example bad");
	HTTP("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n", " bad");
	HTTP("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " bad");
	HTTP("GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: x\r\n\r\nGET / HTTP/1.1\r\nHost: b.example\r\n\r\n",
	     " a.example bad");
	HTTP("GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n\x81\x85xxxx", " a.example done");
	HTTP("SSH-2.0-x\r\n", " bad");
	HTTP("get / HTTP/1.1\r\nHost: a.example\r\n\r\n", " bad");
	HTTP("GET / HTTP/1.1 \r\nHost: a.example\r\n\r\n", " bad");
	OTHER("GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", " bad");
	expect("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 38, 443, " bad");
}

Test(sniff, other_protocols_pass_on_other_ports)
{
	OTHER("SSH-2.0-OpenSSH_9.2\r\n", " done");
	OTHER("EHLO a.example\r\n", " done");
	OTHER("USER x\r\n", " done");
	expect("AMQP\0\0\x09\x01", 8, 5672, " done");
	expect("\0\0\0\x08\x04\xd2\x16\x2f", 8, 5432, " done");
	OTHER("*1\r\n$4\r\nPING\r\n", " done");
}

Test(sniff, what_is_not_judged_is_held)
{
	const char *text = "GET / HTTP/1.1\r\nHost: a.ex";

	sniff_start(&sniff, 80);
	cr_expect_eq(feed(text, strlen(text), 3), strlen(text));
	text = "ample\r\n\r\n";
	cr_expect_eq(feed(text, strlen(text), 100), 0);
	static char longest[SNIFF_BYTES + 100];
	memset(longest, 'x', sizeof longest);
	memcpy(longest, "GET /", 5);
	expect(longest, sizeof longest, 80, " bad");
}

/* ------------------------------------------------------------------------------------------------ TLS */

static uint8_t bytes[40000];
static uint32_t used;

static void put(uint32_t value, unsigned n)
{
	while (n--)
		bytes[used++] = (uint8_t)(value >> 8 * n);
}

static void put_extension(uint16_t type, const char *name)
{
	put(type, 2);
	put((uint32_t)strlen(name) + 5, 2);
	put((uint32_t)strlen(name) + 3, 2);
	put(0, 1);
	put((uint32_t)strlen(name), 2);
	memcpy(bytes + used, name, strlen(name));
	used += (uint32_t)strlen(name);
}

/* A client hello as a handshake message, with the extensions that add puts there. */
static void put_hello(const char *name, int more_type, const char *more)
{
	uint32_t start = used;

	put(1, 1);
	put(0, 3);
	put(0x0303, 2);
	for (unsigned i = 0; i < 32; i++)
		put(i, 1);
	put(0, 1);
	put(2, 2);
	put(0x1301, 2);
	put(1, 1);
	put(0, 1);
	uint32_t extensions = used;
	put(0, 2);
	if (name)
		put_extension(0, name);
	if (more_type >= 0)
		put_extension((uint16_t)more_type, more);
	uint32_t end = used;
	used = extensions;
	put(end - extensions - 2, 2);
	used = start + 1;
	put(end - start - 4, 3);
	used = end;
}

/* What is there from start on becomes records of at most n bytes. */
static void wrap(uint32_t start, uint32_t n)
{
	static uint8_t message[20000];
	uint32_t size = used - start;

	memcpy(message, bytes + start, size);
	used = start;
	for (uint32_t at = 0; at < size; at += n) {
		uint32_t piece = size - at < n ? size - at : n;
		put(22, 1);
		put(0x0301, 2);
		put(piece, 2);
		memcpy(bytes + used, message + at, piece);
		used += piece;
	}
}

static void put_record(uint8_t type, uint32_t size)
{
	put(type, 1);
	put(0x0303, 2);
	put(size, 2);
	for (uint32_t i = 0; i < size; i++)
		put(0xa5, 1);
}

static void hello(const char *name, int more_type, const char *more, uint32_t record)
{
	uint32_t start = used;

	put_hello(name, more_type, more);
	wrap(start, record);
}

static void expect_tls(const char *wanted)
{
	expect(bytes, used, 443, wanted);
	used = 0;
}

Test(sniff, server_names)
{
	hello("a.example", -1, NULL, 16384);
	expect_tls(" a.example");
	hello("A.Example", -1, NULL, 3);
	put_record(20, 1);
	put_record(23, 100);
	expect_tls(" a.example done");
	hello(NULL, -1, NULL, 16384);
	expect_tls(" -");
	hello("10.0.0.1", -1, NULL, 16384);
	expect_tls(" bad");
	hello("a.example", 0, "b.example", 16384);
	expect_tls(" bad");
	hello("a.example", 0xfe0d, "x", 16384);
	expect_tls(" bad");
	hello("a.example", 0xffce, "x", 16384);
	expect_tls(" bad");
	put_record(23, 10);
	expect_tls(" bad");
	put(22, 1), put(0x0301, 2), put(0, 2);
	expect_tls(" bad");
}

Test(sniff, a_second_hello_is_looked_at)
{
	hello("a.example", -1, NULL, 16384);
	put_record(20, 1);
	hello("b.example", -1, NULL, 16384);
	expect_tls(" a.example b.example");
	hello("a.example", -1, NULL, 16384);
	put_record(20, 1);
	hello("b.example", -1, NULL, 2);
	expect_tls(" a.example b.example");
	hello("a.example", 42, "early", 16384);
	put_record(23, 50);
	hello("b.example", -1, NULL, 16384);
	expect_tls(" a.example b.example");
	/* TLS 1.2: what is ciphered is not taken for a hello */
	hello("a.example", -1, NULL, 16384);
	put(22, 1), put(0x0303, 2), put(8, 2), put(16u << 24 | 4, 4), put(0x01020304, 4);
	put_record(20, 1);
	put_record(22, 40);
	expect_tls(" a.example done");
}

Test(sniff, noise_ends)
{
	srand(1);
	for (unsigned round = 0; round < 20000; round++) {
		used = 0;
		hello("a.example", round % 3 ? -1 : 42, "x", 1 + (uint32_t)rand() % 60);
		if (round % 2)
			put_record(20, 1);
		for (unsigned i = rand() % 4; i; i--)
			bytes[(uint32_t)rand() % used] = (uint8_t)rand();
		seen[0] = 0;
		sniff_start(&sniff, 443);
		cr_assert(feed(bytes, used, 1 + (uint32_t)rand() % 200) <= used);
	}
}
