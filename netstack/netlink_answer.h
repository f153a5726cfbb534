/* netlink_answer.h - how requests to AF_NETLINK sockets are answered: for netlink*.c only. */
#ifndef NETSTACK_NETLINK_ANSWER_H
#define NETSTACK_NETLINK_ANSWER_H

#include "sentry/base/types.h"
#include <linux/netlink.h>

struct netlink_sock;
struct netlink_answer;
struct cred;
struct link;
struct link_address;
struct route_entry;

/* The answers to one request under construction, at the end of the socket's queue. */
struct netlink_writer {
	struct netlink_sock *sock;
	const struct cred *cred; /* who asks */
	const struct nlmsghdr *request;
	struct netlink_answer *answer;
	struct nlmsghdr *message;
	bool full; /* no memory, or the queue is */
};

/* Begins a message with a header of the kind's own, zeroed; NULL: no room any more. Borrowed until the next call. */
must_check void *netlink_begin(struct netlink_writer *w, uint16_t type, uint16_t flags, uint32_t header_bytes);
void netlink_attribute(struct netlink_writer *w, uint16_t type, const void *data, uint32_t size);
void netlink_attribute32(struct netlink_writer *w, uint16_t type, uint32_t value);
/* NLMSG_ERROR; error: -errno, or 0 for an acknowledgement. */
void netlink_error(struct netlink_writer *w, int error);
/* NLMSG_DONE: the end of a dump. */
void netlink_done(struct netlink_writer *w);
/* The payload of a request's attribute of that type, at most size bytes, the rest zero; false: it is not there. */
must_check bool netlink_find(const char *body, uint32_t body_size, uint32_t header_bytes, uint16_t type, void *out,
			     uint32_t size);

/* body: behind the request's header. */
void netlink_route_answer(struct netlink_writer *w, const char *body, uint32_t size);
void netlink_diag_answer(struct netlink_writer *w, const char *body, uint32_t size);
/* RTM_NEW*, RTM_DEL*, RTM_SET*. 0 or -errno, which the answer says. */
must_check int netlink_route_change(const struct netlink_writer *w, const char *body, uint32_t size);

/* One message about a thing. changed: flags of the link that are new. */
void netlink_tell_link(struct netlink_writer *w, const struct link *link, uint16_t flags, uint32_t changed);
void netlink_tell_address(struct netlink_writer *w, uint16_t type, uint16_t flags, const struct link *link,
			  const struct link_address *item);
void netlink_tell_route(struct netlink_writer *w, uint16_t type, uint16_t flags, const struct route_entry *entry);

/* A message to all members of a group, about what cause's request has changed: begin, write one, announce. false: no
 * memory, nobody is told. */
must_check bool netlink_announce_begin(struct netlink_writer *w, const struct netlink_writer *cause);
void netlink_announce(struct netlink_writer *w, uint32_t group);

#endif
