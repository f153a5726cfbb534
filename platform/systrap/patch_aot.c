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
 * The first time that a call of a text traps, the text is looked through, and all its sites are patched at once in the
 * process that trapped: a page at a time, through /proc/PID/mem. Further processes of the sandbox get the same when
 * they map the text, before they run in it. When a text has been mapped COPY_AFTER times more, it is copied into a
 * memory file in which the sites are patched, and the copy is mapped instead of the file from then on. (Patching in
 * place costs a page for each page with a site, some fifty of a C library; the copy costs all of the text, but once.)
 * The pattern dictates the displacement: +0x13d4805 or +0x3d4805. So the trampolines of a text are two images of it, 20
 * and 4 MiB further on, and two mappings place all of them. They are placed before anything is patched; if they cannot
 * be, the text stays as it is.
 *
 * Only files that the sandbox can only read are looked at (their description is open for reading only), and what is
 * known belongs to one device, inode, size, mtime and ctime: a file changed on the host is another file. A text that a
 * process has made writable, if only for a moment, is its own and is left alone.
 *
 * Limits: AOT_FILES texts of at most AOT_TEXT_BYTES are known, and AOT_COPY_BYTES copied, in a sandbox; AOT_TEXTS
 * untouched texts in an address space. What does not fit is patched lazily.
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
#define AOT_TEXT_BYTES 0x3d4000u /* less than the least displacement: a text never lies on its own trampolines */
#define AOT_COPY_BYTES (16u << 20)
#define AOT_SITES_MIN  4
#define CHUNK_BYTES    65536
#define COPY_AFTER     6
#define LEARNED        32
#define MOV_BYTES      5 /* mov $nr, %eax */
#define SITE_BYTES     8
#define TAIL           (SITE_BYTES - 1)

