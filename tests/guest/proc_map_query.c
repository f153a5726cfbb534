/* PROCMAP_QUERY: an ioctl of /proc/self/maps that tells of one mapping. */
#include "fault.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

struct query {
	uint64_t size, flags, addr, start, end, rights, page_size, offset, inode;
	uint32_t dev_major, dev_minor, name_size, build_id_size;
	uint64_t name_at, build_id_at;
};
#define QUERY _IOWR('f', 17, struct query)

enum { READABLE = 1, WRITABLE = 2, RUNNABLE = 4, SHARED = 8, NEXT = 16, OF_FILE = 32 };

static int maps;
static char *base;

/* Places as pages from base. */
static void ask(const char *what, long page, unsigned flags)
{
	char name[256] = "";
	struct query query = {.size = sizeof query, .flags = flags, .addr = (uint64_t)base + page * PAGE};
	query.name_at = (uint64_t)name;
	query.name_size = sizeof name;
	if (ioctl(maps, QUERY, &query)) {
		say("%s: %s\n", what, error_name(errno));
		return;
	}
	say("%s: %ld to %ld, rights %lx, pages of %lu, offset %lx", what, (long)(query.start - (uint64_t)base) / 4096,
	    (long)(query.end - (uint64_t)base) / 4096, query.rights, query.page_size, query.offset);
	struct stat st;
	if (query.inode && !stat("file", &st))
		say(", the file's number: %d", query.inode == st.st_ino);
	say(query.name_size ? ", a name of %u bytes: %s\n" : ", no name\n", query.name_size,
	    name[0] ? strrchr(name, '/') : "");
}

static void refuse(void)
{
	char name[4], large[2 * PAGE] = "";
	struct query query = {.size = 23, .addr = (uint64_t)base};
	section("refused");
	SHOW(ioctl(maps, QUERY, &query));
	query.size = PAGE + 1;
	SHOW(ioctl(maps, QUERY, &query));
	query.size = 24;
	SHOW(ioctl(maps, QUERY, &query));
	say("a short one gets no answer: %lu\n", query.end);
	query.size = sizeof query;
	query.flags = 64;
	SHOW(ioctl(maps, QUERY, &query));
	query.flags = 0;
	query.name_size = 1;
	SHOW(ioctl(maps, QUERY, &query));
	query.name_at = (uint64_t)name;
	query.addr = (uint64_t)base + 6 * PAGE;
	SHOW(ioctl(maps, QUERY, &query));
	query.name_size = 100;
	query.name_at = 8;
	SHOW(ioctl(maps, QUERY, &query));
	query = (struct query){.size = sizeof query + 8, .addr = (uint64_t)base};
	memcpy(large, &query, sizeof query);
	SHOW(ioctl(maps, QUERY, large));
	large[sizeof query] = 1;
	SHOW(ioctl(maps, QUERY, large));
	SHOW(ioctl(maps, QUERY, (void *)8));
	SHOW(ioctl(maps, _IOWR('f', 18, struct query), &query));
	int status = MUST(open("/proc/self/status", O_RDONLY));
	SHOW(ioctl(status, QUERY, &query));
}

int main(void)
{
	struct query probe = {.size = sizeof probe, .flags = NEXT};
	maps = MUST(open("/proc/self/maps", O_RDONLY));
	if (ioctl(maps, QUERY, &probe))
		skip("a kernel before 6.11");
	/* Pages 0 and 1 readable, 3 and 4 writable and anonymous, 6 and 7 of a file, 9 shared. */
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, 8 * PAGE));
	base = map(16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	MUST(munmap(base, 16 * PAGE));
	const int fixed = MAP_FIXED | MAP_ANONYMOUS;
	MUST(address_result(mmap(base, 2 * PAGE, PROT_READ, MAP_PRIVATE | fixed, -1, 0)));
	MUST(address_result(mmap(base + 3 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | fixed, -1, 0)));
	MUST(address_result(mmap(base + 6 * PAGE, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, PAGE)));
	MUST(address_result(mmap(base + 9 * PAGE, PAGE, PROT_NONE, MAP_SHARED | fixed, -1, 0)));
	ask("first page", 0, 0);
	ask("second page", 1, 0);
	ask("a hole", 2, 0);
	ask("behind a hole", 2, NEXT);
	ask("writable here", 1, WRITABLE);
	ask("writable from here on", 0, WRITABLE | NEXT);
	ask("of a file from here on", 0, OF_FILE | NEXT);
	ask("of a file here", 3, OF_FILE);
	ask("readable and runnable", 0, READABLE | RUNNABLE | NEXT);
	say("shared: ");
	struct query query = {.size = sizeof query, .flags = SHARED | NEXT, .addr = (uint64_t)base};
	SHOW(ioctl(maps, QUERY, &query));
	CHECK(query.start == (uint64_t)base + 9 * PAGE && query.rights == SHARED && query.inode && query.dev_minor);
	refuse();
	return 0;
}
