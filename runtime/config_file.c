/* config_file.c - see config_file.h and docs/config.md.
 *
 * Such a file decides what a sandbox may do, so nobody else's word makes usbx read it: there is no search for one, the
 * command line names it. And a sandbox must not write the file that widens the next one: where a directory is shared
 * for writing, the usbx.yaml that lies in it, and the file in use, are mounted read-only over themselves. A mount point
 * can be neither removed nor renamed nor replaced. A file further down could be, with the directory around it: refused.
 */
#include "runtime/config_file.h"

#include "runtime/config.h"
#include "runtime/fail.h"
#include "runtime/option_values.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct application {
	struct options *options;
	const option_taker *takers;
	const char *path, *directory;
};

/* A relative path of the host starts at the file's directory. In --mount, which has it in front, colons are escaped. */
static char *from_directory(const char *directory, bool escape, const char *path)
{
	char *full = must_alloc(2 * strlen(directory) + strlen(path) + 2), *to = full;

	for (const char *from = directory; *from; *to++ = *from++)
		if (escape && (*from == ':' || *from == '\\'))
			*to++ = '\\';
	*to++ = '/';
	strcpy(to, path);
	return full;
}

static void take(void *context, enum option_id option, const char *value, unsigned line)
{
	const struct application *a = context;
	const char *offers = option_rows[option].offers;
	bool path = (!strcmp(offers, "@dir") || !strcmp(offers, "@file")) && option != OPTION_workdir;
	char where[PATH_MAX + 16];

	snprintf(where, sizeof where, "%s:%u: ", a->path, line);
	fail_where(where);
	if (value && *value && *value != '/' && path)
		value = from_directory(a->directory, option == OPTION_mount, value);
	else if (value)
		value = must_copy(value);
	a->takers[option](a->options, value);
	fail_where("");
}

/* The whole file; *size of it. */
static char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat attributes;

	if (fd < 0 || fstat(fd, &attributes))
		fail_to_read("--config", path, errno);
	if (!S_ISREG(attributes.st_mode))
		fail("--config %s: not a regular file; name one with lines such as memory: 2G", path);
	char *text = must_alloc(CONFIG_BYTES_LIMIT + 1);
	*size = 0;
	for (ssize_t n; (n = read(fd, text + *size, CONFIG_BYTES_LIMIT + 1 - *size)) != 0; *size += (size_t)n)
		if (n < 0)
			fail_to_read("--config", path, errno);
	close(fd);
	if (*size > CONFIG_BYTES_LIMIT)
		fail("--config %s: larger than %u KiB; is it the right file?", path, CONFIG_BYTES_LIMIT >> 10);
	return text;
}

void config_apply(struct options *o, const char *path, const option_taker takers[OPTION_COUNT])
{
	char *full = realpath(path, NULL), error[CONFIG_ERROR_BYTES];
	size_t size;

	if (!full)
		fail_to_read("--config", path, errno);
	char *text = read_file(full, &size), *directory = must_copy(full);
	*strrchr(directory, '/') = 0;
	struct application a = {o, takers, path, directory};
	if (!config_parse(text, size, take, &a, error))
		fail("%s:%s", path, error);
	free(text);
}

/* Shows the file at path, which lies in shared, read-only; target is where shared is in the sandbox. */
static void cover(struct options *o, const char *path, const struct mount_option *shared, const char *rest)
{
	char *target = from_directory(shared->target, false, rest);

	for (unsigned i = 0; i < o->mount_count; i++)
		if (!strcmp(o->mounts[i].target, target)) {
			if (o->mounts[i].mode == SHARE_RW)
				fail("%s %s: a sandbox that can change %s could widen the next one; show it with mode "
				     "ro",
				     o->mounts[i].option, o->mounts[i].source, path);
			return;
		}
	share_add(o, &(struct mount_option){"--config", must_copy(path), target, SHARE_RO});
}

/* What of path is below directory, or NULL; "" for itself. */
static const char *below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	if (strncmp(path, directory, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path + n + strspn(path + n, "/");
}

static void protect(struct options *o, const char *option, const char *config, struct mount_option shared)
{
	char *source = realpath(shared.source, NULL), name[PATH_MAX];
	struct stat attributes;

	if (!source)
		return; /* view.c says so */
	const char *rest = config ? below(config, source) : NULL;
	if (rest && (!*rest || strchr(rest, '/')))
		fail("%s %s: the sandbox may change it, with %s %s, and so widen the next one: put it right into %s, "
		     "or outside",
		     option, config, shared.option, shared.source, source);
	if (rest)
		cover(o, config, &shared, rest);
	snprintf(name, sizeof name, "%s/%s", source, CONFIG_NAME);
	if (!lstat(name, &attributes) && S_ISREG(attributes.st_mode) && !(rest && !strcmp(rest, CONFIG_NAME)))
		cover(o, name, &shared, CONFIG_NAME);
	free(source);
}

void config_protect(struct options *o, const char *option, const char *path)
{
	struct mount_option given[MOUNT_OPTION_LIMIT];
	unsigned count = o->mount_count;
	char *config = path ? realpath(path, NULL) : NULL;

	memcpy(given, o->mounts, count * sizeof *given);
	for (unsigned i = 0; i < count; i++)
		if (given[i].mode == SHARE_RW)
			protect(o, option, config, given[i]);
	free(config);
}
