/* terminal.h - the person's terminal while a sandbox has it. */
#ifndef RUNTIME_TERMINAL_H
#define RUNTIME_TERMINAL_H

#include "runtime/sandbox.h"

/* Decides whether the command gets a terminal of its own, and for which descriptors; fills in that part of sandbox. */
void terminal_plan(struct sandbox *sandbox);
/* Raw mode, when the command has a terminal of its own and we are in the foreground; does nothing otherwise. What the
 * settings were comes back by terminal_restore and at every exit(3). */
void terminal_raw(void);
void terminal_restore(void);

#endif
