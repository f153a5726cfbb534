/* file.h - open file descriptions, and the operations that a kind of file has.
 *
 * struct file is what open(2) makes and descriptors share. Its kind indexes a table of operations (no function pointer
 * lives in the arena). Operations run on the calling task's fiber and may PARK unless noted; O_NONBLOCK in file->flags
 * makes them answer -EAGAIN instead. Interrupted waits return -ERESTARTSYS. A NULL operation gives the errno named
 * beside it.
 */
#ifndef FS_FILE_H
#define FS_FILE_H

#include "fs/cred.h"
#include "fs/poll.h"
#include "fs/uio.h"
#include "sentry/base/list.h"
#include "sentry/base/ref.h"

enum file_kind {
	FILE_NONE,
	FILE_TMPFS,
	FILE_OVERLAY,
	FILE_HOST,
	FILE_DIR,
	FILE_PATH /* O_PATH */,
	FILE_STDIO /* a host descriptor given at start */,
	FILE_PROC,
	FILE_SYS,
	FILE_DEV,
	FILE_PTY_MASTER,
	FILE_PTY_SLAVE,
	FILE_PIPE,
	FILE_FIFO,
	FILE_SOCKET_UNIX,
	FILE_SOCKET_INET,
	FILE_SOCKET_NETLINK,
	FILE_SOCKET_PACKET,
	FILE_EPOLL,
	FILE_EVENTFD,
	FILE_TIMERFD,
	FILE_SIGNALFD,
	FILE_PIDFD,
	FILE_INOTIFY,
	FILE_MEMFD,
	FILE_MQUEUE,
	FILE_SHM,   /* a segment of System V shared memory */
	FILE_URING, /* io_uring (syscalls/uring.h) */
	FILE_KINDS
};

/* A place in the tree: a mount and a dentry in it. Each is counted when stored in an object. */
struct path {
	struct mount *mount;
	struct dentry *dentry;
};

struct file {
	struct ref ref;
	enum file_kind kind;
	uint32_t flags; /* O_ACCMODE, O_APPEND, O_NONBLOCK, O_DIRECT, O_PATH ... as F_GETFL shows them */
	int64_t pos;
	struct path path;               /* counted; NULL members for files without a place (pipes, sockets) */
	struct inode *inode;            /* counted; every file has one */
	struct cred *cred;              /* counted: who opened it */
	void *data;                     /* the kind's own */
	uint64_t cookie;                /* the kind's own small value (directory position, ...) */
	struct list epolls;             /* epoll items that watch this file (fs/epoll.c) */
	struct async *async;            /* O_ASYNC (fs/async.c); NULL: no signals */
	int32_t owner_pid;              /* F_SETOWN: pid, or -pgid */
	int32_t owner_type;             /* F_OWNER_* */
	int32_t owner_signal;           /* F_SETSIG, 0: SIGIO */
	uint16_t directory_notes;       /* F_NOTIFY marks (fs/notify.c) */
	bool created;                   /* the open(2) that made this made the file, too (F_CREATED_QUERY) */
	uint32_t owner_uid, owner_euid; /* of who made him the owner: whether he may be sent signals */
};

/* What mmap of a file gives: the host file whose pages hold the data, and where the wanted byte is in it. */
struct file_map {
	uint32_t host_file; /* a reference, given to the caller; MEM_NO_FILE: private zeroed memory (/dev/zero) */
	uint64_t offset;
	bool shared_anonymous; /* /dev/zero mapped shared: treat as anonymous shared memory */
	bool never_writable;   /* mapped shared, and sealed: mprotect must not make it writable later */
};

