/* elf.h - what the loader wants to know of an ELF file, from copies of its two headers; nothing here touches a file or
 * a guest, so the fuzzer (tests/fuzz/elf.c) drives it with bytes alone.
 */
#ifndef LOADER_ELF_H
#define LOADER_ELF_H

#include "sentry/base/types.h"

#define ELF_HEADER_BYTES   64
#define ELF_PHDR_BYTES     56
#define ELF_PHDRS_LIMIT    (65536 / ELF_PHDR_BYTES) /* as Linux: the table has at most 64 KiB */
#define ELF_SEGMENTS_LIMIT ELF_PHDRS_LIMIT

/* A PT_LOAD with all that Linux checks checked: no overflow, inside 64-bit user space, offset and address alike modulo
 * pages. */
struct elf_segment {
	uint64_t vaddr, file_bytes, memory_bytes, offset;
	uint32_t prot; /* MEM_* */
};

struct elf_image {
	bool is_dyn;          /* ET_DYN: goes anywhere; else ET_EXEC */
	uint64_t entry;       /* as in the file */
	uint64_t phdrs_vaddr; /* of the program headers in memory; 0: no segment holds them */
	uint32_t phdr_count;
	bool has_interp;
	uint64_t interp_offset,
		interp_bytes;       /* of the interpreter's path in the file, zero byte included: 2..PATH_LIMIT */
	bool has_stack, stack_exec; /* PT_GNU_STACK, and whether it is executable */
	uint64_t align;             /* the greatest alignment that a segment wants: a power of two, at least a page */
	uint64_t low, high;         /* whole pages that the segments span */
	uint64_t code_start, code_end, data_start, data_end, brk; /* as mm_struct has them */
	unsigned segment_count;
	struct elf_segment segment[ELF_SEGMENTS_LIMIT];
};

/* The file's header, ELF_HEADER_BYTES of it (zeroes where the file ended): where the program headers are. -ENOEXEC. */
must_check int elf_header(const uint8_t header[ELF_HEADER_BYTES], uint64_t *phdrs_offset, size_t *phdrs_bytes);

/* Header and program headers. -ENOEXEC before Linux's point of no return; *late is set when the error (-EINVAL,
 * -ENOMEM) is one that Linux notices behind it. */
must_check int elf_parse(const uint8_t header[ELF_HEADER_BYTES], const uint8_t *phdrs, size_t phdrs_bytes,
			 struct elf_image *out, bool *late);

/* Called once. */
must_check int elf_init(void);

#endif
