/* mm.h - a guest's memory by the sentry's books: the tree of mappings, brk, accounting. (mm_struct, vm_area_struct)
 *
 * The host kernel does the paging; this says what ought to be there. Every change is made here first and then handed to the
 * platform (aspace_mem), with the calling thread, so that the guest thread can run it signed (design D3).
 */
#ifndef SENTRY_MM_H
#define SENTRY_MM_H

#include "fs/file.h"
#include "sentry/base/tree.h"

/* A mapping: [start, end), whole pages, never overlapping another of the same mm. */
struct vma {
	RB_ENTRY(vma) node;
	uint64_t start, end;
	uint32_t prot;       /* MEM_READ ... */
	uint32_t max_prot;   /* what mprotect may still give (a read-only file mapped shared) */
	uint32_t flags;      /* MAP_SHARED, MAP_PRIVATE, MAP_NORESERVE, MAP_GROWSDOWN, MAP_STACK, MAP_LOCKED as mmap(2) gave them */
	struct file *file;   /* counted; NULL: anonymous */
	uint64_t offset;     /* in file of start, bytes */
	uint32_t host_file;  /* counted; MEM_NO_FILE: private zeroed memory */
	uint64_t host_offset;
	uint64_t shared_id;  /* identity of a shared anonymous mapping (futex keys); 0: none */
	const char *name;    /* "[heap]", "[stack]", "[vdso]" ...; static text; NULL: none */
	uint32_t madvise;    /* DONTFORK, WIPEONFORK, DONTDUMP bits */
};

RB_HEAD(vma_tree, vma);

struct mm {
	struct ref ref;
	struct aspace *as;
	struct vma_tree vmas;
	uint32_t vma_count;
	uint64_t mapped_pages, locked_pages, data_pages, peak_pages;
	uint64_t brk_start, brk;
	uint64_t stack_top, stack_limit_low; /* the main stack grows down to here (RLIMIT_STACK at exec) */
	uint64_t code_start, code_end, data_start, data_end;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t vdso;
	uint64_t auxv[2 * 32];
	unsigned auxv_words;
	struct file *exe;     /* counted; NULL for none */
	bool dumpable;
	uint32_t users_vfork; /* tasks that borrow it */
};

/* An empty one with a fresh address space. PARKS. */
must_check int mm_new(struct mm **out);
void mm_get(struct mm *mm);
void mm_put(struct mm *mm);

struct task;
/* PARKS. For fork: the copy's address space comes from the platform with a first thread in it. */
must_check int mm_fork(struct task *task, struct mm **out, struct uthread **thread);

struct mm_map_request {
	uint64_t addr, size;
	uint32_t prot, flags; /* as mmap(2) */
	struct file *file;    /* borrowed; NULL: anonymous */
	uint64_t offset;
	const char *name;
};

/* All PARK. caller: the thread at whose stop we act, or NULL (exec, before guest code runs). Results as the system calls. */
must_check long mm_map(struct mm *mm, struct uthread *caller, const struct mm_map_request *request);
must_check int mm_unmap(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size);
must_check int mm_protect(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, uint32_t prot);
must_check long mm_remap(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, uint64_t new_size, uint32_t flags, uint64_t new_addr);
must_check int mm_advise(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, int advice);
long mm_brk(struct mm *mm, struct uthread *caller, uint64_t brk);

/* The mapping that holds addr, or the first one behind it; NULL at the end. */
struct vma *mm_find(struct mm *mm, uint64_t addr);
/* What a fault at addr means by the books. grows the stack where it may; returns 0 (the access is right: run again), or the
 * si_code for SIGSEGV (SEGV_MAPERR, SEGV_ACCERR), or -BUS_ADRERR for a SIGBUS. PARKS. */
int mm_fault(struct mm *mm, struct uthread *thread, uint64_t addr, bool write, bool exec);

/* The key of a futex word: private words by (mm, address), shared ones by (file or shared_id, offset). */
struct futex_key {
	uint64_t object, offset;
};
must_check int mm_futex_key(struct mm *mm, struct uaddr word, bool shared, struct futex_key *out);

#endif
