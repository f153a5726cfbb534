/* Thousands of mappings come, change and go; the content of those that remain is right. */
#include "fault.h"

#define SLOTS 512

int main(void)
{
	static char *slot[SLOTS];
	static int size[SLOTS];
	uint64_t random = 12345;
	long wrong = 0, mapped = 0, changed = 0;
	for (int step = 0; step < 6000; step++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		int i = random >> 33 & (SLOTS - 1), pages = 1 + (random >> 50 & 7);
		if (!slot[i]) {
			slot[i] = map_anonymous(pages * PAGE);
			size[i] = pages;
			wrong += slot[i][0] != 0 || slot[i][pages * PAGE - 1] != 0;
			slot[i][0] = slot[i][pages * PAGE - 1] = i;
			mapped++;
		} else if (random >> 60 & 1) {
			wrong += slot[i][0] != (char)i || slot[i][size[i] * PAGE - 1] != (char)i;
			MUST(mprotect(slot[i], size[i] * PAGE, PROT_READ));
			MUST(mprotect(slot[i], size[i] * PAGE, PROT_READ | PROT_WRITE));
			changed++;
		} else {
			wrong += slot[i][0] != (char)i;
			MUST(munmap(slot[i], size[i] * PAGE));
			slot[i] = NULL;
		}
	}
	SHOW(mapped);
	SHOW(changed);
	SHOW(wrong);
	return 0;
}
