/* dns_message.c - see dns_message.h.
 *
 * Own code rather than a library: what is needed is this page, in a process without malloc's freedom, and it must be
 * strict where a resolver's library is generous (docs/decisions/0011-policy.md).
 *
 * Names may point backwards only (RFC 1035 section 4.1.4), at most POINTERS times, and have DNS_WIRE_BYTES at most.
 *
 * Limits: RECORDS records of an answer are looked at, ALIASES aliases followed; of an answer that was cut (TC) what is
 * there counts. EDNS(0) for its size alone (RFC 6891).
 */
#include "netstack/dns_message.h"

#define HEADER_BYTES  12u
#define FLAG_RESPONSE 0x8000
#define FLAG_CUT      0x0200
#define FLAG_RECURSE  0x0100
#define FLAG_CAN      0x0080
#define OPCODE_MASK   0x7800
#define CODE_MASK     0x000f
#define CLASS_IN      1
#define TYPE_CNAME    5
#define TYPE_OPT      41
#define LABEL_LIMIT   63
#define POINTERS      16
#define ALIASES       16
#define RECORDS       128

struct reader {
	const uint8_t *bytes;
	uint32_t size, at;
	bool bad;
};

static uint32_t take(struct reader *r, unsigned n)
{
	uint32_t value = 0;

	if (r->size - r->at < n)
		r->bad = true;
	for (; !r->bad && n; n--)
		value = value << 8 | r->bytes[r->at++];
	return r->bad ? 0 : value;
}

/* A name as labels, its end included. Returns its size; 0: broken. */
static uint32_t take_name(struct reader *r, uint8_t out[DNS_WIRE_BYTES])
{
	uint32_t at = r->at, used = 0, lowest = r->at;
	unsigned jumps = 0;

	for (;;) {
		if (at >= r->size)
			break;
		uint32_t length = r->bytes[at++];
		if (length >> 6 == 3) {
			if (at >= r->size)
				break;
			if (!jumps)
				r->at = at + 1;
			at = (length & 63) << 8 | r->bytes[at];
			if (at >= lowest || ++jumps > POINTERS)
				break;
			lowest = at;
			continue;
		}
		if (length > LABEL_LIMIT || length > r->size - at || used + length + 1 > DNS_WIRE_BYTES)
			break;
		out[used++] = (uint8_t)length;
		memcpy(out + used, r->bytes + at, length);
		used += length;
		at += length;
		if (!length) {
			if (!jumps)
				r->at = at;
			return used;
		}
	}
	r->bad = true;
	return 0;
}

/* As text; "": it is no host's. */
static void show_name(const uint8_t *wire, uint32_t size, char out[POLICY_NAME_BYTES])
{
	char text[DNS_WIRE_BYTES + 1];
	uint32_t used = 0;

	out[0] = 0;
	for (uint32_t at = 0; at < size && wire[at]; at += wire[at] + 1u) {
		if (memchr(wire + at + 1, '.', wire[at]))
			return; /* a dot within a label would pass for the end of one */
		if (used)
			text[used++] = '.';
		memcpy(text + used, wire + at + 1, wire[at]);
		used += wire[at];
	}
	if (!policy_name_normalize(text, used, out))
		out[0] = 0;
}

struct header {
	uint16_t id, flags, questions, answers, authorities, others;
};

static struct header take_header(struct reader *r)
{
	struct header header;

	header.id = (uint16_t)take(r, 2);
	header.flags = (uint16_t)take(r, 2);
	header.questions = (uint16_t)take(r, 2);
	header.answers = (uint16_t)take(r, 2);
	header.authorities = (uint16_t)take(r, 2);
	header.others = (uint16_t)take(r, 2);
	return header;
}

struct record {
	uint8_t name[DNS_WIRE_BYTES];
	uint32_t name_bytes, ttl, size, at; /* at: of its data */
	uint16_t type, class;
};

static bool take_record(struct reader *r, struct record *out)
{
	out->name_bytes = take_name(r, out->name);
	out->type = (uint16_t)take(r, 2);
	out->class = (uint16_t)take(r, 2);
	out->ttl = take(r, 4);
	out->size = take(r, 2);
	out->at = r->at;
	if (r->bad || out->size > r->size - r->at)
		return false;
	r->at += out->size;
	return true;
}

