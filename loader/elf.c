/* elf.c - the headers of an ELF file, by libelf (elf(3), elf(5)).
 *
 * libelf reads hostile bytes here, so it gets as few as possible: a copy of the file header, in which everything that
 * could lead it elsewhere (sections, sizes, places) has been set by us, and behind it the bounded table of program
 * headers. What it hands out is checked again, and only in unsigned arithmetic that cannot overflow.
 *
 * What is refused, when and how is fs/binfmt_elf.c of Linux 6.x. It never looks at EI_CLASS, EI_DATA or EI_VERSION,
 * only at e_machine and e_phentsize; nor do we.
 *
 * Limits: x86-64, no x32, no 32-bit programs. Segments must lie below PLATFORM_MAX_ADDR (Linux: below 128 TiB).
 */
#include "loader/elf.h"

#include "platform/platform.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <libelf.h>
#include <string.h>

#define BYTES_LIMIT (ELF_HEADER_BYTES + ELF_PHDRS_LIMIT * ELF_PHDR_BYTES)

static_assert(sizeof(Elf64_Ehdr) == ELF_HEADER_BYTES && sizeof(Elf64_Phdr) == ELF_PHDR_BYTES, "elf(5)");

int elf_init(void)
{
	return elf_version(EV_CURRENT) == EV_NONE ? -EINVAL : 0;
}

int elf_header(const uint8_t header[ELF_HEADER_BYTES], uint64_t *phdrs_offset, size_t *phdrs_bytes)
{
	Elf64_Ehdr ehdr;

	memcpy(&ehdr, header, sizeof ehdr);
	if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) || (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN) ||
	    ehdr.e_machine != EM_X86_64 || ehdr.e_phentsize != sizeof(Elf64_Phdr) || !ehdr.e_phnum ||
	    ehdr.e_phnum > ELF_PHDRS_LIMIT)
		return -ENOEXEC;
	*phdrs_offset = ehdr.e_phoff;
	*phdrs_bytes = ehdr.e_phnum * sizeof(Elf64_Phdr);
	return 0;
}

/* The copy that libelf may see. */
static size_t make_copy(const uint8_t *header, const uint8_t *phdrs, size_t phdrs_bytes, char *copy)
{
	Elf64_Ehdr ehdr;

	memcpy(&ehdr, header, sizeof ehdr);
	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	ehdr.e_version = EV_CURRENT;
	ehdr.e_ehsize = sizeof ehdr;
	ehdr.e_phoff = sizeof ehdr;
	ehdr.e_phnum = phdrs_bytes / sizeof(Elf64_Phdr);
	ehdr.e_shoff = ehdr.e_shentsize = ehdr.e_shnum = ehdr.e_shstrndx = 0;
	memcpy(copy, &ehdr, sizeof ehdr);
	memcpy(copy + sizeof ehdr, phdrs, phdrs_bytes);
	return sizeof ehdr + phdrs_bytes;
}

static uint32_t prot_of(uint32_t flags)
{
	return (flags & PF_R ? MEM_READ : 0) | (flags & PF_W ? MEM_WRITE : 0) | (flags & PF_X ? MEM_EXEC : 0);
}

/* load_elf_binary's checks of one PT_LOAD, and those of the mmap it makes. */
static int add_load(struct elf_image *image, const Elf64_Phdr *phdr)
{
	struct elf_segment *segment = &image->segment[image->segment_count];

	if (phdr->p_filesz > phdr->p_memsz || phdr->p_memsz > PLATFORM_MAX_ADDR ||
	    phdr->p_vaddr > PLATFORM_MAX_ADDR - phdr->p_memsz)
		return -EINVAL;
	if (phdr->p_filesz &&
	    ((phdr->p_vaddr ^ phdr->p_offset) & ~PAGE_MASK || phdr->p_offset > (uint64_t)INT64_MAX - PLATFORM_MAX_ADDR))
		return -EINVAL;
	if (page_up(phdr->p_vaddr + phdr->p_memsz) > PLATFORM_MAX_ADDR)
		return -EINVAL;
	if (phdr->p_align > PAGE_SIZE && !(phdr->p_align & (phdr->p_align - 1)))
		image->align = MAX(image->align, phdr->p_align);
	if (!phdr->p_memsz)
		return 0;
	*segment = (struct elf_segment){.vaddr = phdr->p_vaddr, .file_bytes = phdr->p_filesz, .offset = phdr->p_offset};
	segment->memory_bytes = phdr->p_memsz;
	segment->prot = prot_of(phdr->p_flags);
	image->segment_count++;
	return 0;
}

