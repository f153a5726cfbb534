/* buf.c - see buf.h.
 *
 * Limits: NET_TOTAL_BYTES in all; a block holds BLOCK_LIMIT_BYTES; a packet has one slice. What does not fit one slice
 * (small writes behind each other) is copied into a new block by whoever makes the packet.
 */
#include "netstack/buf.h"

#include "sentry/base/arena.h"
#include "sentry/base/limits.h"

static struct slab buf_slab = SLAB(buf);
static uint64_t total_bytes; /* of all blocks */

struct block *block_new(uint32_t capacity)
{
	assert(capacity <= BLOCK_LIMIT_BYTES);
	struct block *block =
		total_bytes + capacity > NET_TOTAL_BYTES ? NULL : arena_alloc_dirty(sizeof *block + capacity);

	if (!block)
		return NULL;
	total_bytes += capacity;
	ref_init(&block->ref);
	block->capacity = capacity;
	block->used = 0;
	return block;
}

void block_get(struct block *block)
{
	ref_get(&block->ref);
}

void block_put(struct block *block)
{
	if (!ref_put(&block->ref))
		return;
	total_bytes -= block->capacity;
	arena_free(block, sizeof *block + block->capacity);
}

struct buf *buf_new(void)
{
	struct buf *buf = slab_new(&buf_slab);

	if (!buf)
		return NULL;
	list_init(&buf->node);
	buf->header_at = BUF_HEADER_BYTES;
	return buf;
}

void buf_free(struct buf *buf)
{
	if (!buf)
		return;
	list_remove(&buf->node);
	if (buf->block)
		block_put(buf->block);
	slab_free(&buf_slab, buf);
}

size_t buf_count(void)
{
	return slab_count(&buf_slab);
}

void buf_attach(struct buf *buf, struct block *block, uint32_t offset, uint32_t size)
{
	assert(!buf->block && offset <= block->used && size <= block->used - offset);
	block_get(block);
	buf->block = block;
	buf->offset = offset;
	buf->size = size;
}

void *buf_push(struct buf *buf, uint32_t n)
{
	assert(n <= buf->header_at);
	buf->header_at -= n;
	return buf->header + buf->header_at;
}

bool buf_pull(struct buf *buf, void *to, uint32_t n)
{
	uint32_t here = MIN(n, (uint32_t)BUF_HEADER_BYTES - buf->header_at);

	if (n > buf_size(buf))
		return false;
	memcpy(to, buf->header + buf->header_at, here);
	if (n > here)
		memcpy((char *)to + here, buf->block->data + buf->offset, n - here);
	return buf_skip(buf, n);
}

bool buf_skip(struct buf *buf, uint32_t n)
{
	uint32_t here = MIN(n, (uint32_t)BUF_HEADER_BYTES - buf->header_at);

	if (n > buf_size(buf))
		return false;
	buf->header_at += here;
	buf->offset += n - here;
	buf->size -= n - here;
	return true;
}

void buf_cut(struct buf *buf, uint32_t n)
{
	uint32_t headers = BUF_HEADER_BYTES - buf->header_at;

	if (n >= buf_size(buf))
		return;
	if (n >= headers) {
		buf->size = n - headers;
		return;
	}
	/* Rare: only padding behind a header is ever cut here. */
	memmove(buf->header + BUF_HEADER_BYTES - n, buf->header + buf->header_at, n);
	buf->header_at = BUF_HEADER_BYTES - n;
	buf->size = 0;
}

void buf_mark(struct buf *buf)
{
	buf->whole.header_at = buf->header_at;
	buf->whole.offset = buf->offset;
	buf->whole.size = buf->size;
}

void buf_rewind(struct buf *buf)
{
	buf->header_at = buf->whole.header_at;
	buf->offset = buf->whole.offset;
	buf->size = buf->whole.size;
}

uint32_t buf_copy(const struct buf *buf, void *to, uint32_t n)
{
	uint32_t headers = MIN(n, (uint32_t)BUF_HEADER_BYTES - buf->header_at), rest = MIN(n - headers, buf->size);

	memcpy(to, buf->header + buf->header_at, headers);
	if (rest)
		memcpy((char *)to + headers, buf->block->data + buf->offset, rest);
	return headers + rest;
}

struct buf *buf_clone(const struct buf *buf)
{
	struct buf *copy = slab_new(&buf_slab);

	if (!copy)
		return NULL;
	*copy = *buf;
	list_init(&copy->node);
	if (copy->block)
		block_get(copy->block);
	return copy;
}

/* ------------------------------------------------------------------------------------------------ checksums */

uint64_t sum_add(uint64_t sum, const void *bytes, size_t n)
{
	const char *at = bytes;

	for (; n >= 4; n -= 4, at += 4) {
		uint32_t word;
		memcpy(&word, at, 4);
		sum += word;
	}
	if (n) {
		uint32_t word = 0;
		memcpy(&word, at, n);
		sum += word;
	}
	return sum;
}

uint16_t sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint64_t sum_buf(uint64_t sum, const struct buf *buf)
{
	uint32_t headers = BUF_HEADER_BYTES - buf->header_at;
	uint16_t rest;

	sum = sum_add(sum, buf->header + buf->header_at, headers);
	if (!buf->size)
		return sum;
	if (!(headers & 1))
		return sum_add(sum, buf->block->data + buf->offset, buf->size);
	rest = (uint16_t)~sum_fold(sum_add(0, buf->block->data + buf->offset, buf->size));
	return sum + net16(rest); /* an odd start: the bytes change places (RFC 1071 section 2 (B)) */
}

uint64_t sum_pseudo(const struct net_addr *source, const struct net_addr *target, uint8_t protocol, uint32_t size)
{
	uint32_t tail[2] = {net32(size), net32(protocol)};
	bool v4 = net_addr_is_v4(source);
	uint64_t sum = sum_add(0, tail, sizeof tail);

	sum = sum_add(sum, &source->words[v4 ? 3 : 0], v4 ? 4 : 16);
	return sum_add(sum, &target->words[v4 ? 3 : 0], v4 ? 4 : 16);
}
