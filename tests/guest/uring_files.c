/* io_uring: files and names: reads, writes, vectors, fixed buffers, sync, allocation, the calls on names. */
#include "uring.h"
#include <linux/stat.h>
#include <sys/uio.h>

static struct ring ring;

static void reads_and_writes(void)
{
	char out[64], in[64] = {0};
	strcpy(out, "what io_uring writes");
	int fd = MUST(open("data", O_RDWR | O_CREAT | O_TRUNC, 0644));
	prepare(&ring, IORING_OP_WRITE, fd, out, 20, 0, 1);
	run(&ring, "write", 1);
	prepare(&ring, IORING_OP_READ, fd, in, sizeof in, 5, 2);
	run(&ring, "read", 1);
	SHOW_TEXT(in);
	SHOW(lseek(fd, 0, SEEK_CUR));
	memset(in, 0, sizeof in);
	prepare(&ring, IORING_OP_READ, fd, in, 4, -1, 3);
	run(&ring, "read at the position", 1);
	SHOW_TEXT(in);
	SHOW(lseek(fd, 0, SEEK_CUR));
	struct iovec parts[2] = {{in, 3}, {in + 32, 5}};
	prepare(&ring, IORING_OP_READV, fd, parts, 2, 0, 4);
	run(&ring, "readv", 1);
	show_bytes("first", in, 3);
	show_bytes("second", in + 32, 5);
	parts[0].iov_base = "VEC", parts[1].iov_base = "TOR56";
	prepare(&ring, IORING_OP_WRITEV, fd, parts, 2, 100, 5);
	prepare(&ring, IORING_OP_FSYNC, fd, NULL, 0, 0, 6);
	prepare(&ring, IORING_OP_FSYNC, fd, NULL, 0, 0, 7)->fsync_flags = IORING_FSYNC_DATASYNC;
	run(&ring, "writev, fsync", 3);
	SHOW(lseek(fd, 0, SEEK_END));
	prepare(&ring, IORING_OP_FALLOCATE, fd, (void *)4096, 0, 4096, 8);
	run(&ring, "fallocate", 1);
	SHOW(lseek(fd, 0, SEEK_END));
	prepare(&ring, IORING_OP_FADVISE, fd, NULL, 4096, 0, 9)->fadvise_advice = POSIX_FADV_SEQUENTIAL;
	prepare(&ring, IORING_OP_MADVISE, -1, (void *)((uintptr_t)in & ~4095ul), 4096, 0, 10)->fadvise_advice =
		MADV_NORMAL;
	run(&ring, "advice", 2);
	close(fd);
}

static void errors(void)
{
	char byte = 0;
	int fd = MUST(open("data", O_RDONLY)), dir = MUST(open(".", O_RDONLY));
	prepare(&ring, IORING_OP_WRITE, fd, &byte, 1, 0, 1);
	run(&ring, "write to a read-only file", 1);
	prepare(&ring, IORING_OP_READ, 999, &byte, 1, 0, 2);
	run(&ring, "no such file", 1);
	prepare(&ring, IORING_OP_READ, fd, (void *)8, 1, 0, 3);
	run(&ring, "bad address", 1);
	prepare(&ring, IORING_OP_READ, dir, &byte, 1, 0, 4);
	run(&ring, "a directory", 1);
	prepare(&ring, IORING_OP_READ, fd, &byte, 1, 1 << 20, 5);
	run(&ring, "behind the end", 1);
	prepare(&ring, IORING_OP_READV, fd, (void *)8, 1, 0, 6);
	run(&ring, "bad vector", 1);
	prepare(&ring, IORING_OP_READ_FIXED, fd, &byte, 1, 0, 7);
	run(&ring, "no buffers", 1);
	prepare(&ring, 200, fd, &byte, 1, 0, 8);
	run(&ring, "unknown operation", 1);
	prepare(&ring, IORING_OP_READ, fd, &byte, 1, 0, 9)->flags = IOSQE_FIXED_FILE;
	run(&ring, "no registered files", 1);
	prepare(&ring, IORING_OP_READ, fd, &byte, 1, 0, 10)->personality = 77;
	run(&ring, "no such personality", 1);
	prepare(&ring, IORING_OP_FSYNC, fd, &byte, 0, 0, 11);
	run(&ring, "fsync with an address", 1);
	prepare(&ring, IORING_OP_CLOSE, ring.fd, NULL, 0, 0, 12);
	run(&ring, "closing the ring", 1);
	prepare(&ring, IORING_OP_CLOSE, fd, NULL, 0, 0, 13);
	prepare(&ring, IORING_OP_CLOSE, fd, NULL, 0, 0, 14);
	run(&ring, "close twice", 2);
	close(dir);
}

