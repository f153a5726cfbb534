/* filedata.h - the bytes of a file that lives in memory (tmpfs, the upper side of an overlay, memfd).
 *
 * Sparse, up to INT64_MAX. Until something maps the file its data is in the arena; from then on (filedata_promote) in a
 * memory file of the host that guests map, and that read and write go through. The size of the file is the owner's.
 * Everything but init may PARK when data is on its way from or to a guest whose memory is busy.
 */
#ifndef FS_FILEDATA_H
#define FS_FILEDATA_H

#include "fs/uio.h"
#include "sentry/base/wait.h"

#define FILEDATA_CHUNK (64 * 1024ul) /* bytes that are present or absent together */

/* How much the files of one file system may hold together. */
struct filedata_budget {
	uint64_t limit_bytes; /* 0: none */
	uint64_t used_bytes;
	bool on_disk; /* counts for disk_limit_set too: has a name in the sandbox's tree */
};

/* --disk: how much all of them may hold together, besides what each may; 0: no limit. Set once, before there are any.
 */
void disk_limit_set(uint64_t bytes);
/* What a file system with this budget has and what is left of it, for statfs(2). */
void budget_space(const struct filedata_budget *budget, uint64_t *size_bytes, uint64_t *free_bytes);

/* For what else a file system keeps for its files. in_arena: there is to be room for it in the arena. -ENOSPC. */
must_check int budget_charge(struct filedata_budget *budget, uint64_t bytes, bool in_arena);
void budget_uncharge(struct filedata_budget *budget, uint64_t bytes);

struct filedata {
	void *root;      /* height 0: the first chunk, small_bytes of it; else a node */
	uint32_t height; /* levels of nodes */
	uint32_t small_bytes;
	uint64_t used_bytes; /* charged to the budget */
	uint32_t host_file;  /* host file index once promoted, else HOSTFILE_NONE */
	uint64_t host_size;  /* of that memory file, whole pages */
	uint8_t *window;     /* the sentry's own mapping of it while it is small enough; NULL: none */
	uint64_t window_bytes;
	uint32_t
		users; /* copies under way between the data and a guest: they may PARK, and what they touch must stay */
	struct waitq idle; /* users became 0 */
};

void filedata_init(struct filedata *data);
void filedata_free(struct filedata *data, struct filedata_budget *budget);

/* Reads from pos what lies below size. Short only at the size or at a bad address (then -EFAULT if nothing moved). */
must_check ssize_t filedata_read(struct filedata *data, struct uio *to, uint64_t pos, uint64_t size);
/* Writes at pos; the owner raises its size afterwards. Short, or -ENOSPC, when the budget or the memory is used up. */
must_check ssize_t filedata_write(struct filedata *data, struct uio *from, uint64_t pos,
				  struct filedata_budget *budget);
/* The file now ends at size (was old_size): what lies behind reads as zero when it grows again. 0 or -errno of the
 * host. */
must_check int filedata_resize(struct filedata *data, uint64_t old_size, uint64_t size, struct filedata_budget *budget);
/* [start, end) reads as zero afterwards and its whole chunks are given back. */
must_check int filedata_punch(struct filedata *data, uint64_t start, uint64_t end, struct filedata_budget *budget);
/* The first byte >= pos that is data, or in a hole; size when there is none below it. */
must_check uint64_t filedata_next(struct filedata *data, uint64_t pos, uint64_t size, bool hole);
/* Makes sure that the data is in a memory file of the host that covers size bytes (and at least need bytes); its index
 * is in host_file. -ENOMEM, -EMFILE ... */
must_check int filedata_promote(struct filedata *data, uint64_t size, uint64_t need);

#endif
