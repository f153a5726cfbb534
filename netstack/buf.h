/* buf.h - packets on their way: room for headers, and a slice of payload that is shared instead of copied.
 *
 * A payload lies in a *block*, counted by everybody who looks at a part of it: a sender's queue keeps what is not yet
 * acknowledged, the packet refers to it, and over loopback the receiver's queue gets the same bytes. Nobody changes
 * bytes of a block that somebody else may look at: only its maker appends behind `used`.
 *
 * Headers are pushed in front of each other in the packet's own small room, and pulled out by value on the way in: a
 * layer never holds a pointer into what came from outside. A packet from a link has its headers in its slice; pulling
 * is the same there.
 */
#ifndef NETSTACK_BUF_H
#define NETSTACK_BUF_H

#include "netstack/addr.h"
#include "sentry/base/list.h"
#include "sentry/base/ref.h"

#define BUF_HEADER_BYTES 192 /* Ethernet, IPv6, and the longest TCP header */

struct block {
	struct ref ref;
	uint32_t capacity, used;
	char data[];
};

struct link;

struct buf {
	struct list node;      /* of the queue that has it */
	struct block *block;   /* counted; NULL: no payload */
	uint32_t offset, size; /* the slice of the block */
	uint8_t header_at;     /* first byte in use of header; BUF_HEADER_BYTES: none */
	bool to_ourselves;     /* to many: who listens here gets a copy (IP_MULTICAST_LOOP) */
	bool looped;           /* such a copy: it comes from outside as little as it looks like it */
	bool judged;           /* on its way out: the policy has seen it whole (policy.h) */
	bool summed;           /* the transport's checksum is known to be right (loopback, or the link checked it) */
	/* TCP payload of each of the segments that this packet stands for (gso.h; in received ones: as the host says,
	 * perhaps more than there is); 0: one. */
	uint16_t segment;
	/* Its end is aligned, and headers but Ethernet's are whole words: so each is where its type wants it. */
	uint8_t header[BUF_HEADER_BYTES] __attribute__((aligned(8)));

	/* What the layers found out on the way in. */
	struct link *link; /* where it came from; links are for ever */
	struct net_addr source, target;
	uint16_t source_port, target_port;
	uint8_t protocol, hops, traffic_class;
	struct { /* the packet as it came, for an error message that quotes it */
		uint8_t header_at;
		uint32_t offset, size;
	} whole;

	uint64_t stamp_ns; /* when it came in (CLOCK_REALTIME), if a socket that has it wants to know; else 0 */

	/* TCP's receive queues: the segment's place in the sequence, without header. */
	uint32_t sequence;
	bool fin;
};

/* NULL: no memory. capacity: at most BLOCK_LIMIT_BYTES. */
#define BLOCK_LIMIT_BYTES (65536u - (uint32_t)sizeof(struct block)) /* the two together are a power of two */
must_check struct block *block_new(uint32_t capacity);
void block_get(struct block *block);
void block_put(struct block *block);

must_check struct buf *buf_new(void);
/* NULL is allowed. */
void buf_free(struct buf *buf);
/* The payload becomes this slice; adds a reference. Only of a packet without one. */
void buf_attach(struct buf *buf, struct block *block, uint32_t offset, uint32_t size);
/* The first byte of n new bytes in front of everything. There is always room: the layers are few. */
void *buf_push(struct buf *buf, uint32_t n);
/* Takes n bytes off the front, by value; false (and nothing taken) when there are not so many. */
must_check bool buf_pull(struct buf *buf, void *to, uint32_t n);
/* Takes n bytes off the front, unseen. As buf_pull. */
must_check bool buf_skip(struct buf *buf, uint32_t n);
/* Leaves the first n bytes of headers and payload; nothing happens when there are not more. */
void buf_cut(struct buf *buf, uint32_t n);
/* Headers and payload together. */
static inline uint32_t buf_size(const struct buf *buf)
{
	return BUF_HEADER_BYTES - buf->header_at + buf->size;
}
/* Remembers that the packet starts here, and goes back there. */
void buf_mark(struct buf *buf);
void buf_rewind(struct buf *buf);
/* Copies everything, at most n bytes, to one place. Returns how many. */
uint32_t buf_copy(const struct buf *buf, void *to, uint32_t n);
/* Another packet with the same bytes (a multicast's second receiver). NULL: no memory. */
must_check struct buf *buf_clone(const struct buf *buf);

/* The ones' complement sum of RFC 1071 over memory and over a packet; fold gives the checksum in network order. */
uint64_t sum_add(uint64_t sum, const void *bytes, size_t n);
uint64_t sum_buf(uint64_t sum, const struct buf *buf);
uint16_t sum_fold(uint64_t sum);
/* The pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1). */
uint64_t sum_pseudo(const struct net_addr *source, const struct net_addr *target, uint8_t protocol, uint32_t size);

/* Packets in use: for tests that look for leaks. */
size_t buf_count(void);

#endif
