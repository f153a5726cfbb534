/* output.h - how much the sandbox may write to its standard output and error together (--max-output). */
#ifndef FS_OUTPUT_H
#define FS_OUTPUT_H

#include "sentry/base/types.h"

void output_limit_set(uint64_t bytes); /* 0: none */
bool output_is_limited(void);

/* Takes up to n bytes of what may still be written, and says how many; what is not written is given back. When nothing
 * is left the sandbox ends (hook_limit_reached). */
must_check size_t output_take(size_t n);
void output_give_back(size_t n);
/* May a file to which output goes become so many bytes larger than it was at the start? If not the sandbox ends. Else a
 * hole, or blocks that nobody has written, would take what the limit is to save. */
must_check bool output_may_grow(uint64_t bytes);

#endif