static void measure(struct elf_image *image, uint64_t phdrs_offset)
{
	image->low = image->code_start = UINT64_MAX;
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segment[i];
		uint64_t file_end = segment->vaddr + segment->file_bytes;
		image->low = MIN(image->low, page_down(segment->vaddr));
		image->high = MAX(image->high, page_up(segment->vaddr + segment->memory_bytes));
		image->brk = MAX(image->brk, segment->vaddr + segment->memory_bytes);
		if (segment->prot & MEM_EXEC)
			image->code_start = MIN(image->code_start, segment->vaddr);
		image->data_start = MAX(image->data_start, segment->vaddr);
		if (segment->prot & MEM_EXEC)
			image->code_end = MAX(image->code_end, file_end);
		image->data_end = MAX(image->data_end, file_end);
		if (!image->phdrs_vaddr && segment->offset <= phdrs_offset &&
		    phdrs_offset - segment->offset < segment->file_bytes)
			image->phdrs_vaddr = phdrs_offset - segment->offset + segment->vaddr;
	}
	if (image->code_start == UINT64_MAX)
		image->code_start = image->low;
}

static int add_interp(struct elf_image *image, const Elf64_Phdr *phdr)
{
	if (image->has_interp)
		return 0;
	if (phdr->p_filesz > PATH_LIMIT || phdr->p_filesz < 2 || phdr->p_offset > (uint64_t)INT64_MAX - PATH_LIMIT)
		return -ENOEXEC;
	image->has_interp = true;
	image->interp_offset = phdr->p_offset;
	image->interp_bytes = phdr->p_filesz;
	return 0;
}

static int read_phdrs(struct elf_image *image, const Elf64_Phdr *phdr, bool *late)
{
	int error = 0;

	for (unsigned i = 0; i < image->phdr_count && !error; i++) {
		if (phdr[i].p_type == PT_INTERP)
			error = add_interp(image, &phdr[i]);
		if (phdr[i].p_type != PT_GNU_STACK)
			continue;
		image->has_stack = true;
		image->stack_exec = phdr[i].p_flags & PF_X;
	}
	if (error)
		return error;
	*late = true;
	for (unsigned i = 0; i < image->phdr_count && !error; i++)
		if (phdr[i].p_type == PT_LOAD)
			error = add_load(image, &phdr[i]);
	return error ? error : image->segment_count ? 0 : -EINVAL;
}

static int parse_copy(const char *copy, size_t bytes, struct elf_image *image, bool *late)
{
	/* libelf does not write to an image that it reads; its prototype is older than const. */
	Elf *elf = elf_memory((char *)(uintptr_t)copy, bytes);
	Elf64_Ehdr *ehdr;
	Elf64_Phdr *phdr;
	size_t count;
	int error = -ENOEXEC;

	if (!elf)
		return -ENOMEM;
	if (elf_kind(elf) == ELF_K_ELF && (ehdr = elf64_getehdr(elf)) && !elf_getphdrnum(elf, &count) &&
	    count == image->phdr_count && (phdr = elf64_getphdr(elf))) {
		image->is_dyn = ehdr->e_type == ET_DYN;
		image->entry = ehdr->e_entry;
		error = read_phdrs(image, phdr, late);
	}
	elf_end(elf);
	return error;
}

int elf_parse(const uint8_t header[ELF_HEADER_BYTES], const uint8_t *phdrs, size_t phdrs_bytes, struct elf_image *out,
	      bool *late)
{
	/* Not on the stack: fibers have small ones. One parse at a time, and parsing does not park. */
	static char copy[BYTES_LIMIT] __attribute__((aligned(16)));
	uint64_t phdrs_offset;
	size_t expected;
	int error = elf_header(header, &phdrs_offset, &expected);

	*late = false;
	*out = (struct elf_image){.align = PAGE_SIZE};
	if (error || expected != phdrs_bytes)
		return -ENOEXEC;
	out->phdr_count = phdrs_bytes / sizeof(Elf64_Phdr);
	error = parse_copy(copy, make_copy(header, phdrs, phdrs_bytes, copy), out, late);
	if (!error)
		measure(out, phdrs_offset);
	return error;
}
