/* Seals of memfds: what each forbids, to descriptors and to mappings. */
#include "fault.h"

static int fresh(void)
{
	int fd = MUST(memfd_create("sealed", MFD_ALLOW_SEALING));
	MUST(write(fd, "content", 7));
	return fd;
}

int main(void)
{
	int plain = MUST(memfd_create("plain", 0)), fd = fresh();
	SHOW(fcntl(plain, F_GET_SEALS));
	SHOW(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(fd, F_GET_SEALS));
	section("grow");
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(ftruncate(fd, 100));
	SHOW(ftruncate(fd, 5));
	SHOW(pwrite(fd, "12345678", 8, 0));
	SHOW(pwrite(fd, "123", 3, 0));
	SHOW(fallocate(fd, 0, 0, 100));
	section("shrink");
	fd = fresh();
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	SHOW(ftruncate(fd, 5));
	SHOW(ftruncate(fd, 500));
	section("write");
	fd = fresh();
	char *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	SHOW(write(fd, "x", 1));
	shared[0] = 'C';
	MUST(munmap(shared, PAGE));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(write(fd, "x", 1));
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	SHOW(address_result(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)));
	shared = map(PAGE, PROT_READ, MAP_SHARED, fd);
	show_bytes("shared", shared, 7);
	SHOW(mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
	char *private = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	private[0] = 'p';
	SHOW(ftruncate(fd, 100));
	SHOW(fcntl(fd, F_GET_SEALS));
	section("seal");
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(fd, F_ADD_SEALS, 0x4000));
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fresh());
	SHOW(fcntl(MUST(open(path, O_RDONLY)), F_ADD_SEALS, F_SEAL_GROW));
	int file = MUST(open("file", O_RDWR | O_CREAT, 0644));
	SHOW(fcntl(file, F_GET_SEALS));
	SHOW(fcntl(file, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(memfd_create("x", 0x100));
	char name[300];
	memset(name, 'n', sizeof name);
	name[249] = 0;
	SHOW(memfd_create(name, 0) >= 0);
	name[249] = 'n', name[250] = 0;
	SHOW(memfd_create(name, 0));
	return 0;
}
