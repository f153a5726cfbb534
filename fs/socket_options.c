/* socket_options.c - getsockopt(2) and setsockopt(2) of level SOL_SOCKET (socket(7)).
 *
 * Options that only switch something on or off are bits; those among them that a family does not act on are kept and
 * shown, as Linux does for Unix sockets. The same goes for advice to a driver that is not here: busy polling, pacing,
 * the processor that packets come in on.
 *
 * Limits: SOCKET_BUFFER_LIMIT. Programs of eBPF do not exist here (bpf(2) is missing), so none can be attached;
 * a filter cannot be read back (SO_GET_FILTER).
 */
#include "fs/socket.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#define SO_BPF_EXTENSIONS_BYTES 64 /* what Linux says: SKF_AD_MAX */

#define BIT(option) (1ull << (option))
static const uint64_t switches = BIT(SO_DEBUG) | BIT(SO_REUSEADDR) | BIT(SO_DONTROUTE) | BIT(SO_BROADCAST) |
				 BIT(SO_KEEPALIVE) | BIT(SO_OOBINLINE) | BIT(SO_REUSEPORT) | BIT(SO_NO_CHECK) |
				 BIT(SO_RXQ_OVFL) | BIT(SO_WIFI_STATUS) | BIT(SO_NOFCS) | BIT(SO_LOCK_FILTER) |
				 BIT(SO_SELECT_ERR_QUEUE) | BIT(SO_ZEROCOPY);

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

#define STAMP_KIND (SOCKET_STAMP_NS | SOCKET_STAMP_WIDE)
static uint8_t stamp_kind(int option)
{
	bool ns = option == SO_TIMESTAMPNS_OLD || option == SO_TIMESTAMPNS_NEW;
	bool wide = option == SO_TIMESTAMP_NEW || option == SO_TIMESTAMPNS_NEW;

	return (uint8_t)((ns ? SOCKET_STAMP_NS : 0u) | (wide ? SOCKET_STAMP_WIDE : 0u));
}

static bool advice_number(const struct socket *socket, int option, int *out)
{
	switch (option) {
	case SO_INCOMING_CPU:
		*out = socket->incoming_cpu;
		return true;
	case SO_INCOMING_NAPI_ID:
	case SO_PREFER_BUSY_POLL:
		*out = 0;
		return true;
	case SO_BUSY_POLL:
		*out = (int)socket->busy_poll_us;
		return true;
	case SO_MAX_PACING_RATE:
		*out = (int)socket->pacing_rate;
		return true;
	case SO_BPF_EXTENSIONS:
		*out = SO_BPF_EXTENSIONS_BYTES;
		return true;
	default:
		return false;
	}
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
	case SO_TIMESTAMP_NEW: /* also when SO_TIMESTAMPNS_NEW was set (sk_getsockopt) */
		*out = socket->stamps & SOCKET_STAMP_ON && socket->stamps & SOCKET_STAMP_WIDE;
		return true;
	case SO_TIMESTAMP_OLD:
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMPNS_NEW:
		*out = socket->stamps & SOCKET_STAMP_ON && (socket->stamps & STAMP_KIND) == stamp_kind(option);
		return true;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW: /* told under the number that it was set with */
		*out = !(socket->stamps & SOCKET_STAMPS_WIDE) == (option == SO_TIMESTAMPING_OLD)
			       ? (int)socket->timestamping
			       : 0;
		return true;
	default:
		return advice_number(socket, option, out);
	}
}

/* SO_MEMINFO: the counters of sock_diag(7). */
static uint32_t put_memory(const struct socket *socket, void *value, uint32_t room)
{
	uint32_t counters[SK_MEMINFO_VARS] = {
		[SK_MEMINFO_RCVBUF] = socket->receive_bytes, [SK_MEMINFO_SNDBUF] = socket->send_bytes};
	uint32_t size = MIN(room, (uint32_t)sizeof counters);

	memcpy(value, counters, size);
	return size;
}

