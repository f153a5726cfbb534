/* One memfd mapped several times: aliases, some read-only, some executable, as a careful JIT compiler does it. */
#include "fault.h"

int main(void)
{
	fault_catch();
	int fd = MUST(memfd_create("alias", MFD_CLOEXEC));
	MUST(ftruncate(fd, 4 * PAGE));
	char *writer = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	char *reader = map(4 * PAGE, PROT_READ, MAP_SHARED, fd);
	char *code = map(PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd);
	/* The ring buffer trick: the same page twice in a row. */
	char *ring = map_anonymous(2 * PAGE);
	for (int i = 0; i < 2; i++)
		MUST(address_result(
			mmap(ring + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, PAGE)));
	strcpy(writer, "seen by all");
	SHOW_TEXT(reader);
	SHOW_TEXT(code);
	WRITE(reader);
	memcpy(ring + PAGE - 3, "around", 6);
	show_bytes("start of the ring", ring, 3);
	show_bytes("the writer's second page ends", writer + 2 * PAGE - 3, 3);
	memcpy(writer, (unsigned char[]){0xb8, 42, 0, 0, 0, 0xc3}, 6);
	SHOW(((int (*)(void))code)());
	writer[1] = 43;
	SHOW(((int (*)(void))code)());
	char byte;
	SHOW(pread(fd, &byte, 1, 1));
	SHOW(byte);
	return 0;
}
