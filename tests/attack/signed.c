/* signed.c - what a guest can do with signed memory calls that it has seen (design, D3).
 *
 *   replay      the same call again works, and touches nothing but the caller's own memory
 *   child       a forked child replays its parent's
 *   hoard       replays of many grants at once stay under --memory
 *   upgrade     replays mprotect(READ|WRITE), granted for memory of its own, on a shared mapping of a file that it may
 *               only read: must be refused
 *   trampoline  the same on a page of trampolines, which all processes of the sandbox share: must be refused
 *   flip CALL WORD BIT   changes one bit of one argument, or of the tag: the sandbox must end
 *   exchange N  uses a tag for another call: the sandbox must end
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap */
#endif
#include <fcntl.h>

#include "tests/attack/attack.h"

#define PLACE 0x40000000ul
#define BYTES 8192ul

typedef struct gate_op op;

static long slot_call(const op *o)
{
	register uint64_t r10 __asm__("r10") = o->arg[3], r8 __asm__("r8") = o->arg[4], r9 __asm__("r9") = o->arg[5];
	long ret;

	__asm__ volatile("sub $128, %%rsp\n\tcall *%[slot]\n\tadd $128, %%rsp"
			 : "=a"(ret)
			 : "0"(o->nr), "D"(o->arg[0]), "S"(o->arg[1]), "d"(o->arg[2]), "r"(r10), "r"(r8),
			   "r"(r9), [slot] "r"((uint64_t)GATE_CODE)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The signed call that the gate made last for this number and address, out of our own block. */
static op find(uint64_t nr, uint64_t addr)
{
	for (int b = 0; b < 8; b++) {
		const op *o = (const op *)(GATE_BLOCK0 + b * (uint64_t)BLOCK_BYTES + BLOCK_OPS);

		for (int i = 0; i < GATE_OPS; i++)
			if (o[i].nr == nr && o[i].arg[0] == addr)
				return o[i];
	}
	printf("no signed call %lu at %#lx in the blocks\n", nr, addr);
	exit(3);
}

static void must(int condition, const char *what)
{
	if (condition)
		return;
	printf("failed: %s (errno %d)\n", what, errno);
	exit(1);
}

static op map_op(void)
{
	must(mmap((void *)PLACE, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		     (void *)PLACE,
	     "mmap");
	*(volatile char *)PLACE = 1; /* if it was only queued, it has been made now */
	return find(SYS_mmap, PLACE);
}

static void replay(void)
{
	op o = map_op();
	volatile char *p = (volatile char *)PLACE;

	must(munmap((void *)PLACE, BYTES) == 0, "munmap");
	for (int i = 0; i < 1000; i++) {
		must(slot_call(&o) == (long)PLACE, "replayed mmap");
		must(p[0] == 0, "fresh memory");
		p[0] = 5;
	}
	puts("replayed");
}

static void child(void)
{
	op o = map_op();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		long ret = slot_call(&o);
		_exit(ret == (long)PLACE ? *(volatile char *)PLACE : 50);
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	must(status == 0, "the child's replay cleared the child's memory");
	must(*(volatile char *)PLACE == 1, "the parent's memory is as it was");
	puts("replayed in the child");
}

/* Grants that were given one after the other, each after the last had been unmapped, replayed together: the most that a
 * replay can bring. What was granted alone never holds more than HOARD_BYTES. Says how much could be held. */
#define HOARD_BYTES (16ul << 20)
#define HOARDS      32

static void hoard(void)
{
	static op grant[HOARDS];
	uint64_t held = 0;

	for (int i = 0; i < HOARDS; i++) {
		void *p = (void *)(PLACE + i * HOARD_BYTES);
		must(mmap(p, HOARD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p,
		     "mmap");
		*(volatile char *)p = 1;
		grant[i] = find(SYS_mmap, (uint64_t)p);
		must(munmap(p, HOARD_BYTES) == 0, "munmap");
	}
	for (int i = 0; i < HOARDS && slot_call(&grant[i]) == (long)grant[i].arg[0]; i++) {
		memset((void *)grant[i].arg[0], 1, HOARD_BYTES);
		held += HOARD_BYTES;
	}
	printf("held %lu MiB\n", held >> 20);
}

/* mprotect(addr, 4096, READ|WRITE), granted for ordinary memory there. */
static op writable_op(uint64_t addr)
{
	op o;

	must(mmap((void *)addr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)addr,
	     "mmap");
	must(mprotect((void *)addr, 4096, PROT_READ | PROT_WRITE) == 0, "mprotect");
	*(volatile char *)addr = 1;
	o = find(SYS_mprotect, addr);
	must(munmap((void *)addr, 4096) == 0, "munmap");
	return o;
}

static int can_write(volatile char *p)
{
	attack_armed = 1;
	if (sigsetjmp(attack_out, 1))
		return 0;
	*p = 'X';
	attack_armed = 0;
	return 1;
}

static void upgrade(void)
{
	char name[] = "/tmp/attack-XXXXXX", byte = 'a';
	int fd = mkstemp(name), reader;
	op o;
	long ret;

	must(fd >= 0 && ftruncate(fd, 4096) == 0 && pwrite(fd, &byte, 1, 0) == 1, "a file");
	close(fd);
	o = writable_op(PLACE);
	reader = open(name, O_RDONLY);
	must(reader >= 0, "open");
	must(mmap((void *)PLACE, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, reader, 0) == (void *)PLACE,
	     "mmap of the file");
	must(*(volatile char *)PLACE == 'a', "the file's byte");
	must(mprotect((void *)PLACE, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
	     "an honest mprotect: EACCES");
	ret = slot_call(&o);
	printf("replayed mprotect: %ld\n", ret);
	if (can_write((volatile char *)PLACE)) {
		must(pread(reader, &byte, 1, 0) == 1, "read");
		must(byte == 'a', "a file that could only be read was written");
		must(0, "a read-only shared mapping could be written");
	}
	unlink(name);
	puts("not writable");
}

/* `syscall; ret` whose punned jump leads to a page of our choice, where the tag was granted. */
static void trampoline(void)
{
	const uint64_t place = 0x50000000, target = place + 5 + 0x0100c305, page = target & ~4095ul;
	unsigned char *p =
		mmap((void *)place, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	op o;

	must(p == (void *)place, "mmap");
	memcpy(p, "\x0f\x05\xc3\x00\x01", 5);
	must(mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0, "mprotect");
	o = writable_op(page);
	for (int i = 0; i < 100; i++) {
		long ret;
		__asm__ volatile("sub $128, %%rsp\n\tcall *%1\n\tadd $128, %%rsp"
				 : "=a"(ret)
				 : "r"(p), "0"((long)SYS_getppid)
				 : "rcx", "r11", "memory");
	}
	if (p[0] != 0xe9) {
		puts("the site was not patched: nothing to attack");
		return;
	}
	printf("replayed mprotect: %ld\n", slot_call(&o));
	must(!can_write((volatile char *)target), "a trampoline could be written");
	puts("not writable");
}

/* A granted call of this kind, which worked. */
static op granted(uint64_t nr)
{
	switch (nr) {
	case SYS_munmap:
		map_op();
		must(munmap((void *)PLACE, BYTES) == 0, "munmap");
		break;
	case SYS_mprotect:
		map_op();
		must(mprotect((void *)PLACE, BYTES, PROT_READ) == 0, "mprotect");
		break;
	case SYS_madvise:
		map_op();
		must(madvise((void *)PLACE, BYTES, MADV_DONTNEED) == 0, "madvise");
		break;
	case SYS_mremap:
		map_op();
		must(mremap((void *)PLACE, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)(PLACE + 0x100000)) !=
			     MAP_FAILED,
		     "mremap");
		break;
	default:
		return map_op();
	}
	syscall(SYS_getppid); /* what was only queued has been made now */
	return find(nr, PLACE);
}

/* One bit of one argument word of a granted call is changed; the tag is among the words (sign.h). */
static op flipped(uint64_t nr, unsigned word, unsigned bit)
{
	op o = granted(nr);

	o.arg[word] ^= 1ul << bit;
	return o;
}

/* Other calls with a tag that is right for this one. */
static op exchanged(int variant)
{
	op u = map_op();
	uint64_t tag = u.arg[4] >> 32;

	switch (variant) {
	case 0:
		return (op){SYS_munmap, {u.arg[0], u.arg[1], tag}, 0};
	case 1:
		return (op){SYS_mprotect, {u.arg[0], u.arg[1], u.arg[2], tag}, 0};
	case 2:
		return (op){SYS_munmap, {GATE_BLOCK0, 4096, tag}, 0};
	case 3:
		return (op){SYS_mmap, {GATE_CODE, 4096, 7, 0x32, tag << 32, 0}, 0};
	case 4:
		return (op){SYS_madvise, {PLACE, 4096, 100, tag}, 0};
	default:
		return (op){SYS_mremap, {PLACE, 4096, 4096, 3, GATE_CODE, tag}, 0};
	}
}

static void forge(op o)
{
	printf("forging\n");
	fflush(stdout);
	printf("returned %ld\n", slot_call(&o)); /* not reached */
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "replay";

	attack_require_sandbox();
	attack_setup();
	if (!strcmp(what, "replay"))
		replay();
	else if (!strcmp(what, "child"))
		child();
	else if (!strcmp(what, "upgrade"))
		upgrade();
	else if (!strcmp(what, "trampoline"))
		trampoline();
	else if (!strcmp(what, "hoard"))
		hoard();
	else if (!strcmp(what, "flip") && argc > 4)
		forge(flipped(strtoul(argv[2], NULL, 0), atoi(argv[3]) % 6, atoi(argv[4]) % 64));
	else if (!strcmp(what, "exchange") && argc > 2)
		forge(exchanged(atoi(argv[2])));
	return 0;
}
