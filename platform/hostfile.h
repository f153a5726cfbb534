/* hostfile.h - the table of host files (design D5: no host handle in the arena, only an index into this table).
 *
 * An index names an open host file for as long as somebody holds a reference. The sentry's descriptor behind it never
 * leaves platform/. A file that guests may map is also installed in the stubs' descriptor table, under a number that is
 * never used for another file in this sandbox (a signed mmap can be replayed: design D3).
 */
#ifndef PLATFORM_HOSTFILE_H
#define PLATFORM_HOSTFILE_H

#include "sentry/base/types.h"

#define HOSTFILE_NONE UINT32_MAX

/* Takes host_fd. Returns an index, or -EMFILE. */
must_check int hostfile_add(int host_fd, uint32_t *out);
void hostfile_get(uint32_t file);
void hostfile_put(uint32_t file);

/* The sentry's own descriptor, for platform/ code and tests only. Borrowed. */
int hostfile_fd(uint32_t file);

/* A new anonymous file of size bytes (memfd), for data that guests map. -EMFILE, -ENOMEM. */
must_check int hostfile_memory(const char *name, uint64_t size, uint32_t *out);

/* An anonymous file whose sentry-side mapping the caller wants at a place of its choice: see host_mmap in host.h. */

#endif
