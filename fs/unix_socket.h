/* unix_socket.h - Unix domain sockets (unix(7)): the inside, for fs/unix_socket*.c and their tests alone. Everybody
 * else goes through fs/socket.h.
 */
#ifndef FS_UNIX_SOCKET_H
#define FS_UNIX_SOCKET_H

#include "fs/mutex.h"
#include "fs/socket.h"

enum unix_state {
	UNIX_CLOSED,    /* new, or a datagram socket without a peer, or gone */
	UNIX_LISTENING, /* embryos may be in its list */
	UNIX_CONNECTED, /* has, or had, a peer */
};

#define UNIX_SHUT_READ  1u
#define UNIX_SHUT_WRITE 2u
#define UNIX_SHUT_BOTH  3u

/* Immutable and shared by everybody who shows it. */
struct unix_address {
	struct ref ref;
	uint32_t size; /* as getsockname gives it */
	struct abi_sockaddr_un un;
};

/* A piece of a stream, or a datagram, in its receiver's queue. */
struct unix_message {
	struct list node;
	struct unix_sock *sender; /* counted: whose buffer it is charged to, and whose name it comes from */
	char *data;               /* arena_alloc(size), NULL for an empty one */
	uint32_t size, taken;     /* bytes in all; of a stream, those already read */
	uint32_t charge;          /* what it counts in the sender's buffer */
	bool has_cred;
	struct abi_ucred cred;
	bool peeked;                /* by MSG_PEEK with an offset: one without bytes is not shown twice */
	struct socket_files *files; /* owned */
};

struct unix_sock {
	struct socket base; /* first: fs/socket.h */
	struct ref ref;     /* its file, peers, messages it sent, a listener it waits in */
	enum unix_state state;
	bool dead;                    /* released: nothing comes in any more */
	struct file *file;            /* borrowed; NULL before accept and after release */
	struct unix_sock *peer;       /* counted; stream: until our release; datagram: until we find it dead */
	struct list all_node;         /* of all sockets */
	struct list peer_node;        /* in the peer's clients */
	struct list clients;          /* whose peer we are */
	struct unix_address *address; /* counted; NULL: no name */
	struct list name_node;        /* abstract names */
	struct inode *inode;          /* counted; of a name in the tree. Its field socket leads back here */
	struct list queue;            /* struct unix_message, the oldest first */
	uint32_t queue_count;
	struct list embryos; /* of a listener: made by connect, not yet accepted */
	struct list embryo_node;
	uint32_t backlog;
	uint32_t shutdown;       /* UNIX_SHUT_* */
	uint32_t charged;        /* bytes of ours in queues of others */
	bool waits_for_peer;     /* poll found the peer's queue full: wake us when it drains */
	struct waitq wait;       /* all that concerns this socket's own user */
	struct waitq peer_wait;  /* those who wait for room in our queue or our list of embryos */
	struct mutex read_mutex; /* a stream's reader copies from the oldest message while PARKS are possible */
	int32_t peek_offset;     /* SO_PEEK_OFF: where MSG_PEEK begins; -1: at the first byte, always */
	bool has_peer_cred;
	struct abi_ucred peer_cred; /* SO_PEERCRED */
	struct cred *groups;        /* counted; SO_PEERGROUPS; NULL: none */
	uint32_t inflight;          /* messages in queues that hold our file */
	struct list inflight_node;  /* in the collector's list while inflight > 0 */
	uint32_t internal;          /* the collector's count of holders among its candidates */
	bool candidate, reachable;  /* the collector's */
};

void unix_socket_init(void);

static inline bool unix_is_stream(const struct unix_sock *sock)
{
	return sock->base.type == ABI_SOCK_STREAM;
}

static inline bool unix_has_connection(const struct unix_sock *sock)
{
	return sock->base.type != ABI_SOCK_DGRAM;
}

struct unix_sock *unix_sock_of(const struct file *file);
void unix_sock_get(struct unix_sock *sock);
void unix_sock_put(struct unix_sock *sock);
void unix_peer_set(struct unix_sock *sock, struct unix_sock *peer); /* peer NULL: none; moves the references */

/* unix_socket_list.c */
void unix_list_enter(struct unix_sock *sock);
void unix_list_leave(struct unix_sock *sock);

/* unix_socket_name.c */
void unix_address_put(struct unix_address *address); /* NULL is allowed */
void unix_address_show(const struct unix_address *address, struct socket_address *out);
must_check int unix_name_check(const struct socket_address *address); /* a well-formed address, or -EINVAL */
must_check int unix_bind(struct file *file, const struct socket_caller *who, const struct socket_address *address);
must_check int unix_autobind(struct unix_sock *sock);
/* PARKS. Gives the socket with that name and of the type. -ECONNREFUSED, -ENOENT, -EACCES, -EPROTOTYPE ... */
must_check int unix_find(const struct socket_caller *who, const struct socket_address *address, uint32_t type,
			 struct unix_sock **out);
void unix_unname(struct unix_sock *sock);

/* unix_socket_io.c */
ssize_t unix_send(struct file *file, const struct socket_caller *who, struct socket_message *message);
ssize_t unix_receive(struct file *file, struct socket_message *message);
uint32_t unix_poll(struct file *file, struct poll_wait *wait);
long unix_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument);
void unix_message_free(struct unix_message *message);
void unix_queue_purge(struct unix_sock *sock);
void unix_peer_gone(struct unix_sock *sock,
		    struct unix_sock *peer); /* a datagram socket's peer is another one now, or none */
void unix_wake(struct unix_sock *sock, uint32_t events);
/* Room came in our queue: those who wait for it may look. */
void unix_wake_clients(struct unix_sock *sock);

/* unix_socket_gc.c: files on their way. */
/* files may be NULL. receiver: in whose queue they will lie. -ETOOMANYREFS. */
must_check int unix_inflight_add(struct socket_files *files, const struct unix_sock *receiver);
void unix_inflight_remove(struct socket_files *files);
/* Closes what only messages in unreachable queues hold. Cheap when no socket on its way can be in a circle. */
void unix_collect(void);
uint32_t unix_inflight_count(void);

#endif
