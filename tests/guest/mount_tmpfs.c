/* A tmpfs of one's own: its options, remounting, unmounting while it is in use, what the tree looks like afterwards. */
#include "mount.h"
#include <sys/statfs.h>

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0) {
		say("%s: %s\n", name, strerror(errno));
		return;
	}
	say("%s: %zd bytes\n", name, write(fd, text, strlen(text)));
	close(fd);
}

static void options(void)
{
	struct stat st;
	struct statfs fs;

	section("options");
	SHOW(mount("mine", "a", "tmpfs", 0, "size=64k,mode=750,uid=5,gid=6,nr_inodes=4"));
	MUST(stat("a", &st));
	say("mode %o uid %d gid %d\n", st.st_mode, st.st_uid, st.st_gid);
	MUST(statfs("a", &fs));
	say("type %lx blocks %ld of %ld, inodes %ld\n", (long)fs.f_type, (long)fs.f_blocks, (long)fs.f_bsize,
	    (long)fs.f_files);
	write_file("a/1", "one");
	write_file("a/2", "two");
	write_file("a/3", "three");
	write_file("a/4", "four");
	SHOW(truncate("a/1", 1 << 20));
	int fd = MUST(open("a/2", O_WRONLY));
	SHOW(posix_fallocate(fd, 0, 1 << 20));
	close(fd);
	SHOW(umount("a"));
	SHOW(access("a/1", F_OK));
	SHOW(mount("mine", "a", "tmpfs", 0, "size=x"));
	SHOW(mount("mine", "a", "tmpfs", 0, "no_such_option=1"));
	SHOW(mount("mine", "a", "tmpfs", 0, "mode=9"));
	SHOW(mount("mine", "a", "no_such_type", 0, NULL));
	SHOW(mount("mine", "a", NULL, 0, NULL));
	SHOW(mount("mine", "nowhere", "tmpfs", 0, NULL));
	SHOW(mount("mine", "file", "tmpfs", 0, NULL));
	SHOW(mount((char *)1, "a", "tmpfs", 0, NULL));
	SHOW(umount("a"));
	SHOW(umount("nowhere"));
	SHOW(umount2("a", 0x100));
}

static void read_only(void)
{
	section("read-only");
	SHOW(mount("ro", "a", "tmpfs", 0, NULL));
	write_file("a/f", "text");
	int fd = MUST(open("a/f", O_RDWR));
	SHOW(mount("ro", "a", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL));
	close(fd);
	SHOW(mount("ro", "a", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL));
	show_mount("a");
	write_file("a/f", "more");
	SHOW(open("a/f", O_RDWR));
	SHOW(mkdir("a/d", 0755));
	SHOW(unlink("a/f"));
	SHOW(rename("a/f", "a/g"));
	SHOW(chmod("a/f", 0600));
	SHOW(access("a/f", W_OK));
	SHOW(access("a/f", R_OK));
	SHOW(mount("ro", "a", "tmpfs", MS_REMOUNT, NULL));
	write_file("a/f", "more");
	SHOW(umount("a"));
}

static void busy(void)
{
	char text[8] = "", cwd[512];

	section("in use");
	SHOW(mount("busy", "a", "tmpfs", 0, NULL));
	write_file("a/f", "text");
	int fd = MUST(open("a/f", O_RDWR));
	SHOW(umount("a"));
	SHOW(umount2("a", MNT_EXPIRE));
	SHOW(umount2("a", MNT_EXPIRE | MNT_FORCE));
	SHOW(mkdir("a/below", 0755));
	SHOW(mount("second", "a/below", "tmpfs", 0, NULL));
	SHOW(rmdir("a/below"));
	SHOW(rename("a/below", "a/other"));
	SHOW(umount2("a", MNT_DETACH));
	SHOW(access("a/f", F_OK));
	SHOW(pread(fd, text, sizeof text, 0));
	SHOW(pwrite(fd, "TEXT", 4, 4));
	close(fd);

	section("from within");
	SHOW(mount("within", "a", "tmpfs", 0, NULL));
	MUST(chdir("a"));
	write_file("here", "x");
	SHOW(umount2("../a", MNT_DETACH));
	SHOW(access("here", F_OK));
	long length = syscall(SYS_getcwd, cwd, sizeof cwd);
	say("getcwd %ld: %s\n", length, length > 0 ? cwd : "");
	SHOW(access("..", F_OK));
	SHOW(access("../here", F_OK));
	SHOW(umount("."));
}

int main(void)
{
	own_tree();
	MUST(mkdir("a", 0755));
	write_file("file", "plain");
	options();
	read_only();
	busy();
	return 0;
}
