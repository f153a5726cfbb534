/* sites.c - a text that is nothing but system calls: all its sites are patched at once when the first one traps.
 *
 *   sites FILE    of the host (only such texts are patched ahead); its first bytes are `syscall; cmp $-4095, %rax`, and
 *                 another such place, followed by `ret`, ends it
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/attack/attack.h"

#define ENDING 9 /* 0f 05 48 3d 01 f0 ff ff c3 */

static long call_at(const void *code)
{
	long ret;

	__asm__ volatile("sub $128, %%rsp\n\tcall *%1\n\tadd $128, %%rsp"
			 : "=a"(ret)
			 : "r"(code), "0"((long)SYS_getppid)
			 : "rcx", "r11", "memory", "cc");
	return ret;
}

int main(int argc, char **argv)
{
	struct stat file;
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1, wrong = 0;
	long parent = syscall(SYS_getppid);

	attack_require_sandbox();
	if (fd < 0 || fstat(fd, &file))
		return 2;
	/* Several times: from the seventh on it is a copy that is mapped. */
	for (int turn = 0; turn < 12; turn++) {
		pid_t pid = fork();
		int status;
		if (pid == 0) {
			const char *text = mmap((void *)0x100000000, file.st_size, PROT_READ | PROT_EXEC,
						MAP_PRIVATE | MAP_FIXED, fd, 0);
			if (text == MAP_FAILED)
				_exit(3);
			parent = syscall(SYS_getppid);
			for (int i = 0; i < 10; i++)
				wrong += call_at(text + file.st_size - ENDING) != parent;
			_exit(wrong != 0);
		}
		if (waitpid(pid, &status, 0) != pid || status) {
			printf("turn %d: status %#x\n", turn, status);
			return 1;
		}
	}
	printf("%ld bytes\ndone\n", (long)file.st_size + 0 * parent);
	return 0;
}
