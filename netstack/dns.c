/* dns.c - see dns.h. A small program inside of the stack: fibers on sockets of their own.
 *
 *     datagram_main    one: takes questions by UDP, gives each to an asker
 *     stream_main      one: accepts connections, each gets a fiber that answers question by question
 *     asker            one a question, at most DNS_ASKERS: asks the resolvers one after the other
 *
 * Only addresses are looked up. Allowed names have no other records here (an empty answer): TXT and the like would be a
 * way in for anything, HTTPS records bring keys that hide names from us (policy_sniff.h).
 *
 * Rebinding: an address that is not public is left out of an answer unless a rule with addresses allows it, so that
 * nobody's name leads into the network around us.
 *
 * Limits: DNS_ASKERS questions at a time, further ones wait for their program to ask again; DNS_STREAMS connections,
 * each ends after STREAM_IDLE_NS. Every question is asked anew: no cache. Answers from outside by UDP only.
 */
#include "netstack/dns.h"

#include "fs/socket.h"
#include "netstack/dns_message.h"
#include "netstack/inet.h"
#include "netstack/net.h"
#include "netstack/policy.h"
#include "netstack/policy_audit.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include <errno.h>
#include <netinet/in.h>

#define DNS_PORT       53
#define TRIES          2 /* of each resolver */
#define ANSWER_NS      (3 * NS_PER_S)
#define STREAM_IDLE_NS (10 * NS_PER_S)
#define BACKLOG        16
#define RETRY_NS       (100 * NS_PER_MS)
#define TTL_LEAST_S    30u /* a program must have time to connect */
#define TTL_MOST_S     3600u
#define PIN_GRACE_S    300u /* programs keep addresses a little longer than they should */

static struct socket_caller self;
static unsigned askers, streams;

/* ------------------------------------------------------------------------------------------------ sockets */

static struct socket_address address_of(const struct net_end *end)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = net16(end->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = net16(end->port)};
	bool is_v4 = net_addr_is_v4(&end->addr);
	struct socket_address out = {.size = is_v4 ? sizeof v4 : sizeof v6};

	if (is_v4) {
		v4.sin_addr.s_addr = end->addr.words[3];
		memcpy(out.bytes, &v4, sizeof v4);
	} else {
		memcpy(&v6.sin6_addr, end->addr.bytes, sizeof v6.sin6_addr);
		memcpy(out.bytes, &v6, sizeof v6);
	}
	return out;
}

static const struct socket_ops *ops_of(bool v4)
{
	return socket_family(v4 ? ABI_AF_INET : ABI_AF_INET6);
}

/* PARKS. Bytes, or an error. from: NULL is allowed. */
static ssize_t receive_bytes(struct file *file, void *bytes, size_t size, struct socket_address *from)
{
	struct uio uio;
	struct socket_message message = {.data = &uio};

	uio_init_kernel(&uio, bytes, size);
	ssize_t n = ops_of(true)->receive(file, &message);
	if (from)
		*from = message.address;
	return n;
}

static ssize_t send_bytes(struct file *file, void *bytes, size_t size, const struct socket_address *to)
{
	struct uio uio;
	struct socket_message message = {.data = &uio, .flags = ABI_MSG_NOSIGNAL};

	uio_init_kernel(&uio, bytes, size);
	if (to)
		message.address = *to;
	return ops_of(true)->send(file, &self, &message);
}

/* ------------------------------------------------------------------------------------------------ outside */

static void tell(const struct dns_question *question, bool allowed, const char *reason, const struct net_addr *addr,
		 uint32_t rule)
{
	struct net_end end = {.addr = addr ? *addr : net_addr_v4(0)};

	audit_write(&(struct audit_event){
		.event = "dns",
		.allowed = allowed,
		.reason = reason,
		.name = question->name,
		.remote = addr ? &end : NULL,
		.rule = rule,
	});
}

/* PARKS. A resolver's answer on a socket that is connected to it; others' datagrams do not come in. */
static bool await_answer(struct file *file, uint16_t id, const struct dns_question *question, struct dns_answer *out)
{
	uint64_t deadline_ns = clock_now_ns() + ANSWER_NS;
	uint8_t bytes[DNS_MESSAGE_BYTES];

	for (;;) {
		uint64_t now = clock_now_ns();
		if (now >= deadline_ns)
			return false;
		inet_sock_of(file)->base.receive_timeout_ns = deadline_ns - now;
		ssize_t n = receive_bytes(file, bytes, sizeof bytes, NULL);
		if (n < 0)
			return false;
		if (dns_answer_read(bytes, (uint32_t)n, id, question->name, question->type, out))
			return true;
	}
}

