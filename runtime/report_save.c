/* report_save.c - --save: the changes as an archive (runtime/tar.h) that tar(1) unpacks, that an OCI image layer may be
 * made of, and that `usbx diff` shows.
 *
 * Names are relative to the sandbox's root. A removed name is an empty file with ".wh." before its name; a changed file
 * is there as a whole. What a plain header cannot hold stands in a pax header before it. Files with holes are written
 * as GNU tar's sparse format 1.0 has them; further names of a file that is in the archive already are links to it.
 *
 * Limits: no sockets, no access control lists. A name that begins with ".wh." would mean a removal: it is left out.
 */
#include "runtime/report.h"

#include "fs/bounce.h"
#include "fs/tmpfs.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "runtime/tar.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PAX_LIMIT    (2ul << 20) /* of one pax header: the longest path and all extended attributes */
#define OCTAL_ID     07777777u
#define OCTAL_SIZE   077777777777ull
#define SPARSE_LIMIT (64ul << 20) /* of the list of a file's pieces */

struct writer {
	int fd;
	int error; /* the first; nothing is written after it */
	struct text pax;
	const struct change_list *list;
	size_t *links; /* indices of regular files with several names, by inode: none twice */
	size_t link_count, link_room;
	size_t *left_out;
	const struct change **example;
};

/* What of a file is data: all of it in one piece, or pieces between holes. */
struct layout {
	bool sparse;
	uint64_t data_bytes, stored_bytes; /* stored: with the list of pieces */
	struct text list;
};

/* ------------------------------------------------------------------ bytes */

static void put(struct writer *writer, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size && !writer->error) {
		ssize_t done = host_write(writer->fd, at, size);
		if (done == -EINTR)
			continue;
		if (done <= 0) {
			writer->error = done ? (int)done : -EIO;
			return;
		}
		at += done;
		size -= (size_t)done;
	}
}

static void pad(struct writer *writer, uint64_t size)
{
	static const char zeros[TAR_BLOCK];

	put(writer, zeros, (size_t)(-size & (TAR_BLOCK - 1)));
}

/* One record: its length counts itself. */
static void pax_add(struct writer *writer, const char *key, const void *value, size_t size)
{
	size_t rest = strlen(key) + size + 3, length = rest + 1; /* " key=value\n" and at least one digit */
	char number[32];

	while ((size_t)snprintf(number, sizeof number, "%zu", length) + rest != length)
		length = rest + (size_t)snprintf(number, sizeof number, "%zu", length);
	text_printf(&writer->pax, "%zu %s=", length, key);
	text_add(&writer->pax, value, size);
	text_add_char(&writer->pax, '\n');
}

static void pax_add_number(struct writer *writer, const char *key, uint64_t value)
{
	char number[32];

	pax_add(writer, key, number, (size_t)snprintf(number, sizeof number, "%" PRIu64, value));
}

/* ------------------------------------------------------------------ headers */

static void octal(char *field, size_t size, uint64_t value)
{
	char digits[32];

	snprintf(digits, sizeof digits, "%0*llo", (int)size - 1, (unsigned long long)value);
	memcpy(field, digits, size);
}

static void seal(struct tar_header *header)
{
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	octal(header->checksum, 7, tar_checksum(header));
	header->checksum[7] = ' ';
}

static bool is_ascii(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] >= 0x80)
			return false;
	return true;
}

/* A name goes where it fits: into the header or into the pax header. */
static void set_name(struct writer *writer, char *field, const char *key, const char *name, size_t length)
{
	memcpy(field, name, MIN(length, sizeof((struct tar_header *)0)->name));
	if (length > sizeof((struct tar_header *)0)->name || !is_ascii(name, length))
		pax_add(writer, key, name, length);
}

static void set_number(struct writer *writer, char *field, size_t size, const char *key, uint64_t value, uint64_t most)
{
	octal(field, size, MIN(value, most));
	if (value > most)
		pax_add_number(writer, key, value);
}

static void add_comment(struct writer *writer, const struct change_shown *shown)
{
	char comment[160];
	const struct change_side *now = &shown->now, *old = &shown->old;

	pax_add(writer, "comment", comment,
		(size_t)snprintf(comment, sizeof comment, TAR_COMMENT, shown->kind, shown->what, now->mode,
				 (unsigned long long)now->size, old->mode, (unsigned long long)old->size, old->uid,
				 old->gid));
}

static void add_xattrs(struct writer *writer, const struct inode *inode)
{
	const struct mem_xattr *xattr;
	char key[32 + NAME_LIMIT + 1];

	list_for_each (xattr, &mem_node(inode)->xattrs, node) {
		snprintf(key, sizeof key, "SCHILY.xattr.%s", xattr->name);
		if (!strchr(xattr->name, '='))
			pax_add(writer, key, xattr->name + xattr->name_bytes, xattr->size);
	}
}