/* ------------------------------------------------------------------------------------------------ questions */

/* The one record that a question may bring along says how much its sender takes. */
static void take_options(struct reader *r, struct dns_question *out)
{
	struct record record;

	if (!take_record(r, &record) || record.type != TYPE_OPT || record.name_bytes != 1) {
		out->code = DNS_FORMAT_ERROR;
		return;
	}
	out->edns = true;
	out->udp_bytes = MIN(MAX((uint32_t)record.class, DNS_UDP_BYTES), DNS_EDNS_BYTES);
}

bool dns_question_read(const uint8_t *bytes, uint32_t size, struct dns_question *out)
{
	struct reader r = {bytes, size, 0, false};
	struct header header = take_header(&r);

	if (r.bad || header.flags & FLAG_RESPONSE || size > DNS_QUERY_BYTES)
		return false;
	*out = (struct dns_question){
		.id = header.id, .recursion = header.flags & FLAG_RECURSE, .udp_bytes = DNS_UDP_BYTES};
	if (header.flags & OPCODE_MASK) {
		out->code = DNS_NOT_IMPLEMENTED;
		return true;
	}
	out->code = DNS_FORMAT_ERROR;
	if (header.questions != 1 || header.answers || header.authorities || header.others > 1)
		return true;
	out->wire_bytes = take_name(&r, out->wire);
	out->type = (uint16_t)take(&r, 2);
	out->class = (uint16_t)take(&r, 2);
	if (r.bad) {
		out->wire_bytes = 0;
		return true;
	}
	out->code = out->class == CLASS_IN ? DNS_NO_ERROR : DNS_REFUSED;
	if (header.others)
		take_options(&r, out);
	show_name(out->wire, out->wire_bytes, out->name);
	return true;
}

struct writer {
	uint8_t *bytes;
	uint32_t used;
};

static void put(struct writer *w, uint32_t value, unsigned n)
{
	while (n--)
		w->bytes[w->used++] = (uint8_t)(value >> 8 * n);
}

static void put_header(struct writer *w, const struct header *header)
{
	put(w, header->id, 2);
	put(w, header->flags, 2);
	put(w, header->questions, 2);
	put(w, header->answers, 2);
	put(w, header->authorities, 2);
	put(w, header->others, 2);
}

static void put_name(struct writer *w, const char *name)
{
	while (*name) {
		uint32_t n = (uint32_t)strcspn(name, ".");
		put(w, n, 1);
		memcpy(w->bytes + w->used, name, n);
		w->used += n;
		name += n + (name[n] == '.');
	}
	put(w, 0, 1);
}

static void put_options(struct writer *w)
{
	put(w, 0, 1);
	put(w, TYPE_OPT, 2);
	put(w, DNS_EDNS_BYTES, 2);
	put(w, 0, 4);
	put(w, 0, 2);
}

uint32_t dns_question_write(uint16_t id, const char *name, uint16_t type, uint8_t out[DNS_QUERY_BYTES])
{
	struct writer w = {out, 0};

	put_header(&w, &(struct header){.id = id, .flags = FLAG_RECURSE, .questions = 1, .others = 1});
	put_name(&w, name);
	put(&w, type, 2);
	put(&w, CLASS_IN, 2);
	put_options(&w);
	return w.used;
}

/* ------------------------------------------------------------------------------------------------ answers */

static bool take_addr(const uint8_t *data, uint32_t size, uint16_t type, struct net_addr *out)
{
	uint32_t v4;

	if (type == DNS_TYPE_A && size == sizeof v4) {
		memcpy(&v4, data, sizeof v4);
		*out = net_addr_v4(net32(v4));
		return true;
	}
	if (type != DNS_TYPE_AAAA || size != sizeof out->bytes)
		return false;
	memcpy(out->bytes, data, size);
	return true;
}

/* One pass over the records: addresses of name are added, an alias of it is its new name. true: there was an alias. */
static bool follow(struct reader r, unsigned records, uint16_t type, char name[POLICY_NAME_BYTES],
		   struct dns_answer *out)
{
	char owner[POLICY_NAME_BYTES];
	struct record record;

