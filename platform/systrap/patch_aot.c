/* patch_aot.c - call sites patched ahead of time (patch_aot.h).
 *
 * Theory. A lazy patch costs tens of microseconds a site in every process that execs, so a program that makes calls
 * from thirty places of its C library pays a millisecond. Nearly all of them are in two files, the C library and the
 * dynamic linker, and look the same:
 *
 *     0f 05  48 3d 01 f0 ff ff     syscall; cmp $-4095, %rax       (inline calls)
 *     0f 05  48 3d 00 f0 ff ff     syscall; cmp $-4096, %rax
 *
 * Eight bytes that compilers and assemblers make for nothing else: where they stand in a text they are these two
 * instructions. So no disassembler is needed: a scan for the pattern finds 429 of the 526 sites of a C library in 0.3
 * ms, where a linear sweep takes 70 and is wrong about constants within code (docs/decisions/0002-ahead-of-time.md).
 * The other sites keep being patched when they trap.
 *
 * When a sandbox maps a text with enough such sites for the second time, the text is copied into a memory file in which
 * they are patched, and the copy is mapped instead of the file from then on. (Making it costs as much as a hundred lazy
 * patches: more than a sandbox that runs one program would get back.) The pattern dictates the displacement: +0x13d4805
 * or +0x3d4805. So the trampolines of a text are two images of it, 20 and 4 MiB further on, and two mappings place all
 * of them. They are placed before the text is mapped; if they cannot be, the file itself is mapped.
 *
 * Only files that the sandbox can only read are copied (their description is open for reading only), and a copy belongs
 * to one device, inode, size, mtime and ctime: a file changed on the host is another file.
 *
 * Limits: AOT_FILES texts of at most AOT_TEXT_BYTES are known, and AOT_COPY_BYTES copied, in a sandbox; what does not
 * fit is patched lazily.
 */
#include "platform/systrap/patch_aot.h"

#include <emmintrin.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/systrap/systrap.h"

#define AOT_FILES      256
#define AOT_TEXT_BYTES (4u << 20)
#define AOT_COPY_BYTES (16u << 20)
#define AOT_SITES_MIN  4
#define CHUNK_BYTES    65536
#define SITE_BYTES     8
#define TAIL           (SITE_BYTES - 1)

/* A text that has been mapped once: only the second time it is worth the look. */
enum aot_state { AOT_SEEN, AOT_PLAIN, AOT_COPIED };
struct aot {
	enum aot_state state;
	uint32_t dev_major, dev_minor;
	uint64_t ino, bytes, mtime_ns, ctime_ns, offset, size;
	uint32_t file; /* AOT_COPIED: the copy */
	struct ahead ahead;
};
static struct aot texts[AOT_FILES];
static unsigned text_count;
static uint64_t copied_bytes;

static bool is_site(const unsigned char *p)
{
	static const unsigned char tail[] = {0xf0, 0xff, 0xff};

	return p[0] == 0x0f && p[1] == 0x05 && p[2] == 0x48 && p[3] == 0x3d && p[4] <= 1 &&
	       !memcmp(p + 5, tail, sizeof tail);
}

size_t patch_aot_find(const unsigned char *text, size_t n, size_t from)
{
	const __m128i first = _mm_set1_epi8(0x0f), second = _mm_set1_epi8(0x05);
	size_t at = from;

	for (; at + 16 + TAIL <= n; at += 16) {
		__m128i a = _mm_loadu_si128((const __m128i *)(text + at));
		__m128i b = _mm_loadu_si128((const __m128i *)(text + at + 1));
		unsigned mask =
			(unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, second)));

		for (; mask; mask &= mask - 1) {
			size_t hit = at + (unsigned)__builtin_ctz(mask);
			if (is_site(text + hit))
				return hit;
		}
	}
	for (; at + SITE_BYTES <= n; at++)
		if (is_site(text + at))
			return at;
	return n;
}

/* ------------------------------------------------------------------------------------------------ copies */

static bool same_text(const struct aot *a, const struct aot *b)
{
	return a->ino == b->ino && a->offset == b->offset && a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns && a->bytes == b->bytes && a->dev_major == b->dev_major &&
	       a->dev_minor == b->dev_minor;
}

static bool identify(int host_fd, const struct mem_op *op, struct aot *out)
{
	struct statx st;

	if (host_statx(host_fd, "", STATX_BASIC_STATS, &st) || !S_ISREG(st.stx_mode))
		return false;
	if (op->offset >= st.stx_size || op->size > page_up(st.stx_size) - op->offset)
		return false; /* reaches behind the end: faults there are the file's business */
	*out = (struct aot){.dev_major = st.stx_dev_major,
			    .dev_minor = st.stx_dev_minor,
			    .ino = st.stx_ino,
			    .bytes = st.stx_size,
			    .mtime_ns = (uint64_t)st.stx_mtime.tv_sec * NS_PER_S + st.stx_mtime.tv_nsec,
			    .ctime_ns = (uint64_t)st.stx_ctime.tv_sec * NS_PER_S + st.stx_ctime.tv_nsec,
			    .offset = op->offset,
			    .size = op->size};
	return true;
}

