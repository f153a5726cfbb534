/* The auxiliary vector: what it says agrees with what else is known. */
#include "guest.h"
#include <link.h>
#include <sys/auxv.h>

static int first_object(struct dl_phdr_info *info, size_t size, void *data)
{
	CHECK((unsigned long)info->dlpi_phdr == getauxval(AT_PHDR));
	CHECK(info->dlpi_phnum == getauxval(AT_PHNUM));
	return 1;
}

int main(int argc, char **argv)
{
	const unsigned char *random = (void *)getauxval(AT_RANDOM);
	SHOW(getauxval(AT_PAGESZ));
	SHOW(getauxval(AT_CLKTCK));
	SHOW(getauxval(AT_UID));
	SHOW(getauxval(AT_EUID));
	SHOW(getauxval(AT_GID));
	SHOW(getauxval(AT_SECURE));
	SHOW(getauxval(AT_PHENT));
	CHECK(getauxval(AT_PHNUM) > 4);
	CHECK(getauxval(AT_ENTRY) != 0);
	CHECK(getauxval(AT_BASE) != 0 && getauxval(AT_BASE) % 4096 == 0);
	CHECK(!strcmp((char *)getauxval(AT_EXECFN), argv[0]));
	CHECK(!strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
	CHECK(getauxval(AT_HWCAP) != 0);
	CHECK(getauxval(AT_SYSINFO_EHDR) % 4096 == 0);
	int zeros = 0;
	for (int i = 0; i < 16; i++)
		zeros += !random[i];
	CHECK(zeros < 8);
	dl_iterate_phdr(first_object, NULL);
	section("the strings lie above the stack");
	CHECK((char *)&random < argv[0] && argv[0] < (char *)getauxval(AT_EXECFN));
	return 0;
}
