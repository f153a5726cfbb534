/* sniff_http.c - requests of HTTP/1.x, one after the other on a connection (RFC 9112).
 *
 * Every request says its Host, so every one is looked at, and so its end must be known: a body by Content-Length, or
 * chunks. Where servers disagree about what bytes mean there is room for smuggling a second request past us; so
 * whatever is not plainly right is refused: spaces before a colon, folded lines, two Hosts, two lengths, a length and
 * chunks, a carriage return alone.
 *
 * Limits: after an Upgrade the bytes must not look like a request (WebSocket's do not). CONNECT, and HTTP/2 in the
 * clear, are refused. Other names in a request (X-Forwarded-Host and the like) are the server's own affair.
 */
#include "netstack/sniff_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define CHUNK_LINE_BYTES 256u
#define LENGTH_DIGITS    18u
#define CHUNK_DIGITS     8u
#define METHOD_BYTES     32u

struct span {
	const char *at;
	uint32_t size;
};

static bool span_is(struct span span, const char *word)
{
	return span.size == strlen(word) && !strncasecmp(span.at, word, span.size);
}

static bool is_token_byte(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* ------------------------------------------------------------------------------------------------ one head */

struct head {
	struct span host, target_host;
	bool has_host, has_target_host, has_length, has_chunks, old, wrong;
	uint64_t length;
};

/* What stands before a character, which is skipped too. false: it is not there. */
static bool take_until(struct span *rest, char end, struct span *out)
{
	const char *found = memchr(rest->at, end, rest->size);

	if (!found)
		return false;
	*out = (struct span){rest->at, (uint32_t)(found - rest->at)};
	rest->size -= out->size + 1;
	rest->at = found + 1;
	return true;
}

/* A line without its end. */
static bool take_line(struct span *rest, struct span *line)
{
	if (!take_until(rest, '\n', line))
		return false;
	if (line->size && line->at[line->size - 1] == '\r')
		line->size--;
	return !memchr(line->at, '\r', line->size) && !memchr(line->at, 0, line->size);
}

static bool read_target(struct span target, struct head *head)
{
	static const char scheme[] = "http://";

	if (target.size && target.at[0] == '/')
		return true;
	if (span_is(target, "*"))
		return true;
	if (target.size <= strlen(scheme) || strncasecmp(target.at, scheme, strlen(scheme)) != 0)
		return false;
	head->has_target_host = true;
	head->target_host = (struct span){target.at + strlen(scheme), target.size - (uint32_t)strlen(scheme)};
	uint32_t n = 0;
	while (n < head->target_host.size && !strchr("/?#", head->target_host.at[n]))
		n++;
	head->target_host.size = n;
	return true;
}

/* METHOD target HTTP/1.x */
static bool read_request(struct span line, struct head *head)
{
	struct span method, target;

	if (!take_until(&line, ' ', &method) || !take_until(&line, ' ', &target) || !method.size || !target.size)
		return false;
	for (uint32_t i = 0; i < method.size; i++)
		if (!is_token_byte(method.at[i]))
			return false;
	for (uint32_t i = 0; i < target.size; i++)
		if (target.at[i] <= ' ' || target.at[i] > '~')
			return false;
	head->old = span_is(line, "HTTP/1.0");
	if (span_is(method, "CONNECT") || line.size != 8 || (!head->old && strncmp(line.at, "HTTP/1.1", 8) != 0))
		return false;
	return read_target(target, head);
}

static struct span trim(struct span value)
{
	while (value.size && (value.at[0] == ' ' || value.at[0] == '\t')) {
		value.at++;
		value.size--;
	}
	while (value.size && (value.at[value.size - 1] == ' ' || value.at[value.size - 1] == '\t'))
		value.size--;
	return value;
}

static bool read_length(struct span value, struct head *head)
{
	if (head->has_length || !value.size || value.size > LENGTH_DIGITS)
		return false;
	head->has_length = true;
	for (uint32_t i = 0; i < value.size; i++) {
		if (!isdigit((unsigned char)value.at[i]))
			return false;
		head->length = head->length * 10 + (uint64_t)(value.at[i] - '0');
	}
	return true;
}

static bool read_field(struct policy_sniff *sniff, struct span line, struct head *head)
{
	struct span name, value = line;

	if (!take_until(&value, ':', &name) || !name.size)
		return false;
	for (uint32_t i = 0; i < name.size; i++)
		if (!is_token_byte(name.at[i]))
			return false;
	value = trim(value);
	if (span_is(name, "host")) {
		bool second = head->has_host;
		head->has_host = true;
		head->host = value;
		return !second;
	}
	if (span_is(name, "content-length"))
		return read_length(value, head);
	if (span_is(name, "transfer-encoding")) {
		bool second = head->has_chunks;
		head->has_chunks = true;
		return !second && span_is(value, "chunked");
	}
	sniff->upgrade |= span_is(name, "upgrade");
	return true;
}

/* Without the port. An address is a name to nobody: "" then. */
static void read_host(struct span host, char out[POLICY_NAME_BYTES])
{
	struct span name = host;
	bool port = host.size && memchr(host.at, ':', host.size) && take_until(&host, ':', &name);

	for (uint32_t i = 0; port && i < host.size; i++)
		if (!isdigit((unsigned char)host.at[i]))
			name.size = 0;
	if (!policy_name_normalize(name.at, name.size, out))
		out[0] = 0;
}

static bool hosts_agree(const struct policy_sniff *sniff, const struct head *head)
{
	char other[POLICY_NAME_BYTES];

	if (!head->has_target_host)
		return true;
	read_host(head->target_host, other);
	return !strcmp(other, sniff->name);
}

/* The head in sniff->head is whole. */
static enum sniff_event judge(struct policy_sniff *sniff)
{
	struct span rest = {(const char *)sniff->head, sniff->used}, line;
	struct head head = {0};
	bool right = take_line(&rest, &line) && read_request(line, &head);

	sniff->upgrade = false;
	while (right && (right = take_line(&rest, &line)) && line.size)
		right = read_field(sniff, line, &head);
	if (!right || (head.has_chunks && (head.has_length || head.old)))
		return sniff_bad(sniff, SNIFF_HTTP_BROKEN);
	sniff->name[0] = 0;
	if (head.has_host)
		read_host(head.host, sniff->name);
	if (!hosts_agree(sniff, &head))
		return sniff_bad(sniff, SNIFF_HTTP_HOSTS);
	sniff->chunked = head.has_chunks;
	sniff->left = head.length;
	sniff->state = head.has_chunks  ? SNIFF_HTTP_CHUNK
		       : head.length    ? SNIFF_HTTP_BODY
		       : sniff->upgrade ? SNIFF_HTTP_UPGRADE
					: SNIFF_HTTP_HEAD;
	sniff->used = sniff->held = 0;
	return SNIFF_NAME;
}

/* ------------------------------------------------------------------------------------------------ the stream */

/* How far the first line has come, in small[0]: where anything may be spoken it shows whether this is HTTP at all. */
enum { LINE_METHOD, LINE_TARGET, LINE_OVER };

/* Does the first line look like a request's, with this byte? */
static bool like_request(struct policy_sniff *sniff, uint8_t byte)
{
	static const char version[] = " HTTP/1.1";
	const char *text = (const char *)sniff->head;
	uint32_t length = sniff->used - 1, tail = strlen(version);

	if (sniff->small[0] == LINE_OVER)
		return true;
	if (sniff->small[0] == LINE_METHOD) {
		sniff->small[0] = byte == ' ' ? LINE_TARGET : LINE_METHOD;
		return (byte == ' ' || (byte >= 'A' && byte <= 'Z')) && length < METHOD_BYTES;
	}
	if (byte != '\n')
		return byte == '\r' || (byte >= ' ' && byte <= '~');
	sniff->small[0] = LINE_OVER;
	length -= text[length - 1] == '\r';
	return length > tail && !strncmp(text + length - tail, version, strlen(" HTTP/"));
}

static bool head_is_whole(const struct policy_sniff *sniff)
{
	const uint8_t *end = sniff->head + sniff->used;

	return (sniff->used >= 2 && end[-1] == '\n' && end[-2] == '\n') ||
	       (sniff->used >= 3 && end[-1] == '\n' && end[-2] == '\r' && end[-3] == '\n');
}

static uint32_t take_head(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event)
{
	uint32_t n = 0;

	while (n < size && *event == SNIFF_MORE) {
		uint8_t byte = bytes[n++];
		if (!sniff->used && sniff->hello_seen && (byte == '\r' || byte == '\n'))
			continue; /* an empty line behind a body (RFC 9112 section 2.2) */
		if (sniff->used == SNIFF_BYTES) {
			*event = sniff_bad(sniff, SNIFF_HTTP_LONG);
			break;
		}
		sniff->head[sniff->used++] = byte;
		sniff->held++;
		if (!sniff->hello_seen && !like_request(sniff, byte)) {
			*event = sniff_foreign(sniff);
		} else if (head_is_whole(sniff)) {
			*event = judge(sniff);
			sniff->hello_seen = true;
			break;
		}
	}
	return n;
}

/* A line of chunked coding is collected in head; true: it is there. */
static bool collect_line(struct policy_sniff *sniff, uint8_t byte, enum sniff_event *event)
{
	if (sniff->used == CHUNK_LINE_BYTES || (byte != '\r' && byte != '\n' && byte != '\t' && byte < ' ')) {
		*event = sniff_bad(sniff, SNIFF_HTTP_BROKEN);
		return false;
	}
	sniff->head[sniff->used++] = byte;
	return byte == '\n';
}

static enum sniff_event chunk_begins(struct policy_sniff *sniff)
{
	char *end, line[CHUNK_LINE_BYTES + 1];

	memcpy(line, sniff->head, sniff->used);
	line[sniff->used] = 0;
	size_t digits = strspn(line, "0123456789abcdefABCDEF");
	sniff->left = strtoull(line, &end, 16);
	bool right = digits && digits <= CHUNK_DIGITS && (line[digits] == '\r' || line[digits] == ';') &&
		     strchr(line, '\r') == line + sniff->used - 2;
	if (!right)
		return sniff_bad(sniff, SNIFF_HTTP_BROKEN);
	sniff->used = 0;
	sniff->state = sniff->left ? SNIFF_HTTP_DATA : SNIFF_HTTP_TRAILER;
	sniff->left += sniff->left ? 2 : 0; /* its line end */
	return SNIFF_MORE;
}

static void body_ends(struct policy_sniff *sniff)
{
	sniff->used = 0;
	sniff->state = sniff->upgrade ? SNIFF_HTTP_UPGRADE : SNIFF_HTTP_HEAD;
}

/* The line end behind a chunk must be one: a server that looks for it elsewhere would see other requests. */
static enum sniff_event check_data(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n && sniff->state == SNIFF_HTTP_DATA; i++) {
		uint64_t left = sniff->left - i;
		if ((left == 2 && bytes[i] != '\r') || (left == 1 && bytes[i] != '\n'))
			return sniff_bad(sniff, SNIFF_HTTP_BROKEN);
		if (left > 2)
			i += (uint32_t)MIN(left - 3, (uint64_t)(n - i - 1));
	}
	return SNIFF_MORE;
}

