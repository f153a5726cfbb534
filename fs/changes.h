/* changes.h - what guests have changed in the overlays: names that were made, changed and removed against what is
 * below.
 *
 * Asked once, after the last guest has gone (--diff, --save). Times alone are no change, and neither is the size of a
 * directory. A file that was renamed was removed and made. What the start of the sandbox itself made (mount points) is
 * none.
 */
#ifndef FS_CHANGES_H
#define FS_CHANGES_H

#include "fs/inode.h"

#define CHANGE_TYPE    1u /* what differs, of an M: another kind of file altogether */
#define CHANGE_CONTENT 2u
#define CHANGE_MODE    4u
#define CHANGE_OWNER   8u
#define CHANGE_XATTR   16u
#define CHANGE_TARGET  32u /* of a symbolic link, or the number of a device */

struct change {
	char kind; /* 'A' made, 'M' changed, 'D' removed: of a directory with all that was in it */
	uint8_t what;
	size_t length;
	char *path;          /* in the sandbox, absolute; length + 1 bytes of the arena */
	struct inode *inode; /* counted; NULL: D */
	struct inode *lower; /* counted: what was there; NULL: A */
};

struct change_list {
	struct change *items; /* by path, bytewise: a directory comes before what is in it */
	size_t count, room;
	size_t bytes; /* of paths */
	bool cut;     /* there are more than CHANGES_LIMIT_BYTES hold */
};

/* From now on it is guests who change: called once, when the tree has been built. -ENOMEM. */
must_check int changes_begin(const struct path *root);

/* PARKS. -ENOMEM, or an error of the host below. changes_free also after an error. */
must_check int changes_collect(struct change_list *out);
void changes_free(struct change_list *list);

/* PARKS. Reads the data of a regular file of an overlay, or of what is below; short only at its end. */
must_check ssize_t change_read(struct inode *inode, uint64_t pos, void *dst, size_t size);
/* The first byte >= pos that is data (or in a hole); the size when there is none. */
uint64_t change_next(struct inode *inode, uint64_t pos, bool hole);
/* The target of a symbolic link; its length. */
must_check ssize_t change_target(struct inode *inode, char *target, size_t size);

#endif
