/* socket.h - sockets of whatever family: what the socket calls (syscalls/net.c) ask of a family, and what all share.
 *
 * A family registers one static table of operations (socket_family_register). A socket is a struct file whose data
 * begins with a struct socket; its file kind leads back to the family's table. Operations run on the caller's fiber,
 * may PARK and answer interrupted waits with -ERESTARTSYS (or -EINTR where a timeout was set: signal(7)).
 */
#ifndef FS_SOCKET_H
#define FS_SOCKET_H

#include "fs/namei.h"
#include "fs/nodefs.h"
#include "fs/socket_filter.h"
#include "sentry/abi/socket.h"

/* An address as bind(2) and others bring it: family first. */
struct socket_address {
	union {
		uint16_t family;
		uint8_t bytes[ABI_SOCKADDR_BYTES];
		struct abi_sockaddr_un un;
	};
	uint32_t size; /* bytes given; 0: no address */
};

/* Who asks. All borrowed. */
struct socket_caller {
	int32_t pid;
	struct cred *cred;
	const struct walker *walker; /* for names in the tree; NULL: such names are -ENOENT */
};

/* Options that every family has (SOL_SOCKET); at the start of each family's own socket. */
struct socket {
	uint16_t family, type;
	uint32_t protocol;
	int error;                          /* SO_ERROR: told once */
	uint32_t send_bytes, receive_bytes; /* SO_SNDBUF, SO_RCVBUF as getsockopt shows them: twice what was asked */
	uint64_t send_timeout_ns, receive_timeout_ns; /* 0: none */
	uint32_t receive_low;                         /* SO_RCVLOWAT */
	uint32_t priority, mark;
	uint64_t flags; /* bit SO_x: options that are on or off */
	struct abi_linger linger;
	bool pass_cred;               /* SO_PASSCRED */
	bool listening;               /* SO_ACCEPTCONN */
	uint8_t stamps;               /* SOCKET_STAMP_*: when messages arrived is told along with them */
	uint32_t timestamping;        /* SO_TIMESTAMPING: SOF_TIMESTAMPING_* */
	struct socket_filter *filter; /* SO_ATTACH_FILTER: counted; NULL: none. For families with datagrams */
	int32_t peek_offset;          /* SO_PEEK_OFF; -1: off */
	int32_t incoming_cpu;         /* SO_INCOMING_CPU */
	uint32_t busy_poll_us, pacing_rate;
};

#define SOCKET_STAMP_ON    1u
#define SOCKET_STAMP_NS    2u /* struct timespec instead of struct timeval */
#define SOCKET_STAMP_WIDE  4u /* under the number that 32-bit programs have for 64-bit times */
#define SOCKET_STAMPS_WIDE 8u /* the same of SO_TIMESTAMPING */

/* Open files that travel with a message (SCM_RIGHTS). */
struct socket_files {
	struct list node; /* for whoever frees them */
	uint32_t count, room;
	struct file *files[]; /* counted */
};

/* What a family tells along with a message it gives, beside files and credentials: one record of cmsg(3). */
#define SOCKET_NOTES      10
#define SOCKET_NOTE_BYTES 48
struct socket_note {
	int32_t level, type;
	uint32_t size;
	uint8_t data[SOCKET_NOTE_BYTES];
};

/* One message as sendmsg and recvmsg see it. */
struct socket_message {
	struct uio *data;
	struct socket_address address; /* send: where to; receive: where from (size 0: nobody) */
	struct socket_files *files; /* send: the call takes them by setting this to NULL; receive: given; NULL: none */
	struct abi_ucred cred;      /* send: what SCM_CREDENTIALS said; receive: the sender */
	bool has_cred;              /* cred is filled in */
	const void *control;        /* send: all control data, for families with more than SCM_* at SOL_SOCKET */
	size_t control_size;
	struct socket_note notes[SOCKET_NOTES]; /* receive: given */
	uint32_t note_count;
	uint64_t stamp_ns; /* receive: when it arrived (CLOCK_REALTIME); 0: just now */
	uint32_t flags;    /* in: MSG_* of the call; receive: MSG_EOR, MSG_TRUNC, MSG_CTRUNC out in out_flags */
	uint32_t out_flags;
	bool nonblock; /* MSG_DONTWAIT or O_NONBLOCK */
};

