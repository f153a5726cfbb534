/* lock.h - advisory locks on files: POSIX record locks, open file description locks (fcntl(2)), flock(2). */
#ifndef FS_LOCK_H
#define FS_LOCK_H

#include "fs/inode.h"

enum lock_type { LOCK_TYPE_READ, LOCK_TYPE_WRITE, LOCK_TYPE_NONE }; /* as F_RDLCK, F_WRLCK, F_UNLCK */
enum lock_class { LOCK_POSIX, LOCK_OFD, LOCK_FLOCK };

/* [start, end], inclusive; end INT64_MAX: to the end of the file however it grows. */
struct lock_range {
	enum lock_type type;
	int64_t start, end;
};

struct lock_request {
	enum lock_class class;
	struct lock_range range;
	void *owner; /* POSIX: the descriptor table; OFD, FLOCK: the file */
	int32_t pid; /* of the process, for F_GETLK; -1 for OFD */
	bool wait;
};

/* Sets or (type NONE) removes. PARKS when wait is set: -ERESTARTSYS, -EDEADLK (POSIX only); else -EAGAIN. -ENOLCK at
 * LOCK_LIMIT locks of a file. */
must_check int lock_set(struct inode *inode, const struct lock_request *request);

/* F_GETLK: the first lock that is in the way; found->range.type is LOCK_TYPE_NONE when there is none. */
void lock_test(struct inode *inode, const struct lock_request *request, struct lock_request *found);

/* Drops every lock of this class and owner. */
void lock_drop(struct inode *inode, enum lock_class class, const void *owner);

/* Calls show with each lock of the sandbox for /proc/locks; waiting ones are not listed. */
void lock_list(void (*show)(void *context, const struct inode *inode, const struct lock_request *lock), void *context);

#endif
