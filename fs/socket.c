/* socket.c - what all families of sockets share: the table of families, SOL_SOCKET options, read and write.
 *
 * Options that only switch something on or off are bits; those among them that a family does not act on are kept and
 * shown, as Linux does for Unix sockets. Options that would need an effect we do not have are refused with ENOPROTOOPT,
 * as a kernel built without them does: SO_TIMESTAMP and its relatives, SO_PEEK_OFF, SO_BUSY_POLL, filters, zero copy.
 *
 * Limits: SOCKET_BUFFER_LIMIT.
 */
#include "fs/socket.h"
#include "fs/hooks.h"
#include "fs/unix_socket.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

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
	if (file->kind != FILE_SOCKET_UNIX && file->kind != FILE_SOCKET_INET && file->kind != FILE_SOCKET_NETLINK)
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
	return file_count(FILE_SOCKET_UNIX) + file_count(FILE_SOCKET_INET) + file_count(FILE_SOCKET_NETLINK);
}

void socket_setup(struct socket *socket, uint16_t family, uint32_t type, uint32_t protocol)
{
	socket->family = family;
	socket->type = type;
	socket->protocol = protocol;
	socket->send_bytes = socket->receive_bytes = SOCKET_BUFFER_DEFAULT;
	socket->receive_low = 1;
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

/* ------------------------------------------------------------------------------------------------- options */

#define BIT(option) (1ull << (option))
static const uint64_t switches = BIT(ABI_SO_DEBUG) | BIT(ABI_SO_REUSEADDR) | BIT(ABI_SO_DONTROUTE) |
				 BIT(ABI_SO_BROADCAST) | BIT(ABI_SO_KEEPALIVE) | BIT(ABI_SO_OOBINLINE) |
				 BIT(ABI_SO_REUSEPORT);

static uint32_t put_int(void *value, uint32_t room, int number)
{
	uint32_t size = MIN(room, (uint32_t)sizeof number);

	memcpy(value, &number, size);
	return size;
}

static uint32_t put_timeout(void *value, uint32_t room, uint64_t timeout_ns)
{
	struct abi_sock_timeval time = {timeout_ns / NS_PER_S, timeout_ns % NS_PER_S / NS_PER_US};
	uint32_t size = MIN(room, (uint32_t)sizeof time);

	memcpy(value, &time, size);
	return size;
}

/* Options whose answer is one number. */
static bool option_number(struct socket *socket, int option, int *out)
{
	if (option > 0 && option < 64 && switches & BIT(option)) {
		*out = !!(socket->flags & BIT(option));
		return true;
	}
	switch (option) {
	case ABI_SO_TYPE:
		*out = socket->type;
		return true;
	case ABI_SO_PROTOCOL:
		*out = socket->protocol;
		return true;
	case ABI_SO_DOMAIN:
		*out = socket->family;
		return true;
	case ABI_SO_SNDBUF:
		*out = socket->send_bytes;
		return true;
	case ABI_SO_RCVBUF:
		*out = socket->receive_bytes;
		return true;
	case ABI_SO_RCVLOWAT:
		*out = socket->receive_low;
		return true;
	case ABI_SO_SNDLOWAT:
		*out = 1;
		return true;
	case ABI_SO_PRIORITY:
		*out = socket->priority;
		return true;
	case ABI_SO_MARK:
		*out = socket->mark;
		return true;
	case ABI_SO_PASSCRED:
		*out = socket->pass_cred;
		return true;
	case ABI_SO_ACCEPTCONN:
		*out = socket->listening;
		return true;
	}
	return false;
}

int socket_option_get(struct file *file, int level, int option, void *value, uint32_t *size)
{
	const struct socket_ops *ops;
	struct socket *socket;
	int number, error = socket_of(file, &ops, &socket);

	if (error)
		return error;
	if (level == ABI_SOL_SOCKET) {
		if (option == ABI_SO_ERROR) {
			*size = put_int(value, *size, -socket_error_take(socket));
			return 0;
		}
		if (option_number(socket, option, &number)) {
			*size = put_int(value, *size, number);
			return 0;
		}
		if (option == ABI_SO_RCVTIMEO || option == ABI_SO_SNDTIMEO) {
			*size = put_timeout(value, *size,
					    option == ABI_SO_RCVTIMEO ? socket->receive_timeout_ns
								      : socket->send_timeout_ns);
			return 0;
		}
		if (option == ABI_SO_LINGER) {
			*size = MIN(*size, (uint32_t)sizeof socket->linger);
			memcpy(value, &socket->linger, *size);
			return 0;
		}
	}
	if (!ops->option_get)
		return level == ABI_SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
	return ops->option_get(file, level, option, value, size);
}

static int set_timeout(uint64_t *timeout_ns, const void *value, uint32_t size)
{
	struct abi_sock_timeval time;

	if (size < sizeof time)
		return -EINVAL;
	memcpy(&time, value, sizeof time);
	if (time.microseconds < 0 || time.microseconds >= 1000000)
		return -EDOM;
	if (time.seconds < 0) {
		*timeout_ns = 1; /* waits for nothing (sock_set_timeout in Linux) */
		return 0;
	}
	/* Beyond what a deadline can express: for ever. */
	*timeout_ns = time.seconds > 1000000000 ? 0 : (uint64_t)time.seconds * NS_PER_S + time.microseconds * NS_PER_US;
	return 0;
}

/* Doubled for the administrative overhead, like the charges of unix_socket_io.c (sock(7)). */
static uint32_t buffer_size(int wanted, uint32_t least)
{
	uint32_t size = MIN((uint32_t)MAX(wanted, 0), SOCKET_BUFFER_LIMIT / 2u) * 2;

	return MAX(size, least);
}

static int set_number(struct socket *socket, const struct cred *cred, int option, int number)
{
	switch (option) {
	case ABI_SO_SNDBUFFORCE:
	case ABI_SO_RCVBUFFORCE:
		if (!cred_capable(cred, CAP_NET_ADMIN))
			return -EPERM;
		return set_number(socket, cred, option == ABI_SO_SNDBUFFORCE ? ABI_SO_SNDBUF : ABI_SO_RCVBUF, number);
	case ABI_SO_SNDBUF:
		socket->send_bytes = buffer_size(number, 4608);
		return 0;
	case ABI_SO_RCVBUF:
		socket->receive_bytes = buffer_size(number, 2304);
		return 0;
	case ABI_SO_RCVLOWAT:
		socket->receive_low = number < 0 ? INT32_MAX : MAX(number, 1);
		return 0;
	case ABI_SO_PRIORITY:
		if ((number < 0 || number > 6) && !cred_capable(cred, CAP_NET_ADMIN))
			return -EPERM;
		socket->priority = number;
		return 0;
	case ABI_SO_MARK:
		if (!cred_capable(cred, CAP_NET_ADMIN))
			return -EPERM;
		socket->mark = number;
		return 0;
	case ABI_SO_PASSCRED:
		socket->pass_cred = number;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int set_linger(struct socket *socket, const void *value, uint32_t size)
{
	if (size < sizeof socket->linger)
		return -EINVAL;
	memcpy(&socket->linger, value, sizeof socket->linger);
	socket->linger.on = !!socket->linger.on;
	if (!socket->linger.on)
		socket->linger.seconds = 0;
	return 0;
}

static int set_common(struct file *file, struct socket *socket, const struct cred *cred, int option, const void *value,
		      uint32_t size)
{
	int number;

	(void)file;
	if (size < sizeof number)
		return -EINVAL;
	memcpy(&number, value, sizeof number);
	if (option > 0 && option < 64 && switches & BIT(option)) {
		if (option == ABI_SO_DEBUG && number && !cred_capable(cred, CAP_NET_ADMIN))
			return -EACCES;
		if (option == ABI_SO_REUSEPORT && socket->family != ABI_AF_INET && socket->family != ABI_AF_INET6)
			return -EOPNOTSUPP;
		socket->flags = number ? socket->flags | BIT(option) : socket->flags & ~BIT(option);
		return 0;
	}
	if (option == ABI_SO_RCVTIMEO)
		return set_timeout(&socket->receive_timeout_ns, value, size);
	if (option == ABI_SO_SNDTIMEO)
		return set_timeout(&socket->send_timeout_ns, value, size);
	if (option == ABI_SO_LINGER)
		return set_linger(socket, value, size);
	return set_number(socket, cred, option, number);
}

int socket_option_set(struct file *file, const struct socket_caller *who, int level, int option, const void *value,
		      uint32_t size)
{
	const struct socket_ops *ops;
	struct socket *socket;
	int error = socket_of(file, &ops, &socket);

	if (error)
		return error;
	if (level == ABI_SOL_SOCKET) {
		error = set_common(file, socket, who->cred, option, value, size);
		if (error != -ENOPROTOOPT)
			return error;
	}
	if (!ops->option_set)
		return level == ABI_SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
	return ops->option_set(file, who, level, option, value, size);
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