/* The pax header with what has been gathered, then the header itself. */
static void put_headers(struct writer *writer, struct tar_header *header)
{
	struct tar_header pax = {.name = "PaxHeaders/entry",
				 .mode = "0000644",
				 .uid = "0000000",
				 .gid = "0000000",
				 .mtime = "00000000000",
				 .type = TAR_PAX};

	if (writer->pax.truncated && !writer->error)
		writer->error = -ENOMEM;
	octal(pax.size, sizeof pax.size, writer->pax.length);
	seal(&pax);
	put(writer, &pax, sizeof pax);
	put(writer, writer->pax.data, writer->pax.length);
	pad(writer, writer->pax.length);
	seal(header);
	put(writer, header, sizeof *header);
	writer->pax.length = 0;
}

/* ------------------------------------------------------------------ data */

static void layout_find(struct inode *inode, uint64_t size, struct layout *out)
{
	uint64_t pos = 0, pieces = 0;
	struct text body;

	*out = (struct layout){.data_bytes = size, .stored_bytes = size};
	if (change_next(inode, 0, true) >= size)
		return;
	out->sparse = true;
	out->data_bytes = 0;
	text_init_growing(&body, SPARSE_LIMIT);
	while ((pos = change_next(inode, pos, false)) < size) {
		uint64_t end = MIN(change_next(inode, pos, true), size);
		text_printf(&body, "%" PRIu64 "\n%" PRIu64 "\n", pos, end - pos);
		out->data_bytes += end - pos;
		pieces++;
		pos = end;
	}
	/* The last piece says where the file ends. */
	text_printf(&body, "%" PRIu64 "\n0\n", size);
	text_init_growing(&out->list, SPARSE_LIMIT);
	text_printf(&out->list, "%" PRIu64 "\n", pieces + 1);
	if (body.length)
		text_add(&out->list, body.data, body.length);
	out->list.truncated |= body.truncated;
	text_free(&body);
	uint64_t list_bytes = (out->list.length + TAR_BLOCK - 1) & ~(uint64_t)(TAR_BLOCK - 1);
	out->stored_bytes = list_bytes + out->data_bytes;
}

/* [pos, end). What cannot be read any more is written as zeros, because the header has promised it, and reported. */
static void put_data(struct writer *writer, struct inode *inode, uint64_t pos, uint64_t end)
{
	char *bounce = bounce_get();

	if (!bounce && !writer->error)
		writer->error = -ENOMEM;
	while (pos < end && !writer->error) {
		size_t size = (size_t)MIN(end - pos, (uint64_t)BOUNCE_BYTES);
		ssize_t got = change_read(inode, pos, bounce, size);
		if (got <= 0) {
			writer->error = got ? (int)got : -EIO;
			break;
		}
		put(writer, bounce, (size_t)got);
		pos += (uint64_t)got;
	}
	if (bounce)
		bounce_put(bounce);
}

static void put_content(struct writer *writer, struct inode *inode, uint64_t size, struct layout *layout)
{
	uint64_t pos = 0;

	if (!layout->sparse) {
		put_data(writer, inode, 0, size);
	} else {
		put(writer, layout->list.data, layout->list.length);
		pad(writer, layout->list.length);
		while ((pos = change_next(inode, pos, false)) < size) {
			uint64_t end = MIN(change_next(inode, pos, true), size);
			put_data(writer, inode, pos, end);
			pos = end;
		}
	}
	pad(writer, layout->stored_bytes);
}

/* ------------------------------------------------------------------ entries */

static void leave_out(struct writer *writer, const struct change *change)
{
	if (!(*writer->left_out)++)
		*writer->example = change;
}

static const char *last_name(const struct change *change, size_t *length)
{
	const char *slash = memrchr(change->path, '/', change->length);
	const char *name = slash ? slash + 1 : change->path;

	*length = change->length - (size_t)(name - change->path);
	return name;
}

static void save_removed(struct writer *writer, const struct change *change, const struct change_shown *shown)
{
	struct tar_header header = {.type = TAR_FILE,
				    .mode = "0000000",
				    .uid = "0000000",
				    .gid = "0000000",
				    .size = "00000000000",
				    .mtime = "00000000000"};
	size_t length, room = change->length + sizeof TAR_WHITEOUT;
	const char *name = last_name(change, &length);
	size_t dir = change->length - length;
	char *whiteout = arena_alloc(room);

	if (!whiteout) {
		writer->error = writer->error ? writer->error : -ENOMEM;
		return;
	}
	memcpy(whiteout, change->path, dir);
	memcpy(whiteout + dir, TAR_WHITEOUT, sizeof TAR_WHITEOUT - 1);
	memcpy(whiteout + dir + sizeof TAR_WHITEOUT - 1, name, length);
	add_comment(writer, shown);
	set_name(writer, header.name, "path", whiteout + 1, room - 2);
	put_headers(writer, &header);
	arena_free(whiteout, room);
}