/* PARKS. Asks one resolver once, from a port of its own. */
static bool ask(const struct net_addr *resolver, const struct dns_question *question, struct dns_answer *out)
{
	struct net_end remote = {.addr = *resolver, .port = DNS_PORT};
	struct socket_address address = address_of(&remote);
	const struct socket_ops *ops = ops_of(net_addr_is_v4(resolver));
	uint8_t bytes[DNS_QUERY_BYTES];
	uint16_t id = (uint16_t)net_random();
	struct file *file;
	bool answered = false;

	if (ops->create(&self, ABI_SOCK_DGRAM, 0, 0, &file))
		return false;
	struct inet_sock *sock = inet_sock_of(file);
	if (!ops->connect(file, &self, &address, false) && !policy_own_flow(&sock->local, &remote)) {
		struct net_end local = sock->local;
		uint32_t size = dns_question_write(id, question->name, question->type, bytes);
		answered =
			send_bytes(file, bytes, size, NULL) == (ssize_t)size && await_answer(file, id, question, out);
		policy_own_flow_end(&local, &remote);
	}
	file_put(file);
	return answered;
}

/* What may be given on, and is pinned. */
static void filter(const struct dns_question *question, struct dns_answer *answer)
{
	unsigned kept = 0;
	uint32_t ttl_s = MIN(MAX(answer->ttl_s, TTL_LEAST_S), TTL_MOST_S);

	for (unsigned i = 0; i < answer->count; i++) {
		if (!policy_answer_acceptable(&answer->addr[i])) {
			tell(question, false, "a name that leads to an address that is not public", &answer->addr[i],
			     POLICY_NO_RULE);
			continue;
		}
		policy_pin(question->name, &answer->addr[i], (ttl_s + PIN_GRACE_S) * NS_PER_S);
		answer->addr[kept++] = answer->addr[i];
	}
	if (answer->count && !kept)
		answer->code = DNS_NO_SUCH_NAME;
	answer->count = kept;
	answer->ttl_s = ttl_s;
}

/* PARKS. */
static void look_up(const struct dns_question *question, struct dns_answer *answer)
{
	const struct policy_config *config = policy_config();

	for (unsigned try = 0; try < TRIES; try++)
		for (unsigned i = 0; i < config->resolver_count; i++)
			if (ask(&config->resolver[i], question, answer) && answer->code != DNS_SERVER_FAILURE) {
				filter(question, answer);
				return;
			}
	*answer = (struct dns_answer){.code = DNS_SERVER_FAILURE};
}

/* ------------------------------------------------------------------------------------------------ inside */

/* PARKS. Whatever is asked has an answer. */
static void answer_question(const struct dns_question *question, struct dns_answer *answer)
{
	bool address = question->type == DNS_TYPE_A || question->type == DNS_TYPE_AAAA;
	uint32_t rule = POLICY_NO_RULE;

	*answer = (struct dns_answer){.code = question->code};
	if (question->code != DNS_NO_ERROR)
		return;
	if (!strcmp(question->name, "localhost")) { /* RFC 6761 section 6.3 */
		answer->count = address;
		answer->ttl_s = TTL_MOST_S;
		answer->addr[0] = question->type == DNS_TYPE_A ? net_addr_v4(NET_V4_LOOPBACK) : NET_ADDR_LOOP6;
		return;
	}
	enum policy_answer verdict = *question->name
					     ? policy_rules_resolve(&policy_config()->rules, question->name, &rule)
					     : POLICY_SAYS_NOTHING;
	if (verdict != POLICY_ALLOWS) {
		answer->code = DNS_NO_SUCH_NAME;
		tell(question, false,
		     verdict == POLICY_DENIES ? "a rule denies this name"
		     : *question->name        ? "no rule allows this name"
					      : "a question for what is no host's name",
		     NULL, rule);
		return;
	}
	if (!audit_works()) {
		answer->code = DNS_REFUSED;
		return;
	}
	tell(question, true, NULL, NULL, rule);
	if (address)
		look_up(question, answer);
}

