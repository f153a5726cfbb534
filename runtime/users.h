/* users.h - names of users and groups, for --user. */
#ifndef RUNTIME_USERS_H
#define RUNTIME_USERS_H

#include "sentry/base/types.h"

/* USER[:GROUP], each a number or a name of root's /etc/passwd and /etc/group (root NULL: the host's). A user given by
 * name has the group that /etc/passwd says, one given by number the group of the same number, unless GROUP says
 * otherwise. Fails (see fail.h) when there is no such user or group. */
void users_find(const char *root, const char *text, uint32_t *uid, uint32_t *gid);

/* The text of a shadow(5) file in which everybody of the host's /etc/passwd is and nobody has a password. Gives it. */
char *users_shadow(void);

#endif
