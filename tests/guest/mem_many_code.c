/* Code in very many places: every second page of a range. */
#include "fault.h"

#define PIECES 20000

int main(void)
{
	char *place = map_anonymous(2ul * PIECES * PAGE);
	long made = 0, right = 0;

	memset(place, 0xc3, 2 * PAGE); /* ret */
	for (long i = 1; i < PIECES; i++) {
		made += mprotect(place + 2 * i * PAGE, PAGE, PROT_READ | PROT_EXEC) == 0;
		right += place[2 * i * PAGE] == 0;
	}
	MUST(mprotect(place, PAGE, PROT_READ | PROT_EXEC));
	((void (*)(void))place)();
	SHOW(made);
	SHOW(right);
	MUST(munmap(place, 2ul * PIECES * PAGE));
	return 0;
}
