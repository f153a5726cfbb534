/* limits.h - the values of the options that limit a sandbox. Each function ends usbx with one line when the text makes
 * no sense; option is how the person said it ("--memory").
 */
#ifndef RUNTIME_LIMITS_H
#define RUNTIME_LIMITS_H

#include "runtime/options.h"

/* "512M", "2G", "1000000": bytes, from least on. */
uint64_t parse_size(const char *option, const char *text, uint64_t least);
/* "1.5": seconds, as ns. */
uint64_t parse_seconds(const char *option, const char *text);
/* "0.5": thousandths of a CPU. */
uint64_t parse_cpus(const char *text);
unsigned parse_pids(const char *text);
/* NAME=SOFT[:HARD] as of ulimit(1) and prlimit(1). */
void parse_ulimit(struct options *o, const char *text);

#endif
