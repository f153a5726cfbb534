/* Mappings of the host's files, shared and private, when somebody writes the file. (A shared mapping made before the
 * first write keeps the lower pages, as on Linux's overlayfs: not shown here.) */
#include "fault.h"

static void peek(const char *what, const char *memory)
{
	say("%s: \"%.8s\"\n", what, memory);
}

int main(void)
{
	int fd = MUST(open("big", O_RDONLY));
	char *private = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	peek("private", private);
	memcpy(private + PAGE, "mine now", 8);
	int writer = MUST(open("big", O_RDWR));
	MUST(pwrite(writer, "WRITTEN!", 8, 0));
	MUST(pwrite(writer, "WRITTEN!", 8, PAGE));
	char *reader = map(3 * PAGE, PROT_READ, MAP_SHARED, fd);
	peek("a reader sees it", reader);
	peek("the copy stays", private + PAGE);
	char *shared = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, writer);
	peek("shared", shared);
	memcpy(shared + 2 * PAGE, "mapped..", 8);
	peek("reader again", reader + 2 * PAGE);
	char text[9] = "";
	MUST(pread(fd, text, 8, 2 * PAGE));
	SHOW_TEXT(text);
	pid_t child = fork_child();
	if (!child) {
		memcpy(shared, "by child", 8);
		memcpy(private, "unseen..", 8);
		_exit(0);
	}
	reap("child", child);
	peek("shared", shared);
	MUST(pread(fd, text, 8, 0));
	SHOW_TEXT(text);
	SHOW(munmap(shared, 3 * PAGE));
	SHOW(address_result(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0)));
	SHOW(mprotect(reader, PAGE, PROT_READ | PROT_WRITE));
	section("another process writes what we have mapped");
	SHOW(system("printf changed. > b"));
	int b = MUST(open("b", O_RDONLY));
	reader = map(PAGE, PROT_READ, MAP_SHARED, b);
	peek("b", reader);
	SHOW(system("printf CHANGED. > b2; cat b2 > b"));
	peek("b", reader);
	SHOW(truncate("b", 0));
	fault_catch();
	READ(reader);
	return 0;
}
