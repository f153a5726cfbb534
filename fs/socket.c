/* socket.c - what all families of sockets share: the table of families, files that travel with messages, notes about
 * messages, read and write. The options are in socket_options.c.
 */
#include "fs/socket.h"
#include "fs/hooks.h"
#include "fs/unix_socket.h"
#include "platform/host.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/socket.h>

static struct {
	const struct socket_ops *ops;
	enum file_kind kind;
} families[ABI_AF_MAX];

static struct list graveyard = LIST_INIT(graveyard);
static bool burying;

void socket_init(void)
{
	unix_socket_init();
}

void socket_family_register(uint16_t family, enum file_kind kind, const struct socket_ops *ops)
{
	assert(family < ABI_AF_MAX && ops);
	families[family].ops = ops;
	families[family].kind = kind;
}

const struct socket_ops *socket_family(uint32_t family)
{
	return family < ABI_AF_MAX ? families[family].ops : NULL;
}

int socket_of(struct file *file, const struct socket_ops **ops, struct socket **socket)
{
	if (file->kind != FILE_SOCKET_UNIX && file->kind != FILE_SOCKET_INET && file->kind != FILE_SOCKET_NETLINK &&
	    file->kind != FILE_SOCKET_PACKET)
		return -ENOTSOCK;
	struct socket *found = file->data;
	assert(found && families[found->family].ops);
	if (ops)
		*ops = families[found->family].ops;
	if (socket)
		*socket = found;
	return 0;
}

unsigned socket_count(void)
{
	return file_count(FILE_SOCKET_UNIX) + file_count(FILE_SOCKET_INET) + file_count(FILE_SOCKET_NETLINK) +
	       file_count(FILE_SOCKET_PACKET);
}

void socket_setup(struct socket *socket, uint16_t family, uint32_t type, uint32_t protocol)
{
	socket->family = family;
	socket->type = type;
	socket->protocol = protocol;
	socket->send_bytes = socket->receive_bytes = SOCKET_BUFFER_DEFAULT;
	socket->receive_low = 1;
	socket->peek_offset = socket->incoming_cpu = -1;
	socket->pacing_rate = UINT32_MAX;
}

void socket_fini(struct socket *socket)
{
	socket_filter_put(socket->filter);
	socket->filter = NULL;
}

uint64_t socket_deadline(uint64_t timeout_ns)
{
	return timeout_ns ? clock_now_ns() + timeout_ns : DEADLINE_NONE;
}

int socket_wait_error(int error, uint64_t timeout_ns)
{
	if (error == -ETIMEDOUT)
		return -EAGAIN;
	return error == -ERESTARTSYS && timeout_ns ? -EINTR : error;
}

int socket_error_take(struct socket *socket)
{
	int error = socket->error;

	socket->error = 0;
	return -error;
}

/* ------------------------------------------------------------------------------------------------- files on their way
 */

static size_t files_bytes(const struct socket_files *files)
{
	return sizeof *files + files->room * sizeof files->files[0];
}

struct socket_files *socket_files_new(uint32_t room)
{
	struct socket_files *files = arena_alloc(sizeof *files + room * sizeof files->files[0]);

	assert(room <= ABI_SCM_MAX_FD);
	if (!files)
		return NULL;
	list_init(&files->node);
	files->room = room;
	return files;
}

struct socket_files *socket_files_copy(const struct socket_files *files)
{
	struct socket_files *copy = socket_files_new(files->count);

	if (!copy)
		return NULL;
	for (uint32_t i = 0; i < files->count; i++) {
		copy->files[i] = files->files[i];
		file_get(copy->files[i]);
	}
	copy->count = files->count;
	return copy;
}

void socket_files_free(struct socket_files *files)
{
	arena_free(files, files_bytes(files));
}

