/* filedata.c - the bytes of a file that lives in memory.
 *
 * In the arena: chunks of FILEDATA_CHUNK bytes in a tree of nodes with FANOUT places, as high as the last chunk needs.
 * A file that never grew beyond its first chunk is one block of a power of two bytes, because most files are small.
 * Bytes of a present chunk behind the end of the file are always zero.
 *
 * Promoted: the chunks are copied into a memory file of whole pages. Only the sentry ever changes the size of that one,
 * and it never does so while it copies, so its own window onto the file cannot fault. Files too large for a window use
 * pread and pwrite.
 *
 * Limits: a window is at most WINDOW_LIMIT bytes; the tree has at most HEIGHT_LIMIT levels.
 */
#include "fs/filedata.h"
#include "fs/bounce.h"
#include "fs/hooks.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>

#define FANOUT_BITS  6
#define FANOUT       (1u << FANOUT_BITS)
#define HEIGHT_LIMIT 8 /* 8 * 6 bits >= 47 bits of chunk numbers */
#define SMALL_FIRST  64u
#define WINDOW_LIMIT (1ul << 30)

struct node {
	void *slot[FANOUT];
};
static struct slab node_slab = {.name = "filedata_node", .object_bytes = sizeof(struct node)};

void filedata_init(struct filedata *data)
{
	*data = (struct filedata){.host_file = HOSTFILE_NONE};
	waitq_init(&data->idle);
}

/* PARKS until nobody copies; from then to the next PARKS point the caller may move and free what is there. */
static void wait_idle(struct filedata *data)
{
	if (data->users)
		(void)!WAIT_EVENT_DEAF(&data->idle, !data->users);
	assert(!data->users);
}

static ssize_t copy(struct filedata *data, struct uio *uio, uint8_t *place, size_t n, bool write)
{
	data->users++;
	ssize_t moved = write ? uio_take(uio, place, n) : place ? uio_put(uio, place, n) : uio_put_zeros(uio, n);
	if (!--data->users)
		waitq_wake(&data->idle, 0);
	return moved;
}

static bool promoted(const struct filedata *data)
{
	return data->host_file != HOSTFILE_NONE;
}

/* What --disk gives to all file systems in memory together. */
static struct filedata_budget disk;

void disk_limit_set(uint64_t bytes)
{
	disk = (struct filedata_budget){.limit_bytes = bytes};
}

static bool has_room(const struct filedata_budget *budget, uint64_t bytes)
{
	return !budget->limit_bytes || budget->used_bytes + bytes <= budget->limit_bytes;
}

int budget_charge(struct filedata_budget *budget, uint64_t bytes, bool in_arena)
{
	if (!has_room(budget, bytes) || (budget->on_disk && !has_room(&disk, bytes)))
		return -ENOSPC;
	if ((in_arena && arena_is_short(bytes)) || !hook_memory_has_room(bytes))
		return -ENOSPC;
	budget->used_bytes += bytes;
	disk.used_bytes += budget->on_disk ? bytes : 0;
	return 0;
}

void budget_space(const struct filedata_budget *budget, uint64_t *size_bytes, uint64_t *free_bytes)
{
	*size_bytes = budget->limit_bytes;
	*free_bytes = budget->limit_bytes - MIN(budget->used_bytes, budget->limit_bytes);
	if (budget->on_disk && disk.limit_bytes) {
		*size_bytes = MIN(*size_bytes, disk.limit_bytes);
		*free_bytes = MIN(*free_bytes, disk.limit_bytes - disk.used_bytes);
	}
}

void budget_uncharge(struct filedata_budget *budget, uint64_t bytes)
{
	assert(budget->used_bytes >= bytes);
	budget->used_bytes -= bytes;
	if (budget->on_disk) {
		assert(disk.used_bytes >= bytes);
		disk.used_bytes -= bytes;
	}
}

static int charge(struct filedata *data, struct filedata_budget *budget, uint64_t bytes)
{
	int error = budget_charge(budget, bytes, !promoted(data));

	if (!error)
		data->used_bytes += bytes;
	return error;
}

static void uncharge(struct filedata *data, struct filedata_budget *budget, uint64_t bytes)
{
	assert(data->used_bytes >= bytes);
	budget_uncharge(budget, bytes);
	data->used_bytes -= bytes;
}

