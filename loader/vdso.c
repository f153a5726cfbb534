/* vdso.c - the vDSO's image (loader/vdso) as a host file that every process maps, and its page of times before it.
 *
 * The text is mapped privately and executable, like any program's: its one system call site can be patched. The page is
 * shared and read-only.
 */
#include "loader/loader.h"

#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/timebase.h"
#include "sentry/vvar.h"
#include <errno.h>
#include <sys/mman.h>

#define GUARD_BYTES (64ull << 20)

extern const char vdso_image_start[], vdso_image_end[];

static uint32_t image_file = HOSTFILE_NONE;

static size_t image_bytes(void)
{
	return (size_t)((uintptr_t)vdso_image_end - (uintptr_t)vdso_image_start);
}

int vdso_init(void)
{
	int error = timebase_init();

	if (!error)
		error = hostfile_memory("vdso", page_up(image_bytes()), &image_file);
	if (error)
		return error;
	ssize_t n = host_pwrite(hostfile_fd(image_file), vdso_image_start, image_bytes(), 0);
	return n == (ssize_t)image_bytes() ? 0 : n < 0 ? (int)n : -EIO;
}

static int map_part(struct mm *mm, uint64_t addr, uint64_t size, bool text)
{
	struct mm_map_request request = {.addr = addr, .size = size, .prot = MEM_READ, .name = "[vvar]"};

	request.has_host_file = true;
	request.host_file = text ? image_file : timebase_file();
	request.flags = MAP_FIXED | (text ? MAP_PRIVATE : MAP_SHARED);
	request.guard_pages = GUARD_BYTES >> PAGE_SHIFT;
	if (text) {
		request.name = "[vdso]";
		request.prot |= MEM_EXEC;
	}
	long result = mm_map(mm, NULL, &request);
	return result < 0 ? (int)result : 0;
}

int vdso_map(struct mm *mm)
{
	uint64_t text_bytes = page_up(image_bytes());
	uint64_t place = mm_find_place(mm, VVAR_BYTES + text_bytes, GUARD_BYTES, PAGE_SIZE);

	if (!place)
		return -ENOMEM;
	int error = map_part(mm, place, VVAR_BYTES, false);
	if (!error)
		error = map_part(mm, place + VVAR_BYTES, text_bytes, true);
	if (!error)
		mm->vdso = place + VVAR_BYTES;
	return error;
}
