/* stack.c - the main stack of a new program: where it lies, and what is on it (create_elf_tables of fs/binfmt_elf.c).
 *
 * From the top down: a zero word, the file name, the strings of the environment and of the arguments, a random
 * distance, the platform's name, 16 random bytes, the auxiliary vector, the pointers to the environment and to the
 * arguments, argc. All of it is put together in the sentry's memory and written at once.
 *
 * The stack is mapped as large as RLIMIT_STACK allows, without reserving memory, so that the host lets it grow by
 * itself; see sentry/mm.h for what the books show.
 *
 * Limits: at most STACK_RESERVE_LIMIT is mapped at once; what a larger limit allows comes by faults
 * (sentry/mm_fault.c). No AT_RSEQ_*: rseq(2) is not there. The stack lies below PLATFORM_MAX_ADDR and moves by at most
 * 16 GiB.
 */
#include "loader/loader.h"

#include "platform/host.h"
#include "sentry/base/arena.h"
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

#define STACK_RESERVE_LIMIT (64ull << 20)
#define STACK_LEAST         (2ull << 20) /* below the arguments, whatever the limit says */
#define STACK_RANDOM        (1ull << 22) /* pages */
#define MMAP_RANDOM         (1ull << 26) /* pages */
#define MMAP_GAP_LEAST      (128ull << 20)
#define MMAP_GAP_MOST       (1ull << 40)
#define STACK_SHOWN         (128 * 1024ull) /* below the first stack pointer, as setup_arg_pages */
#define PLATFORM_NAME       "x86_64"
#define RANDOM_BYTES        16
#define CLOCK_TICKS         100
#define AUXV_LIMIT          32

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

int stack_place(struct mm *mm, const struct stack_plan *plan)
{
	uint64_t top = PLATFORM_MAX_ADDR - loader_random(plan->randomize, STACK_RANDOM) * PAGE_SIZE;
	uint64_t size = page_down(MIN(MAX(plan->limit, STACK_LEAST), STACK_RESERVE_LIMIT));
	uint64_t gap = MIN(MAX(MIN(plan->limit, MMAP_GAP_MOST) + (1ull << 20), MMAP_GAP_LEAST), MMAP_GAP_MOST);
	struct mm_map_request request = {.addr = top - size, .size = size, .prot = MEM_READ | MEM_WRITE};

	if (plan->executable)
		request.prot |= MEM_EXEC;
	request.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN | MAP_NORESERVE;
	mm->stack_top = mm->stack_shown = top;
	mm->stack_limit_low = top - size;
	mm->mmap_base = page_down(top - gap - loader_random(plan->randomize, MMAP_RANDOM) * PAGE_SIZE);
	long result = mm_map(mm, NULL, &request);
	return result < 0 ? (int)result : 0;
}

/* The block under construction: bytes is its copy in the sentry, whose end is the guest's address top. */
struct block {
	char *bytes;
	uint64_t size, top;
	uint64_t at; /* guest address of the lowest byte written so far */
};

static void push(struct block *block, const void *data, size_t n)
{
	assert(n <= block->at - (block->top - block->size));
	block->at -= n;
	memcpy(block->bytes + (block->at - (block->top - block->size)), data, n);
}

/* Bytes of a NULL-terminated array's strings with their zero bytes. */
static uint64_t strings_bytes(char *const *strings, unsigned *count)
{
	uint64_t bytes = 0;

	for (*count = 0; strings[*count]; ++*count)
		bytes += strlen(strings[*count]) + 1;
	return bytes;
}

static uint64_t args_bytes(const struct script_args *args)
{
	unsigned unused;
	uint64_t bytes = strings_bytes(args->rest, &unused);

	for (unsigned i = 0; i < args->head_count; i++)
		bytes += strlen(args->head[i]) + 1;
	return bytes;
}

static unsigned add_aux(uint64_t *auxv, unsigned words, uint64_t type, uint64_t value)
{
	assert(words + 2 <= 2 * AUXV_LIMIT);
	auxv[words] = type;
	auxv[words + 1] = value;
	return words + 2;
}

struct places {
	uint64_t filename, platform, random;
};

/* In the order of Linux: programs look entries up by type, people read them in this order. */
static void fill_auxv(struct mm *mm, const struct stack_content *content, const struct places *places)
{
	const struct exec_identity *identity = content->identity;
	const struct {
		uint64_t type, value;
	} table[] = {
		{AT_SYSINFO_EHDR, mm->vdso},
		{AT_MINSIGSTKSZ, getauxval(AT_MINSIGSTKSZ)},
		{AT_HWCAP, getauxval(AT_HWCAP)},
		{AT_PAGESZ, PAGE_SIZE},
		{AT_CLKTCK, CLOCK_TICKS},
		{AT_PHDR, content->phdrs},
		{AT_PHENT, ELF_PHDR_BYTES},
		{AT_PHNUM, content->phdr_count},
		{AT_BASE, content->base},
		{AT_FLAGS, 0},
		{AT_ENTRY, content->entry},
		{AT_UID, identity->uid},
		{AT_EUID, identity->euid},
		{AT_GID, identity->gid},
		{AT_EGID, identity->egid},
		{AT_SECURE, identity->secure},
		{AT_RANDOM, places->random},
		{AT_HWCAP2, getauxval(AT_HWCAP2)},
		{AT_EXECFN, places->filename},
		{AT_PLATFORM, places->platform},
		{AT_NULL, 0},
	};
	static_assert(COUNT(table) <= AUXV_LIMIT, "struct mm.auxv");

	mm->auxv_words = 0;
	for (size_t i = 0; i < COUNT(table); i++) {
		bool absent = !table[i].value && (table[i].type == AT_SYSINFO_EHDR || table[i].type == AT_MINSIGSTKSZ);
		if (!absent)
			mm->auxv_words = add_aux(mm->auxv, mm->auxv_words, table[i].type, table[i].value);
	}
}

