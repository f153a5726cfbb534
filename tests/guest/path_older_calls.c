/* The oldest and the newest numbers for what libc does otherwise: getdents, futimesat, sync, faccessat2, fchmodat2. */
#include "guest.h"
#include <sys/time.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

struct old_entry {
	unsigned long ino, off;
	uint16_t length;
	char name[]; /* the type is the last byte of the entry */
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void old_listing(int fd, size_t size)
{
	char buffer[1024], lines[32][48];
	int count = 0;
	for (long got; (got = MUST(syscall(SYS_getdents, fd, buffer, size))) > 0;)
		for (long at = 0; at < got;) {
			struct old_entry *entry = (void *)(buffer + at);
			snprintf(lines[count++], sizeof *lines, "%s type %d%s", entry->name,
				 buffer[at + entry->length - 1], entry->ino ? "" : " NO INODE");
			at += entry->length;
		}
	qsort(lines, count, sizeof *lines, by_text);
	for (int i = 0; i < count; i++)
		say("  %s\n", lines[i]);
}

static void listing(void)
{
	section("getdents");
	MUST(mkdir("dir", 0755));
	make_file("dir/file", "x");
	MUST(symlink("file", "dir/link"));
	MUST(mkdir("dir/sub", 0755));
	MUST(mkfifo("dir/fifo", 0600));
	int fd = MUST(open("dir", O_RDONLY | O_DIRECTORY));
	char small[8];
	SHOW(syscall(SYS_getdents, fd, small, sizeof small));
	old_listing(fd, 1024);
	SHOW(lseek(fd, 0, SEEK_SET));
	old_listing(fd, 40); /* one entry at a time */
	SHOW(syscall(SYS_getdents, -1, small, sizeof small));
	SHOW(syscall(SYS_getdents, 0, small, sizeof small));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(syscall(SYS_getdents, fd, (void *)8, 1024));
}

static void times_of(const char *path)
{
	struct stat st;
	MUST(stat(path, &st));
	say("  %ld.%06ld %ld.%06ld\n", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec / 1000, (long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec / 1000);
}

static void times(void)
{
	section("futimesat");
	int fd = MUST(open("dir", O_PATH | O_DIRECTORY)), file = MUST(open("dir/file", O_RDWR));
	struct timeval when[2] = {{100, 5}, {200, 999999}}, bad[2] = {{1, 1000000}, {1, 0}}, negative[2] = {{1, -1}};
	SHOW(syscall(SYS_futimesat, fd, "file", when));
	times_of("dir/file");
	SHOW(syscall(SYS_futimesat, AT_FDCWD, "dir/link", bad));
	SHOW(syscall(SYS_futimesat, AT_FDCWD, "dir/link", negative));
	when[0].tv_sec = 300;
	SHOW(syscall(SYS_futimesat, file, NULL, when));
	times_of("dir/file");
	SHOW(syscall(SYS_futimesat, AT_FDCWD, NULL, when));
	SHOW(syscall(SYS_futimesat, file, "x", when));
	SHOW(syscall(SYS_futimesat, AT_FDCWD, "", when));
	SHOW(syscall(SYS_futimesat, AT_FDCWD, "dir/file", (void *)8));
	SHOW(syscall(SYS_sync));
}

static void access_with_flags(void)
{
	section("faccessat2");
	int fd = MUST(open("dir/file", O_PATH));
	MUST(chmod("dir/file", 0600));
	MUST(symlink("nowhere", "dangling"));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dir/file", R_OK | W_OK, 0));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dir/file", X_OK, AT_EACCESS));
	SHOW(syscall(SYS_faccessat2, fd, "", F_OK, 0));
	SHOW(syscall(SYS_faccessat2, fd, "", W_OK, AT_EMPTY_PATH));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dangling", F_OK, 0));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dir/file", 8, 0));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dir/file", F_OK, 1));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dir/file/x", F_OK, AT_EACCESS));
	if (geteuid())
		return;
	pid_t child = fork_child();
	if (!child) { /* real and effective user differ: only AT_EACCESS asks for the latter */
		MUST(setresuid(0, 1000, 0));
		SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dir/file", R_OK, 0));
		SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dir/file", R_OK, AT_EACCESS));
		_exit(0);
	}
	reap("other user", child);
}

static void modes(void)
{
	section("fchmodat2");
	struct stat st;
	int path = MUST(open("dir/file", O_PATH));
	SHOW(syscall(SYS_fchmodat2, AT_FDCWD, "dir/link", 0640, 0));
	SHOW(syscall(SYS_fchmodat2, AT_FDCWD, "dir/link", 0600, AT_SYMLINK_NOFOLLOW));
	SHOW(syscall(SYS_fchmodat2, AT_FDCWD, "dir/file", 0604, AT_SYMLINK_NOFOLLOW));
	MUST(stat("dir/file", &st));
	say("mode %o\n", st.st_mode);
	SHOW(syscall(SYS_fchmodat2, path, "", 0644, AT_EMPTY_PATH));
	SHOW(syscall(SYS_fchmodat2, path, "", 0644, 0));
	SHOW(syscall(SYS_fchmodat2, AT_FDCWD, "dir/file", 0644, AT_REMOVEDIR));
	MUST(stat("dir/file", &st));
	say("mode %o\n", st.st_mode);
}

int main(void)
{
	umask(022);
	listing();
	times();
	access_with_flags();
	modes();
	return 0;
}
