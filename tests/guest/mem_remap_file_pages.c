/* remap_file_pages: the pages of a shared mapping in another order; of a file, of System V memory, of nameless memory.
 */
#include "fault.h"
#include <sys/shm.h>

#define REMAP(at, size, prot, page) syscall(SYS_remap_file_pages, at, size, prot, page, 0)

static char *number(char *at)
{
	for (int i = 0; i < 4; i++)
		at[i * PAGE] = 'a' + i;
	return at;
}

static void show(const char *at)
{
	say("%c%c%c%c\n", at[0], at[PAGE], at[2 * PAGE], at[3 * PAGE]);
}

static void turn(char *at)
{
	show(at);
	SHOW(REMAP(at, PAGE, 0, 3));
	SHOW(REMAP(at + 3 * PAGE, PAGE, 0, 0));
	show(at);
	SHOW(REMAP(at + PAGE, 2 * PAGE, 0, 0));
	show(at);
	at[0] = 'D';
	SHOW(REMAP(at, 4 * PAGE, 0, 0));
	show(at);
}

int main(void)
{
	int fd = MUST(open("file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	MUST(ftruncate(fd, 4 * PAGE));
	char *file = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	turn(number(file));
	char byte;
	MUST(pread(fd, &byte, 1, 3 * PAGE));
	say("%c\n", byte);

	section("nameless");
	turn(number(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)));

	section("System V");
	int id = MUST(shmget(IPC_PRIVATE, 4 * PAGE, 0600));
	char *segment = shmat(id, NULL, 0);
	turn(number(segment));
	MUST(shmctl(id, IPC_RMID, NULL));
	SHOW(REMAP(segment, PAGE, 0, 3));
	show(segment);
	SHOW(REMAP(segment, 4 * PAGE, 0, 0)); /* takes the last mapping away, and with it the segment */
	SHOW(msync(segment, 4 * PAGE, MS_ASYNC));

	section("refused");
	char *private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	SHOW(REMAP(private, PAGE, 0, 1));
	SHOW(REMAP(file, PAGE, PROT_READ, 1));
	SHOW(REMAP(file, 0, 0, 1));
	SHOW(REMAP(file, 100, 0, 1));
	SHOW(REMAP(file + 100, PAGE + 100, 0, 1));
	show(file);
	SHOW(REMAP(file, PAGE, 0, -1l));
	MUST(munmap(file + 2 * PAGE, PAGE));
	SHOW(REMAP(file + PAGE, 2 * PAGE, 0, 0));
	SHOW(REMAP(file + 2 * PAGE, PAGE, 0, 0));
	return 0;
}
