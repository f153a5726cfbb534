/* restart.h - what restart_syscall(2) goes on with, by the kind that the interrupted call left in task->restart. */
#ifndef SYSCALLS_RESTART_H
#define SYSCALLS_RESTART_H

struct task;

/* PARKS. The results of the call that was interrupted. Poll has its own in poll.h. */
long nanosleep_restart(struct task *task); /* syscalls/time.c */

#endif