/* The change whose entry has this inode's data already; NULL: this is the first. */
static const struct change *earlier_name(struct writer *writer, size_t index)
{
	const struct change *items = writer->list->items;
	size_t low = 0, high = writer->link_count;

	if (!S_ISREG(items[index].inode->mode) || items[index].inode->nlink < 2)
		return NULL;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct inode *there = items[writer->links[middle]].inode;
		if (there == items[index].inode)
			return &items[writer->links[middle]];
		if (there < items[index].inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (writer->link_count == writer->link_room) {
		size_t room = MAX(writer->link_room * 2, (size_t)64);
		size_t *links = arena_realloc(writer->links, writer->link_room * sizeof *links, room * sizeof *links);
		if (!links)
			return NULL; /* written as a file of its own */
		writer->links = links;
		writer->link_room = room;
	}
	memmove(&writer->links[low + 1], &writer->links[low], (writer->link_count - low) * sizeof *writer->links);
	writer->links[low] = index;
	writer->link_count++;
	return NULL;
}

static char tar_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return TAR_FILE;
	case S_IFDIR:
		return TAR_DIRECTORY;
	case S_IFLNK:
		return TAR_SYMLINK;
	case S_IFIFO:
		return TAR_FIFO;
	case S_IFCHR:
		return TAR_CHAR;
	case S_IFBLK:
		return TAR_BLOCKDEV;
	default:
		return 0;
	}
}

/* Whose layout is found, whose name means itself, and whose first bytes can be read. */
static bool can_be_saved(const struct change *change, const struct layout *layout)
{
	bool whiteout = memmem(change->path, change->length, "/" TAR_WHITEOUT, sizeof TAR_WHITEOUT) != NULL;
	char byte;

	if (!tar_type(change->inode->mode) || !change->length || whiteout || layout->list.truncated)
		return false;
	return !S_ISREG(change->inode->mode) || !change->inode->size || change_read(change->inode, 0, &byte, 1) == 1;
}

static void fill_header(struct writer *writer, const struct change *change, const struct change_shown *shown,
			struct tar_header *header)
{
	const struct inode *inode = change->inode;

	header->type = tar_type(inode->mode);
	add_comment(writer, shown);
	add_xattrs(writer, inode);
	octal(header->mode, sizeof header->mode, inode->mode & 07777);
	set_number(writer, header->uid, sizeof header->uid, "uid", inode->uid, OCTAL_ID);
	set_number(writer, header->gid, sizeof header->gid, "gid", inode->gid, OCTAL_ID);
	octal(header->mtime, sizeof header->mtime, (uint64_t)MAX(inode->mtime.s, (int64_t)0) & OCTAL_SIZE);
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) {
		octal(header->major, sizeof header->major, inode->rdev >> 8 & 0xfff);
		octal(header->minor, sizeof header->minor, (inode->rdev & 0xff) | (inode->rdev >> 12 & 0xfff00));
	}
	if (shown->target)
		set_name(writer, header->link, "linkpath", shown->target, shown->target_length);
}

static void save_present(struct writer *writer, size_t index, const struct change_shown *shown)
{
	const struct change *change = &writer->list->items[index], *first = NULL;
	struct layout layout = {0};
	struct tar_header header = {0};

	if (S_ISREG(change->inode->mode))
		layout_find(change->inode, shown->now.size, &layout);
	if (!can_be_saved(change, &layout)) {
		leave_out(writer, change);
		text_free(&layout.list);
		return;
	}
	first = earlier_name(writer, index);
	fill_header(writer, change, shown, &header);
	set_name(writer, header.name, "path", change->path + 1, change->length - 1);
	if (first) {
		header.type = TAR_LINK;
		layout.stored_bytes = 0;
		set_name(writer, header.link, "linkpath", first->path + 1, first->length - 1);
	} else if (layout.sparse) {
		pax_add_number(writer, "GNU.sparse.major", 1);
		pax_add_number(writer, "GNU.sparse.minor", 0);
		pax_add(writer, "GNU.sparse.name", change->path + 1, change->length - 1);
		pax_add_number(writer, "GNU.sparse.realsize", shown->now.size);
	}
	set_number(writer, header.size, sizeof header.size, "size", layout.stored_bytes, OCTAL_SIZE);
	put_headers(writer, &header);
	if (!first && header.type == TAR_FILE)
		put_content(writer, change->inode, shown->now.size, &layout);
	text_free(&layout.list);
}

int report_save(const struct change_list *list, uint32_t host_file, size_t *left_out, const struct change **example)
{
	static const char end[2 * TAR_BLOCK];
	struct writer writer = {.fd = hostfile_fd(host_file), .list = list, .left_out = left_out, .example = example};
	char target[PATH_LIMIT];
	struct change_shown shown;

	text_init_growing(&writer.pax, PAX_LIMIT);
	for (size_t i = 0; i < list->count && !writer.error; i++) {
		report_describe(&list->items[i], target, &shown);
		if (list->items[i].kind == 'D')
			save_removed(&writer, &list->items[i], &shown);
		else
			save_present(&writer, i, &shown);
	}
	put(&writer, end, sizeof end);
	text_free(&writer.pax);
	arena_free(writer.links, writer.link_room * sizeof *writer.links);
	return writer.error;
}
