/* mm.h - a guest's memory by the sentry's books: the tree of mappings, brk, accounting. (mm_struct, vm_area_struct)
 *
 * The host kernel does the paging; this says what ought to be there. A change is checked against the books, handed to
 * the platform (aspace_mem) with the calling thread, so that the guest thread can run it signed (design D3), and
 * entered in the books once the platform has taken it. Changes of one mm exclude each other (mm->busy); looking at the
 * tree is safe anywhere between two PARKS points.
 */
#ifndef SENTRY_MM_H
#define SENTRY_MM_H

#include "fs/file.h"
#include "sentry/base/tree.h"
#include "sentry/base/wait.h"

/* struct vma.madvise: what madvise(2) said about fork and core dumps; mseal(2), mlock2(2). */
#define VMA_DONTFORK   1u
#define VMA_WIPEONFORK 2u
#define VMA_DONTDUMP   4u
#define VMA_MERGEABLE  8u
#define VMA_HUGEPAGE   16u
#define VMA_NOHUGEPAGE 32u
#define VMA_SEQUENTIAL 64u
#define VMA_RANDOM     128u
#define VMA_SEALED     256u
#define VMA_ON_FAULT   512u /* locked when it is touched: MLOCK_ONFAULT */

/* Where memory is to come from (set_mempolicy(2)): MPOL_* with its flags, and the nodes as they are told, the first 32.
 * Zeros: nothing was said. */
struct mempolicy {
	uint32_t mode, nodes;
};

/* A mapping: [start, end), whole pages, never overlapping another of the same mm. */
struct vma {
	RB_ENTRY(vma) node;
	uint64_t start, end;
	uint32_t prot;     /* MEM_READ ... */
	uint32_t max_prot; /* what mprotect may still give (a read-only file mapped shared) */
	uint32_t flags;    /* MAP_SHARED or MAP_PRIVATE, MAP_NORESERVE, MAP_GROWSDOWN, MAP_LOCKED; nothing else */
	uint32_t madvise;  /* VMA_* */
	struct file *file; /* counted; NULL: anonymous */
	uint64_t offset;   /* in file of start, bytes; anonymous: the start it was made with, so that pieces can be told
			      apart */
	uint32_t host_file;   /* counted; MEM_NO_FILE: private zeroed memory */
	uint32_t guard_pages; /* free addresses kept above for the platform's trampolines */
	bool counted;         /* in the inode's writable_maps */
	uint64_t host_offset;
	struct mempolicy policy;
	uint64_t shared_id;    /* identity of a shared anonymous mapping (futex keys); 0: none */
	const char *name;      /* "[vdso]", "/dev/zero (deleted)" ...; static text; NULL: none; see vma_name */
	uint64_t gap, max_gap; /* usable addresses below start, and the most of the subtree (sentry/mm_vma.c) */
};

RB_HEAD(vma_tree, vma);

struct mm {
	struct ref ref;
	struct aspace *as;
	struct vma_tree vmas;
	uint32_t vma_count;
	uint64_t mapped_pages, locked_pages, data_pages, peak_pages;
	uint64_t brk_start, brk;
	uint64_t mmap_base;                  /* new mappings go below */
	uint64_t stack_top, stack_limit_low; /* the main stack, as mapped at exec (RLIMIT_STACK) */
	uint64_t stack_shown;                /* lowest address of the main stack known to be used: what maps shows */
	uint64_t code_start, code_end, data_start, data_end;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t vdso;
	uint64_t auxv[2 * 32];
	unsigned auxv_words;
	struct file *exe; /* counted, see mm_exe_set; NULL for none */
	bool dumpable;
	uint32_t barriers;  /* membarrier(2): the MEMBARRIER_CMD_REGISTER_* that it has done */
	bool lock_future;   /* mlockall(MCL_FUTURE) */
	bool lock_on_fault; /* mlockall(MCL_ONFAULT): future mappings are locked when they are touched */
	bool busy;          /* a change is under way */
	struct waitq busy_wait;
	uint64_t fault_last; /* the last fault that the books called right, and how often in a row */
	uint32_t fault_repeats;
	uint32_t users_vfork; /* tasks that borrow it */
};

/* The most private writable memory of one mm, whatever RLIMIT_DATA says: the platform's backstop lies behind it. */
void mm_data_limit_set(uint64_t bytes);

/* An empty one with a fresh address space. PARKS. */
must_check int mm_new(struct mm **out);
void mm_get(struct mm *mm);
/* The last one frees it; every thread of its address space must have been freed before. */
void mm_put(struct mm *mm);
/* Whoever keeps something for an mm is told of its end; must not park. */
void mm_set_gone(void (*gone)(const struct mm *mm));
/* The running program: takes a reference of its own and denies writers as long as the mm has it. NULL: none. */
void mm_exe_set(struct mm *mm, struct file *exe);

