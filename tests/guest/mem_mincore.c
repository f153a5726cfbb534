/* mincore: which pages are there. */
#include "fault.h"

int main(void)
{
	unsigned char there[4] = {9, 9, 9, 9};
	char *memory = map_anonymous(4 * PAGE);
	SHOW(madvise(memory, 4 * PAGE, MADV_NOHUGEPAGE));
	SHOW(mincore(memory, 4 * PAGE, there));
	say("untouched: %d%d%d%d\n", there[0] & 1, there[1] & 1, there[2] & 1, there[3] & 1);
	memory[PAGE] = memory[3 * PAGE] = 'x';
	SHOW(mincore(memory, 4 * PAGE, there));
	say("touched: %d%d%d%d\n", there[0] & 1, there[1] & 1, there[2] & 1, there[3] & 1);
	SHOW(mincore(memory + 1, PAGE, there));
	SHOW(mincore(memory, PAGE, (void *)8));
	MUST(munmap(memory + 2 * PAGE, PAGE));
	SHOW(mincore(memory, 4 * PAGE, there));
	SHOW(mincore(memory, 0, there));
	return 0;
}
