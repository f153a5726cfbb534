/* fdtable.c - descriptor tables.
 *
 * An array of files that doubles as numbers grow, and beside it the close-on-exec bits. Nobody holds pointers into the
 * array over a PARKS point: file_put may run release operations, which never park, and flush operations may.
 *
 * Limits: FD_LIMIT descriptors; the caller's RLIMIT_NOFILE below that.
 */
#include "fs/fdtable.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <string.h>

#define FIRST_SIZE 64u

static struct slab fdtable_slab = SLAB(fdtable);

static size_t bits_bytes(uint32_t size)
{
	return size / 8;
}

struct fdtable *fdtable_new(void)
{
	struct fdtable *table = slab_new(&fdtable_slab);

	if (!table)
		return NULL;
	ref_init(&table->ref);
	table->size = FIRST_SIZE;
	table->files = arena_alloc(FIRST_SIZE * sizeof *table->files);
	table->cloexec = arena_alloc(bits_bytes(FIRST_SIZE));
	if (table->files && table->cloexec)
		return table;
	arena_free(table->files, FIRST_SIZE * sizeof *table->files);
	arena_free(table->cloexec, bits_bytes(FIRST_SIZE));
	slab_free(&fdtable_slab, table);
	return NULL;
}

/* Makes room for descriptor fd, which is below FD_LIMIT. */
static int grow(struct fdtable *table, uint32_t fd)
{
	uint32_t size = table->size;

	assert(fd < FD_LIMIT);
	while (size <= fd)
		size *= 2;
	if (size == table->size)
		return 0;
	struct file **files = arena_alloc(size * sizeof *files);
	uint64_t *cloexec = arena_alloc(bits_bytes(size));
	if (!files || !cloexec) {
		arena_free(files, size * sizeof *files);
		arena_free(cloexec, bits_bytes(size));
		return -ENOMEM;
	}
	memcpy(files, table->files, table->size * sizeof *files);
	memcpy(cloexec, table->cloexec, bits_bytes(table->size));
	arena_free(table->files, table->size * sizeof *files);
	arena_free(table->cloexec, bits_bytes(table->size));
	table->files = files;
	table->cloexec = cloexec;
	table->size = size;
	return 0;
}

static bool bit_get(const struct fdtable *table, uint32_t fd)
{
	return table->cloexec[fd / 64] >> fd % 64 & 1;
}

static void bit_set(struct fdtable *table, uint32_t fd, bool on)
{
	uint64_t bit = 1ull << fd % 64;

	table->cloexec[fd / 64] = on ? table->cloexec[fd / 64] | bit : table->cloexec[fd / 64] & ~bit;
}

struct fdtable *fdtable_copy(const struct fdtable *table)
{
	struct fdtable *copy = fdtable_new();
	int last = -1;

	if (!copy)
		return NULL;
	for (uint32_t fd = 0; fd < table->size; fd++)
		if (table->files[fd])
			last = (int)fd;
	if (last >= 0 && grow(copy, (uint32_t)last)) {
		fdtable_put(copy);
		return NULL;
	}
	for (int fd = 0; fd <= last; fd++) {
		if (!table->files[fd])
			continue;
		file_get(table->files[fd]);
		copy->files[fd] = table->files[fd];
		bit_set(copy, (uint32_t)fd, bit_get(table, (uint32_t)fd));
	}
	copy->lowest_free = table->lowest_free;
	return copy;
}

void fdtable_get(struct fdtable *table)
{
	ref_get(&table->ref);
}

/* Empties a slot as close(2) does. Gives the table's reference. */
static struct file *slot_take(struct fdtable *table, uint32_t fd)
{
	struct file *file = table->files[fd];

	table->files[fd] = NULL;
	bit_set(table, fd, false);
	table->lowest_free = MIN(table->lowest_free, fd);
	file_flush(file, table);
	return file;
}

void fdtable_put(struct fdtable *table)
{
	if (!ref_put(&table->ref))
		return;
	for (uint32_t fd = 0; fd < table->size; fd++)
		if (table->files[fd])
			file_put(slot_take(table, fd));
	arena_free(table->files, table->size * sizeof *table->files);
	arena_free(table->cloexec, bits_bytes(table->size));
	slab_free(&fdtable_slab, table);
}

static bool is_open(const struct fdtable *table, int fd)
{
	return fd >= 0 && (uint32_t)fd < table->size && table->files[fd];
}

int fd_get(struct fdtable *table, int fd, struct file **out)
{
	if (!is_open(table, fd))
		return -EBADF;
	file_get(table->files[fd]);
	*out = table->files[fd];
	return 0;
}

int fd_install(struct fdtable *table, struct file *file, bool cloexec, int from, uint64_t limit)
{
	uint32_t fd = (uint32_t)from;

	limit = MIN(limit, (uint64_t)FD_LIMIT);
	if (from < 0 || (uint64_t)from >= limit)
		return from ? -EINVAL : -EMFILE;
	bool from_lowest = fd <= table->lowest_free;
	for (fd = MAX(fd, table->lowest_free); fd < table->size && table->files[fd]; fd++)
		;
	if (fd >= limit)
		return -EMFILE;
	int error = grow(table, fd);
	if (error)
		return error;
	table->files[fd] = file;
	bit_set(table, fd, cloexec);
	if (from_lowest)
		table->lowest_free = fd + 1;
	return (int)fd;
}

int fd_room(const struct fdtable *table, uint64_t limit)
{
	uint32_t fd = table->lowest_free;

	while (fd < table->size && table->files[fd])
		fd++;
	return fd < MIN(limit, (uint64_t)FD_LIMIT) ? 0 : -EMFILE;
}

int fd_install_at(struct fdtable *table, int fd, struct file *file, bool cloexec, uint64_t limit)
{
	limit = MIN(limit, (uint64_t)FD_LIMIT);
	if (fd < 0 || (uint64_t)fd >= limit)
		return -EBADF;
	int error = grow(table, (uint32_t)fd);
	if (error)
		return error;
	struct file *before = table->files[fd];
	table->files[fd] = file;
	bit_set(table, (uint32_t)fd, cloexec);
	if (before) {
		file_flush(before, table);
		file_close(before);
	}
	return fd;
}

int fd_close(struct fdtable *table, int fd)
{
	if (!is_open(table, fd))
		return -EBADF;
	file_close(slot_take(table, (uint32_t)fd));
	return 0;
}

void fdtable_close_on_exec(struct fdtable *table)
{
	for (uint32_t fd = 0; fd < table->size; fd++)
		if (table->files[fd] && bit_get(table, fd))
			file_put(slot_take(table, fd));
}

int fd_cloexec_get(struct fdtable *table, int fd)
{
	return is_open(table, fd) ? bit_get(table, (uint32_t)fd) : -EBADF;
}

int fd_cloexec_set(struct fdtable *table, int fd, bool on)
{
	if (!is_open(table, fd))
		return -EBADF;
	bit_set(table, (uint32_t)fd, on);
	return 0;
}

int fd_next(const struct fdtable *table, int from)
{
	for (uint32_t fd = from < 0 ? 0 : (uint32_t)from; fd < table->size; fd++)
		if (table->files[fd])
			return (int)fd;
	return -1;
}