/* SEEN: mapped, no call has trapped yet. PLAIN: nothing to be gained. LISTED: its sites are known. COPIED. */
enum aot_state { AOT_SEEN, AOT_PLAIN, AOT_LISTED, AOT_COPIED };
struct aot {
	enum aot_state state;
	unsigned mapped; /* since it is LISTED */
	uint32_t dev_major, dev_minor;
	uint64_t ino, bytes, mtime_ns, ctime_ns, offset, size;
	uint32_t file; /* AOT_COPIED: the copy */
	struct ahead ahead;
	uint32_t learned[LEARNED]; /* offsets of other sites that have trapped */
	unsigned learned_count;
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

/* Notes a site. Of two so close together that their trampolines would overlap the second is left out. -ENOMEM. */
static int site_note(struct ahead *ahead, unsigned *room, const unsigned char *insn, uint64_t offset,
		     uint64_t free_from[2])
{
	unsigned kind = insn[4];

	if (offset < free_from[kind])
		return 0;
	free_from[kind] = offset + AHEAD_DISTANCE;
	if (ahead->sites == *room) {
		unsigned more = *room ? 2 * *room : 64;
		/* Not realloc: for large ones that is mremap, which the jail forbids. */
		struct ahead_site *site = malloc(more * sizeof *site);
		if (!site)
			return -ENOMEM;
		if (ahead->sites)
			memcpy(site, ahead->site, ahead->sites * sizeof *site);
		free(ahead->site);
		ahead->site = site;
		*room = more;
	}
	struct ahead_site *site = &ahead->site[ahead->sites++];
	site->offset = (uint32_t)offset;
	memcpy(&site->displacement, insn + 1, sizeof site->displacement);
	return 0;
}

/* Lists the sites of a text. -EAGAIN: not all of it is in memory. */
static int list_sites(int host_fd, const struct aot *text, struct ahead *ahead)
{
	static unsigned char chunk[CHUNK_BYTES + TAIL];
	uint64_t free_from[2] = {0, 0};
	unsigned room = 0;

	for (uint64_t done = 0; done < text->size; done += CHUNK_BYTES) {
		uint64_t want = MIN(text->size - done, (uint64_t)sizeof chunk);
		ssize_t n = read_cached(host_fd, chunk, want, text->offset + done);

		if (n < 0)
			return (int)n;
		if (n < (ssize_t)MIN(want, text->bytes - text->offset - done))
			return -EAGAIN;
		for (size_t at = 0; (at = patch_aot_find(chunk, (size_t)n, at)) < (size_t)n; at += SITE_BYTES)
			if (site_note(ahead, &room, chunk + at, done + at, free_from))
				return -ENOMEM;
	}
	return 0;
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

static int copy_make(int host_fd, struct aot *text)
{
	int error = 0, fd = host_memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	unsigned char *bytes = NULL;

	if (fd < 0)
		return fd;
	error = host_ftruncate(fd, (int64_t)text->size);
	if (!error)
		bytes = host_mmap(NULL, text->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0, &error);
	if (bytes) {
		if (!read_all(host_fd, bytes, text->size, text->offset))
			error = -EIO;
		for (unsigned i = 0; i < text->ahead.sites && !error; i++)
			bytes[text->ahead.site[i].offset] = INSN_JMP;
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

/* A call of this text has trapped: which others does it have? */
static void text_list(int host_fd, struct aot *text)
{
	struct ahead ahead = {0};
	int error = list_sites(host_fd, text, &ahead);

	if (error || ahead.sites < AOT_SITES_MIN) {
		free(ahead.site);
		if (error != -EAGAIN)
			text->state = AOT_PLAIN;
		return;
	}
	text->ahead = ahead;
	text->state = AOT_LISTED;
}

/* Makes the copy of a text that is mapped again and again. */
static void text_copy(int host_fd, struct aot *text)
{
	if (copied_bytes + text->size > AOT_COPY_BYTES || copy_make(host_fd, text))
		return;
	text->state = AOT_COPIED;
	copied_bytes += text->size;
}

/* What is known of the text that is about to be mapped; NULL: it is none. */
static struct aot *text_of(const struct mem_op *op)
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
	}
	return text;
}

/* ------------------------------------------------------------------------------------------------ in place */

static struct aot_text *texts_find(struct patches *patches, uint64_t start, uint64_t end)
{
	for (struct aot_text *t = patches->texts; t < patches->texts + AOT_TEXTS; t++)
		if (t->end && t->start < end && start < t->end)
			return t;
	return NULL;
}

static void text_put(const struct aot_text *t)
{
	if (t->file != HOSTFILE_NONE)
		hostfile_put(t->file);
}

void patch_aot_forget(struct aspace *as, uint64_t start, uint64_t end)
{
	struct aot_text *t;

	while ((t = texts_find(&as->patches, start, end))) {
		text_put(t);
		*t = (struct aot_text){0};
	}
}

void patch_aot_copy(struct aspace *to, const struct aspace *from)
{
	memcpy(to->patches.texts, from->patches.texts, sizeof to->patches.texts);
	for (int i = 0; i < AOT_TEXTS; i++)
		if (to->patches.texts[i].end && to->patches.texts[i].file != HOSTFILE_NONE)
			hostfile_get(to->patches.texts[i].file);
}

static void texts_add(struct aspace *as, const struct mem_op *op, unsigned text, uint32_t file)
{
	for (struct aot_text *t = as->patches.texts; t < as->patches.texts + AOT_TEXTS; t++)
		if (!t->end) {
			*t = (struct aot_text){op->addr, op->addr + op->size, text, file};
			if (file != HOSTFILE_NONE)
				hostfile_get(file);
			return;
		}
}

/* The bytes before a site that make it one for certain. */
static bool is_after_mov(const unsigned char mov[MOV_BYTES])
{
	return mov[0] == 0xb8 && mov[2] <= 1 && !mov[3] && !mov[4];
}

void patch_aot_learn(struct aspace *as, uint64_t site)
{
	const struct aot_text *t = texts_find(&as->patches, site, site + 1);
	unsigned char mov[MOV_BYTES];

	if (!t || site - t->start < MOV_BYTES || aspace_read(as, NULL, mov, UADDR(site - MOV_BYTES), MOV_BYTES) ||
	    !is_after_mov(mov))
		return;
	struct aot *text = &texts[t->text];
	uint32_t offset = (uint32_t)(site - t->start);
	for (unsigned i = 0; i < text->learned_count; i++)
		if (text->learned[i] == offset)
			return;
	for (unsigned i = 0; i < text->ahead.sites; i++)
		if (text->ahead.site[i].offset == offset)
			return;
	if (text->learned_count < LEARNED)
		text->learned[text->learned_count++] = offset;
}

/* Patches what other processes have learned. PARKS. */
static void patch_learned(struct aspace *as, uint64_t start, const struct aot *text)
{
	for (unsigned i = 0; i < text->learned_count; i++) {
		const struct aot_text *t = texts_find(&as->patches, start, start + 1);

		if (!t || t->start != start || &texts[t->text] != text)
			break; /* others ran */
		as->agent_hot = i + 1 < text->learned_count;
		patch_one(as, start + text->learned[i]);
	}
	as->agent_hot = false;
}

/* The pages with sites, patched, over what is mapped there. */
static void write_pages(struct aspace *as, uint64_t addr, int host_fd, const struct aot *text)
{
	static unsigned char page[PAGE_SIZE];
	const struct ahead *ahead = &text->ahead;

	for (unsigned first = 0, after; first < ahead->sites; first = after) {
		uint64_t at = page_down(ahead->site[first].offset);
		bool good = true;

		memset(page, 0, sizeof page);
		good = read_all(host_fd, page, PAGE_SIZE, text->offset + at);
		for (after = first; after < ahead->sites && ahead->site[after].offset < at + PAGE_SIZE; after++) {
			unsigned char *insn = page + (ahead->site[after].offset - at);
			good = good && *insn == INSN_SYSCALL_0;
			*insn = INSN_JMP;
		}
		if (!good || host_pwrite(as->mem_fd, page, PAGE_SIZE, (int64_t)(addr + at)) != PAGE_SIZE)
			for (unsigned i = first; i < after; i++)
				patch_ahead_undo(as, addr + ahead->site[i].offset);
	}
}

void patch_aot_trapped(struct uthread *thread, uint64_t site)
{
	struct aspace *as = thread->as;
	struct aot_text *t = texts_find(&as->patches, site, site + 1);

	if (!t || t->file == HOSTFILE_NONE)
		return;
	struct aot *text = &texts[t->text];
	uint32_t file = t->file;
	uint64_t start = t->start;
	t->file = HOSTFILE_NONE; /* once is enough, whatever comes of it; its reference is ours now */
	if (text->state == AOT_SEEN)
		text_list(hostfile_fd(file), text);
	if (text->state >= AOT_LISTED && patch_ahead(as, thread, start, &text->ahead)) {
		t = texts_find(&as->patches, site, site + 1); /* others ran */
		if (t && t->start == start && &texts[t->text] == text)
			write_pages(as, start, hostfile_fd(file), text);
		else
			patch_ahead_undo_all(as, start, &text->ahead);
	}
	hostfile_put(file);
}

/* ------------------------------------------------------------------------------------------------ when it is mapped */

static bool is_text(const struct aspace *as, const struct mem_op *op)
{
	return op->kind == MEM_MAP && op->file != MEM_NO_FILE && !(op->flags & MEM_SHARED) &&
	       (op->prot & (MEM_WRITE | MEM_EXEC)) == MEM_EXEC && op->size <= AOT_TEXT_BYTES &&
	       !systrap.config.no_patch && as->mem_fd >= 0 && !as->broken;
}

int patch_aot_before(struct aspace *as, struct uthread *caller, struct mem_op *op)
{
	struct aot *text = is_text(as, op) ? text_of(op) : NULL;

	if (!text || text->state == AOT_PLAIN)
		return -1;
	if (text->state == AOT_LISTED && ++text->mapped > COPY_AFTER)
		text_copy(hostfile_fd(op->file), text);
	if (text->state == AOT_COPIED && patch_ahead(as, caller, op->addr, &text->ahead)) {
		op->file = text->file;
		op->offset = 0;
	}
	return (int)(text - texts);
}

void patch_aot_after(struct aspace *as, struct uthread *caller, const struct mem_op *op, const struct mem_op *made,
		     int index)
{
	struct aot *text = &texts[index];
	bool in_place = text->state == AOT_LISTED;

	if (text->state == AOT_PLAIN)
		return;
	texts_add(as, op, (unsigned)index, text->state == AOT_SEEN ? op->file : HOSTFILE_NONE);
	if (text->state == AOT_SEEN || (text->state == AOT_COPIED && made->file == op->file))
		return;
	if (!in_place && !text->learned_count)
		return;
	if (caller && aspace_settle(as, caller))
		return;
	if (in_place && patch_ahead(as, caller, op->addr, &text->ahead)) {
		if (ranges_cover(&as->patches.patchable, op->addr, op->addr + op->size))
			write_pages(as, op->addr, hostfile_fd(op->file), text);
		else
			patch_ahead_undo_all(as, op->addr, &text->ahead);
	}
	patch_learned(as, op->addr, text);
}
