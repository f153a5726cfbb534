/* tar_read.c - see tar_read.h.
 *
 * Limits: what report_save.c writes (pax headers, no others of the many dialects); TAR_PAX_LIMIT.
 */
#include "runtime/tar_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A field of octal digits, ended by its size, a zero byte or a space. False: it is none. */
static bool parse_octal(const char *field, size_t size, uint64_t *out)
{
	size_t i = 0;

	*out = 0;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		*out = *out * 8 + (uint64_t)(field[i] - '0');
	return i == size || !field[i] || field[i] == ' ';
}

static bool parse_decimal(const char *text, size_t size, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < size; i++)
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(*out, 10u, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(text[i] - '0'), out))
			return false;
	return size > 0;
}

/* Finds the last value of a key among the records "LENGTH KEY=VALUE\n"; NULL: none. -EBADMSG: they are damaged. */
static int pax_find(const struct tar_reader *reader, const char *key, const char **value, size_t *value_size)
{
	const char *at = reader->pax, *end = at + reader->pax_bytes;
	size_t key_size = strlen(key);

	*value = NULL;
	while (at < end) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		uint64_t length;
		if (!space || !parse_decimal(at, (size_t)(space - at), &length) || length > (uint64_t)(end - at) ||
		    length < (uint64_t)(space - at) + 3 || at[length - 1] != '\n')
			return -EBADMSG;
		const char *record = space + 1, *record_end = at + length - 1;
		if ((size_t)(record_end - record) > key_size && !memcmp(record, key, key_size) &&
		    record[key_size] == '=') {
			*value = record + key_size + 1;
			*value_size = (size_t)(record_end - *value);
		}
		at += length;
	}
	return 0;
}

static int read_block(struct tar_reader *reader)
{
	size_t got = fread(&reader->header, 1, TAR_BLOCK, reader->file);
	uint64_t sum;

	if (got != TAR_BLOCK)
		return ferror(reader->file) ? -EIO : -EBADMSG;
	if (!reader->header.name[0] && !reader->header.magic[0])
		return 0; /* the zeros at the end */
	if (memcmp(reader->header.magic, "ustar", 6) != 0 ||
	    !parse_octal(reader->header.checksum, sizeof reader->header.checksum, &sum) ||
	    sum != tar_checksum(&reader->header))
		return -EBADMSG;
	return 1;
}

static int pass_over(struct tar_reader *reader, uint64_t size)
{
	char scratch[16 * TAR_BLOCK];

	if (size > INT64_MAX - TAR_BLOCK)
		return -EBADMSG;
	size = (size + TAR_BLOCK - 1) & ~(uint64_t)(TAR_BLOCK - 1);
	while (size) {
		size_t part = (size_t)MIN(size, (uint64_t)sizeof scratch);
		if (fread(scratch, 1, part, reader->file) != part)
			return ferror(reader->file) ? -EIO : -EBADMSG;
		size -= part;
	}
	return 0;
}

static int read_pax(struct tar_reader *reader)
{
	uint64_t size;

	if (!parse_octal(reader->header.size, sizeof reader->header.size, &size) || size > TAR_PAX_LIMIT)
		return -EBADMSG;
	reader->pax_bytes = (size_t)size;
	if (fread(reader->pax, 1, reader->pax_bytes, reader->file) != reader->pax_bytes)
		return ferror(reader->file) ? -EIO : -EBADMSG;
	char padding[TAR_BLOCK];
	size_t rest = -size & (TAR_BLOCK - 1);
	if (fread(padding, 1, rest, reader->file) != rest)
		return ferror(reader->file) ? -EIO : -EBADMSG;
	return 0;
}

/* A name of the header, or the longer one of the pax header. */
static int find_name(const struct tar_reader *reader, const char *field, char *copy, const char *key, const char **name,
		     size_t *length)
{
	int error = pax_find(reader, key, name, length);

	if (error || *name)
		return error;
	*length = strnlen(field, sizeof reader->header.name);
	memcpy(copy, field, *length);
	copy[*length] = '\0';
	*name = copy;
	return 0;
}

static int number_of(const struct tar_reader *reader, const char *field, size_t size, const char *key, uint64_t *out)
{
	const char *value;
	size_t value_size;
	int error = pax_find(reader, key, &value, &value_size);

	if (error)
		return error;
	bool good = value ? parse_decimal(value, value_size, out) : parse_octal(field, size, out);
	return good ? 0 : -EBADMSG;
}

/* The comment: what --save knew of the change. */
static int parse_comment(const struct tar_reader *reader, struct change_shown *out)
{
	unsigned long long size, old_size;
	const char *value;
	char text[160];
	unsigned what;
	size_t length;
	int error = pax_find(reader, "comment", &value, &length);

	if (error || !value || length >= sizeof text)
		return -EBADMSG;
	memcpy(text, value, length);
	text[length] = '\0';
	if (sscanf(text, TAR_COMMENT, &out->kind, &what, &out->now.mode, &size, &out->old.mode, &old_size,
		   &out->old.uid, &out->old.gid) != 8 ||
	    !memchr("AMD", out->kind, 3) || what > UINT8_MAX)
		return -EBADMSG;
	out->what = (uint8_t)what;
	out->now.size = size;
	out->old.size = old_size;
	return 0;
}

/* "dir/.wh.name" becomes "dir/name", in place. */
static int strip_whiteout(struct change_shown *change, char *path)
{
	char *slash = memrchr(path, '/', change->length), *name = slash ? slash + 1 : path;
	size_t rest = change->length - (size_t)(name - path), mark = sizeof TAR_WHITEOUT - 1;

	if (rest <= mark || memcmp(name, TAR_WHITEOUT, mark) != 0)
		return -EBADMSG;
	memmove(name, name + mark, rest - mark);
	change->length -= mark;
	return 0;
}

static int read_change(struct tar_reader *reader, struct change_shown *out)
{
	const struct tar_header *header = &reader->header;
	uint64_t size, uid, gid;
	int error = parse_comment(reader, out);

	if (!error)
		error = find_name(reader, header->name, reader->name, "path", &out->path, &out->length);
	if (!error && header->type == TAR_SYMLINK)
		error = find_name(reader, header->link, reader->link, "linkpath", &out->target, &out->target_length);
	if (!error)
		error = number_of(reader, header->uid, sizeof header->uid, "uid", &uid);
	if (!error)
		error = number_of(reader, header->gid, sizeof header->gid, "gid", &gid);
	if (!error)
		error = number_of(reader, header->size, sizeof header->size, "size", &size);
	if (!error && out->kind == 'D') /* in reader->pax or reader->name: ours */
		error = strip_whiteout(out, (char *)(uintptr_t)out->path);
	if (error)
		return error;
	out->now.uid = (uint32_t)uid;
	out->now.gid = (uint32_t)gid;
	return pass_over(reader, size);
}

int tar_read(struct tar_reader *reader, struct change_shown *out)
{
	int got = read_block(reader);

	*out = (struct change_shown){0};
	if (got <= 0)
		return got;
	if (reader->header.type != TAR_PAX)
		return -EBADMSG; /* each of ours has one before it */
	got = read_pax(reader);
	if (got)
		return got;
	got = read_block(reader);
	if (got <= 0 || reader->header.type == TAR_PAX)
		return got < 0 ? got : -EBADMSG;
	got = read_change(reader, out);
	return got ? got : 1;
}
