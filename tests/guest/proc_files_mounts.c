/* /proc/self/mounts and mountinfo: each line parses; the working directory, /proc and /dev are under a mount of theirs.
 */
#include "guest.h"
#include <mntent.h>
#include <sys/sysmacros.h>

int main(void)
{
	char line[4096], root[1000], point[1000], options[300], *dash;
	int id, parent, lines = 0, bad = 0, matched = 0;
	unsigned major, minor;
	bool saw_proc = false, saw_root = false, parents = true;
	static bool ids[100000];
	FILE *in = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;
	while ((entry = getmntent(in))) {
		saw_proc |= !strcmp(entry->mnt_dir, "/proc") && !strcmp(entry->mnt_type, "proc");
		saw_root |= !strcmp(entry->mnt_dir, "/");
		lines++;
		bad += !hasmntopt(entry, "rw") && !hasmntopt(entry, "ro");
	}
	endmntent(in);
	CHECK(lines > 2 && !bad && saw_proc && saw_root);

	in = fopen("/proc/self/mountinfo", "r");
	struct stat st;
	MUST(stat("/proc", &st));
	for (lines = bad = 0; fgets(line, sizeof line, in); lines++) {
		if (sscanf(line, "%d %d %u:%u %999s %999s %299s", &id, &parent, &major, &minor, root, point, options) !=
			    7 ||
		    !(dash = strstr(line, " - ")) || sscanf(dash, " - %999s %999s %299s", root, point, options) != 3) {
			bad++;
			continue;
		}
		sscanf(line, "%d %d %u:%u %999s %999s", &id, &parent, &major, &minor, root, point);
		if (id < 100000)
			ids[id] = true;
		matched += !strcmp(point, "/proc") && st.st_dev == makedev(major, minor);
	}
	CHECK(lines > 2 && !bad && matched >= 1);
	rewind(in);
	while (fgets(line, sizeof line, in))
		if (sscanf(line, "%d %d %*s %*s %999s", &id, &parent, point) == 3 && strcmp(point, "/") &&
		    parent < 100000)
			parents &= ids[parent];
	CHECK(parents);
	return 0;
}
