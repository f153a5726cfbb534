/* /dev: the numbers of its nodes, and what reading and writing them does. */
#include "guest.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

static void node(const char *name)
{
	struct stat st;
	if (stat(name, &st)) {
		say("%s: %s\n", name, error_name(errno));
		return;
	}
	say("%s: %o, %u:%u\n", name, st.st_mode, major(st.st_rdev), minor(st.st_rdev));
}

int main(void)
{
	static const char *const names[] = {"/dev/null",   "/dev/zero",    "/dev/full",
					    "/dev/random", "/dev/urandom", "/dev/tty"};
	char buffer[100], zeros[100] = {0};
	for (unsigned i = 0; i < COUNT(names); i++)
		node(names[i]);
	int fd = MUST(open("/dev/null", O_RDWR));
	SHOW(read(fd, buffer, 10));
	SHOW(write(fd, buffer, 10));
	SHOW(lseek(fd, 100, SEEK_SET));
	SHOW(ftruncate(fd, 0));
	SHOW(fsync(fd));
	SHOW(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == ENODEV);
	fd = MUST(open("/dev/zero", O_RDWR));
	memset(buffer, 1, sizeof buffer);
	SHOW(read(fd, buffer, 100));
	CHECK(!memcmp(buffer, zeros, 100));
	SHOW(write(fd, buffer, 10));
	SHOW(pread(fd, buffer, 10, 1000));
	fd = MUST(open("/dev/full", O_RDWR));
	SHOW(read(fd, buffer, 100));
	SHOW(write(fd, buffer, 10));
	SHOW(write(fd, buffer, 0));
	fd = MUST(open("/dev/urandom", O_RDWR));
	SHOW(read(fd, buffer, 100));
	CHECK(memcmp(buffer, zeros, 100));
	SHOW(write(fd, buffer, 10));
	fd = MUST(open("/dev/random", O_RDONLY | O_NONBLOCK));
	SHOW(read(fd, buffer, 100));
	SHOW(open("/dev/nothing", O_RDONLY));
	SHOW(open("/dev/null", O_RDONLY | O_DIRECTORY));
	SHOW(access("/dev/null", X_OK));
	SHOW(ioctl(fd, TCGETS, buffer));
	char link[100];
	ssize_t n = readlink("/dev/fd", link, sizeof link);
	show_bytes("/dev/fd", link, n);
	n = readlink("/dev/stdin", link, sizeof link);
	show_bytes("/dev/stdin", link, n);
	CHECK(open("/dev/fd/1", O_WRONLY) > 0 || errno == ENXIO);
	struct stat st;
	MUST(stat("/dev/shm", &st));
	SHOW(st.st_mode);
	fd = shm_open("/guest_test", O_RDWR | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, 4096) && !shm_unlink("/guest_test"));
	return 0;
}
