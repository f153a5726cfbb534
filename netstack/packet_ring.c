/* packet_ring.c - see packet_ring.h. A frame's first word says whose it is. It is the guest's memory: what he writes
 * there can make him lose frames, and nothing else, because every position is our own.
 *
 * Limits: version 2 alone; PACKET_RING_BYTES all rings together; no ring for sending.
 */
#include "netstack/packet_ring.h"

#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <sys/mman.h>

#define HEADER_BYTES (TPACKET_ALIGN(sizeof(struct tpacket2_hdr)) + sizeof(struct sockaddr_ll))
#define LINK_LEAST   16u /* room that is always left before the network header */

static size_t total_bytes; /* of all rings */

void packet_ring_fini(struct packet_ring *ring)
{
	if (!ring->memory)
		return;
	host_munmap(ring->memory, ring->bytes);
	hostfile_put(ring->host_file);
	total_bytes -= ring->bytes;
	ring->memory = NULL;
}

static bool is_sound(const struct packet_ring *ring, const struct tpacket_req *wanted)
{
	uint32_t a_block = wanted->tp_frame_size ? wanted->tp_block_size / wanted->tp_frame_size : 0;

	return wanted->tp_block_size && wanted->tp_block_size % PAGE_SIZE == 0 && a_block &&
	       wanted->tp_block_size <= PACKET_RING_BYTES && wanted->tp_frame_size >= HEADER_BYTES + ring->reserve &&
	       wanted->tp_frame_size % TPACKET_ALIGNMENT == 0 && wanted->tp_block_nr <= UINT32_MAX / a_block &&
	       a_block * wanted->tp_block_nr == wanted->tp_frame_nr;
}

int packet_ring_set(struct packet_ring *ring, const struct tpacket_req *wanted)
{
	size_t bytes = (size_t)wanted->tp_block_size * wanted->tp_block_nr;

	if (!wanted->tp_block_nr) {
		if (wanted->tp_frame_nr)
			return -EINVAL;
		packet_ring_fini(ring);
		return 0;
	}
	if (ring->memory)
		return -EBUSY;
	if (!is_sound(ring, wanted))
		return -EINVAL;
	if (bytes > PACKET_RING_BYTES || total_bytes > PACKET_RING_BYTES - bytes)
		return -ENOMEM;
	int error = hostfile_memory("packet ring", bytes, &ring->host_file);
	if (error)
		return error;
	ring->memory =
		host_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, hostfile_fd(ring->host_file), 0, &error);
	if (!ring->memory) {
		hostfile_put(ring->host_file);
		return error ? error : -ENOMEM;
	}
	total_bytes += bytes;
	ring->bytes = bytes;
	ring->block_bytes = wanted->tp_block_size;
	ring->frame_bytes = wanted->tp_frame_size;
	ring->frames_a_block = wanted->tp_block_size / wanted->tp_frame_size;
	ring->frames = wanted->tp_frame_nr;
	ring->next = 0;
	return 0;
}

static struct tpacket2_hdr *frame_at(const struct packet_ring *ring, uint32_t index)
{
	size_t at = (size_t)(index / ring->frames_a_block) * ring->block_bytes +
		    (size_t)(index % ring->frames_a_block) * ring->frame_bytes;

	assert(at + ring->frame_bytes <= ring->bytes);
	return (struct tpacket2_hdr *)(void *)(ring->memory + at);
}

static uint32_t status_of(const struct packet_ring *ring, uint32_t index)
{
	return __atomic_load_n(&frame_at(ring, index)->tp_status, __ATOMIC_ACQUIRE);
}

bool packet_ring_readable(const struct packet_ring *ring)
{
	uint32_t last = (ring->next ? ring->next : ring->frames) - 1;

	return status_of(ring, last) != TP_STATUS_KERNEL;
}

bool packet_ring_put(struct packet_ring *ring, const struct buf *buf, uint32_t link_bytes, uint32_t limit,
		     const struct packet_facts *facts)
{
	struct tpacket2_hdr *frame = frame_at(ring, ring->next);
	uint32_t network = TPACKET_ALIGN((uint32_t)HEADER_BYTES + MAX(link_bytes, LINK_LEAST)) + ring->reserve;
	uint32_t start = network - link_bytes;

	if (status_of(ring, ring->next) != TP_STATUS_KERNEL || start >= ring->frame_bytes)
		return false;
	uint32_t kept = buf_copy(buf, (char *)frame + start, MIN(limit, ring->frame_bytes - start));
	struct tpacket2_hdr header = {
		.tp_len = facts->size,
		.tp_snaplen = kept,
		.tp_mac = (uint16_t)start,
		.tp_net = (uint16_t)network,
		.tp_sec = (uint32_t)(facts->stamp_ns / NS_PER_S),
		.tp_nsec = (uint32_t)(facts->stamp_ns % NS_PER_S),
	};
	memcpy((char *)frame + TPACKET_ALIGN(sizeof header), &facts->from, sizeof facts->from);
	memcpy((char *)frame + sizeof header.tp_status, (char *)&header + sizeof header.tp_status,
	       sizeof header - sizeof header.tp_status);
	__atomic_store_n(&frame->tp_status, TP_STATUS_USER | TP_STATUS_TS_SOFTWARE, __ATOMIC_RELEASE);
	ring->next = ring->next + 1 == ring->frames ? 0 : ring->next + 1;
	return true;
}