/* Chunks that a tree of this height can name. */
static uint64_t reach(uint32_t height)
{
	return 1ull << (height * FANOUT_BITS);
}

/* The chunk's address and how many of its bytes are there; NULL: a hole. */
static uint8_t *chunk_find(const struct filedata *data, uint64_t chunk, size_t *bytes)
{
	void *place = data->root;

	if (chunk >= reach(data->height))
		return NULL;
	for (uint32_t level = data->height; level && place; level--)
		place = ((struct node *)place)->slot[chunk >> ((level - 1) * FANOUT_BITS) & (FANOUT - 1)];
	*bytes = data->height ? FILEDATA_CHUNK : data->small_bytes;
	return place;
}

/* The first chunk is alone and short: make it hold bytes. */
static int small_grow(struct filedata *data, size_t bytes, struct filedata_budget *budget)
{
	uint32_t size = data->small_bytes ? data->small_bytes : SMALL_FIRST;

	while (size < bytes)
		size *= 2;
	assert(size <= FILEDATA_CHUNK && !data->height);
	if (size == data->small_bytes)
		return 0;
	int error = charge(data, budget, size - data->small_bytes);
	if (error)
		return error;
	void *grown = arena_realloc(data->root, data->small_bytes, size);
	if (!grown) {
		uncharge(data, budget, size - data->small_bytes);
		return -ENOSPC;
	}
	data->root = grown;
	data->small_bytes = size;
	return 0;
}

static int tree_raise(struct filedata *data, uint64_t chunk, struct filedata_budget *budget)
{
	while (chunk >= reach(data->height)) {
		assert(data->height < HEIGHT_LIMIT);
		if (!data->height && data->root) {
			int error = small_grow(data, FILEDATA_CHUNK, budget);
			if (error)
				return error;
		}
		struct node *node = slab_new(&node_slab);
		if (!node)
			return -ENOSPC;
		node->slot[0] = data->root;
		data->root = node;
		data->height++;
	}
	return 0;
}

/* The chunk, made if need be, with at least bytes bytes present. */
static int chunk_make(struct filedata *data, uint64_t chunk, size_t bytes, struct filedata_budget *budget,
		      uint8_t **out)
{
	if (!chunk && !data->height) {
		int error = small_grow(data, bytes, budget);
		*out = data->root;
		return error;
	}
	int error = tree_raise(data, chunk, budget);
	if (error)
		return error;
	void **place = &data->root;
	for (uint32_t level = data->height; level; level--) {
		if (!*place && !(*place = slab_new(&node_slab)))
			return -ENOSPC;
		place = &((struct node *)*place)->slot[chunk >> ((level - 1) * FANOUT_BITS) & (FANOUT - 1)];
	}
	if (!*place) {
		error = charge(data, budget, FILEDATA_CHUNK);
		if (error)
			return error;
		*place = arena_alloc(FILEDATA_CHUNK);
		if (!*place) {
			uncharge(data, budget, FILEDATA_CHUNK);
			return -ENOSPC;
		}
	}
	*out = *place;
	return 0;
}

/* The first present chunk >= chunk; UINT64_MAX: none. */
static uint64_t chunk_next(const struct filedata *data, uint64_t chunk)
{
	while (chunk < reach(data->height)) {
		void *place = data->root;
		uint32_t level = data->height;
		for (; level && place; level--)
			place = ((struct node *)place)->slot[chunk >> ((level - 1) * FANOUT_BITS) & (FANOUT - 1)];
		if (place)
			return chunk;
		/* A missing subtree of this height: go on behind it. */
		chunk = (chunk | (reach(level) - 1)) + 1;
	}
	return UINT64_MAX;
}

/* Gives back every chunk from first to last; nodes stay until the file is freed. */
static void chunks_free(struct filedata *data, uint64_t first, uint64_t last, struct filedata_budget *budget)
{
	for (uint64_t chunk = first; (chunk = chunk_next(data, chunk)) <= last; chunk++) {
		void **place = &data->root;
		size_t bytes = data->height ? FILEDATA_CHUNK : data->small_bytes;
		for (uint32_t level = data->height; level; level--)
			place = &((struct node *)*place)->slot[chunk >> ((level - 1) * FANOUT_BITS) & (FANOUT - 1)];
		arena_free(*place, bytes);
		uncharge(data, budget, bytes);
		*place = NULL;
		if (!data->height)
			data->small_bytes = 0;
	}
}

