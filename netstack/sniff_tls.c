/* sniff_tls.c - the ClientHello of TLS, across records and segments (RFC 8446 sections 4.1.2, 4.2, 5.1).
 *
 * A server may ask for a second ClientHello, in the clear like the first, after a change_cipher_spec for show and after
 * early data: each one is looked at. In TLS 1.2 records of type handshake are encrypted after change_cipher_spec; they
 * are told from a hello by their beginning, which a cipher gives by chance once in millions.
 *
 * Limits: a name hidden from us (ESNI, ECH; also the greasing of ECH by browsers) is refused, because the server would
 * go by the hidden one. Renegotiation within an encrypted TLS 1.2 connection is not seen, nor is any Host inside of
 * TLS.
 */
#include "netstack/sniff_parts.h"

#define TLS_CHANGE_CIPHER 20
#define TLS_DATA          23
#define RECORD_BYTES      5u
#define RECORD_LIMIT      (16384u + 2048u) /* RFC 5246 section 6.2.3 */
#define MESSAGE_BYTES     4u
#define CLIENT_HELLO      1
#define EXTENSION_SNI     0
#define EXTENSION_EARLY   42
#define EXTENSION_ECH     0xfe0d
#define EXTENSION_ESNI    0xffce
#define SNI_HOST_NAME     0

/* ------------------------------------------------------------------------------------------------ one hello */

struct reader {
	const uint8_t *at;
	uint32_t left;
	bool bad;
};

