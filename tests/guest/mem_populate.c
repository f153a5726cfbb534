/* Pages that are there before they are touched: mlock and its kin, MADV_POPULATE_*, as mincore and smaps see them. */
#include "fault.h"
#include <fcntl.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

static void show(const char *what, char *memory, int pages)
{
	unsigned char there[16];
	char text[17] = "";
	MUST(mincore(memory, pages * PAGE, there));
	for (int i = 0; i < pages; i++)
		text[i] = there[i] & 1 ? 'x' : '.';
	say("%s: %s\n", what, text);
}

/* The flags of smaps that tell of locks, of the mapping that starts there; and the value of a line in kilobytes. */
static long smaps(char *memory, const char *name, char flags[8])
{
	char line[512];
	long kib = -1, value;
	bool ours = false;
	FILE *file = fopen("/proc/self/smaps", "r");
	while (fgets(line, sizeof line, file)) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			ours = start == (unsigned long)memory;
		else if (ours && !strncmp(line, name, strlen(name)) &&
			 sscanf(line + strlen(name), ": %ld", &value) == 1)
			kib = value;
		else if (ours && !strncmp(line, "VmFlags", 7))
			snprintf(flags, 8, "%s%s", strstr(line, " lo") ? "lo " : "", strstr(line, " lf") ? "lf " : "");
	}
	fclose(file);
	return kib;
}

static char *fresh(int pages, int prot, int flags)
{
	char *memory = map(pages * PAGE, prot, flags | MAP_ANONYMOUS, -1);
	MUST(madvise(memory, pages * PAGE, MADV_NOHUGEPAGE));
	return memory;
}

static void lock(void)
{
	char flags[8] = "", *a = fresh(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	section("mlock");
	SHOW(mlock(a + 2 * PAGE + 5, 2 * PAGE));
	show("in the middle", a, 8);
	SHOW(mlock2(a, 8 * PAGE, MLOCK_ONFAULT));
	show("on fault", a, 8);
	say("resident %ld KiB, locked %ld KiB", smaps(a, "Rss", flags), smaps(a, "Locked", flags));
	say(" %s\n", flags);
	a[7 * PAGE] = 1;
	show("touched", a, 8);
	SHOW(mlock(a, 8 * PAGE));
	say("resident %ld KiB, locked %ld KiB", smaps(a, "Rss", flags), smaps(a, "Locked", flags));
	say(" %s\n", flags);
	SHOW(munlock(a, 8 * PAGE));
	show("unlocked", a, 8);
	say("locked %ld KiB %s\n", smaps(a, "Locked", flags), flags);
	char *w = fresh(4, PROT_WRITE, MAP_SHARED);
	SHOW(mlock(w, 3 * PAGE));
	show("shared, only to be written", w, 4);
	char *none = fresh(4, PROT_NONE, MAP_PRIVATE);
	SHOW(mlock(none, 4 * PAGE));
	SHOW(mprotect(none, 2 * PAGE, PROT_READ | PROT_WRITE));
	show("without rights, then with", none, 4);
}

static void lock_later(void)
{
	section("mlockall");
	SHOW(mlockall(MCL_FUTURE | MCL_ONFAULT));
	char *a = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	show("future, on fault", a, 4);
	SHOW(mlockall(MCL_FUTURE));
	char *b = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	show("future", b, 4);
	SHOW(munlockall());
	char *c = fresh(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	show("none", c, 4);
	MUST(mlock(c, 4 * PAGE));
	c = mremap(c, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	show("grown", c, 8);
}

static void populate(void)
{
	char *a = fresh(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	section("madvise");
	SHOW(madvise(a, 2 * PAGE, MADV_POPULATE_READ));
	SHOW(madvise(a + 4 * PAGE, 2 * PAGE, MADV_POPULATE_WRITE));
	show("populated", a, 8);
	MUST(mprotect(a, 8 * PAGE, PROT_READ));
	SHOW(madvise(a, PAGE, MADV_POPULATE_WRITE));
	MUST(munmap(a + 6 * PAGE, PAGE));
	SHOW(madvise(a + 5 * PAGE, 3 * PAGE, MADV_POPULATE_READ));
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, 10));
	char *f = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	SHOW(madvise(f, PAGE, MADV_POPULATE_WRITE));
	SHOW(madvise(f, 2 * PAGE, MADV_POPULATE_READ));
	SHOW(mlock(f, 2 * PAGE));
}

int main(void)
{
	lock();
	lock_later();
	populate();
	return 0;
}