/* The strings, and below them what has no pointer of its own in argv and envp. */
static void push_strings(struct mm *mm, const struct stack_content *content, struct block *block, struct places *places)
{
	static const uint64_t zero;
	uint8_t random[RANDOM_BYTES];
	unsigned argc = script_args_count(content->args), envc;

	push(block, &zero, sizeof zero);
	push(block, content->filename, strlen(content->filename) + 1);
	places->filename = mm->env_end = block->at;
	strings_bytes(content->envp, &envc);
	for (unsigned i = envc; i--;)
		push(block, content->envp[i], strlen(content->envp[i]) + 1);
	mm->env_start = mm->arg_end = block->at;
	for (unsigned i = argc; i--;)
		push(block, script_arg(content->args, i), strlen(script_arg(content->args, i)) + 1);
	mm->arg_start = block->at;
	block->at = (block->at - loader_random(content->randomize, 2 * PAGE_SIZE)) & ~15ull;
	push(block, PLATFORM_NAME, sizeof PLATFORM_NAME);
	places->platform = block->at;
	host_random(random, sizeof random);
	push(block, random, sizeof random);
	places->random = block->at;
}

static void push_word(struct block *block, uint64_t word)
{
	push(block, &word, sizeof word);
}

/* Pointers to strings that lie one behind the other from the guest's address start. */
static void push_pointers(struct block *block, uint64_t start, uint64_t *pointers, unsigned count)
{
	uint64_t at = start;

	for (unsigned i = 0; i < count; i++) {
		pointers[i] = at;
		at += strlen(block->bytes + (at - (block->top - block->size))) + 1;
	}
	push_word(block, 0);
	push(block, pointers, count * sizeof pointers[0]);
}

/* Fills the block. argc is at least 1. */
static int fill_block(struct mm *mm, const struct stack_content *content, struct block *block, unsigned argc,
		      unsigned envc)
{
	struct places places;
	size_t pointer_bytes = MAX(argc, envc) * sizeof(uint64_t);
	uint64_t *pointers = arena_alloc(MAX(pointer_bytes, sizeof(uint64_t)));

	if (!pointers)
		return -ENOMEM;
	push_strings(mm, content, block, &places);
	fill_auxv(mm, content, &places);
	uint64_t words = mm->auxv_words + envc + 1 + argc + 1 + 1;
	block->at = ((block->at - words * sizeof(uint64_t)) & ~15ull) + words * sizeof(uint64_t);
	push(block, mm->auxv, mm->auxv_words * sizeof mm->auxv[0]);
	push_pointers(block, mm->env_start, pointers, envc);
	push_pointers(block, mm->arg_start, pointers, argc);
	push_word(block, argc);
	assert(!(block->at & 15));
	arena_free(pointers, MAX(pointer_bytes, sizeof(uint64_t)));
	return 0;
}

int stack_write(struct mm *mm, const struct stack_content *content, uint64_t *rsp)
{
	unsigned argc = script_args_count(content->args), envc;
	uint64_t strings =
		strings_bytes(content->envp, &envc) + args_bytes(content->args) + strlen(content->filename) + 1;
	uint64_t pointers = (argc + envc) * sizeof(uint64_t);
	struct block block = {.top = mm->stack_top, .at = mm->stack_top};

	if (strings > content->args_limit)
		return -E2BIG;
	/* Everything that is not strings or pointers, and the distances between, fits four pages. */
	block.size = align_up(strings + pointers, PAGE_SIZE) + 4 * PAGE_SIZE;
	if (block.size + STACK_SHOWN > mm->stack_top - mm->stack_limit_low)
		return -E2BIG;
	block.bytes = arena_alloc(block.size);
	if (!block.bytes)
		return -ENOMEM;
	int error = fill_block(mm, content, &block, argc, envc);
	if (!error)
		error = aspace_write(mm->as, NULL, UADDR(block.at), block.bytes + (block.size - (block.top - block.at)),
				     block.top - block.at);
	arena_free(block.bytes, block.size);
	if (error)
		return error;
	*rsp = block.at;
	mm_stack_seen(mm, MAX(block.at - STACK_SHOWN, mm->stack_limit_low));
	return 0;
}
