/* rtnl.c - see rtnl.h. What a dump tells can be sent back as it is with another type: so addresses and routes are taken
 * away and put back with all their attributes, also those that we know nothing about.
 */
#include "runtime/rtnl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES 65536

int rtnl_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* -errno of the message that ends an answer, 1: more follow. */
static int message_error(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = NLMSG_DATA(message);

	if (message->nlmsg_type == NLMSG_DONE)
		return 0;
	return message->nlmsg_type == NLMSG_ERROR ? error->error : 1;
}

static int receive(int fd, void (*each)(const struct nlmsghdr *message, void *argument), void *argument)
{
	static char answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (;;) {
		ssize_t n = recv(fd, answer, sizeof answer, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		unsigned left = (unsigned)n;
		for (struct nlmsghdr *at = (void *)answer; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
			int state = message_error(at);
			if (state <= 0)
				return state;
			if (each)
				each(at, argument);
		}
	}
}

int rtnl_dump(int fd, uint16_t type, void (*each)(const struct nlmsghdr *message, void *argument), void *argument)
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg family;
	} request = {
		.header = {.nlmsg_len = sizeof request, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.family = {.rtgen_family = AF_UNSPEC}};

	if (send(fd, &request, sizeof request, 0) < 0)
		return -errno;
	return receive(fd, each, argument);
}

int rtnl_order(int fd, const struct nlmsghdr *message, uint16_t type, uint16_t flags)
{
	static char order[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = (void *)order;

	if (message->nlmsg_len > sizeof order)
		return -EMSGSIZE;
	memcpy(order, message, message->nlmsg_len);
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	header->nlmsg_pid = header->nlmsg_seq = 0;
	if (send(fd, order, header->nlmsg_len, 0) < 0)
		return -errno;
	return receive(fd, NULL, NULL);
}

const struct rtattr *rtnl_attribute(const struct nlmsghdr *message, size_t header_bytes, uint16_t type)
{
	const char *data = NLMSG_DATA(message);
	unsigned left = (unsigned)NLMSG_PAYLOAD(message, NLMSG_ALIGN(header_bytes));

	for (const struct rtattr *at = (const void *)(data + NLMSG_ALIGN(header_bytes)); RTA_OK(at, left);
	     at = RTA_NEXT(at, left))
		if (at->rta_type == type)
			return at;
	return NULL;
}

uint32_t rtnl_number(const struct nlmsghdr *message, size_t header_bytes, uint16_t type, uint32_t fallback)
{
	const struct rtattr *attribute = rtnl_attribute(message, header_bytes, type);
	uint32_t value;

	if (!attribute || RTA_PAYLOAD(attribute) != sizeof value)
		return fallback;
	memcpy(&value, RTA_DATA(attribute), sizeof value);
	return value;
}