/* Gives back the nodes of a tree without chunks: leftmost path down, again and again; the height bounds the depth. */
static void nodes_free(struct filedata *data)
{
	struct node *path[HEIGHT_LIMIT];
	unsigned at[HEIGHT_LIMIT], depth = 0;

	if (!data->height || !data->root)
		return;
	path[0] = data->root;
	at[0] = 0;
	for (;;) {
		if (at[depth] < FANOUT && depth + 1 < data->height) {
			void *child = path[depth]->slot[at[depth]++];
			if (child) {
				path[++depth] = child;
				at[depth] = 0;
			}
			continue;
		}
		slab_free(&node_slab, path[depth]);
		if (!depth--)
			break;
	}
	data->root = NULL;
	data->height = 0;
}

static void tree_free(struct filedata *data, struct filedata_budget *budget)
{
	chunks_free(data, 0, UINT64_MAX - 1, budget);
	nodes_free(data);
	data->small_bytes = 0;
	data->root = NULL;
	data->height = 0;
}

static void window_close(struct filedata *data)
{
	if (data->window)
		host_munmap(data->window, data->window_bytes);
	data->window = NULL;
	data->window_bytes = 0;
}

void filedata_free(struct filedata *data, struct filedata_budget *budget)
{
	if (promoted(data)) {
		window_close(data);
		hostfile_put(data->host_file);
		uncharge(data, budget, data->used_bytes);
	} else {
		tree_free(data, budget);
	}
	assert(!data->used_bytes);
	filedata_init(data);
}

/* ------------------------------------------------------------------------------------------------ promoted files */

static void window_open(struct filedata *data)
{
	if (data->window && data->window_bytes == data->host_size)
		return;
	window_close(data);
	if (!data->host_size || data->host_size > WINDOW_LIMIT)
		return;
	data->window = host_mmap(NULL, data->host_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 hostfile_fd(data->host_file), 0, NULL);
	data->window_bytes = data->window ? data->host_size : 0;
}

static int host_resize(struct filedata *data, uint64_t size)
{
	uint64_t whole = page_up(size);

	if (whole < size || whole > INT64_MAX)
		return -EFBIG;
	if (whole == data->host_size)
		return 0;
	window_close(data); /* never larger than the file: a touch behind its end would be a SIGBUS */
	int error = host_ftruncate(hostfile_fd(data->host_file), (int64_t)whole);
	if (!error)
		data->host_size = whole;
	window_open(data);
	return error;
}

static ssize_t host_move(struct filedata *data, struct uio *uio, uint64_t pos, size_t n, bool write)
{
	size_t done = 0;

	if (data->window) {
		assert(pos + n <= data->window_bytes);
		return copy(data, uio, data->window + pos, n, write);
	}
	char *bounce = bounce_get();
	if (!bounce)
		return -ENOMEM;
	while (done < n) {
		size_t step = MIN(n - done, BOUNCE_BYTES);
		int fd = hostfile_fd(data->host_file);
		ssize_t got;
		if (write) {
			got = uio_take(uio, bounce, step);
			if (got > 0)
				got = host_pwrite(fd, bounce, (size_t)got, (int64_t)(pos + done));
		} else {
			got = host_pread(fd, bounce, step, (int64_t)(pos + done));
			if (got > 0)
				got = uio_put(uio, bounce, (size_t)got);
		}
		if (got <= 0) {
			bounce_put(bounce);
			return done ? (ssize_t)done : got;
		}
		done += (size_t)got;
		if ((size_t)got < step)
			break;
	}
	bounce_put(bounce);
	return (ssize_t)done;
}

