/* policy_options.h - what the command line says about the policy, once all options have been read. */
#ifndef RUNTIME_POLICY_OPTIONS_H
#define RUNTIME_POLICY_OPTIONS_H

#include "runtime/options.h"

/* Reads the file of --policy, and checks that everything fits together; fails (fail.h) if not. */
void policy_settle(struct options *o);

#endif
