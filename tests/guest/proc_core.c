/* core(5): when a core dump is written, by whom and where to, and what is in it. */
#include "guest.h"
#include <elf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/resource.h>

#define SECRET "a text that only the memory has"

static char *secret; /* anonymous memory of its own */
static void *skipped;

static void limit(rlim_t bytes)
{
	const struct rlimit64 value = {bytes, RLIM_INFINITY};

	MUST(setrlimit64(RLIMIT_CORE, &value));
}

static void *wait_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void *turn_for_ever(void *unused)
{
	static volatile unsigned turns;

	(void)unused;
	for (;;)
		turns++;
	return NULL;
}

static void die_by_fault(void)
{
	*(volatile int *)8 = 1;
}

static void die_by_abort(void)
{
	abort();
}

static void die_by_quit(void)
{
	raise(SIGQUIT);
}

static void die_by_term(void)
{
	raise(SIGTERM);
}

static void die_undumpable(void)
{
	MUST(prctl(PR_SET_DUMPABLE, 0));
	die_by_fault();
}

static void die_with_threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, wait_for_ever, NULL);
	pthread_create(&thread, NULL, turn_for_ever, NULL);
	die_by_fault();
}

static void die_elsewhere(void)
{
	MUST(mkdir("place", 0777));
	MUST(chdir("place"));
	die_by_fault();
}

static void die_without_filter(void)
{
	int fd = MUST(open("/proc/self/coredump_filter", O_WRONLY));

	MUST(write(fd, "0", 1));
	die_by_fault();
}

/* The end of a child, and the file that it left. */
static void child(const char *what, rlim_t bytes, void (*die)(void))
{
	struct stat file;
	int status;
	pid_t pid = MUST(fork());

	if (!pid) {
		limit(bytes);
		die();
		_exit(9);
	}
	MUST(waitpid(pid, &status, 0));
	say("%s: signal %d, core dumped %d\n", what, WTERMSIG(status), !!WCOREDUMP(status));
	if (lstat("core", &file))
		say("  no file\n");
	else
		say("  type %o, mode %o, links %d, %s\n", file.st_mode & S_IFMT, file.st_mode & 07777,
		    (int)file.st_nlink,
		    !S_ISREG(file.st_mode) ? "no file"
		    : file.st_size         ? "not empty"
					   : "empty");
}

/* ---- what is in it */

static char *image;
static size_t image_size;

