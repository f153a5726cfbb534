/* ref.h - counted references. get takes another one, put gives one back; whoever gives the last one back frees. */
#ifndef SENTRY_BASE_REF_H
#define SENTRY_BASE_REF_H

#include "sentry/base/types.h"

struct ref {
	uint32_t count;
};

static inline void ref_init(struct ref *ref)
{
	ref->count = 1;
}

static inline void ref_get(struct ref *ref)
{
	assert(ref->count > 0 && ref->count < UINT32_MAX);
	ref->count++;
}

/* true: that was the last one, the caller frees the object. */
must_check static inline bool ref_put(struct ref *ref)
{
	assert(ref->count > 0);
	return --ref->count == 0;
}

#endif
