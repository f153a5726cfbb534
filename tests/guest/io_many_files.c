/* Ten thousand open files, each with something else in it. */
#include "guest.h"
#include <sys/resource.h>

#define FILES 10000

int main(void)
{
	struct rlimit limit = {FILES + 100, FILES + 100};
	static int fds[FILES];
	char text[16] = "", path[64];
	if (setrlimit(RLIMIT_NOFILE, &limit))
		skip("so many files are not allowed");
	for (int i = 0; i < FILES; i++) {
		if (i % 10 == 0) {
			snprintf(path, sizeof path, "f%d", i);
			fds[i] = MUST(open(path, O_RDWR | O_CREAT, 0644));
			snprintf(text, sizeof text, "%d", i);
			MUST(write(fds[i], text, strlen(text)));
		} else {
			fds[i] = MUST(i % 10 == 1   ? open(path, O_RDONLY)
				      : i % 10 == 2 ? open("/dev/null", O_RDWR)
						    : dup(fds[i - 1]));
		}
	}
	int wrong = 0;
	for (int i = 0; i < FILES; i += 10) {
		memset(text, 0, sizeof text);
		wrong += pread(fds[i + 1], text, sizeof text, 0) <= 0 || atoi(text) != i;
	}
	SHOW(wrong);
	SHOW(open("more", O_CREAT | O_RDWR, 0644) >= 0);
	for (int i = 0; i < 200; i++)
		if (dup(0) < 0) {
			say("the end: %s\n", error_name(errno));
			break;
		}
	pid_t child = fork_child();
	if (!child)
		_exit(pread(fds[9990], text, sizeof text, 0) == 4 ? 7 : 1);
	reap("child", child);
	SHOW(close_range(3, ~0u, 0));
	SHOW(lowest_fd());
	return 0;
}