static void load(void)
{
	int fd = MUST(open("core", O_RDONLY));
	struct stat file;

	MUST(fstat(fd, &file));
	image_size = (size_t)file.st_size;
	image = mmap(NULL, image_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
}

static const Elf64_Phdr *segments(unsigned *count)
{
	const Elf64_Ehdr *header = (const void *)image;

	*count = header->e_phnum;
	return (const void *)(image + header->e_phoff);
}

static void show_prstatus(const struct elf_prstatus *status)
{
	say("  signal %d, fault at the right place %d, fp %d, group %d\n", status->pr_cursig,
	    status->pr_info.si_signo == status->pr_cursig, status->pr_fpvalid, status->pr_pgrp == getpgrp());
}

static void show_notes(const char *at, const char *end)
{
	unsigned threads = 0;

	while (at < end) {
		const Elf64_Nhdr *note = (const void *)at;
		const char *name = at + sizeof *note, *data = name + ((note->n_namesz + 3) & ~3u);
		if (note->n_type == NT_PRSTATUS && !threads++)
			show_prstatus((const void *)data);
		if (note->n_type == NT_PRPSINFO) {
			const struct elf_prpsinfo *info = (const void *)data;
			say("  program %s, ours %d\n", info->pr_fname, info->pr_ppid == getpid());
		}
		if (note->n_type == NT_SIGINFO) {
			const siginfo_t *info = (const void *)data;
			say("  siginfo: signal %d, code %d, address %p\n", info->si_signo, info->si_code,
			    info->si_addr);
		}
		if (note->n_type == NT_AUXV || note->n_type == NT_FILE || note->n_type == NT_FPREGSET ||
		    note->n_type == NT_X86_XSTATE)
			say("  %s %#x\n", name, note->n_type);
		at = data + ((note->n_descsz + 3) & ~3u);
	}
	say("  threads %u\n", threads);
}

/* The bytes at an address of the dead process; NULL: not in the file. */
static const char *memory_at(uint64_t addr)
{
	unsigned count;
	const Elf64_Phdr *segment = segments(&count);

	for (; count--; segment++)
		if (segment->p_type == PT_LOAD && addr >= segment->p_vaddr &&
		    addr < segment->p_vaddr + segment->p_filesz && segment->p_offset + segment->p_filesz <= image_size)
			return image + segment->p_offset + (addr - segment->p_vaddr);
	return NULL;
}

static void show_contents(void)
{
	const Elf64_Ehdr *header = (const void *)image;
	unsigned count;
	const Elf64_Phdr *segment = segments(&count);
	bool aligned = true;

	CHECK(!memcmp(header->e_ident, ELFMAG, SELFMAG) && header->e_type == ET_CORE && header->e_machine == EM_X86_64);
	CHECK(count > 5 && segment[0].p_type == PT_NOTE);
	show_notes(image + segment[0].p_offset, image + segment[0].p_offset + segment[0].p_filesz);
	for (unsigned i = 1; i < count; i++)
		aligned &= segment[i].p_type == PT_LOAD && !(segment[i].p_offset % 4096) &&
			   segment[i].p_filesz <= segment[i].p_memsz;
	CHECK(aligned);
	const char *text = memory_at((uint64_t)secret);
	say("  anonymous memory: %s\n", text ? text : "not there");
	say("  MADV_DONTDUMP: %s\n", memory_at((uint64_t)skipped) ? "there" : "not there");
	say("  data: %d, code: %d, stack: %d\n", memory_at((uint64_t)&secret) != NULL,
	    memory_at((uint64_t)show_contents) != NULL, memory_at((uint64_t)&count & ~4095ul) != NULL);
}

static void no_contents(void)
{
	unsigned count;
	const Elf64_Phdr *segment;

	load();
	segment = segments(&count);
	CHECK(count > 5);
	say("  anonymous memory: %d\n", memory_at((uint64_t)secret) != NULL);
	(void)segment;
	munmap(image, image_size);
}

static void other_files(void)
{
	MUST(symlink("target", "core"));
	child("a symbolic link", RLIM_INFINITY, die_by_fault);
	CHECK(access("target", F_OK) != 0);
	unlink("core");
	MUST(mkfifo("core", 0600));
	child("a FIFO", RLIM_INFINITY, die_by_fault);
	unlink("core");
	close((int)MUST(open("core", O_CREAT | O_WRONLY, 0644)));
	MUST(link("core", "second"));
	child("a file with two names", RLIM_INFINITY, die_by_fault);
	unlink("second");
	child("a file that is there", RLIM_INFINITY, die_by_fault);
	unlink("core");
	MUST(mkdir("core", 0777));
	child("a directory", RLIM_INFINITY, die_by_fault);
	rmdir("core");
}

int main(void)
{
	char pattern[128] = "";
	int fd = MUST(open("/proc/sys/kernel/core_pattern", O_RDONLY));
	struct stat file;

	MUST(read(fd, pattern, sizeof pattern - 1));
	close(fd);
	if (strcmp(pattern, "core\n") != 0)
		skip("core dumps go elsewhere on this machine");
	umask(022);
	secret = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(secret, SECRET);
	skipped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(madvise(skipped, 8192, MADV_DONTDUMP));
	memset(skipped, 1, 8192);
	child("no limit of its own", 0, die_by_fault);
	child("less than a page", 4095, die_by_fault);
	child("not dumpable", RLIM_INFINITY, die_undumpable);
	child("SIGTERM", RLIM_INFINITY, die_by_term);
	other_files();
	child("elsewhere", RLIM_INFINITY, die_elsewhere);
	CHECK(!stat("place/core", &file) && file.st_size > 4096);
	child("SIGQUIT", RLIM_INFINITY, die_by_quit);
	unlink("core");
	child("abort", RLIM_INFINITY, die_by_abort);
	unlink("core");
	child("cut", 20000, die_by_fault);
	MUST(stat("core", &file));
	CHECK(file.st_size <= 20480 + 4096);
	unlink("core");
	child("without a filter", RLIM_INFINITY, die_without_filter);
	no_contents();
	unlink("core");
	child("with threads", RLIM_INFINITY, die_with_threads);
	load();
	show_contents();
	return 0;
}
