/* io_setup and its fellows: reads, writes, vectors, sync, events, eventfds, errors. */
#include "guest.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

static aio_context_t context;

static long setup(unsigned count, aio_context_t *out)
{
	return syscall(SYS_io_setup, count, out);
}

static long submit(long count, struct iocb **list)
{
	return syscall(SYS_io_submit, context, count, list);
}

static long events(long least, long most, struct io_event *out, struct timespec *timeout)
{
	return syscall(SYS_io_getevents, context, least, most, out, timeout);
}

static struct iocb request(int op, int fd, void *buffer, size_t size, long long offset, uint64_t data)
{
	return (struct iocb){.aio_lio_opcode = (uint16_t)op,
			     .aio_fildes = (uint32_t)fd,
			     .aio_buf = (uintptr_t)buffer,
			     .aio_nbytes = size,
			     .aio_offset = offset,
			     .aio_data = data};
}

static void one(const char *what, struct iocb with)
{
	struct iocb *list[1] = {&with};
	struct io_event event;

	errno = 0;
	long result = submit(1, list);
	if (result != 1) {
		say("%s: %s\n", what, error_name(errno));
		return;
	}
	if (events(1, 1, &event, NULL) != 1)
		give_up("io_getevents", errno);
	bool same = event.obj == (uintptr_t)&with;
	if (event.res < 0)
		say("%s: data %llu, %s, same %d\n", what, (unsigned long long)event.data, error_name((int)-event.res),
		    same);
	else
		say("%s: data %llu, %lld, same %d\n", what, (unsigned long long)event.data, (long long)event.res, same);
}

static void setups(void)
{
	aio_context_t other = 0, bad = 1;
	SHOW(setup(0, &other));
	SHOW(setup(8, &bad));
	SHOW(setup(8, (void *)8));
	SHOW(setup(0x10000001, &other));
	SHOW(setup(8, &other));
	CHECK(other != 0);
	SHOW(syscall(SYS_io_destroy, other));
	SHOW(syscall(SYS_io_destroy, other));
	SHOW(syscall(SYS_io_destroy, 12345));
}

static void transfers(void)
{
	char text[32] = {0};
	int fd = MUST(open("aio", O_RDWR | O_CREAT, 0600));
	one("write", request(IOCB_CMD_PWRITE, fd, "asynchronous", 12, 3, 1));
	one("read", request(IOCB_CMD_PREAD, fd, text, 31, 5, 2));
	SHOW_TEXT(text);
	struct iovec parts[2] = {{text, 4}, {text + 8, 4}};
	one("readv", request(IOCB_CMD_PREADV, fd, parts, 2, 3, 3));
	show_bytes("text", text, 4);
	show_bytes("text", text + 8, 4);
	one("writev", request(IOCB_CMD_PWRITEV, fd, parts, 2, 0, 4));
	one("fsync", request(IOCB_CMD_FSYNC, fd, NULL, 0, 0, 5));
	one("fdatasync", request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0, 6));
	one("end", request(IOCB_CMD_PREAD, fd, text, 31, 500, 7));
	SHOW(lseek(fd, 0, SEEK_CUR));
	section("errors");
	one("bad address", request(IOCB_CMD_PREAD, fd, (void *)8, 4, 0, 1));
	one("no file", request(IOCB_CMD_PREAD, 999, text, 4, 0, 1));
	one("no operation", request(77, fd, text, 4, 0, 1));
	one("negative offset", request(IOCB_CMD_PREAD, fd, text, 4, -5, 1));
	one("bad vector", request(IOCB_CMD_PREADV, fd, (void *)8, 2, 0, 1));
	int only = MUST(open("aio", O_RDONLY));
	one("read-only", request(IOCB_CMD_PWRITE, only, text, 4, 0, 1));
	int ends[2];
	MUST(pipe(ends));
	one("pipe", request(IOCB_CMD_PWRITE, ends[1], "pipe", 4, 0, 1));
	one("pipe", request(IOCB_CMD_PREAD, ends[0], text, 31, 0, 2));
	one("wrong end", request(IOCB_CMD_PREAD, ends[1], text, 31, 0, 2));
	one("sync of a pipe", request(IOCB_CMD_FSYNC, ends[1], NULL, 0, 0, 2));
	struct iocb odd = request(IOCB_CMD_PREAD, fd, text, 4, 0, 1);
	odd.aio_reserved2 = 1;
	one("reserved", odd);
	odd.aio_reserved2 = 0;
	odd.aio_flags = 128;
	one("flags", odd);
	SHOW(submit(-1, NULL));
	SHOW(submit(0, NULL));
	SHOW(submit(1, (void *)8));
	struct iocb *bad[1] = {(void *)8};
	SHOW(submit(1, bad));
	SHOW(syscall(SYS_io_submit, 12345, 1, bad));
}

static void many(void)
{
	char text[8];
	int fd = MUST(open("aio", O_RDONLY)), event = MUST(eventfd(0, EFD_NONBLOCK));
	struct iocb requests[4];
	struct iocb *list[4];
	struct io_event got[8];
	struct timespec none = {0, 0}, short_time = {0, 10000000};
	for (int i = 0; i < 4; i++) {
		requests[i] = request(i == 2 ? 77 : IOCB_CMD_PREAD, fd, text, 2 + i, 0, 10 + i);
		requests[i].aio_flags = IOCB_FLAG_RESFD;
		requests[i].aio_resfd = (uint32_t)event;
		list[i] = &requests[i];
	}
	SHOW(submit(4, list));
	uint64_t count = 0;
	MUST(read(event, &count, 8));
	SHOW(count);
	SHOW(events(0, 8, got, &none));
	SHOW(got[0].data);
	SHOW(got[0].res);
	SHOW(got[1].data);
	SHOW(got[1].res);
	SHOW(events(0, 8, got, &none));
	SHOW(events(1, 8, got, &short_time));
	SHOW(events(-1, 8, got, &none));
	SHOW(events(9, 8, got, &none));
	SHOW(syscall(SYS_io_getevents, 12345, 0, 1, got, &none));
	requests[0].aio_resfd = (uint32_t)fd;
	SHOW(submit(1, list));
	SHOW(syscall(SYS_io_cancel, 12345, &requests[1], got));
	SHOW(syscall(SYS_io_cancel, context, (void *)8, got));
	SHOW(syscall(SYS_io_cancel, context, &requests[1], got));
	SHOW(submit(1, list + 1));
	SHOW(syscall(SYS_io_pgetevents, context, 1, 1, got, NULL, NULL));
	SHOW(got[0].data);
	/* A child has none of them. */
	pid_t pid = fork_child();
	if (!pid)
		_exit(submit(0, NULL) == -1 && errno == EINVAL ? 0 : 1);
	reap("child", pid);
}

int main(void)
{
	if (setup(64, &context) && errno == ENOSYS)
		skip("no aio");
	setups();
	section("transfers");
	transfers();
	section("many");
	many();
	SHOW(syscall(SYS_io_destroy, context));
	return 0;
}
