/* A running program's file cannot be written (ETXTBSY), and one open for writing cannot be run. */
#include "guest.h"

static void copy(const char *from, const char *to)
{
	char block[65536];
	int in = MUST(open(from, O_RDONLY)), out = MUST(open(to, O_WRONLY | O_CREAT, 0755));
	for (ssize_t size; (size = MUST(read(in, block, sizeof block))) > 0;)
		MUST(write(out, block, size));
	close(in);
	close(out);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return 7;
	copy(argv[0], "copy");
	SHOW(open(argv[0], O_WRONLY));
	SHOW(truncate(argv[0], 0));
	SHOW(open(argv[0], O_RDONLY) >= 0);
	int fd = MUST(open("copy", O_WRONLY));
	char *const args[] = {"copy", "child", NULL};
	SHOW(execv("copy", args));
	close(fd);
	pid_t pid = fork_child();
	if (!pid)
		_exit(execv("copy", args));
	reap("copy", pid);
	SHOW(unlink(argv[0]));
	SHOW(exists(argv[0]));
	return 0;
}
