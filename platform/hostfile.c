/* hostfile.c - the table of host files (hostfile.h).
 *
 * Theory. An index names a descriptor of the sentry's with a count of references. A file that guests map gets in
 * addition a number in the descriptor table that the stubs share, handed out upwards: because a signed mmap names that
 * number and can be replayed for as long as its key lives, a number is given to another file only when the descriptors
 * have run out, and then only one that was given up before the oldest living key was made.
 *
 * Limits: HOSTFILE_LIMIT files; numbers up to the host's limit of descriptors for a process.
 */
#include "platform/hostfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "platform/host.h"
#include "platform/systrap/systrap.h"
#include "sentry/base/limits.h"

#define FIRST_NUMBER 32 /* well above the platform's own */

struct hostfile {
	int fd;
	int stub_fd;      /* 0: none */
	int stub_fd_read; /* the same file, open for reading only; 0: none */
	uint32_t refs;
	uint32_t next_free;
};

/* A number given up, and how many keys had been made by then. */
struct given_up {
	int number;
	uint64_t keys;
};

static struct hostfile files[HOSTFILE_LIMIT];
static uint32_t used, first_free = HOSTFILE_NONE;
static int next_number = FIRST_NUMBER;
static struct given_up *queue;
static uint32_t queue_start, queue_count, queue_room;

int hostfile_add(int host_fd, uint32_t *out)
{
	uint32_t file = first_free;

	if (file != HOSTFILE_NONE)
		first_free = files[file].next_free;
	else if (used < HOSTFILE_LIMIT)
		file = used++;
	else
		return -EMFILE;
	files[file] = (struct hostfile){.fd = host_fd, .refs = 1};
	*out = file;
	return 0;
}

void hostfile_get(uint32_t file)
{
	assert(file < used && files[file].refs);
	files[file].refs++;
}

/* Oldest first; without memory for the note the number is never used again. */
static void number_give_up(int number)
{
	(void)!factory_install(-1, number);
	if (queue_count == queue_room) {
		uint32_t room = queue_room ? 2 * queue_room : 64;
		struct given_up *grown = malloc(room * sizeof *grown);
		if (!grown)
			return;
		for (uint32_t i = 0; i < queue_count; i++)
			grown[i] = queue[(queue_start + i) % queue_room];
		free(queue);
		queue = grown;
		queue_start = 0;
		queue_room = room;
	}
	queue[(queue_start + queue_count++) % queue_room] = (struct given_up){number, systrap.keys};
}

void hostfile_put(uint32_t file)
{
	struct hostfile *entry = &files[file];

	assert(file < used && entry->refs);
	if (--entry->refs)
		return;
	if (entry->stub_fd)
		number_give_up(entry->stub_fd);
	if (entry->stub_fd_read && entry->stub_fd_read != entry->stub_fd)
		number_give_up(entry->stub_fd_read);
	host_close(entry->fd);
	*entry = (struct hostfile){.fd = -1, .next_free = first_free};
	first_free = file;
}

int hostfile_fd(uint32_t file)
{
	assert(file < used && files[file].refs);
	return files[file].fd;
}

int hostfile_memory(const char *name, uint64_t size, uint32_t *out)
{
	int fd = host_memory_file(name), error;

	if (fd < 0)
		return fd;
	error = host_ftruncate(fd, (int64_t)size);
	if (!error)
		error = hostfile_add(fd, out);
	if (error)
		host_close(fd);
	return error;
}

static int number_limit(void)
{
	static int limit;
	struct rlimit files_limit;

	if (!limit) {
		/* The C library's getrlimit is prlimit64, which the jail refuses: hostfile_start has asked before. */
		limit = getrlimit(RLIMIT_NOFILE, &files_limit) ? 1024
							       : (int)MIN(files_limit.rlim_max, (rlim_t)SIGN_FD_LIMIT);
	}
	return limit;
}

void hostfile_start(void)
{
	(void)number_limit();
}

static int number_new(void)
{
	if (next_number < number_limit())
		return next_number++;
	if (!queue_count || queue[queue_start].keys >= aspace_oldest_key())
		return -ENFILE;
	int number = queue[queue_start].number;
	queue_start = (queue_start + 1) % queue_room;
	queue_count--;
	return number;
}

static int number_for(int host_fd)
{
	int number = number_new();
	int error = number < 0 ? number : factory_install(host_fd, number);

	return error ? error : number;
}

/* A mapping shared through a description that is open for reading only can never become writable, whatever call is
 * replayed on it: the kernel asks the description. */
static int read_number(const struct hostfile *entry)
{
	int fd = host_reopen(entry->fd, O_RDONLY), number;

	if (fd < 0)
		return fd;
	number = number_for(fd);
	host_close(fd);
	return number;
}

/* The number for all kinds of mapping. */
static int full_number(struct hostfile *entry)
{
	if (!entry->stub_fd) {
		int number = number_for(entry->fd);
		if (number < 0)
			return number;
		entry->stub_fd = number;
	}
	return entry->stub_fd;
}

int hostfile_stub_fd(uint32_t file, bool read_only)
{
	struct hostfile *entry = &files[file];

	assert(file < used && entry->refs);
	if (!read_only || (host_fcntl(entry->fd, F_GETFL, 0) & O_ACCMODE) == O_RDONLY)
		return full_number(entry);
	if (!entry->stub_fd_read) {
		int number = read_number(entry);
		if (number < 0)
			return number;
		entry->stub_fd_read = number;
	}
	return entry->stub_fd_read;
}
