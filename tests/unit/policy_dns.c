/* policy_dns.c - messages of the DNS: questions and answers, and broken ones. */
#include "netstack/dns_message.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint8_t bytes[DNS_MESSAGE_BYTES];
static uint32_t used;

static void put(uint32_t value, unsigned n)
{
	while (n--)
		bytes[used++] = (uint8_t)(value >> 8 * n);
}

static void put_name(const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");
		put((uint32_t)n, 1);
		memcpy(bytes + used, name, n);
		used += (uint32_t)n;
		name += n + (name[n] == '.');
	}
	put(0, 1);
}

static void put_header(uint16_t id, uint16_t flags, uint16_t questions, uint16_t answers, uint16_t others)
{
	used = 0;
	put(id, 2), put(flags, 2), put(questions, 2), put(answers, 2), put(0, 2), put(others, 2);
}

static void put_record(const char *name, uint16_t type, uint32_t ttl, uint32_t v4)
{
	put_name(name);
	put(type, 2), put(1, 2), put(ttl, 4), put(4, 2), put(v4, 4);
}

static void put_alias(const char *name, const char *target)
{
	put_name(name);
	put(5, 2), put(1, 2), put(100, 4);
	put((uint32_t)strlen(target) + 2, 2);
	put_name(target);
}

static struct dns_answer answer;

static bool read(void)
{
	return dns_answer_read(bytes, used, 7, "a.example", DNS_TYPE_A, &answer);
}

static void begin(uint16_t records)
{
	put_header(7, 0x8180, 1, records, 0);
	put_name("A.example");
	put(1, 2), put(1, 2);
}

Test(dns, own_questions_are_understood)
{
	struct dns_question question;
	uint8_t out[DNS_QUERY_BYTES];
	uint32_t size = dns_question_write(9, "a.b-c.example", DNS_TYPE_AAAA, out);

	cr_assert(dns_question_read(out, size, &question));
	cr_expect_eq(question.code, DNS_NO_ERROR);
	cr_expect_eq(question.id, 9);
	cr_expect_eq(question.type, DNS_TYPE_AAAA);
	cr_expect_str_eq(question.name, "a.b-c.example");
	cr_expect(question.edns && question.recursion);
	for (uint32_t i = 0; i < size; i++) /* cut anywhere */
		cr_expect(!dns_question_read(out, i, &question) || question.code != DNS_NO_ERROR || !question.edns);
}

Test(dns, answers)
{
	begin(4);
	put_record("b.example", 1, 300, 0x01020304); /* before the alias that leads there */
	put_alias("a.example", "b.example");
	put_record("a.evil", 1, 300, 0x09090909);
	put_record("b.example", 1, 50, 0x01020305);
	cr_assert(read());
	cr_expect_eq(answer.code, DNS_NO_ERROR);
	cr_expect_eq(answer.count, 2);
	cr_expect_eq(answer.ttl_s, 50);
	cr_expect_eq(net_addr_to_v4(&answer.addr[1]), 0x01020305);
	bytes[3] = 3; /* no such name */
	cr_assert(read());
	cr_expect_eq(answer.code, DNS_NO_SUCH_NAME);
	cr_expect_eq(answer.count, 0);
}

Test(dns, what_is_not_the_answer_is_none)
{
	begin(1);
	put_record("a.example", 1, 300, 1);
	cr_expect(read());
	bytes[1] = 8; /* another id */
	cr_expect(!read());
	bytes[1] = 7;
	bytes[2] = 0x01; /* a question */
	cr_expect(!read());
	bytes[2] = 0x81;
	bytes[13] = 'x'; /* another name */
	cr_expect(!read());
	begin(2);
	put_alias("a.example", "b.example");
	put_alias("b.example", "a.example");
	cr_expect(read());
	cr_expect_eq(answer.count, 0); /* and it has ended */
}

Test(dns, pointers_go_back_only)
{
	begin(1);
	put(0xc000 | used, 2); /* to itself */
	put(1, 2), put(1, 2), put(1, 4), put(4, 2), put(1, 4);
	cr_expect(read());
	cr_expect_eq(answer.count, 0);
	begin(1);
	put(0xc00c, 2);
	put(1, 2), put(1, 2), put(1, 4), put(4, 2), put(1, 4);
	cr_expect(read());
	cr_expect_eq(answer.count, 1);
}

Test(dns, names_that_are_no_hosts)
{
	struct dns_question question;

	put_header(1, 0x100, 1, 0, 0);
	put(3, 1), put('a' << 16 | '.' << 8 | 'b', 3); /* a dot within a label */
	put(0, 1), put(1, 2), put(1, 2);
	cr_assert(dns_question_read(bytes, used, &question));
	cr_expect_str_eq(question.name, "");
}

Test(dns, answers_are_cut_to_what_fits)
{
	struct dns_question question;
	struct dns_answer many = {.count = DNS_ADDRESSES, .ttl_s = 1};
	uint8_t out[DNS_MESSAGE_BYTES];

	uint32_t size = dns_question_write(9, "a.example", DNS_TYPE_AAAA, out);
	cr_assert(dns_question_read(out, size, &question));
	size = dns_answer_write(&question, &many, out, DNS_UDP_BYTES);
	cr_expect(size <= DNS_UDP_BYTES && out[2] & 2);
	size = dns_answer_write(&question, &many, out, DNS_MESSAGE_BYTES);
	cr_expect(!(out[2] & 2));
	cr_assert(dns_answer_read(out, size, 9, "a.example", DNS_TYPE_AAAA, &answer));
	cr_expect_eq(answer.count, DNS_ADDRESSES);
}

Test(dns, noise)
{
	struct dns_question question;

	srand(1);
	for (unsigned round = 0; round < 50000; round++) {
		begin(4);
		put_alias("a.example", "b.example");
		put_record("b.example", 1, 50, 1);
		put(0xc00c, 2), put(1, 2), put(1, 2), put(1, 4), put(4, 2), put(1, 4);
		for (unsigned i = rand() % 5; i; i--)
			bytes[(uint32_t)rand() % used] = (uint8_t)rand();
		uint32_t size = (uint32_t)rand() % (used + 1);
		(void)!dns_answer_read(bytes, size, 7, "a.example", DNS_TYPE_A, &answer);
		if (dns_question_read(bytes, size, &question))
			(void)dns_answer_write(&question, &answer, (uint8_t[DNS_MESSAGE_BYTES]){0}, DNS_UDP_BYTES);
	}
}
