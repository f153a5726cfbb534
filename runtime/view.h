/* view.h - which parts of the host a sandbox sees, and where. */
#ifndef RUNTIME_VIEW_H
#define RUNTIME_VIEW_H

#include "fs/mount.h"
#include "platform/jail.h"
#include "runtime/options.h"

#define VIEW_LIMIT 256

struct view {
	struct mount_spec specs[VIEW_LIMIT];
	int shown[VIEW_LIMIT]; /* of each spec: its index in host, or -1 */
	unsigned count;
	struct jail_view host[VIEW_LIMIT]; /* what of the host is shown */
	unsigned host_count;
	const char *workdir;
};

/* Puts it together from the options and from what the host has. Fails (see fail.h) when something asked for is not
 * there. */
void view_build(struct view *view, const struct options *options);

#endif
