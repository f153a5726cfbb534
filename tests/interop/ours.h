/* ours.h - our end of the transfers: fibers on the stack's own sockets. */
#ifndef TESTS_INTEROP_OURS_H
#define TESTS_INTEROP_OURS_H

#include "tests/interop/plan.h"

/* Makes the listeners. */
void ours_listen(const struct world_plan *plan);
/* Begins all transfers. */
void ours_start(void);
/* Fibers at work. */
unsigned ours_running(void);
unsigned ours_failures(void);
/* Connections of which the SYN brought data that Linux took. */
unsigned ours_fast_opens(void);
/* What still runs, for a world that stalls. */
void ours_print(FILE *to);

#endif
