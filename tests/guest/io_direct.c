/* O_DIRECT with aligned buffers: what databases do. */
#include "guest.h"

int main(void)
{
	char *buffer = aligned_alloc(4096, 65536);
	int fd = open("file", O_RDWR | O_CREAT | O_DIRECT, 0644);
	if (fd < 0 && errno == EINVAL)
		skip("no O_DIRECT on this file system");
	SHOW(fd >= 0);
	CHECK(fcntl(fd, F_GETFL) & O_DIRECT);
	memset(buffer, 'd', 65536);
	SHOW(write(fd, buffer, 65536));
	SHOW(pwrite(fd, buffer, 4096, 4096));
	SHOW(pread(fd, buffer, 8192, 61440));
	SHOW(pread(fd, buffer, 4096, 65536));
	int plain = MUST(open("file", O_RDWR));
	MUST(pwrite(plain, "plain", 5, 4096));
	SHOW(pread(fd, buffer, 4096, 4096));
	show_bytes("start", buffer, 8);
	SHOW(fcntl(fd, F_SETFL, 0));
	SHOW(fcntl(fd, F_GETFL) & O_DIRECT);
	SHOW(pread(fd, buffer, 100, 3));
	SHOW(fcntl(plain, F_SETFL, O_DIRECT | O_APPEND));
	CHECK((fcntl(plain, F_GETFL) & (O_DIRECT | O_APPEND)) == (O_DIRECT | O_APPEND));
	return 0;
}
