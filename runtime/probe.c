/* probe.c - the deliberate mistake of the test build usbx-forbidden; nothing in the product. */
#include "runtime/start.h"

#ifdef USBX_JAIL_TEST
#include "platform/rawcall.h"
#include <stdlib.h>

void start_probe(void)
{
	const char *number = getenv("USBX_PROBE");

	if (number)
		call6(atoi(number), -1, -1, -1, -1, -1, -1);
}
#else
void start_probe(void) {}
#endif
