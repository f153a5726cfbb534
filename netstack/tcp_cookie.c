/* tcp_cookie.c - SYN cookies (RFC 4987 section 3.6): a listener with too many half-open connections answers SYNs
 * without remembering them. What it must know of the peer later, it puts into its own first sequence number:
 *
 *     iss - the peer's = 5 bits of time (64 s each) | 3 bits: which of eight segment sizes | 24 bits that only we can
 * compute
 *
 * Limits: no options but the segment size: such a connection has no window scaling, no SACK, no timestamps. Its SYN-ACK
 * is not sent again, and while they are out a listener resets no stray segment. Cookies are believed for COOKIE_STEPS
 * steps of time, and only while a queue has run over lately.
 */
#include "netstack/tcp.h"

#include "netstack/net.h"
#include "sentry/base/fiber.h"

#define STEP_NS      (64 * NS_PER_S)
#define COOKIE_STEPS 2u
#define TIME_SHIFT   27
#define SIZE_SHIFT   24
#define PROOF_MASK   0xffffffu

static const uint16_t sizes[8] = {536, 1220, 1300, 1400, 1440, 1460, 8940, 65495};

/* SipHash-2-4 (Aumasson and Bernstein, 2012). */
static inline uint64_t rotated(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotated(v[1], 13) ^ v[0];
	v[3] = rotated(v[3], 16) ^ v[2];
	v[0] = rotated(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotated(v[1], 17) ^ v[2];
	v[3] = rotated(v[3], 21) ^ v[0];
	v[2] = rotated(v[2], 32);
}

static uint64_t sip_hash(const uint64_t key[2], const uint64_t *words, unsigned count)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull, key[0] ^ 0x6c7967656e657261ull,
			 key[1] ^ 0x7465646279746573ull};

	for (unsigned i = 0; i <= count; i++) {
		uint64_t word = i < count ? words[i] : (uint64_t)count * 8 << 56;
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint32_t proof(const struct net_end *local, const struct net_end *remote, uint32_t peer_iss, uint32_t step,
		      uint32_t size)
{
	static uint64_t key[2];
	uint64_t words[6];

	while (!key[0])
		for (int i = 0; i < 2; i++)
			key[i] = (uint64_t)net_random() << 32 | net_random();
	memcpy(words, &local->addr, 16);
	memcpy(words + 2, &remote->addr, 16);
	words[4] = (uint64_t)local->port << 48 | (uint64_t)remote->port << 32 | peer_iss;
	words[5] = (uint64_t)step << 32 | size;
	return (uint32_t)sip_hash(key, words, 6) & PROOF_MASK;
}

uint32_t cookie_make(const struct net_end *local, const struct net_end *remote, const struct tcp_segment *syn)
{
	uint32_t step = (uint32_t)(clock_now_ns() / STEP_NS), size = COUNT(sizes) - 1;

	while (size && sizes[size] > syn->mss)
		size--;
	uint32_t value = step << TIME_SHIFT | size << SIZE_SHIFT | proof(local, remote, syn->sequence, step, size);
	return syn->sequence + value;
}

bool cookie_check(const struct net_end *local, const struct net_end *remote, const struct tcp_segment *ack,
		  uint16_t *mss)
{
	uint32_t peer_iss = ack->sequence - 1, value = ack->ack - 1 - peer_iss;
	uint32_t now = (uint32_t)(clock_now_ns() / STEP_NS), age = (now - (value >> TIME_SHIFT)) & 31;
	uint32_t size = value >> SIZE_SHIFT & 7;

	if (age > COOKIE_STEPS || (value & PROOF_MASK) != proof(local, remote, peer_iss, now - age, size))
		return false;
	*mss = sizes[size];
	return true;
}
