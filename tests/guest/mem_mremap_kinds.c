/* mremap: growing in place and elsewhere, shrinking, fixed, without unmapping, of shared memory and of files. */
#include "fault.h"

int main(void)
{
	char *area = map(64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *a = mmap(area, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	MUST(munmap(area + 4 * PAGE, 60 * PAGE));
	strcpy(a, "first");
	strcpy(a + 3 * PAGE, "last");
	CHECK(mremap(a, 4 * PAGE, 8 * PAGE, 0) == a);
	SHOW(a[7 * PAGE]);
	CHECK(mremap(a, 8 * PAGE, 2 * PAGE, 0) == a);
	fault_catch();
	READ(a + 3 * PAGE);
	map(PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	CHECK(mmap(a + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == a + 2 * PAGE);
	SHOW(address_result(mremap(a, 2 * PAGE, 8 * PAGE, 0)));
	char *b = mremap(a, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	CHECK(b != a);
	SHOW_TEXT(b);
	READ(a);
	section("fixed");
	char *target = map_anonymous(8 * PAGE);
	strcpy(target, "covered");
	CHECK(mremap(b, 8 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
	SHOW_TEXT(target);
	READ(b);
	SHOW(address_result(mremap(target, 4 * PAGE, 4 * PAGE, MREMAP_FIXED, b)));
	SHOW(address_result(mremap(target, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 2 * PAGE)));
	SHOW(address_result(mremap(target, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 1)));
	section("without unmapping");
	char *left = mremap(target, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	CHECK(left != target && left != MAP_FAILED);
	SHOW_TEXT(left);
	SHOW(target[0]);
	WRITE(target);
	SHOW(address_result(mremap(left, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0)));
	section("shared anonymous: a second view");
	char *s = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	strcpy(s, "seen twice");
	char *second = mremap(s, 0, 4 * PAGE, MREMAP_MAYMOVE);
	SHOW_TEXT(second);
	second[0] = 'S';
	SHOW_TEXT(s);
	SHOW(address_result(mremap(left, 0, PAGE, MREMAP_MAYMOVE)));
	second = mremap(s, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	READ(second + 4 * PAGE);
	section("files");
	make_file("file", "file content");
	int fd = MUST(open("file", O_RDWR));
	MUST(ftruncate(fd, 6 * PAGE));
	char *f = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	f = mremap(f, PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	SHOW_TEXT(f);
	strcpy(f + 5 * PAGE, "far");
	char text[4];
	MUST(pread(fd, text, 4, 5 * PAGE));
	SHOW_TEXT(text);
	READ(f + 6 * PAGE);
	section("errors");
	SHOW(address_result(mremap(f + 1, PAGE, PAGE, 0)));
	SHOW(address_result(mremap(f, PAGE, 0, MREMAP_MAYMOVE)));
	SHOW(address_result(mremap(f, PAGE, PAGE, 8)));
	SHOW(address_result(mremap(f, 9 * PAGE, 20 * PAGE, MREMAP_MAYMOVE)));
	SHOW(address_result(mremap((void *)(16 * PAGE), PAGE, 2 * PAGE, MREMAP_MAYMOVE)));
	return 0;
}