static uint32_t put_wide(void *value, uint64_t number)
{
	memcpy(value, &number, sizeof number);
	return sizeof number;
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
		if (option == SO_MEMINFO) {
			*size = put_memory(socket, value, *size);
			return 0;
		}
		if (option == SO_COOKIE || option == SO_NETNS_COOKIE) {
			if (*size < sizeof(uint64_t))
				return -EINVAL;
			*size = put_wide(value, option == SO_COOKIE ? file->inode->ino : 1);
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

/* Advice that is kept and shown. */
static int set_advice(struct socket *socket, const struct cred *cred, int option, int number)
{
	switch (option) {
	case SO_BUSY_POLL:
		if (number < 0)
			return -EINVAL;
		if ((uint32_t)number > socket->busy_poll_us && !cred_capable(cred, CAP_NET_ADMIN))
			return -EPERM;
		socket->busy_poll_us = (uint32_t)number;
		return 0;
	case SO_PREFER_BUSY_POLL:
		return number && !cred_capable(cred, CAP_NET_ADMIN) ? -EPERM : 0;
	case SO_INCOMING_CPU:
		socket->incoming_cpu = number;
		return 0;
	case SO_MAX_PACING_RATE:
		socket->pacing_rate = (uint32_t)number;
		return 0;
	case SO_TIMESTAMP_OLD:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMPNS_NEW:
		socket->stamps &= (uint8_t)~SOCKET_STAMP_ON;
		if (number)
			socket->stamps =
				(uint8_t)((socket->stamps & ~STAMP_KIND) | SOCKET_STAMP_ON | stamp_kind(option));
		return 0;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		if ((uint32_t)number & ~(uint32_t)SOF_TIMESTAMPING_MASK)
			return -EINVAL;
		socket->timestamping = (uint32_t)number;
		socket->stamps &= (uint8_t)~SOCKET_STAMPS_WIDE;
		if (option == SO_TIMESTAMPING_NEW)
			socket->stamps |= SOCKET_STAMPS_WIDE;
		return 0;
	case SO_DETACH_FILTER:
		if (!socket->filter)
			return -ENOENT;
		if (socket_flag(socket, SO_LOCK_FILTER))
			return -EPERM;
		socket_filter_put(socket->filter);
		socket->filter = NULL;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int socket_filter_attach(struct file *file, const void *code, uint32_t count)
{
	struct socket_filter *program;
	struct socket *socket;
	int error = socket_of(file, NULL, &socket);

	if (!error && socket_flag(socket, SO_LOCK_FILTER))
		error = -EPERM;
	if (!error)
		error = socket_filter_new(code, count, &program);
	if (error)
		return error;
	socket_filter_put(socket->filter);
	socket->filter = program;
	return 0;
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
	default:
		return set_advice(socket, cred, option, number);
	}
}

static bool is_inet(const struct socket *socket)
{
	return socket->family == ABI_AF_INET || socket->family == ABI_AF_INET6;
}

static int set_switch(struct socket *socket, const struct cred *cred, int option, int number)
{
	if (option == SO_DEBUG && number && !cred_capable(cred, CAP_NET_ADMIN))
		return -EACCES;
	if (option == SO_REUSEPORT && !is_inet(socket))
		return -EOPNOTSUPP;
	if (option == SO_ZEROCOPY && (!is_inet(socket) || socket->type == ABI_SOCK_RAW))
		return -EOPNOTSUPP;
	if (option == SO_ZEROCOPY && (number < 0 || number > 1))
		return -EINVAL;
	if (option == SO_LOCK_FILTER && !number && socket_flag(socket, option))
		return -EPERM;
	socket->flags = number ? socket->flags | BIT(option) : socket->flags & ~BIT(option);
	return 0;
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
	if (option > 0 && option < 64 && switches & BIT(option))
		return set_switch(socket, cred, option, number);
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
	if (level == ABI_SOL_SOCKET && option != SO_BINDTODEVICE) { /* whose value is no number */
		error = set_common(file, socket, who->cred, option, value, size);
		if (error != -ENOPROTOOPT)
			return error;
	}
	if (!ops->option_set)
		return level == ABI_SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
	return ops->option_set(file, who, level, option, value, size);
}
