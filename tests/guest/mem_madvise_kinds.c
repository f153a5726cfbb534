/* Every advice on every kind of memory: taken or refused, and what is left in the pages. */
#include "fault.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
static const struct {
	int advice;
	const char *name;
} kinds[] = {{MADV_NORMAL, "normal"},
	     {MADV_RANDOM, "random"},
	     {MADV_SEQUENTIAL, "sequential"},
	     {MADV_WILLNEED, "willneed"},
	     {MADV_DONTNEED, "dontneed"},
	     {MADV_REMOVE, "remove"},
	     {MADV_DONTFORK, "dontfork"},
	     {MADV_DOFORK, "dofork"},
	     {MADV_DONTDUMP, "dontdump"},
	     {MADV_DODUMP, "dodump"},
	     {MADV_COLD, "cold"},
	     {MADV_PAGEOUT, "pageout"},
	     {MADV_WIPEONFORK, "wipeonfork"},
	     {MADV_KEEPONFORK, "keeponfork"},
	     {MADV_POPULATE_READ, "populate read"},
	     {MADV_POPULATE_WRITE, "populate write"},
	     {MADV_HUGEPAGE, "hugepage"},
	     {MADV_NOHUGEPAGE, "nohugepage"}};

static void each(const char *what, char *memory)
{
	section(what);
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		if (memory[0] == 0 && kinds[i].advice != MADV_POPULATE_READ)
			strcpy(memory, "kept");
		int result = madvise(memory, 2 * PAGE, kinds[i].advice);
		say("%s: %s, content \"%s\"\n", kinds[i].name, result ? error_name(errno) : "0", memory);
	}
}

int main(void)
{
	make_file("file", "from the file");
	int fd = MUST(open("file", O_RDWR));
	MUST(ftruncate(fd, 2 * PAGE));
	each("private", map_anonymous(2 * PAGE));
	each("shared anonymous", map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1));
	each("private file", map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd));
	each("shared file", map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd));
	section("not accessible");
	char *none = map(2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1),
	     *reader = map(2 * PAGE, PROT_READ, MAP_SHARED, fd);
	SHOW(madvise(none, PAGE, MADV_POPULATE_READ));
	SHOW(madvise(none, PAGE, MADV_DONTNEED));
	SHOW(madvise(reader, PAGE, MADV_POPULATE_READ));
	SHOW(madvise(reader, PAGE, MADV_POPULATE_WRITE));
	SHOW(madvise(reader, PAGE, MADV_REMOVE));
	SHOW(madvise(none + 2 * PAGE, 0, MADV_NORMAL));
	SHOW(madvise(reader, 1, MADV_WILLNEED));
	MUST(mlock(reader, PAGE));
	SHOW(madvise(reader, PAGE, MADV_DONTNEED));
	SHOW(madvise(reader, PAGE, MADV_FREE));
	return 0;
}
