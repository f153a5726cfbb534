/* tar_read.h - reads the headers of an archive that --save has written; what is in the files is passed over.
 *
 * The archive may be anything: whatever it says is checked, and nothing is looked up, opened or made by its names.
 */
#ifndef RUNTIME_TAR_READ_H
#define RUNTIME_TAR_READ_H

#include "runtime/change_text.h"
#include "runtime/tar.h"

#include <stdio.h>

#define TAR_PAX_LIMIT (4ul << 20) /* bytes of a pax header */

struct tar_reader {
	FILE *file;
	struct tar_header header;
	char *pax; /* TAR_PAX_LIMIT bytes of the caller's */
	size_t pax_bytes;
	char name[sizeof((struct tar_header *)0)->name + 1]; /* as far as they are in the header */
	char link[sizeof((struct tar_header *)0)->link + 1];
};

/* The next change: 1; 0 at the end; -EBADMSG: this is not such an archive, or it is damaged; -EIO. What out points to
 * is good until the next call. out->path has no slash before it, and no ".wh." of a removed name. */
must_check int tar_read(struct tar_reader *reader, struct change_shown *out);

#endif
