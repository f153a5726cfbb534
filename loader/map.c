/* map.c - the segments of an ELF image into an mm: elf_map, elf_load and load_elf_interp of fs/binfmt_elf.c.
 *
 * A segment is up to three things: pages of the file, the end of the last of them zeroed, anonymous pages behind. Every
 * piece carries a guard, so that nothing else comes to lie within 64 MiB above the image (design D2: trampolines).
 *
 * Where: ET_EXEC where it says; programs of type ET_DYN near two thirds of what Linux would call half the address
 * space, moved by a random number of pages; ELF interpreters from mmap_base down like any mapping.
 *
 * Limits: segments are mapped one by one over an empty mm, so the span of an ET_DYN image needs no reservation.
 */
#include "loader/loader.h"

#include "platform/host.h"
#include <errno.h>
#include <sys/mman.h>

#define DYN_BASE    0x55555554000ull
#define DYN_RANDOM  (1ull << 26) /* pages */
#define GUARD_BYTES (64ull << 20)
#define GUARD_PAGES (uint32_t)(GUARD_BYTES >> PAGE_SHIFT)

uint64_t loader_random(bool randomize, uint64_t limit)
{
	uint64_t number;

	if (!randomize)
		return 0;
	host_random(&number, sizeof number);
	return number % limit;
}

static int place_image(struct mm *mm, const struct elf_image *image, struct image_place *place)
{
	uint64_t size = image->high - image->low, start;

	if (!image->is_dyn) {
		place->bias = 0;
		return image->low < PLATFORM_MIN_ADDR ? -EPERM : 0;
	}
	if (place->is_interp) {
		start = mm_find_place(mm, size, GUARD_BYTES, image->align);
		if (!start)
			return -ENOMEM;
	} else {
		start = DYN_BASE + loader_random(place->randomize, DYN_RANDOM) * PAGE_SIZE;
		/* The base of an image is a multiple of its alignment; its first segment may begin further on. */
		start = (start & ~(image->align - 1)) + (image->low & (image->align - 1));
	}
	if (start < PLATFORM_MIN_ADDR || start > PLATFORM_MAX_ADDR - size)
		return -ENOMEM;
	place->bias = start - image->low;
	return 0;
}

static int map_piece(struct mm *mm, const struct mm_map_request *request)
{
	long result = mm_map(mm, NULL, request);

	return result < 0 ? (int)result : 0;
}

/* Zeroes from where the file's bytes end to the end of that page. A segment that is not writable keeps what the file
 * has. */
static int zero_tail(struct mm *mm, uint64_t from)
{
	static const char zeroes[PAGE_SIZE];
	uint64_t size = page_up(from) - from;

	return size ? aspace_write(mm->as, NULL, UADDR(from), zeroes, size) : 0;
}

static int map_segment(struct mm *mm, struct file *file, const struct elf_segment *segment, uint64_t bias)
{
	uint64_t start = segment->vaddr + bias, file_end = start + segment->file_bytes, in_page = start & ~PAGE_MASK;
	uint64_t end = page_up(start + segment->memory_bytes), zero_start = page_down(start);
	struct mm_map_request request = {.addr = zero_start, .prot = segment->prot, .guard_pages = GUARD_PAGES};
	int error = 0;

	if (segment->file_bytes) {
		request.size = segment->file_bytes + in_page;
		request.flags = MAP_PRIVATE | MAP_FIXED;
		request.file = file;
		request.offset = segment->offset - in_page;
		error = map_piece(mm, &request);
		zero_start = page_up(file_end);
		if (!error && segment->memory_bytes > segment->file_bytes && segment->prot & MEM_WRITE)
			error = zero_tail(mm, file_end);
	}
	if (error || end <= zero_start)
		return error;
	request.addr = zero_start;
	request.size = end - zero_start;
	request.flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;
	request.file = NULL;
	request.offset = 0;
	return map_piece(mm, &request);
}

static void note_places(struct mm *mm, const struct elf_image *image, const struct image_place *place)
{
	uint64_t end = page_up(image->brk + place->bias);
	uint64_t heap = end + GUARD_BYTES + loader_random(place->randomize, (32ull << 20) >> PAGE_SHIFT) * PAGE_SIZE;

	mm->code_start = image->code_start + place->bias;
	mm->code_end = image->code_end + place->bias;
	mm->data_start = image->data_start + place->bias;
	mm->data_end = image->data_end + place->bias;
	mm->brk_start = mm->brk = heap < PLATFORM_MAX_ADDR ? heap : end;
}

int image_map(struct mm *mm, struct file *file, const struct elf_image *image, struct image_place *place)
{
	int error = place_image(mm, image, place);

	for (unsigned i = 0; i < image->segment_count && !error; i++)
		error = map_segment(mm, file, &image->segment[i], place->bias);
	if (!error && !place->is_interp)
		note_places(mm, image, place);
	return error;
}
