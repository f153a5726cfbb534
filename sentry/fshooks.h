/* fshooks.h - registers what fs/ asks of tasks (fs/hooks.h). */
#ifndef SENTRY_FSHOOKS_H
#define SENTRY_FSHOOKS_H

/* Once at start, by task_system_init. */
void fshooks_init(void);

#endif
