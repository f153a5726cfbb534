/* pointers.c - the gate's own addresses as arguments: to a guest that asks, there is nothing (EFAULT, ENOMEM, EINVAL).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap */
#endif
#include <fcntl.h>
#include <sys/uio.h>

#include "tests/attack/attack.h"

static int failures;

#define EXPECT(call, error)                                                                                            \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		long ret_ = (long)(call);                                                                              \
		if (ret_ != -1 || !(error)) {                                                                          \
			printf("line %d: %s: returned %ld, errno %d\n", __LINE__, #call, ret_, errno);                 \
			failures++;                                                                                    \
		}                                                                                                      \
	} while (0)

static void memory_calls(void *p, size_t n)
{
	EXPECT(munmap(p, n) == 0 && 0 ? 0 : -1, 1); /* nothing mapped there: 0 or EINVAL, but the gate stays */
	munmap(p, n);
	EXPECT(mprotect(p, n, PROT_READ | PROT_WRITE | PROT_EXEC), errno == ENOMEM || errno == EINVAL);
	EXPECT(mmap(p, n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	       errno == ENOMEM || errno == EINVAL);
	EXPECT(mmap(p, n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
	       errno == ENOMEM || errno == EINVAL || errno == EEXIST);
	EXPECT(madvise(p, n, MADV_DONTNEED), errno == ENOMEM || errno == EINVAL);
	EXPECT(mremap(p, n, n * 2, MREMAP_MAYMOVE), errno == EFAULT || errno == EINVAL || errno == ENOMEM);
	EXPECT(msync(p, n, MS_SYNC), errno == ENOMEM || errno == EINVAL);
	unsigned char vec[16];
	EXPECT(mincore(p, n, vec), errno == ENOMEM || errno == EINVAL);
}

static void buffers(char *p)
{
	int zero = open("/dev/zero", O_RDONLY), null = open("/tmp/out", O_RDWR | O_CREAT, 0600);
	struct iovec iov = {p, 64};
	char word[64];

	memset(word, 0, sizeof word);
	EXPECT(read(zero, p, 64), errno == EFAULT);
	EXPECT(write(null, p, 64), errno == EFAULT);
	EXPECT(readv(zero, &iov, 1), errno == EFAULT);
	EXPECT(writev(null, &iov, 1), errno == EFAULT);
	EXPECT(writev(null, (struct iovec *)p, 1), errno == EFAULT);
	EXPECT(open(p, O_RDONLY), errno == EFAULT);
	EXPECT(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p), errno == EFAULT);
	EXPECT(syscall(SYS_uname, p), errno == EFAULT);
	EXPECT(syscall(SYS_futex, p, 1, 1, NULL, NULL, 0) < 0 ? -1 : -1, 1);
	EXPECT(syscall(SYS_rt_sigaction, SIGUSR1, p, NULL, 8), errno == EFAULT);
	EXPECT(pipe((int *)p), errno == EFAULT);
	EXPECT(syscall(SYS_getrandom, p, 64, 0), errno == EFAULT);
	close(zero);
	close(null);
}

int main(void)
{
	static const uint64_t place[] = {GATE_CODE, GATE_AGENT, GATE_CONF,  GATE_CMD,
					 GATE_BELL, GATE_REPLY, GATE_BLOCK0};
	char line[512];
	FILE *maps;

	attack_require_sandbox();
	for (unsigned i = 0; i < sizeof place / sizeof *place; i++) {
		buffers((char *)place[i]);
		memory_calls((void *)place[i], 4096);
		memory_calls((void *)(place[i] - 0x10000), 0x20000);
	}
	buffers((char *)0xffffffffff600000ul);
	buffers((char *)0xffff888000000000ul);
	maps = fopen("/proc/self/maps", "r");
	while (maps && fgets(line, sizeof line, maps))
		if (!strncmp(line, "7000", 4)) {
			printf("in /proc/self/maps: %s", line);
			failures++;
		}
	printf("%d failures\n", failures);
	return failures != 0;
}
