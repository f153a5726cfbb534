/* prefetch.h - for each system call, which arguments point to data of what size, so that the gate can bring them along.
 *
 * Made from syscalls.def and free of everything else, so that freestanding code can include it: this header and the
 * two lists are the one part of syscalls/ that platform/ may see (scripts/tidy knows). The table is advice: the sentry
 * copies and checks every argument anyway.
 */
#ifndef SYSCALLS_PREFETCH_H
#define SYSCALLS_PREFETCH_H

#include "syscalls/pairs.h"

/* An entry is a class and a size in bytes. */
#define PREFETCH_CLASS(entry) ((entry) >> 12)
#define PREFETCH_SIZE(entry)  ((entry)&0xfff)
enum {
	PREFETCH_NONE,       /* a plain value, or an address that only the handler understands */
	PREFETCH_STRING,     /* a zero-terminated string the call reads */
	PREFETCH_IN,         /* SIZE bytes the call reads; the address may be 0 */
	PREFETCH_OUT,        /* SIZE bytes the call fills on success; the address may be 0 */
	PREFETCH_INOUT,      /* both */
	PREFETCH_BUFFER_IN,  /* as many bytes as the next argument says, which the call reads */
	PREFETCH_BUFFER_OUT, /* ... which it fills, as many as its result says */
};

#define PREFETCH_DIRECTION_NONE PREFETCH_NONE
#define PREFETCH_DIRECTION_IN   PREFETCH_BUFFER_IN
#define PREFETCH_DIRECTION_OUT  PREFETCH_BUFFER_OUT

#define SCALAR(kind, type, printer)       PREFETCH_KIND_##kind = PREFETCH_NONE,
#define ADDRESS(kind, direction, printer) PREFETCH_KIND_##kind = PREFETCH_DIRECTION_##direction << 12,
#define HANDLE(kind, path)                PREFETCH_KIND_##kind = PREFETCH_NONE,
#define STRING(kind, optional)            PREFETCH_KIND_##kind = PREFETCH_STRING << 12,
#define STRUCT(name, type, bytes, printer)                                                                             \
	PREFETCH_KIND_IN_##name = PREFETCH_IN << 12 | (bytes),                                                         \
	PREFETCH_KIND_IN_OPT_##name = PREFETCH_IN << 12 | (bytes),                                                     \
	PREFETCH_KIND_OUT_##name = PREFETCH_OUT << 12 | (bytes),                                                       \
	PREFETCH_KIND_OUT_OPT_##name = PREFETCH_OUT << 12 | (bytes),                                                   \
	PREFETCH_KIND_INOUT_##name = PREFETCH_INOUT << 12 | (bytes),                                                   \
	PREFETCH_KIND_INOUT_OPT_##name = PREFETCH_INOUT << 12 | (bytes),
enum {
#include "syscalls/kinds.def"
};

/* By number; numbers without a handler have zeros, numbers from PREFETCH_COUNT on have no entry. */
#define PREFETCH_ENTRY(index, kind, name)               PREFETCH_KIND_##kind,
#define SYSCALL(nr, name, level, ret, argc, args, note) [nr] = {PAIRS(argc, PREFETCH_ENTRY, args)},
#define MISSING(nr, name, reason)                       [nr] = {0},
static const unsigned short prefetch_table[][6] = {
#include "syscalls/syscalls.def"
};
#undef PREFETCH_ENTRY
#define PREFETCH_COUNT (sizeof(prefetch_table) / sizeof(prefetch_table[0]))

#endif