int filedata_promote(struct filedata *data, uint64_t size, uint64_t need)
{
	wait_idle(data);
	if (promoted(data))
		return MAX(size, need) > data->host_size ? host_resize(data, MAX(size, need)) : 0;
	uint64_t whole = page_up(MAX(size, need));
	uint32_t file;
	int error = hostfile_memory("file", whole, &file);
	if (error)
		return error;
	for (uint64_t chunk = 0; (chunk = chunk_next(data, chunk)) != UINT64_MAX; chunk++) {
		size_t bytes = 0;
		uint64_t pos = chunk * FILEDATA_CHUNK;
		const uint8_t *from = chunk_find(data, chunk, &bytes);
		if (pos >= size)
			break;
		bytes = MIN(bytes, size - pos);
		ssize_t put = host_pwrite(hostfile_fd(file), from, bytes, (int64_t)pos);
		if (put != (ssize_t)bytes) {
			hostfile_put(file);
			return put < 0 ? (int)put : -ENOMEM;
		}
	}
	/* What was charged stays charged: it is still memory. */
	uint64_t charged = data->used_bytes;
	struct filedata_budget none = {.used_bytes = charged};
	tree_free(data, &none);
	data->used_bytes = charged;
	data->host_file = file;
	data->host_size = whole;
	window_open(data);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ read and write */

static ssize_t read_promoted(struct filedata *data, struct uio *to, uint64_t pos, size_t n)
{
	if (pos >= data->host_size) /* shrunk since the owner looked */
		return 0;
	return host_move(data, to, pos, MIN(n, data->host_size - pos), false);
}

ssize_t filedata_read(struct filedata *data, struct uio *to, uint64_t pos, uint64_t size)
{
	size_t done = 0;

	if (pos >= size)
		return 0;
	size_t n = MIN(to->left, size - pos);
	while (done < n) {
		if (promoted(data)) { /* perhaps while we were parked */
			ssize_t rest = read_promoted(data, to, pos + done, n - done);
			return rest < 0 && done ? (ssize_t)done : rest + (ssize_t)done;
		}
		uint64_t at = pos + done;
		size_t offset = at % FILEDATA_CHUNK, bytes = 0;
		size_t step = MIN(n - done, FILEDATA_CHUNK - offset);
		uint8_t *chunk = chunk_find(data, at / FILEDATA_CHUNK, &bytes);
		bool there = chunk && offset < bytes;
		if (there)
			step = MIN(step, bytes - offset);
		ssize_t moved = copy(data, to, there ? chunk + offset : NULL, step, false);
		if (moved < 0)
			return done ? (ssize_t)done : moved;
		done += (size_t)moved;
		if ((size_t)moved < step)
			break;
	}
	return (ssize_t)done;
}

static ssize_t write_promoted(struct filedata *data, struct uio *from, uint64_t pos, struct filedata_budget *budget)
{
	uint64_t end = pos + from->left;

	if (end > data->host_size)
		wait_idle(data);
	if (end > data->host_size) {
		uint64_t more = MIN(end - data->host_size, (uint64_t)from->left); /* what is skipped is a hole */
		int error = charge(data, budget, more);
		if (error)
			return error;
		error = host_resize(data, end);
		if (error) {
			uncharge(data, budget, more);
			return error;
		}
	}
	return host_move(data, from, pos, from->left, true);
}

ssize_t filedata_write(struct filedata *data, struct uio *from, uint64_t pos, struct filedata_budget *budget)
{
	size_t n = from->left, done = 0;

	assert(pos + n >= pos && pos + n <= INT64_MAX);
	while (done < n) {
		if (!data->height)
			wait_idle(data); /* growing the only chunk moves it */
		if (promoted(data)) {
			ssize_t rest = write_promoted(data, from, pos + done, budget);
			return rest < 0 && done ? (ssize_t)done : rest + (ssize_t)done;
		}
		uint64_t at = pos + done;
		size_t offset = at % FILEDATA_CHUNK;
		size_t step = MIN(n - done, FILEDATA_CHUNK - offset);
		uint8_t *chunk;
		ssize_t moved = chunk_make(data, at / FILEDATA_CHUNK, offset + step, budget, &chunk);
		if (!moved)
			moved = copy(data, from, chunk + offset, step, true);
		if (moved < 0)
			return done ? (ssize_t)done : moved;
		done += (size_t)moved;
		if ((size_t)moved < step)
			break;
	}
	return (ssize_t)done;
}

/* Zeroes [start, end) inside one chunk, if it is there. */
static void zero_in_chunk(struct filedata *data, uint64_t start, uint64_t end)
{
	size_t bytes = 0, from = start % FILEDATA_CHUNK;
	uint8_t *chunk = chunk_find(data, start / FILEDATA_CHUNK, &bytes);

	assert(start <= end && end - start <= FILEDATA_CHUNK);
	if (chunk && from < bytes)
		memset(chunk + from, 0, MIN(bytes - from, end - start));
}

int filedata_punch(struct filedata *data, uint64_t start, uint64_t end, struct filedata_budget *budget)
{
	if (start >= end)
		return 0;
	wait_idle(data);
	if (promoted(data)) {
		end = MIN(end, data->host_size);
		if (start >= end)
			return 0;
		return host_fallocate(hostfile_fd(data->host_file), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      (int64_t)start, (int64_t)(end - start));
	}
	uint64_t first = (start + FILEDATA_CHUNK - 1) / FILEDATA_CHUNK, last = end / FILEDATA_CHUNK;
	if (first > last) { /* both in one chunk */
		zero_in_chunk(data, start, end);
		return 0;
	}
	if (start % FILEDATA_CHUNK)
		zero_in_chunk(data, start, first * FILEDATA_CHUNK);
	if (end % FILEDATA_CHUNK)
		zero_in_chunk(data, last * FILEDATA_CHUNK, end);
	if (last > first)
		chunks_free(data, first, last - 1, budget);
	return 0;
}

/* Reads as zero from start to the end of its page, whatever mappings have left there. */
static int zero_page_end(struct filedata *data, uint64_t start)
{
	uint64_t end = MIN(page_up(start), data->host_size);

	if (start >= end)
		return 0;
	if (data->window) {
		memset(data->window + start, 0, end - start);
		return 0;
	}
	return host_fallocate(hostfile_fd(data->host_file), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (int64_t)start,
			      (int64_t)(end - start));
}

/* Cuts the host's file at size itself, which clears the rest of its page too, then makes it whole pages again. Without
 * the second step it is merely a little short. */
static int shrink_promoted(struct filedata *data, uint64_t size)
{
	uint64_t whole = page_up(size);
	int fd = hostfile_fd(data->host_file), error;

	if (size >= data->host_size)
		return 0;
	window_close(data);
	error = host_ftruncate(fd, (int64_t)size);
	if (!error)
		data->host_size = size == whole || !host_ftruncate(fd, (int64_t)whole) ? whole : size;
	window_open(data);
	return error;
}

/* A change that fails must leave the bytes alone. */
static int resize_promoted(struct filedata *data, uint64_t old_size, uint64_t size, struct filedata_budget *budget)
{
	if (size < old_size) {
		int shrunk = shrink_promoted(data, size);
		if (!shrunk && data->used_bytes > data->host_size)
			uncharge(data, budget, data->used_bytes - data->host_size);
		return shrunk;
	}
	int error = zero_page_end(data, old_size);
	return error ? error : host_resize(data, size);
}

int filedata_resize(struct filedata *data, uint64_t old_size, uint64_t size, struct filedata_budget *budget)
{
	wait_idle(data);
	if (promoted(data))
		return resize_promoted(data, old_size, size, budget);
	if (size >= old_size)
		return 0;
	if (!size) {
		tree_free(data, budget);
		return 0;
	}
	return filedata_punch(data, size, old_size, budget);
}

uint64_t filedata_next(struct filedata *data, uint64_t pos, uint64_t size, bool hole)
{
	if (promoted(data)) {
		int64_t at = host_lseek(hostfile_fd(data->host_file), (int64_t)pos, hole ? SEEK_HOLE : SEEK_DATA);
		return at < 0 ? size : MIN((uint64_t)at, size);
	}
	uint64_t chunk = pos / FILEDATA_CHUNK, next = chunk_next(data, chunk);
	if (!hole) {
		if (next == UINT64_MAX)
			return size;
		return MIN(MAX(next * FILEDATA_CHUNK, pos), size);
	}
	while (next == chunk && chunk * FILEDATA_CHUNK < size)
		next = chunk_next(data, ++chunk);
	return MIN(MAX(chunk * FILEDATA_CHUNK, pos), size);
}
