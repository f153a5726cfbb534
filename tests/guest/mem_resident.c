/* mincore: what was touched is there, what was not is not; for each kind of memory. */
#include "fault.h"

static void show(const char *what, char *memory, int pages)
{
	unsigned char there[16];
	char text[17] = "";
	MUST(mincore(memory, pages * PAGE, there));
	for (int i = 0; i < pages; i++)
		text[i] = there[i] & 1 ? 'x' : '.';
	say("%s: %s\n", what, text);
}

int main(void)
{
	unsigned char there[16];
	char *a = map_anonymous(8 * PAGE);
	show("fresh", a, 8);
	a[0] = a[3 * PAGE] = 1;
	show("touched", a, 8);
	MUST(madvise(a, PAGE, MADV_DONTNEED));
	show("given back", a, 8);
	char *p = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1);
	show("populated", p, 4);
	char *s = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	s[PAGE] = 1;
	show("shared", s, 4);
	SHOW(mincore(a + 1, PAGE, there));
	SHOW(mincore(a, 0, there));
	SHOW(mincore(a, PAGE, NULL));
	MUST(munmap(a + PAGE, PAGE));
	SHOW(mincore(a, 3 * PAGE, there));
	SHOW(mincore(a, 1, there));
	SHOW(mincore((void *)-PAGE, 2 * PAGE, there));
	return 0;
}
