/* elves.c - executes programs with changed bytes: headers, program headers, anything (design, W4).
 *
 *   elves SEED SECONDS
 *
 * Each is a copy of /bin/true, of its interpreter or of this program, with a few bytes, words or the length changed,
 * and is executed by a child. Whatever comes of it (an error, a signal, a hang of its own), the kernel must go on.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/attack/attack.h"

#define BYTES_LIMIT (4ul << 20)
#define RUN_MS      300

static uint64_t state;
static char *content;

static uint64_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t n)
{
	return (any() >> 11) % n;
}

static size_t load(const char *name)
{
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, content, BYTES_LIMIT);

	close(fd);
	return n > 0 ? (size_t)n : 0;
}

static uint64_t word(void)
{
	static const uint64_t edge[] = {0,
					1,
					2,
					0xff,
					0xffff,
					4095,
					4096,
					4097,
					0x7fffffff,
					0x80000000,
					0xffffffff,
					1ul << 32,
					1ul << 40,
					0xffe00000000,
					0x7ffffffff000,
					1ul << 47,
					1ul << 63,
					-1ul,
					-4096ul,
					0x700000000000,
					8,
					16,
					56,
					64,
					0xffe00000000 - 4096};

	return below(3) ? edge[below(sizeof edge / sizeof *edge)] : any() >> below(64);
}

/* The headers more often than the rest. */
static size_t change(size_t bytes)
{
	for (uint64_t n = 1 + below(4); n > 0; n--) {
		size_t where = below(4) ? below(64 + 56 * 14) : below(bytes);
		uint64_t value = word();
		size_t width = 1ul << below(4);

		where &= ~(width - 1);
		if (where + width <= bytes)
			memcpy(content + where, &value, width);
	}
	return below(10) ? bytes : below(bytes);
}

static int save(const char *name, size_t bytes)
{
	unlink(name);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n = fd < 0 ? -1 : write(fd, content, bytes);

	close(fd);
	return n == (ssize_t)bytes;
}

/* 1: it ran and ended with 0. */
static int run_it(const char *name)
{
	uint64_t end = attack_now_ms() + RUN_MS;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		close(1);
		close(2);
		execl(name, name, "77", NULL);
		_exit(126);
	}
	if (pid < 0)
		exit(98);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (attack_now_ms() > end)
			kill(pid, SIGKILL);
		usleep(500);
	}
	return status == 0;
}

int main(int argc, char **argv)
{
	static const char *const sources[] = {"/bin/true", "/lib64/ld-linux-x86-64.so.2", "/proc/self/exe"};
	uint64_t end = attack_now_ms() + (argc > 2 ? strtoull(argv[2], NULL, 0) * 1000 : 5000), count = 0, ran = 0;

	attack_require_sandbox();
	if (argc == 2) /* ourselves, changed but alive */
		return 0;
	state = (argc > 1 ? strtoull(argv[1], NULL, 0) : 1) * 0x9e3779b97f4a7c15ul | 1;
	content = mmap(NULL, BYTES_LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	while (attack_now_ms() < end) {
		size_t bytes = load(sources[below(3)]);
		if (!bytes || !save("/tmp/elf", change(bytes)))
			exit(97);
		ran += (uint64_t)run_it("/tmp/elf");
		count++;
	}
	printf("%lu changed programs executed, %lu of them well\n", count, ran);
	if (!run_it("/bin/true"))
		return 1;
	puts("done");
	return 0;
}