struct task;
/* PARKS. For fork: the copy's address space comes from the platform with a first thread in it. */
must_check int mm_fork(struct task *task, struct mm **out, struct uthread **thread);

struct mm_map_request {
	uint64_t addr, size;
	uint32_t prot, flags; /* as mmap(2) */
	struct file *file;    /* borrowed; NULL: anonymous */
	uint64_t offset;
	const char *name;
	/* For the sentry's own mappings (vDSO): a host file instead of file. has_host_file false: not used. Borrowed.
	 */
	bool has_host_file;
	uint32_t host_file;
	uint64_t shared_id;   /* it is shared anonymous memory of this identity, not the sentry's own */
	uint32_t guard_pages; /* in addition to what mm itself decides */
};

/* All PARK. caller: the thread at whose stop we act, or NULL (exec, before guest code runs). Results as the system
 * calls. Limits (RLIMIT_AS, DATA, MEMLOCK, STACK) are those of task_current(); none without a task. */
must_check long mm_map(struct mm *mm, struct uthread *caller, const struct mm_map_request *request);
must_check int mm_unmap(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size);
/* RLIMIT_STACK is less than it was: the main stack grows no further than that, and keeps what it has used. */
void mm_stack_limit_lowered(struct mm *mm, struct uthread *caller, uint64_t limit_bytes);
must_check int mm_protect(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, uint32_t prot);
must_check long mm_remap(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, uint64_t new_size,
			 uint32_t flags, uint64_t new_addr);
/* remap_file_pages(2): other pages of the same shared memory at [addr, addr + size), from page_offset on. */
must_check int mm_remap_file_pages(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, uint32_t prot,
				   uint64_t page_offset, uint32_t flags);
must_check int mm_seal(struct mm *mm, uint64_t addr, uint64_t size);                          /* mseal */
must_check int mm_bind(struct mm *mm, uint64_t addr, uint64_t size, struct mempolicy policy); /* whole pages */
must_check int mm_advise(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, int advice);
long mm_brk(struct mm *mm, struct uthread *caller, uint64_t brk);
/* munlock, mlock, and mlock2 with MLOCK_ONFAULT. */
enum mm_lock { MM_UNLOCK, MM_LOCK, MM_LOCK_ON_FAULT };
must_check int mm_lock_pages(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, enum mm_lock how);
must_check int mm_lock_all(struct mm *mm, struct uthread *caller, int flags);   /* MCL_*; 0: munlockall */
must_check int mm_sync(struct mm *mm, uint64_t addr, uint64_t size, int flags); /* msync */
/* mincore: one byte a page from a page-aligned addr, at most MM_MINCORE_PAGES at once. -ENOMEM: not all is mapped. */
#define MM_MINCORE_PAGES 4096u
must_check int mm_resident(struct mm *mm, uint64_t addr, uint64_t pages, uint8_t *out);

/* A free place for size bytes at a multiple of align, where a mapping without a wish would go; 0: none. For an mm that
 * nobody else changes (the loader's). */
uint64_t mm_find_place(struct mm *mm, uint64_t size, uint64_t guard_bytes, uint64_t align);

/* The mapping that holds addr, or the first one behind it; NULL at the end. */
struct vma *mm_find(struct mm *mm, uint64_t addr);
/* Iteration by address, for /proc: start with mm_first. Valid between two PARKS points; after one go on with
 * mm_find(end). */
struct vma *mm_first(struct mm *mm);
struct vma *mm_next(struct vma *vma);
/* What maps shows: where it starts (the main stack: as far as it is known to have grown), and its name, NULL for none
 * ("[heap]",
 * "[stack]", "[vdso]"); a file's name comes from vma->file. */
uint64_t vma_shown_start(const struct mm *mm, const struct vma *vma);
const char *vma_name(const struct mm *mm, const struct vma *vma);
/* VmSize in pages. */
uint64_t mm_shown_pages(const struct mm *mm);
/* A stack pointer was seen: the main stack is known to reach down to it. */
void mm_stack_seen(struct mm *mm, uint64_t rsp);

/* What a fault at addr means by the books. Grows the stack where it may; returns 0 (the access is right: run again), or
 * the si_code for SIGSEGV (SEGV_MAPERR, SEGV_ACCERR), or -BUS_ADRERR for a SIGBUS. PARKS. */
struct mm_access {
	bool write, exec, bus; /* bus: the host says SIGBUS, not SIGSEGV */
};
int mm_fault(struct mm *mm, uint64_t addr, const struct mm_access *access);

/* The key of a futex word: private words by (mm, address), shared ones by (file or shared_id, offset). -EFAULT. */
struct futex_key {
	uint64_t object, offset;
};
must_check int mm_futex_key(struct mm *mm, struct uaddr word, bool shared, struct futex_key *out);

#endif
