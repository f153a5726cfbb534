/* policy_sniff.c - see policy_sniff.h: what the bytes are is seen at the first one; TLS is here and in sniff_tls.c,
 * HTTP/1 in sniff_http.c.
 *
 * On ports 443 and 80 a connection must say its server, on others it may speak anything; what begins like TLS or HTTP
 * there must be right as well. Other protocols that begin with capital letters part from HTTP within a line.
 *
 * What is taken counts as held until it is certain that the server's idea of the name is ours. Only what could still
 * change that is held: nothing of a body.
 */
#include "netstack/policy_sniff.h"

#include "netstack/sniff_parts.h"

#define PORT_HTTPS 443
#define PORT_HTTP  80

void sniff_start(struct policy_sniff *sniff, uint16_t port)
{
	memset(sniff, 0, offsetof(struct policy_sniff, head));
	sniff->must_tls = port == PORT_HTTPS;
	sniff->must_know = port == PORT_HTTP || port == PORT_HTTPS;
}

enum sniff_event sniff_bad(struct policy_sniff *sniff, enum sniff_reason reason)
{
	sniff->reason = (uint8_t)reason;
	sniff->state = SNIFF_ENDED;
	return SNIFF_BAD;
}

const char *sniff_reason(const struct policy_sniff *sniff)
{
	static const char *const words[SNIFF_REASONS] = {
		[SNIFF_NO_TLS] = "what is said on port 443 is no TLS, so it does not say for which name it is",
		[SNIFF_NO_HTTP] = "what is said on port 80 is no HTTP/1, so it does not say for which name it is",
		[SNIFF_HIDDEN_NAME] = "the TLS client hello hides a name (ECH)",
		[SNIFF_HELLO_BROKEN] = "the TLS client hello makes no sense",
		[SNIFF_HELLO_LONG] = "the TLS client hello is too long",
		[SNIFF_HELLO_MISSING] = "TLS that does not begin with a client hello",
		[SNIFF_RECORDS_BROKEN] = "TLS records that make no sense",
		[SNIFF_HTTP_BROKEN] = "an HTTP request that servers may understand in different ways",
		[SNIFF_HTTP_LONG] = "the head of an HTTP request is too long",
		[SNIFF_HTTP_HOSTS] = "an HTTP request with two hosts",
		[SNIFF_HTTP_UPGRADED] = "HTTP that goes on behind an upgrade",
	};

	return words[sniff->reason];
}

enum sniff_event sniff_done(struct policy_sniff *sniff)
{
	sniff->held = 0;
	sniff->state = SNIFF_ENDED;
	return SNIFF_DONE;
}

enum sniff_event sniff_foreign(struct policy_sniff *sniff)
{
	if (sniff->must_tls)
		return sniff_bad(sniff, SNIFF_NO_TLS);
	if (sniff->must_know)
		return sniff_bad(sniff, SNIFF_NO_HTTP);
	return sniff_done(sniff);
}

static enum sniff_event begin(struct policy_sniff *sniff, uint8_t first)
{
	if (first == TLS_HANDSHAKE)
		sniff->state = SNIFF_TLS;
	else if (!sniff->must_tls && (first >= 'A' && first <= 'Z'))
		sniff->state = SNIFF_HTTP_HEAD;
	else
		return sniff_foreign(sniff);
	return SNIFF_MORE;
}

uint32_t sniff_take(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event)
{
	uint32_t at = 0, held;

	*event = SNIFF_MORE;
	if (sniff->state == SNIFF_BEGIN && size)
		*event = begin(sniff, bytes[0]);
	while (at < size && *event == SNIFF_MORE) {
		held = sniff->held;
		uint32_t taken =
			(sniff->state == SNIFF_TLS ? sniff_tls : sniff_http)(sniff, bytes + at, size - at, event);
		assert(taken <= size - at && (taken || *event != SNIFF_MORE) && sniff->held <= held + taken);
		at += taken;
	}
	return at;
}
