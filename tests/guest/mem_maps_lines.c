/* What /proc/self/maps says of mappings of each kind, and how calls change it. */
#include "fault.h"

static char *base;

/* Lines inside the window, relative to it. */
static void show(const char *title)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	say("-- %s\n", title);
	while (fgets(line, sizeof line, maps)) {
		unsigned long start, end, offset;
		char protection[8], name[256] = "";
		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %255[^\n]", &start, &end, protection, &offset, name) < 4)
			continue;
		if (start < (unsigned long)base || end > (unsigned long)base + 64 * PAGE)
			continue;
		char *last = strrchr(name, '/');
		say("%lu-%lu %s %lu%s%s\n", (start - (unsigned long)base) / PAGE, (end - (unsigned long)base) / PAGE,
		    protection, offset / PAGE, *name ? " " : "", last && !strstr(name, "zero") ? last + 1 : name);
	}
	fclose(maps);
}

static void *at(int page, int pages, int protection, int flags, int fd, long offset)
{
	return mmap(base + page * PAGE, pages * PAGE, protection, flags | MAP_FIXED, fd, offset * PAGE);
}

int main(void)
{
	base = map(66 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	MUST(munmap(base, 66 * PAGE));
	base += PAGE; /* never next to another mapping */
	make_file("file", "x");
	int fd = MUST(open("file", O_RDWR)), memfd = MUST(memfd_create("mem", 0));
	MUST(ftruncate(fd, 64 * PAGE));
	at(0, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at(8, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at(20, 4, PROT_READ, MAP_PRIVATE, fd, 2);
	at(24, 4, PROT_READ, MAP_PRIVATE, fd, 6);
	at(28, 4, PROT_READ, MAP_PRIVATE, fd, 11);
	at(34, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	at(40, 2, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	at(44, 2, PROT_WRITE, MAP_SHARED, memfd, 0);
	show("mapped");
	MUST(mprotect(base + 2 * PAGE, 2 * PAGE, PROT_READ));
	MUST(mprotect(base + 22 * PAGE, 4 * PAGE, PROT_READ | PROT_EXEC));
	show("protected");
	MUST(mprotect(base + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE));
	MUST(mprotect(base + 22 * PAGE, 4 * PAGE, PROT_READ));
	show("joined again");
	MUST(munmap(base + 5 * PAGE, PAGE));
	MUST(munmap(base + 35 * PAGE, PAGE));
	show("holes");
	at(5, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at(35, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 1);
	show("filled");
	at(35, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 7);
	at(21, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	show("replaced");
	MUST(unlink("file"));
	MUST(madvise(base, PAGE, MADV_DONTFORK));
	MUST(madvise(base + PAGE, PAGE, MADV_RANDOM));
	show("unlinked, advised");
	MUST(mremap(base + 8 * PAGE, 4 * PAGE, 2 * PAGE, 0) == MAP_FAILED ? -1 : 0);
	MUST(mremap(base + 24 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 50 * PAGE) == MAP_FAILED
		     ? -1
		     : 0);
	show("remapped");
	return 0;
}
