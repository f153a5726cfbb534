/* start.c - see start.h. */
#include "runtime/start.h"

#include "loader/loader.h"
#include "syscalls/table.h"

#include <stdio.h>

int start_upper_parts(void)
{
	syscalls_init();
	return loader_init();
}

static void write_stdout(void *context, const char *text, size_t size)
{
	(void)context;
	fwrite(text, 1, size, stdout);
}

void start_print_syscalls(void)
{
	syscalls_print(write_stdout, NULL, false);
}
