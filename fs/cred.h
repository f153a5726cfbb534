/* cred.h - who somebody is: identities, groups, capabilities (credentials(7), capabilities(7)).
 *
 * A cred is immutable once others can see it; whoever changes one makes a copy (cred_copy), changes that and swaps it
 * in.
 */
#ifndef FS_CRED_H
#define FS_CRED_H

#include "sentry/base/ref.h"

#define CAP_FULL_SET ((1ull << 41) - 1) /* CAP_LAST_CAP is CAP_CHECKPOINT_RESTORE (40) */

struct cred {
	struct ref ref;
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint64_t cap_effective, cap_permitted, cap_inheritable, cap_bounding, cap_ambient;
	uint32_t securebits;
	uint32_t group_count; /* supplementary groups, sorted; at most GROUPS_LIMIT */
	uint32_t *groups;     /* arena_alloc, owned */
};

must_check struct cred *cred_new(uint32_t uid, uint32_t gid); /* root gets every capability; NULL: no memory */
must_check struct cred *cred_copy(const struct cred *cred);   /* NULL: no memory */
void cred_get(struct cred *cred);
void cred_put(struct cred *cred);
bool cred_in_group(const struct cred *cred, uint32_t gid); /* fsgid or a supplementary group */
bool cred_capable(const struct cred *cred, int cap);       /* in the effective set */

#endif
