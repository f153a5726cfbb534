/* Bind mounts, recursive ones, moving, and what else mount(2) changes. */
#include "mount.h"

static void touch(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0644);

	say("%s: %s\n", name, fd < 0 ? strerror(errno) : "made");
	if (fd >= 0)
		close(fd);
}

static void binding(void)
{
	struct stat one, two;

	section("bind");
	touch("a/f");
	SHOW(mount("a", "b", NULL, MS_BIND, NULL));
	MUST(stat("a/f", &one));
	MUST(stat("b/f", &two));
	CHECK(one.st_ino == two.st_ino && one.st_dev == two.st_dev);
	touch("b/g");
	SHOW(access("a/g", F_OK));
	SHOW(rename("a/g", "b/h"));
	SHOW(link("a/g", "b/h"));
	SHOW(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	touch("b/i");
	touch("a/i");
	SHOW(access("b/i", F_OK));
	SHOW(umount("b"));
	SHOW(access("b/i", F_OK));
	SHOW(mount("a/f", "b/file", NULL, MS_BIND, NULL));
	touch("b/file");
	SHOW(mount("a/f", "b/file", NULL, MS_BIND, NULL));
	SHOW(umount("b/file"));
	SHOW(mount("a", "b/file", NULL, MS_BIND, NULL));
	SHOW(mount("a/f", "b", NULL, MS_BIND, NULL));
	SHOW(mount("nowhere", "b", NULL, MS_BIND, NULL));
	SHOW(mount(NULL, "b", NULL, MS_BIND, NULL));
}

static void trees(void)
{
	section("trees");
	MUST(mount("t", "a", "tmpfs", 0, NULL));
	MUST(mkdir("a/x", 0755));
	MUST(mount("u", "a/x", "tmpfs", 0, NULL));
	MUST(mkdir("a/x/y", 0755));
	MUST(mount("v", "a/x/y", "tmpfs", 0, NULL));
	touch("a/x/y/deep");
	SHOW(mount("a", "b", NULL, MS_BIND, NULL));
	SHOW(access("b/x/y/deep", F_OK));
	SHOW(umount("b"));
	SHOW(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	SHOW(access("b/x/y/deep", F_OK));
	show_mount("b/x/y");
	SHOW(umount("b"));
	SHOW(umount2("b", MNT_DETACH));
	SHOW(access("a/x/y/deep", F_OK));
	SHOW(mount(NULL, "a/x", NULL, MS_UNBINDABLE, NULL));
	SHOW(mount("a/x", "b", NULL, MS_BIND, NULL));
	SHOW(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	SHOW(access("b/x/y", F_OK));
	SHOW(umount("b"));

	section("move");
	SHOW(mount("a/x", "b", NULL, MS_MOVE, NULL));
	SHOW(access("a/x/y", F_OK));
	SHOW(access("b/y/deep", F_OK));
	SHOW(mount("b", "b/y", NULL, MS_MOVE, NULL));
	SHOW(mount("b/y/deep", "a", NULL, MS_MOVE, NULL));
	SHOW(mount("b", "a/nowhere", NULL, MS_MOVE, NULL));
	SHOW(umount("b/y"));
	SHOW(umount("b"));
	SHOW(umount("a"));
	SHOW(mount(NULL, "a", NULL, MS_PRIVATE, NULL));
	SHOW(mount(NULL, "a", NULL, MS_PRIVATE | MS_UNBINDABLE, NULL));
}

/* What the flags of a mount do. */
static void flags(void)
{
	char *const arguments[] = {"true", NULL};

	section("flags");
	MUST(mount("t", "a", "tmpfs", MS_NOEXEC | MS_NODEV | MS_NOSUID | MS_NOATIME, NULL));
	show_mount("a");
	MUST(mknod("a/null", S_IFCHR | 0666, 1 << 8 | 3));
	SHOW(open("a/null", O_RDONLY));
	MUST(system("cp /bin/true a/true"));
	SHOW(access("a/true", X_OK));
	SHOW(execv("a/true", arguments));
	SHOW(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_NOSYMFOLLOW, NULL));
	show_mount("a");
	MUST(symlink("true", "a/link"));
	SHOW(access("a/link", F_OK));
	SHOW(open("a/null", O_RDONLY) >= 0);
	SHOW(system("a/true"));
	SHOW(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_STRICTATIME, NULL));
	show_mount("a");
	SHOW(umount2("a", MNT_DETACH));
}

int main(void)
{
	own_tree();
	MUST(mkdir("a", 0755));
	MUST(mkdir("b", 0755));
	touch("b/file");
	binding();
	trees();
	flags();
	return 0;
}
