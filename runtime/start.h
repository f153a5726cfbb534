/* start.h - the sentry's upper parts, which the lower ones reach through tables that are filled once at start. */
#ifndef RUNTIME_START_H
#define RUNTIME_START_H

#include "sentry/base/types.h"

/* Before the jail closes, after sentry_init. -errno. */
must_check int start_upper_parts(void);

/* Nothing, but in the test build usbx-forbidden: makes the host call whose number USBX_PROBE names, in the closed jail.
 */
void start_probe(void);

/* `usbx syscalls`: the table on standard output. */
void start_print_syscalls(void);

#endif
