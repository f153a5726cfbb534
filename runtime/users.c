/* users.c - see users.h.
 *
 * The files are read here and not by getpwnam(3): a static program cannot load the C library's name services, and with
 * --rootfs the names are those of that root. Nobody has reviewed such a root, so its files are opened without leaving
 * it (RESOLVE_IN_ROOT), and only if they are regular files.
 *
 * Limits: no name services but the files; no supplementary groups.
 */
#include "runtime/users.h"

#include "runtime/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* NULL when it is not there. */
static FILE *open_below(const char *root, const char *path)
{
	const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_IN_ROOT};
	struct stat attributes;
	int dir = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = dir < 0 ? -1 : (int)syscall(SYS_openat2, dir, path, &how, sizeof how);

	if (dir >= 0)
		close(dir);
	if (fd < 0)
		return NULL;
	FILE *file = fstat(fd, &attributes) || !S_ISREG(attributes.st_mode) ? NULL : fdopen(fd, "re");
	if (!file)
		close(fd);
	return file;
}

static bool find_user(const char *root, const char *name, uint32_t *uid, uint32_t *gid)
{
	FILE *file = open_below(root, "etc/passwd");
	struct passwd *entry = NULL;

	while (file && (entry = fgetpwent(file)) && strcmp(entry->pw_name, name) != 0)
		continue;
	if (entry) {
		*uid = entry->pw_uid;
		*gid = entry->pw_gid;
	}
	if (file)
		fclose(file);
	return entry != NULL;
}

static bool find_group(const char *root, const char *name, uint32_t *gid)
{
	FILE *file = open_below(root, "etc/group");
	struct group *entry = NULL;

	while (file && (entry = fgetgrent(file)) && strcmp(entry->gr_name, name) != 0)
		continue;
	if (entry)
		*gid = entry->gr_gid;
	if (file)
		fclose(file);
	return entry != NULL;
}

/* The number that a text of digits is; false when it is a name. */
static bool parse_id(const char *text, uint32_t *out)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits])
		return false;
	errno = 0;
	unsigned long id = strtoul(text, NULL, 10);
	if (errno || id >= UINT32_MAX)
		fail("--user: %s is too large; use a number below %u", text, UINT32_MAX);
	*out = (uint32_t)id;
	return true;
}

char *users_shadow(void)
{
	FILE *file = open_below(NULL, "etc/passwd");
	struct passwd *entry;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	while (out && file && (entry = fgetpwent(file)))
		fprintf(out, "%s:*:::::::\n", entry->pw_name);
	if (file)
		fclose(file);
	if (!out || fclose(out))
		fail("out of memory");
	return text;
}

void users_find(const char *root, const char *text, uint32_t *uid, uint32_t *gid)
{
	char *user = must_copy(text), *group = strchr(user, ':');
	const char *where = root ? root : "";

	if (group)
		*group++ = 0;
	if (parse_id(user, uid))
		*gid = *uid;
	else if (!*user || !find_user(root, user, uid, gid))
		fail("--user %s: no such user in %s/etc/passwd; use a name or UID[:GID] in numbers", text, where);
	if (group && !parse_id(group, gid) && (!*group || !find_group(root, group, gid)))
		fail("--user %s: no such group in %s/etc/group; use a name or a number", text, where);
	free(user);
}