static uint32_t take_number(struct reader *r, unsigned bytes)
{
	uint32_t value = 0;

	if (r->left < bytes) {
		r->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | r->at[i];
	r->at += bytes;
	r->left -= bytes;
	return value;
}

/* What a length of so many bytes announces. */
static struct reader take_vector(struct reader *r, unsigned length_bytes)
{
	uint32_t size = take_number(r, length_bytes);
	struct reader inner = {r->at, size, r->bad || size > r->left};

	if (inner.bad) {
		r->bad = true;
		inner.left = 0;
		return inner;
	}
	r->at += size;
	r->left -= size;
	return inner;
}

/* A list of one name of the only type there is. */
static bool take_server_name(struct policy_sniff *sniff, struct reader extension)
{
	struct reader list = take_vector(&extension, 2);
	uint32_t type = take_number(&list, 1);
	struct reader name = take_vector(&list, 2);

	return !list.bad && !extension.bad && !list.left && !extension.left && type == SNI_HOST_NAME &&
	       policy_name_normalize((const char *)name.at, name.left, sniff->name);
}

static bool take_extensions(struct policy_sniff *sniff, struct reader extensions)
{
	bool seen = false;

	while (extensions.left && !extensions.bad) {
		uint32_t type = take_number(&extensions, 2);
		struct reader body = take_vector(&extensions, 2);
		if (type == EXTENSION_ECH || type == EXTENSION_ESNI) {
			sniff->reason = SNIFF_HIDDEN_NAME;
			return false;
		}
		sniff->early_data |= type == EXTENSION_EARLY;
		if (type != EXTENSION_SNI)
			continue;
		if (seen || extensions.bad || !take_server_name(sniff, body))
			return false;
		seen = true;
	}
	return !extensions.bad;
}

bool sniff_hello(struct policy_sniff *sniff, const uint8_t *hello, uint32_t size)
{
	struct reader r = {hello, size, false};

	sniff->name[0] = 0;
	sniff->reason = SNIFF_HELLO_BROKEN;
	uint32_t type = take_number(&r, 1);
	struct reader body = take_vector(&r, 3);
	if (r.bad || r.left || type != CLIENT_HELLO)
		return false;
	if (take_number(&body, 2) >> 8 != 3)
		return false;
	for (unsigned i = 0; i < 8; i++) /* random */
		(void)take_number(&body, 4);
	struct reader session = take_vector(&body, 1), ciphers = take_vector(&body, 2), methods = take_vector(&body, 1);
	if (body.bad || session.left > 32 || ciphers.left < 2 || !methods.left)
		return false;
	if (!body.left)
		return true; /* no extensions, no name */
	struct reader extensions = take_vector(&body, 2);
	return !body.bad && !body.left && take_extensions(sniff, extensions);
}

/* ------------------------------------------------------------------------------------------------ the stream */

static void clear(struct policy_sniff *sniff)
{
	sniff->held = 0;
	sniff->used = 0;
}

/* The message in head is whole. */
static enum sniff_event judge(struct policy_sniff *sniff)
{
	if (!sniff_hello(sniff, sniff->head, sniff->used))
		return sniff_bad(sniff, (enum sniff_reason)sniff->reason);
	sniff->hello_seen = true;
	clear(sniff);
	return SNIFF_NAME;
}

static uint32_t message_size(const struct policy_sniff *sniff)
{
	return MESSAGE_BYTES + ((uint32_t)sniff->head[1] << 16 | (uint32_t)sniff->head[2] << 8 | sniff->head[3]);
}

/* Behind change_cipher_spec: is what begins here a hello in the clear? */
static bool may_be_hello(const struct policy_sniff *sniff)
{
	return sniff->head[0] == CLIENT_HELLO && (sniff->used < MESSAGE_BYTES || message_size(sniff) <= SNIFF_BYTES);
}

/* Bytes of handshake messages. */
static uint32_t take_handshake(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event)
{
	if (sniff->message_left) {
		uint32_t n = MIN(size, sniff->message_left);
		sniff->message_left -= n;
		return n;
	}
	uint32_t wanted = sniff->used < MESSAGE_BYTES ? MESSAGE_BYTES : message_size(sniff);
	uint32_t n = MIN(size, wanted - sniff->used);
	memcpy(sniff->head + sniff->used, bytes, n);
	sniff->used += n;
	sniff->held += n;
	if (sniff->ciphered && !may_be_hello(sniff)) {
		*event = sniff->early_data ? SNIFF_MORE : sniff_done(sniff);
		sniff->message_left = (uint32_t)sniff->left - n; /* the rest of a ciphered record */
		clear(sniff);
		return n;
	}
	if (sniff->used < MESSAGE_BYTES)
		return n;
	bool hello = sniff->head[0] == CLIENT_HELLO;
	if (!hello && !sniff->hello_seen) {
		*event = sniff_bad(sniff, SNIFF_HELLO_MISSING);
	} else if (hello && message_size(sniff) > SNIFF_BYTES) {
		*event = sniff_bad(sniff, SNIFF_HELLO_LONG);
	} else if (!hello) {
		sniff->message_left = message_size(sniff) - MESSAGE_BYTES;
		clear(sniff);
	} else if (sniff->used == message_size(sniff)) {
		*event = judge(sniff);
	}
	return n;
}

static enum sniff_event record_begins(struct policy_sniff *sniff)
{
	sniff->record_type = sniff->small[0];
	sniff->left = (uint32_t)sniff->small[3] << 8 | sniff->small[4];
	if (sniff->small[1] != 3 || sniff->left > RECORD_LIMIT || sniff->record_type < TLS_CHANGE_CIPHER ||
	    sniff->record_type > TLS_DATA)
		return sniff_bad(sniff, SNIFF_RECORDS_BROKEN);
	if (sniff->record_type != TLS_HANDSHAKE) {
		if (!sniff->hello_seen || sniff->used)
			return sniff_bad(sniff, SNIFF_HELLO_MISSING);
		sniff->ciphered |= sniff->record_type == TLS_CHANGE_CIPHER;
		sniff->held = 0;
		if (sniff->record_type == TLS_DATA && !sniff->early_data)
			return sniff_done(sniff);
	} else if (!sniff->left) {
		return sniff_bad(sniff, SNIFF_RECORDS_BROKEN); /* RFC 8446 section 5.1 forbids empty ones */
	}
	return SNIFF_MORE;
}

uint32_t sniff_tls(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event)
{
	uint32_t n;

	if (!sniff->left) {
		n = MIN(size, RECORD_BYTES - sniff->small_used);
		memcpy(sniff->small + sniff->small_used, bytes, n);
		sniff->small_used += n;
		sniff->held += n;
		if (sniff->small_used < RECORD_BYTES)
			return n;
		sniff->small_used = 0;
		*event = record_begins(sniff);
		return n;
	}
	n = (uint32_t)MIN((uint64_t)size, sniff->left);
	if (sniff->record_type == TLS_HANDSHAKE)
		n = take_handshake(sniff, bytes, n, event);
	sniff->left -= n;
	return n;
}
