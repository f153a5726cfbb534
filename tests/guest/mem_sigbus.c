/* Pages of a mapping that lie wholly behind the file's end: SIGBUS, until the file grows. */
#include "fault.h"

int main(void)
{
	fault_catch();
	make_file("file", "text");
	int fd = MUST(open("file", O_RDWR));
	char *shared = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	char *private = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	READ(shared + 100);
	READ(shared + PAGE - 1);
	READ(shared + PAGE);
	WRITE(shared + 2 * PAGE + 5);
	READ(private + PAGE);
	WRITE(private + PAGE);
	READ(shared + 3 * PAGE - 1);

	section("the file grows");
	MUST(ftruncate(fd, 2 * PAGE));
	READ(shared + PAGE);
	WRITE(private + PAGE);
	READ(shared + 2 * PAGE);

	section("the file shrinks, own copies too");
	WRITE(private + PAGE);
	MUST(ftruncate(fd, 10));
	READ(shared + PAGE);
	READ(private + PAGE);

	section("as a system call sees it");
	SHOW(write(fd, shared + PAGE, 1));
	SHOW(read(MUST(open("/dev/zero", O_RDONLY)), shared + PAGE, 1));
	return 0;
}