struct file_ops {
	bool async; /* O_ASYNC: its owner is told by signals when its wait queues are woken (fs/async.c) */
	/* pos points to the position to use and to advance: &file->pos or a pread's own. Missing: -EINVAL. */
	ssize_t (*read)(struct file *file, struct uio *to, int64_t *pos);
	ssize_t (*write)(struct file *file, struct uio *from, int64_t *pos);
	int64_t (*seek)(struct file *file, int64_t offset, int whence); /* missing: -ESPIPE */
	uint32_t (*poll)(struct file *file,
			 struct poll_wait *wait); /* never parks; missing: always readable and writable */
	long (*ioctl)(struct file *file, struct user user, uint32_t command, uint64_t argument); /* missing: -ENOTTY */
	/* prot and flags as mmap(2) gave them. Missing: -ENODEV. */
	int (*map)(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
		   struct file_map *out);
	/* Directory entries from file->pos on; emit returns false when the caller's buffer is full. Missing: -ENOTDIR.
	 */
	int (*readdir)(struct file *file,
		       bool (*emit)(void *context, const char *name, size_t length, uint64_t ino, uint8_t type,
				    int64_t next_pos),
		       void *context);
	int (*sync)(struct file *file, bool data_only);                              /* missing: -EINVAL */
	int (*truncate)(struct file *file, int64_t size);                            /* missing: -EINVAL */
	int (*fallocate)(struct file *file, int mode, int64_t offset, int64_t size); /* missing: -ENODEV */
	void (*flush)(struct file *file, void *owner); /* each close of a descriptor (record locks); may be missing */
	void (*linger)(struct file *file);             /* PARKS. As release, when it is a program that closes it, with
							* what it wants to wait for; release follows; may be missing */
	void (*release)(struct file *file);            /* the last reference is gone; must not park; may be missing */
	int (*fcntl_flags)(struct file *file, uint32_t flags);     /* F_SETFL is about to set these; may be missing */
	int (*fdinfo)(struct file *file, char *text, size_t size); /* extra lines of /proc/PID/fdinfo; may be missing */
};

/* Called when a file that epoll items still watch goes away, before its release (fs/epoll.c registers it). */
void file_unwatch_register(void (*unwatch)(struct file *file));

/* Each kind's file registers its operations once at start (a static table, outside the arena). */
void file_kind_register(enum file_kind kind, const struct file_ops *ops);
const struct file_ops *file_ops(const struct file *file);

/* How many of a kind are open. */
unsigned file_count(enum file_kind kind);

/* A file with one reference. Takes nothing: references to inode, path and cred are added. NULL: file_refusal
 * says why. */
must_check struct file *file_new(enum file_kind kind, uint32_t flags, struct inode *inode, const struct path *path,
				 struct cred *cred);
int file_refusal(void); /* -ENFILE, -ENOMEM */
void file_get(struct file *file);
void file_put(struct file *file); /* may run release */
/* PARKS. As file_put, of a reference that was a descriptor's until a program closed it: what is to be waited for then
 * (SO_LINGER) is waited for, which the end of a process does not do. */
void file_close(struct file *file);
/* A descriptor of this file is being closed by owner (a descriptor table): runs flush, drops owner's POSIX locks. */
void file_flush(struct file *file, void *owner);

/* The checks that every caller needs (access mode, limits, seek position, RLIMIT_FSIZE by the caller), then the
 * operation. */
must_check ssize_t file_read(struct file *file, struct uio *to, int64_t *pos);
must_check ssize_t file_write(struct file *file, struct uio *from, int64_t *pos);
/* The sentry's own reading (loader, scripts): from offset into memory; short only at the end of the file. */
must_check ssize_t file_read_kernel(struct file *file, void *dst, size_t n, int64_t offset);
uint32_t file_poll(struct file *file, struct poll_wait *wait);
bool file_readable(const struct file *file); /* by its access mode */
bool file_writable(const struct file *file);
/* Where its next read or write will be. That is file->pos, but the standard descriptors have their position in common
 * with whoever gave them to us. 0 where there is none. */
int64_t file_position(struct file *file);
/* Gives back n bytes that were read too much: by a call with pos, as file_read had it. */
void file_unread(struct file *file, int64_t *pos, size_t n);
bool file_seekable(const struct file *file); /* pread and pwrite are allowed (its kind has a position) */
/* The seek of files that have no position but do not mind being asked (noop_llseek in Linux): stays at 0. */
int64_t file_seek_nowhere(struct file *file, int64_t offset, int whence);

/* For files without a place in the tree: an inode of the anonymous file system with this mode, and a file on it.
 * name appears as "anon_inode:[name]" (or "pipe:[ino]", "socket:[ino]") in /proc/PID/fd. */
must_check int file_new_anonymous(enum file_kind kind, uint32_t flags, uint32_t mode, const char *name,
				  struct cred *cred, struct file **out);

#endif
