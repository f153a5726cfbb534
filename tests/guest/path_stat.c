/* What stat tells: types, sizes, links, times that move. */
#include "guest.h"
#include <sys/socket.h>
#include <sys/sysmacros.h>

static void describe(const char *what, int failed, const struct stat *st)
{
	if (failed) {
		say("%s: %s\n", what, error_name(errno));
		return;
	}
	static const char *const types[16] = {
		[1] = "fifo",  [2] = "character device", [4] = "directory", [6] = "block device", [8] = "file",
		[10] = "link", [12] = "socket"};
	const char *type = types[st->st_mode >> 12 & 15];
	say("%s: %s, mode %o, owner %d:%d", what, type ? type : "no type", st->st_mode & 07777, st->st_uid, st->st_gid);
	if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
		say(", %ld bytes, %ld links", (long)st->st_size, (long)st->st_nlink);
	if (S_ISCHR(st->st_mode))
		say(", device %d:%d", major(st->st_rdev), minor(st->st_rdev));
	say("\n");
}

int main(void)
{
	struct stat st, other;
	int ends[2], sockets[2];
	make_file("file", "text");
	MUST(mkdir("dir", 0711));
	MUST(symlink("target of 20 letters", "link"));
	MUST(mkfifo("fifo", 0640));
	describe("file", stat("file", &st), &st);
	CHECK(st.st_blksize > 0 && st.st_nlink == 1);
	describe("dir", stat("dir", &st), &st);
	describe("link", lstat("link", &st), &st);
	describe("target", stat("link", &st), &st);
	describe("fifo", stat("fifo", &st), &st);
	describe("/dev/null", stat("/dev/null", &st), &st);
	describe("/dev/zero", stat("/dev/zero", &st), &st);
	describe("absent", stat("absent", &st), &st);
	describe("by descriptor", fstat(-1, &st), &st);
	MUST(pipe(ends));
	describe("pipe", fstat(ends[0], &st), &st);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	describe("socket", fstat(sockets[0], &st), &st);

	section("identity");
	MUST(fstat(ends[0], &st));
	MUST(fstat(ends[1], &other));
	CHECK(st.st_ino == other.st_ino && st.st_dev == other.st_dev);
	MUST(stat("file", &st));
	MUST(stat("dir", &other));
	CHECK(st.st_ino != other.st_ino && st.st_dev == other.st_dev && st.st_ino);
	MUST(fstatat(AT_FDCWD, "", &other, AT_EMPTY_PATH));
	CHECK(S_ISDIR(other.st_mode));

	section("times");
	MUST(stat("file", &st));
	nap_ms(20);
	int fd = MUST(open("file", O_WRONLY));
	MUST(write(fd, "T", 1));
	MUST(stat("file", &other));
	CHECK(memcmp(&st.st_mtim, &other.st_mtim, sizeof st.st_mtim) && other.st_mtim.tv_sec >= st.st_mtim.tv_sec);
	CHECK(!memcmp(&other.st_ctim, &other.st_mtim, sizeof st.st_mtim));
	nap_ms(20);
	MUST(chmod("file", 0600));
	MUST(stat("file", &st));
	CHECK(!memcmp(&st.st_mtim, &other.st_mtim, sizeof st.st_mtim));
	CHECK(memcmp(&st.st_ctim, &other.st_ctim, sizeof st.st_ctim));
	MUST(stat("dir", &st));
	nap_ms(20);
	make_file("dir/new", "");
	MUST(stat("dir", &other));
	CHECK(memcmp(&st.st_mtim, &other.st_mtim, sizeof st.st_mtim));
	return 0;
}
