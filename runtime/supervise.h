/* supervise.h - the command line's part while the sandbox runs: signals in, time limit, exit status out. */
#ifndef RUNTIME_SUPERVISE_H
#define RUNTIME_SUPERVISE_H

#include "runtime/sandbox.h"

/* Runs the sandbox to its end and says what usbx must exit with; failures have been printed. */
int supervise(const struct options *options, struct view *view);

#endif
