/* usage.h - how the family of processes shows what was used. */
#ifndef SYSCALLS_USAGE_H
#define SYSCALLS_USAGE_H

#include "sentry/task.h"

void rusage_show(const struct rusage_counts *counts, struct abi_rusage *out);

#endif