void socket_files_put(struct socket_files *files)
{
	if (!files)
		return;
	list_push_back(&graveyard, &files->node);
	if (burying)
		return;
	burying = true;
	while (!list_empty(&graveyard)) {
		files = list_first(&graveyard, struct socket_files, node);
		list_remove(&files->node);
		for (uint32_t i = 0; i < files->count; i++)
			file_put(files->files[i]);
		socket_files_free(files);
	}
	burying = false;
}

/* ------------------------------------------------------------------------------------------------- notes */

void socket_note_add(struct socket_message *message, int level, int type, const void *data, uint32_t size)
{
	assert(size <= SOCKET_NOTE_BYTES);
	if (message->note_count == SOCKET_NOTES)
		return;
	struct socket_note *note = &message->notes[message->note_count++];
	note->level = level;
	note->type = type;
	note->size = size;
	memcpy(note->data, data, size);
}

uint64_t socket_stamp_now(void)
{
	struct timespec now;

	if (host_clock_gettime(CLOCK_REALTIME, &now))
		return 0;
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void socket_stamps_add(const struct socket *socket, struct socket_message *message)
{
	bool wide = socket->stamps & SOCKET_STAMP_WIDE, all_wide = socket->stamps & SOCKET_STAMPS_WIDE;
	bool reported = message->out_flags & ABI_MSG_ERRQUEUE && message->stamp_ns;
	bool software = socket->timestamping & SOF_TIMESTAMPING_SOFTWARE &&
			(reported || socket->timestamping & SOF_TIMESTAMPING_RX_SOFTWARE);

	if (!(socket->stamps & SOCKET_STAMP_ON) && !software)
		return;
	uint64_t ns = message->stamp_ns ? message->stamp_ns : socket_stamp_now();
	int64_t times[3][2] = {{(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S)}};
	if (socket->stamps & SOCKET_STAMP_ON) {
		bool whole = socket->stamps & SOCKET_STAMP_NS;
		int64_t one[2] = {times[0][0], whole ? times[0][1] : times[0][1] / (int64_t)NS_PER_US};
		int type = whole  ? wide ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD
			   : wide ? SO_TIMESTAMP_NEW
				  : SO_TIMESTAMP_OLD;
		socket_note_add(message, ABI_SOL_SOCKET, type, one, sizeof one);
	}
	if (software)
		socket_note_add(message, ABI_SOL_SOCKET, all_wide ? SO_TIMESTAMPING_NEW : SO_TIMESTAMPING_OLD, times,
				sizeof times);
}

/* ------------------------------------------------------------------------------------------------- interfaces */

static long (*device_ioctl)(struct user user, uint32_t command, uint64_t argument);

void socket_device_ioctl_register(long (*answer)(struct user user, uint32_t command, uint64_t argument))
{
	device_ioctl = answer;
}

long socket_device_ioctl(struct user user, uint32_t command, uint64_t argument)
{
	return device_ioctl ? device_ioctl(user, command, argument) : -ENOTTY;
}

/* ------------------------------------------------------------------------------------------------- read and write */

ssize_t socket_read(struct file *file, struct uio *to, int64_t *pos)
{
	const struct socket_ops *ops;
	int error = socket_of(file, &ops, NULL);

	(void)pos;
	if (error)
		return error;
	if (!to->left) /* sock_read_iter in Linux: a match of the SUS */
		return 0;
	struct socket_message message = {.data = to, .nonblock = file->flags & O_NONBLOCK};
	ssize_t result = ops->receive(file, &message);
	/* Nobody can take what came along. */
	socket_files_put(message.files);
	return result;
}

ssize_t socket_write(struct file *file, struct uio *from, int64_t *pos)
{
	const struct socket_ops *ops;
	struct socket_caller who = {0};
	int error = socket_of(file, &ops, NULL);

	(void)pos;
	if (error)
		return error;
	if (!hook_caller(&who.pid, &who.cred))
		who.cred = file->cred;
	struct socket_message message = {.data = from, .nonblock = file->flags & O_NONBLOCK};
	return ops->send(file, &who, &message);
}
