/* keys.h - the calls of keyrings(7), which the C library has not. Serial numbers are random: programs print how they
 * relate, and whether there is one. */
#ifndef GUEST_KEYS_H
#define GUEST_KEYS_H

#include "guest.h"
#include <linux/keyctl.h>

#define KEYCTL(...) syscall(SYS_keyctl, __VA_ARGS__)
/* 1 instead of a serial number. */
#define SHOW_KEY(expr)                                                                                                 \
	({                                                                                                             \
		errno = 0;                                                                                             \
		long show_key_ = (long)(expr);                                                                         \
		show_result(#expr, show_key_ > 0 ? 1 : show_key_, errno);                                              \
		show_key_;                                                                                             \
	})

static inline long add(const char *type, const char *description, const char *payload, long ring)
{
	return syscall(SYS_add_key, type, description, payload, payload ? strlen(payload) : 0, ring);
}

static inline long request(const char *type, const char *description, const char *callout, long ring)
{
	return syscall(SYS_request_key, type, description, callout, ring);
}

/* Without the ids, which differ between users who run this. */
static inline void describe(long key)
{
	char text[5000] = "";
	unsigned perm = 0;
	int at = 0;

	errno = 0;
	long size = KEYCTL(KEYCTL_DESCRIBE, key, text, sizeof text);
	if (size < 0) {
		say("describe: %s\n", strerror(errno));
		return;
	}
	sscanf(text, "%*[^;];%*d;%*d;%x;%n", &perm, &at);
	say("describe: %.*s %08x %s, size %s\n", (int)strcspn(text, ";"), text, perm, text + at,
	    size == (long)strlen(text) + 1 ? "fits" : "DOES NOT FIT");
}

#endif
