/* tar.h - the archive that --save writes and `usbx diff` reads: pax (POSIX.1-2001), with removed names as the whiteouts
 * of an OCI image layer, and in each header's comment what `usbx diff` wants to know.
 */
#ifndef RUNTIME_TAR_H
#define RUNTIME_TAR_H

#include "sentry/base/types.h"

#define TAR_BLOCK 512u

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6],
		version[2], user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is a block");

#define TAR_FILE      '0'
#define TAR_LINK      '1'
#define TAR_SYMLINK   '2'
#define TAR_CHAR      '3'
#define TAR_BLOCKDEV  '4'
#define TAR_DIRECTORY '5'
#define TAR_FIFO      '6'
#define TAR_PAX       'x'

#define TAR_WHITEOUT ".wh."

/* The comment: "usbx1 KIND WHAT MODE SIZE OLDMODE OLDSIZE OLDUID OLDGID"; modes in octal, with the type. */
#define TAR_COMMENT "usbx1 %c %x %o %llu %o %llu %u %u"

/* The sum of a header's bytes with the field of the sum as spaces. */
static inline unsigned tar_checksum(const struct tar_header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool own = i >= offsetof(struct tar_header, checksum) && i < offsetof(struct tar_header, type);
		sum += own ? ' ' : bytes[i];
	}
	return sum;
}

#endif
