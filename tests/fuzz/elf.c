/* elf.c - hostile ELF files against the loader's parser. Input: the file's first 64 bytes, then the program headers
 * that they point to (wherever that is), as the loader hands them over.
 *
 *     make fuzz                     ten minutes
 *     make fuzz FUZZ_SECONDS=30
 *
 * Besides crashes, it checks what the rest of the loader relies on: see check_image.
 */
#include "loader/elf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_image(const struct elf_image *image)
{
	const uint64_t top = 1ull << 47;

	must(image->segment_count <= ELF_SEGMENTS_LIMIT);
	must(image->align >= PAGE_SIZE && !(image->align & (image->align - 1)));
	must(image->low <= image->high && !(image->low & ~PAGE_MASK) && !(image->high & ~PAGE_MASK));
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segment[i];
		must(segment->file_bytes <= segment->memory_bytes);
		must(segment->vaddr <= top && segment->memory_bytes <= top - segment->vaddr);
		must(!segment->file_bytes || (segment->vaddr & ~PAGE_MASK) == (segment->offset & ~PAGE_MASK));
		must(segment->offset + segment->file_bytes >= segment->offset);
		must(!segment->memory_bytes ||
		     (segment->vaddr >= image->low && segment->vaddr + segment->memory_bytes <= image->high));
	}
	if (image->has_interp)
		must(image->interp_bytes >= 2 && image->interp_bytes <= 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	static struct elf_image image;
	uint8_t header[ELF_HEADER_BYTES] = {0};
	uint64_t offset;
	size_t bytes;
	bool late = false;

	if (!ready && elf_init())
		abort();
	ready = true;
	memcpy(header, data, size < sizeof header ? size : sizeof header);
	data += size < sizeof header ? size : sizeof header;
	size -= size < sizeof header ? size : sizeof header;
	int error = elf_header(header, &offset, &bytes);
	must(error <= 0);
	if (error)
		return 0;
	must(bytes <= ELF_PHDRS_LIMIT * ELF_PHDR_BYTES);
	/* Exactly as many bytes as promised, in memory of their own, so that the sanitizer sees one byte too many. */
	uint8_t *phdrs = malloc(bytes ? bytes : 1);
	if (!phdrs)
		return 0;
	memset(phdrs, 0, bytes);
	memcpy(phdrs, data, size < bytes ? size : bytes);
	error = elf_parse(header, phdrs, bytes, &image, &late);
	must(error <= 0);
	if (!error)
		check_image(&image);
	free(phdrs);
	return 0;
}
