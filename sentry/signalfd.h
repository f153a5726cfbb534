/* signalfd.h - signalfd(2): pending signals as a file. */
#ifndef SENTRY_SIGNALFD_H
#define SENTRY_SIGNALFD_H

#include "fs/file.h"
#include "sentry/abi/signal.h"

void signalfd_init(void); /* registers the kind; once */
must_check int signalfd_new(abi_sigset set, uint32_t flags, struct cred *cred, struct file **out);
/* Another set for an existing one; -EINVAL when file is of another kind. */
must_check int signalfd_change(struct file *file, abi_sigset set);

#endif
