/* mount.h - what cases about mount(2) share: a tree of one's own to change, and what the kernel says of a mount. */
#ifndef MOUNT_CASE_H
#define MOUNT_CASE_H

#include "guest.h"
#include <sched.h>
#include <sys/mount.h>

/* Natively the machine's tree must not change; a sandbox's tree is nobody else's anyway. */
static inline void own_tree(void)
{
	if (geteuid())
		skip("only root may mount");
	if (unshare(CLONE_NEWNS) && errno != EPERM)
		give_up("unshare", errno);
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/* The line of /proc/self/mounts for what is mounted at place (relative to the working directory), without the place. */
static inline void show_mount(const char *place)
{
	char line[1024], at[600], cwd[512], source[200], target[600], type[100], options[400];
	FILE *mounts = fopen("/proc/self/mounts", "r");

	MUST(getcwd(cwd, sizeof cwd) ? 0 : -1);
	snprintf(at, sizeof at, "%s/%s", cwd, place);
	while (mounts && fgets(line, sizeof line, mounts))
		if (sscanf(line, "%199s %599s %99s %399s", source, target, type, options) == 4 && !strcmp(target, at)) {
			/* How large it is, and how wide inode numbers are, is the kernel's affair. */
			char *more = strstr(options, "relatime,");
			if (more)
				more[strlen("relatime")] = 0;
			if ((more = strstr(options, ",inode64")) || (more = strstr(options, ",size=")))
				*more = 0;
			say("%s: %s %s %s\n", place, source, type, options);
		}
	if (mounts)
		fclose(mounts);
}

#endif