/* As pread, but -EAGAIN instead of waiting for a disk, where the file system can say so. */
static ssize_t read_cached(int host_fd, void *to, size_t n, uint64_t offset)
{
	struct iovec iov = {to, n};
	ssize_t got = host_preadv2(host_fd, &iov, 1, (int64_t)offset, RWF_NOWAIT);

	return got == -EOPNOTSUPP ? host_pread(host_fd, to, n, (int64_t)offset) : got;
}

/* Looks through the file before anything is copied: most texts have no site. -EAGAIN: not all of it is in memory. */
static int count_sites(int host_fd, const struct aot *text)
{
	static unsigned char chunk[CHUNK_BYTES + TAIL];
	int sites = 0;

	for (uint64_t done = 0; done < text->size; done += CHUNK_BYTES) {
		uint64_t want = MIN(text->size - done, (uint64_t)sizeof chunk);
		ssize_t n = read_cached(host_fd, chunk, want, text->offset + done);
		size_t at = 0;

		if (n < 0)
			return (int)n;
		if (n < (ssize_t)MIN(want, text->bytes - text->offset - done))
			return -EAGAIN;
		while ((at = patch_aot_find(chunk, (size_t)n, at)) < (size_t)n) {
			sites++;
			at += SITE_BYTES;
		}
	}
	return sites;
}

static bool read_all(int host_fd, unsigned char *to, uint64_t size, uint64_t offset)
{
	uint64_t done = 0;

	while (done < size) {
		ssize_t n = host_pread(host_fd, to + done, size - done, (int64_t)(offset + done));
		if (n < 0)
			return false;
		if (n == 0) /* the file's last page: zeros follow */
			break;
		done += (uint64_t)n;
	}
	return true;
}

/* Patches the copy and notes its sites; room: how many there is room for. Of two so close together that their
 * trampolines would overlap the second stays. */
static void patch_copy_bytes(struct aot *text, unsigned char *bytes, unsigned room)
{
	size_t at = 0, free_from[2] = {0, 0};

	for (; text->ahead.sites < room && (at = patch_aot_find(bytes, text->size, at)) < text->size;
	     at += SITE_BYTES) {
		struct ahead_site *site = &text->ahead.site[text->ahead.sites];
		unsigned kind = bytes[at + 4];

		if (at < free_from[kind])
			continue;
		free_from[kind] = at + AHEAD_DISTANCE;
		text->ahead.sites++;
		site->offset = (uint32_t)at;
		memcpy(&site->displacement, bytes + at + 1, sizeof site->displacement);
		bytes[at] = 0xe9;
	}
}

static int copy_make(int host_fd, struct aot *text, unsigned sites)
{
	int error = 0, fd = host_memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	unsigned char *bytes = NULL;

	if (fd < 0)
		return fd;
	error = host_ftruncate(fd, (int64_t)text->size);
	if (!error)
		bytes = host_mmap(NULL, text->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0, &error);
	if (bytes) {
		if (read_all(host_fd, bytes, text->size, text->offset))
			patch_copy_bytes(text, bytes, sites);
		else
			error = -EIO;
		host_munmap(bytes, text->size);
	}
	if (!error)
		error = host_fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	if (!error)
		error = hostfile_add(fd, &text->file);
	if (error)
		host_close(fd);
	return error;
}

/* Makes the copy of a text that is worth it. */
static void text_look(int host_fd, struct aot *text)
{
	int sites = count_sites(host_fd, text);

	if (sites == -EAGAIN)
		return; /* not all in memory: another time */
	text->state = AOT_PLAIN;
	if (sites < AOT_SITES_MIN || copied_bytes + text->size > AOT_COPY_BYTES)
		return;
	text->ahead.site = calloc((size_t)sites, sizeof *text->ahead.site);
	if (!text->ahead.site || copy_make(host_fd, text, (unsigned)sites))
		return;
	text->state = AOT_COPIED;
	copied_bytes += text->size;
}

/* The copy of what is about to be mapped; NULL: none. */
static struct aot *copy_of(const struct mem_op *op)
{
	int host_fd = hostfile_fd(op->file);
	struct aot identity, *text = texts;

	if ((host_fcntl(host_fd, F_GETFL, 0) & (O_ACCMODE | O_PATH)) != O_RDONLY || !identify(host_fd, op, &identity))
		return NULL;
	while (text < texts + text_count && !same_text(text, &identity))
		text++;
	if (text == texts + AOT_FILES)
		return NULL;
	if (text == texts + text_count) {
		*text = identity;
		text_count++;
	} else if (text->state == AOT_SEEN) {
		text_look(host_fd, text);
	}
	return text->state == AOT_COPIED ? text : NULL;
}

void patch_aot(struct aspace *as, struct uthread *caller, struct mem_op *op)
{
	struct aot *text;

	if (op->kind != MEM_MAP || op->file == MEM_NO_FILE || op->flags & MEM_SHARED ||
	    (op->prot & (MEM_WRITE | MEM_EXEC)) != MEM_EXEC || op->size > AOT_TEXT_BYTES)
		return;
	if (systrap.config.no_patch || as->mem_fd < 0 || as->broken)
		return;
	text = copy_of(op);
	if (!text || !patch_ahead(as, caller, op->addr, &text->ahead))
		return;
	op->file = text->file;
	op->offset = 0;
}