struct socket_ops {
	/* Gives. type without SOCK_* flags; flags O_NONBLOCK. -ESOCKTNOSUPPORT, -EPROTONOSUPPORT ... */
	int (*create)(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
		      struct file **out);
	/* Missing: -EOPNOTSUPP. */
	int (*pair)(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
		    struct file *out[2]);
	int (*bind)(struct file *file, const struct socket_caller *who, const struct socket_address *address);
	/* listen, accept and shutdown may be missing: -EOPNOTSUPP. */
	int (*listen)(struct file *file, const struct socket_caller *who, int backlog);
	int (*connect)(struct file *file, const struct socket_caller *who, const struct socket_address *address,
		       bool nonblock);
	/* Gives the new file, made with flags O_NONBLOCK, and the peer's address. */
	int (*accept)(struct file *file, const struct socket_caller *who, uint32_t flags, struct socket_address *peer,
		      struct file **out);
	int (*name)(struct file *file, bool peer, struct socket_address *out); /* getsockname, getpeername */
	ssize_t (*send)(struct file *file, const struct socket_caller *who, struct socket_message *message);
	ssize_t (*receive)(struct file *file, struct socket_message *message);
	int (*shutdown)(struct file *file, int how);
	/* Options the common code does not know. value is the sentry's memory. get: *size in room, out used.
	 * -ENOPROTOOPT. */
	int (*option_get)(struct file *file, int level, int option, void *value, uint32_t *size);
	int (*option_set)(struct file *file, const struct socket_caller *who, int level, int option, const void *value,
			  uint32_t size);
};

/* kind: the file kind of this family's sockets. */
void socket_family_register(uint16_t family, enum file_kind kind, const struct socket_ops *ops);
/* NULL: no such family here. */
const struct socket_ops *socket_family(uint32_t family);
/* -ENOTSOCK when it is none. */
must_check int socket_of(struct file *file, const struct socket_ops **ops, struct socket **socket);

/* How many there are in the sandbox. */
unsigned socket_count(void);
/* /proc/net/unix. */
int socket_show_unix(const struct node_ref *ref, struct text *out);

/* Fills in the defaults of a new socket. */
void socket_setup(struct socket *socket, uint16_t family, uint32_t type, uint32_t protocol);
/* The deadline of a wait that begins now; DEADLINE_NONE without a timeout. */
uint64_t socket_deadline(uint64_t timeout_ns);
/* What an ended wait means: -ETIMEDOUT becomes -EAGAIN, -ERESTARTSYS with a timeout set becomes -EINTR. */
int socket_wait_error(int error, uint64_t timeout_ns);
/* The error that waits to be told, negative; told once. */
int socket_error_take(struct socket *socket);

/* getsockopt and setsockopt of level SOL_SOCKET, then the family's own. value: at most SOCKET_OPTION_BYTES.
 * Results as the system calls; *size: room in, used out. */
must_check int socket_option_get(struct file *file, int level, int option, void *value, uint32_t *size);
must_check int socket_option_set(struct file *file, const struct socket_caller *who, int level, int option,
				 const void *value, uint32_t size);

/* SO_ATTACH_FILTER with the program's instructions. -EINVAL, -ENOMEM, -EPERM: SO_LOCK_FILTER. */
must_check int socket_filter_attach(struct file *file, const void *code, uint32_t count);
/* What a socket holds for its options; called by each family when its sockets end. */
void socket_fini(struct socket *socket);
static inline bool socket_flag(const struct socket *socket, int option)
{
	return socket->flags >> option & 1;
}

/* Another record for the receiver of a message; dropped when there are SOCKET_NOTES. */
void socket_note_add(struct socket_message *message, int level, int type, const void *data, uint32_t size);
/* The records about when the message arrived that the socket's options ask for. */
void socket_stamps_add(const struct socket *socket, struct socket_message *message);
/* CLOCK_REALTIME now. */
uint64_t socket_stamp_now(void);

must_check struct socket_files *socket_files_new(uint32_t room); /* NULL: no memory */
must_check struct socket_files *socket_files_copy(const struct socket_files *files);
/* Each file and the table; NULL is allowed. A file's end may put other tables: those wait, so that the depth of sockets
 * within sockets does not matter. */
void socket_files_put(struct socket_files *files);
/* As socket_files_put after the files have gone elsewhere (each counted reference was moved on). */
void socket_files_free(struct socket_files *files);

/* Registers the families of fs/; called once by fs_init. */
void socket_init(void);

/* Calls about network interfaces (netdevice(7)) are answered on a socket of any family: by the network stack, when
 * there is one. -ENOTTY for what nobody answers. */
void socket_device_ioctl_register(long (*answer)(struct user user, uint32_t command, uint64_t argument));
long socket_device_ioctl(struct user user, uint32_t command, uint64_t argument);

/* The family-neutral part of struct file_ops: read and write as recvmsg and sendmsg without flags. */
ssize_t socket_read(struct file *file, struct uio *to, int64_t *pos);
ssize_t socket_write(struct file *file, struct uio *from, int64_t *pos);

#endif