struct asking {
	struct file *file; /* counted */
	struct socket_address from;
	struct dns_question question;
};

static void asker_main(void *argument)
{
	struct asking *asking = argument;
	uint8_t bytes[DNS_EDNS_BYTES];
	struct dns_answer answer;

	answer_question(&asking->question, &answer);
	uint32_t size = dns_answer_write(&asking->question, &answer, bytes, asking->question.udp_bytes);
	(void)!send_bytes(asking->file, bytes, size, &asking->from); /* its sender asks again */
	file_put(asking->file);
	arena_free(asking, sizeof *asking);
	askers--;
}

static void datagram_main(void *argument)
{
	struct file *file = argument;
	uint8_t bytes[DNS_QUERY_BYTES + 1];
	struct dns_question question;
	struct socket_address from;
	struct fiber *fiber;

	for (;;) {
		ssize_t n = receive_bytes(file, bytes, sizeof bytes, &from);
		if (n < 0) {
			(void)!fiber_park_until(clock_now_ns() +
						RETRY_NS); /* a report that a program has gone, at most */
			continue;
		}
		if (askers >= DNS_ASKERS || !dns_question_read(bytes, (uint32_t)n, &question))
			continue;
		struct asking *asking = arena_alloc(sizeof *asking);
		if (!asking)
			continue;
		file_get(file);
		*asking = (struct asking){file, from, question};
		askers++;
		if (!fiber_new(asker_main, asking, &fiber))
			continue;
		askers--;
		file_put(file);
		arena_free(asking, sizeof *asking);
	}
}

/* PARKS until all of it is there. */
static bool receive_all(struct file *file, uint8_t *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = receive_bytes(file, bytes + done, size - done, NULL);
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Questions and answers with their lengths before them (RFC 7766). */
static void connection_main(void *argument)
{
	struct file *file = argument;
	uint8_t length[2], bytes[2 + DNS_MESSAGE_BYTES];
	struct dns_question question;
	struct dns_answer answer;

	inet_sock_of(file)->base.receive_timeout_ns = STREAM_IDLE_NS;
	inet_sock_of(file)->base.send_timeout_ns = STREAM_IDLE_NS;
	while (receive_all(file, length, sizeof length)) {
		uint32_t size = (uint32_t)length[0] << 8 | length[1];
		if (size > DNS_QUERY_BYTES || !receive_all(file, bytes, size) ||
		    !dns_question_read(bytes, size, &question))
			break;
		answer_question(&question, &answer);
		size = dns_answer_write(&question, &answer, bytes + 2, DNS_MESSAGE_BYTES);
		bytes[0] = (uint8_t)(size >> 8);
		bytes[1] = (uint8_t)size;
		if (send_bytes(file, bytes, size + 2, NULL) != (ssize_t)size + 2)
			break;
	}
	file_put(file);
	streams--;
}

static void stream_main(void *argument)
{
	struct file *listener = argument, *file;
	struct socket_address from;
	struct fiber *fiber;

	for (;;) {
		int error = ops_of(true)->accept(listener, &self, 0, &from, &file);
		if (error) {
			(void)!fiber_park_until(clock_now_ns() + RETRY_NS);
			continue;
		}
		if (streams >= DNS_STREAMS || fiber_new(connection_main, file, &fiber))
			file_put(file);
		else
			streams++;
	}
}

static int socket_new(uint32_t type, struct file **out)
{
	struct net_end end = {.addr = net_addr_v4(DNS_ADDRESS), .port = DNS_PORT};
	struct socket_address address = address_of(&end);
	int error = ops_of(true)->create(&self, type, 0, 0, out);

	if (!error)
		error = ops_of(true)->bind(*out, &self, &address);
	return error;
}

int dns_start(void)
{
	struct file *datagrams, *listener;
	struct fiber *fiber;

	self = (struct socket_caller){.cred = cred_new(0, 0)};
	if (!self.cred)
		return -ENOMEM;
	int error = socket_new(ABI_SOCK_DGRAM, &datagrams);
	if (!error)
		error = socket_new(ABI_SOCK_STREAM, &listener);
	if (!error)
		error = ops_of(true)->listen(listener, &self, BACKLOG);
	if (!error)
		error = fiber_new(datagram_main, datagrams, &fiber);
	return error ? error : fiber_new(stream_main, listener, &fiber);
}
