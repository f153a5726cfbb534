/* dns.c - hostile bytes as messages of the DNS: what is understood keeps within its bounds, and what is written of it
 * is understood again.
 *
 *     make fuzz
 */
#include "netstack/dns_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A question that can be answered: the answer is read as what was written. */
static void answer(const struct dns_question *question)
{
	struct dns_answer given = {.ttl_s = 60, .count = question->id % (DNS_ADDRESSES + 1)}, read;
	uint8_t bytes[DNS_MESSAGE_BYTES];

	for (unsigned i = 0; i < given.count; i++)
		given.addr[i] = question->type == DNS_TYPE_AAAA ? (struct net_addr){.bytes = {1, [15] = (uint8_t)i}}
								: net_addr_v4(i);
	uint32_t size = dns_answer_write(question, &given, bytes, question->udp_bytes);
	must(size <= question->udp_bytes);
	if (question->code != DNS_NO_ERROR || !*question->name ||
	    (question->type != DNS_TYPE_A && question->type != DNS_TYPE_AAAA))
		return;
	must(dns_answer_read(bytes, size, question->id, question->name, question->type, &read));
	must(read.count == given.count || bytes[2] & 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	struct dns_question question;
	struct dns_answer read;

	if (size > 65535)
		return 0;
	if (dns_question_read(data, (uint32_t)size, &question)) {
		must(question.udp_bytes >= DNS_UDP_BYTES && question.udp_bytes <= DNS_EDNS_BYTES);
		answer(&question);
	}
	uint16_t id = size >= 2 ? (uint16_t)(data[0] << 8 | data[1]) : 0;
	for (unsigned i = 0; i < COUNT(types); i++)
		if (dns_answer_read(data, (uint32_t)size, id, "a.example", types[i], &read))
			must(read.count <= DNS_ADDRESSES && (read.code == DNS_NO_ERROR || !read.count));
	return 0;
}