	for (unsigned i = 0; i < records && take_record(&r, &record); i++) {
		if (record.class != CLASS_IN)
			continue;
		show_name(record.name, record.name_bytes, owner);
		if (strcmp(owner, name) != 0)
			continue;
		if (record.type == type && out->count < DNS_ADDRESSES &&
		    take_addr(r.bytes + record.at, record.size, type, &out->addr[out->count])) {
			out->count++;
			out->ttl_s = MIN(out->ttl_s, record.ttl);
		} else if (record.type == TYPE_CNAME) {
			struct reader target = r;
			target.at = record.at;
			record.name_bytes = take_name(&target, record.name);
			show_name(record.name, record.name_bytes, name);
			out->ttl_s = MIN(out->ttl_s, record.ttl);
			return *name;
		}
	}
	return false;
}

bool dns_answer_read(const uint8_t *bytes, uint32_t size, uint16_t id, const char *name, uint16_t type,
		     struct dns_answer *out)
{
	struct reader r = {bytes, size, 0, false};
	struct header header = take_header(&r);
	uint8_t wire[DNS_WIRE_BYTES];
	char current[POLICY_NAME_BYTES];

	if (r.bad || header.id != id || !(header.flags & FLAG_RESPONSE) || header.flags & OPCODE_MASK ||
	    header.questions != 1)
		return false;
	show_name(wire, take_name(&r, wire), current);
	uint32_t asked_type = take(&r, 2), asked_class = take(&r, 2);
	if (r.bad || strcmp(current, name) != 0 || asked_type != type || asked_class != CLASS_IN)
		return false;
	*out = (struct dns_answer){.code = (enum dns_code)(header.flags & CODE_MASK), .ttl_s = UINT32_MAX};
	if (out->code != DNS_NO_ERROR) {
		out->code = out->code == DNS_NO_SUCH_NAME ? DNS_NO_SUCH_NAME : DNS_SERVER_FAILURE;
		return true;
	}
	unsigned records = MIN((unsigned)header.answers, (unsigned)RECORDS);
	for (unsigned i = 0; i < ALIASES && !out->count && follow(r, records, type, current, out); i++)
		continue;
	if (!out->count && header.flags & FLAG_CUT)
		out->code = DNS_SERVER_FAILURE;
	return true;
}

uint32_t dns_answer_write(const struct dns_question *question, const struct dns_answer *answer, uint8_t *out,
			  uint32_t limit)
{
	bool v6 = question->type == DNS_TYPE_AAAA;
	uint32_t record_bytes = 12u + (v6 ? 16 : 4), options = question->edns ? 11 : 0;
	uint32_t fixed = HEADER_BYTES + (question->wire_bytes ? question->wire_bytes + 4 : 0) + options;
	struct writer w = {out, 0};

	assert(limit >= DNS_UDP_BYTES);
	unsigned count = MIN(answer->count, (limit - fixed) / record_bytes);
	put_header(&w, &(struct header){
			       .id = question->id,
			       .flags = (uint16_t)(FLAG_RESPONSE | (question->recursion ? FLAG_RECURSE : 0) | FLAG_CAN |
						   (count < answer->count ? FLAG_CUT : 0) | answer->code),
			       .questions = question->wire_bytes ? 1 : 0,
			       .answers = (uint16_t)count,
			       .others = question->edns,
		       });
	memcpy(out + w.used, question->wire, question->wire_bytes);
	w.used += question->wire_bytes;
	if (question->wire_bytes) {
		put(&w, question->type, 2);
		put(&w, question->class, 2);
	}
	for (unsigned i = 0; i < count; i++) {
		put(&w, 0xc000 | HEADER_BYTES, 2); /* the name above */
		put(&w, question->type, 2);
		put(&w, CLASS_IN, 2);
		put(&w, answer->ttl_s, 4);
		put(&w, v6 ? 16 : 4, 2);
		memcpy(out + w.used, answer->addr[i].bytes + (v6 ? 0 : 12), v6 ? 16 : 4);
		w.used += v6 ? 16 : 4;
	}
	if (question->edns)
		put_options(&w);
	return w.used;
}
