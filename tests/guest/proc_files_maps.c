/* /proc/self/maps and smaps: each line parses, addresses ascend, and what this program maps is there as it mapped it.
 */
#include "guest.h"
#include <sys/mman.h>

#define PAGE 4096

struct line {
	unsigned long start, end, offset, inode;
	unsigned major, minor;
	char perms[8], name[256];
};

static bool parse(const char *text, struct line *line)
{
	line->name[0] = 0;
	return sscanf(text, "%lx-%lx %4s %lx %x:%x %lu %255[^\n]", &line->start, &line->end, line->perms, &line->offset,
		      &line->major, &line->minor, &line->inode, line->name) >= 7;
}

static bool find(const char *file, void *address, struct line *found)
{
	char text[600];
	struct line line;
	unsigned long last = 0;
	bool ok = true, seen = false;
	FILE *in = fopen(file, "r");
	while (in && fgets(text, sizeof text, in)) {
		if (text[0] >= 'A' && text[0] <= 'Z')
			continue; /* smaps: a value */
		ok &= parse(text, &line) && line.start < line.end && line.start >= last;
		last = line.end;
		if ((unsigned long)address >= line.start && (unsigned long)address < line.end) {
			*found = line;
			seen = true;
		}
	}
	fclose(in);
	if (!ok)
		say("NO: %s has a line that does not parse or is out of order\n", file);
	return seen;
}

static void show(const char *what, void *address)
{
	struct line line, again;
	if (!find("/proc/self/maps", address, &line)) {
		say("%s: not there\n", what);
		return;
	}
	const char *name = strrchr(line.name, '/') ? strrchr(line.name, '/') : line.name;
	say("%s: %s offset %lx inode %d device %d, name \"%s\"\n", what, line.perms, line.offset, line.inode != 0,
	    line.major | line.minor ? 1 : 0, name);
	CHECK(find("/proc/self/smaps", address, &again) && again.start == line.start && again.end == line.end);
}

static void sizes(char *memory)
{
	char text[600];
	struct line line;
	bool ours = false;
	FILE *in = fopen("/proc/self/smaps", "r");
	unsigned lines = 0;
	while (in && fgets(text, sizeof text, in)) {
		long value;
		if (parse(text, &line)) {
			ours = line.start == (unsigned long)memory;
			continue;
		}
		if (ours && (sscanf(text, "Size: %ld kB", &value) == 1 || sscanf(text, "Rss: %ld kB", &value) == 1 ||
			     sscanf(text, "Anonymous: %ld kB", &value) == 1))
			say("%s", text);
		lines += strstr(text, "kB") != NULL;
	}
	fclose(in);
	CHECK(lines > 100);
}

int main(void)
{
	static int global = 1;
	int local;
	char text[200];
	make_file("mapped file", "x");
	int fd = MUST(open("mapped file", O_RDWR));
	MUST(ftruncate(fd, 3 * PAGE));
	char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
	char *private = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	/* Of one's own shape, so that nothing merges with it. */
	char *memory = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memory += PAGE;
	MUST(mprotect(memory, 6 * PAGE, PROT_READ | PROT_WRITE));
	char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(memory, 1, 2 * PAGE);
	show("code", main);
	show("data", &global);
	show("stack", &local);
	show("heap", sbrk(0) - 1);
	show("a file, shared", file);
	show("a file, private", private);
	show("anonymous", memory);
	show("anonymous, shared", shared);
	MUST(unlink("mapped file"));
	struct line line;
	find("/proc/self/maps", file, &line);
	say("unlinked: %s\n", strrchr(line.name, '/'));
	sizes(memory);
	FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
	long rss = 0;
	while (fgets(text, sizeof text, rollup))
		sscanf(text, "Rss: %ld kB", &rss);
	CHECK(rss > 100);
	return 0;
}