static uint32_t take_body(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event)
{
	uint32_t n = (uint32_t)MIN((uint64_t)size, sniff->left);

	*event = check_data(sniff, bytes, n);
	if (*event != SNIFF_MORE)
		return n;
	sniff->left -= n;
	if (!sniff->left && sniff->state == SNIFF_HTTP_DATA)
		sniff->state = SNIFF_HTTP_CHUNK;
	else if (!sniff->left)
		body_ends(sniff);
	return n;
}

uint32_t sniff_http(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event)
{
	switch (sniff->state) {
	case SNIFF_HTTP_HEAD:
		return take_head(sniff, bytes, size, event);
	case SNIFF_HTTP_BODY:
	case SNIFF_HTTP_DATA:
		return take_body(sniff, bytes, size, event);
	case SNIFF_HTTP_CHUNK:
		if (collect_line(sniff, bytes[0], event))
			*event = chunk_begins(sniff);
		return 1;
	case SNIFF_HTTP_TRAILER:
		if (collect_line(sniff, bytes[0], event)) {
			bool last = sniff->used == 1 || (sniff->used == 2 && sniff->head[0] == '\r');
			sniff->used = 0;
			if (last)
				body_ends(sniff);
		}
		return 1;
	default: /* SNIFF_HTTP_UPGRADE */
		if (bytes[0] == '\r' || bytes[0] == '\n' || is_token_byte((char)bytes[0]))
			*event = sniff_bad(sniff, SNIFF_HTTP_UPGRADED);
		else
			*event = sniff_done(sniff);
		return 0;
	}
}