static void names(void)
{
	int fd = lowest_fd();
	prepare(&ring, IORING_OP_OPENAT, AT_FDCWD, "made", 0600, 0, 1)->open_flags = O_CREAT | O_RDWR;
	submit(&ring, 1);
	struct io_uring_cqe cqe;
	CHECK(reap_one(&ring, &cqe) && cqe.res == fd);
	close(fd);
	prepare(&ring, IORING_OP_OPENAT, AT_FDCWD, "absent", 0, 0, 2);
	run(&ring, "openat", 1);
	struct open_how {
		uint64_t flags, mode, resolve;
	} how = {O_RDONLY, 0, 8 /* RESOLVE_BENEATH */};
	prepare(&ring, IORING_OP_OPENAT2, AT_FDCWD, "../up", sizeof how, (uintptr_t)&how, 3);
	run(&ring, "openat2", 1);
	prepare(&ring, IORING_OP_MKDIRAT, AT_FDCWD, "dir", 0700, 0, 4);
	prepare(&ring, IORING_OP_MKDIRAT, AT_FDCWD, "dir", 0700, 0, 5);
	run(&ring, "mkdirat", 2);
	prepare(&ring, IORING_OP_RENAMEAT, AT_FDCWD, "made", (unsigned)AT_FDCWD, (uintptr_t) "dir/moved", 6);
	run(&ring, "renameat", 1);
	CHECK(exists("dir/moved"));
	prepare(&ring, IORING_OP_LINKAT, AT_FDCWD, "dir/moved", (unsigned)AT_FDCWD, (uintptr_t) "dir/link", 7);
	prepare(&ring, IORING_OP_SYMLINKAT, AT_FDCWD, "moved", 0, (uintptr_t) "dir/soft", 8);
	run(&ring, "links", 2);
	struct statx st;
	prepare(&ring, IORING_OP_STATX, AT_FDCWD, "dir/soft", STATX_BASIC_STATS, (uintptr_t)&st, 9)->statx_flags = 0;
	run(&ring, "statx", 1);
	SHOW(st.stx_nlink);
	SHOW(st.stx_mode);
	prepare(&ring, IORING_OP_UNLINKAT, AT_FDCWD, "dir", 0, 0, 10)->unlink_flags = AT_REMOVEDIR;
	prepare(&ring, IORING_OP_UNLINKAT, AT_FDCWD, "dir/link", 0, 0, 11);
	prepare(&ring, IORING_OP_UNLINKAT, AT_FDCWD, "dir/soft", 0, 0, 12);
	prepare(&ring, IORING_OP_UNLINKAT, AT_FDCWD, "dir/moved", 0, 0, 13);
	prepare(&ring, IORING_OP_UNLINKAT, AT_FDCWD, "dir/moved", 0, 0, 14);
	prepare(&ring, IORING_OP_UNLINKAT, AT_FDCWD, "dir", 0, 0, 15)->unlink_flags = AT_REMOVEDIR;
	run(&ring, "unlinkat", 6);
	CHECK(!exists("dir"));
}

static void registered(void)
{
	static char buffer[8192];
	struct iovec buffers[2] = {{buffer, 4096}, {buffer + 4096, 100}};
	SHOW(ring_register(&ring, IORING_REGISTER_BUFFERS, buffers, 2));
	SHOW(ring_register(&ring, IORING_REGISTER_BUFFERS, buffers, 2));
	int fd = MUST(open("data", O_RDWR));
	prepare(&ring, IORING_OP_READ_FIXED, fd, buffer + 10, 8, 0, 1);
	run(&ring, "read into a buffer", 1);
	show_bytes("buffer", buffer + 10, 8);
	prepare(&ring, IORING_OP_WRITE_FIXED, fd, buffer + 4096, 100, 200, 2)->buf_index = 1;
	prepare(&ring, IORING_OP_WRITE_FIXED, fd, buffer + 4096, 101, 200, 3)->buf_index = 1;
	prepare(&ring, IORING_OP_WRITE_FIXED, fd, buffer + 4095, 1, 200, 4)->buf_index = 1;
	prepare(&ring, IORING_OP_WRITE_FIXED, fd, buffer, 1, 200, 5)->buf_index = 2;
	run(&ring, "inside and outside", 4);
	SHOW(ring_register(&ring, IORING_UNREGISTER_BUFFERS, NULL, 0));
	SHOW(ring_register(&ring, IORING_UNREGISTER_BUFFERS, NULL, 0));

	section("files");
	int fds[3] = {fd, -1, fd};
	SHOW(ring_register(&ring, IORING_REGISTER_FILES, fds, 3));
	close(fd);
	prepare(&ring, IORING_OP_READ, 0, buffer, 8, 0, 1)->flags = IOSQE_FIXED_FILE;
	prepare(&ring, IORING_OP_READ, 1, buffer, 8, 0, 2)->flags = IOSQE_FIXED_FILE;
	prepare(&ring, IORING_OP_READ, 3, buffer, 8, 0, 3)->flags = IOSQE_FIXED_FILE;
	run(&ring, "read", 3);
	int other = MUST(open("data", O_RDONLY)), change[2] = {other, -1};
	struct io_uring_files_update update = {.offset = 1, .fds = (uintptr_t)change};
	SHOW(ring_register(&ring, IORING_REGISTER_FILES_UPDATE, &update, 2));
	prepare(&ring, IORING_OP_READ, 1, buffer, 8, 0, 4)->flags = IOSQE_FIXED_FILE;
	prepare(&ring, IORING_OP_READ, 2, buffer, 8, 0, 5)->flags = IOSQE_FIXED_FILE;
	run(&ring, "read", 2);
	prepare(&ring, IORING_OP_FILES_UPDATE, -1, change, 2, 0, 6);
	run(&ring, "files update", 1);
	update.offset = 2;
	SHOW(ring_register(&ring, IORING_REGISTER_FILES_UPDATE, &update, 2));
	int self[1] = {ring.fd};
	SHOW(ring_register(&ring, IORING_UNREGISTER_FILES, NULL, 0));
	SHOW(ring_register(&ring, IORING_REGISTER_FILES, self, 1));
	close(other);
}

int main(void)
{
	ring_open(&ring, 16, 0, 0);
	reads_and_writes();
	section("errors");
	errors();
	section("names");
	names();
	section("registered");
	registered();
	return 0;
}
