/* task.h - threads and processes of the guest: struct task (a thread), struct process (a thread group), process groups,
 * sessions; how they are made, how they end, who waits for them. (clone(2), exit(2), wait(2), credentials(7))
 *
 * Each task owns a fiber that runs task_main (sentry/run.c): wait for a stop, answer it, deliver signals, go on.
 * What a field's letter says: (t) only the task's own fiber changes it; (a) anybody, between two PARKS points.
 */
#ifndef SENTRY_TASK_H
#define SENTRY_TASK_H

#include "fs/fdtable.h"
#include "fs/namei.h"
#include "sentry/abi/proc.h"
#include "sentry/keys.h"
#include "sentry/mm.h"
#include "sentry/signal.h"

#define COMM_BYTES   16 /* TASK_COMM_LEN */
#define RLIMIT_COUNT 16

struct rlimit64_pair {
	uint64_t soft, hard;
};

struct session {
	struct ref ref;
	int32_t sid;
	void *tty;             /* the controlling terminal (fs/tty.c), counted, or NULL */
	int32_t hung_up_group; /* was in the foreground when the terminal was hung up; 0: none */
	struct list all_node;
};

struct pgroup {
	struct ref ref;
	int32_t pgid;
	struct session *session; /* counted */
	struct list members;     /* process.pgroup_node */
	struct list hash_node;
};

struct rusage_counts {
	uint64_t user_ns, system_ns, minor_faults, major_faults, in_blocks, out_blocks, switches_voluntary,
		switches_forced, max_rss_kb;
	uint64_t read_chars, write_chars, read_calls, write_calls; /* /proc/PID/io */
};

/* A thread group: what its threads share however they were made (signal_struct). */
struct process {
	struct ref ref; /* its tasks, its own existence until it is reaped, pidfds */
	int32_t pid;
	struct task *leader;      /* the thread whose tid is pid; stays until it is reaped */
	struct list threads;      /* (a) task.thread_node */
	unsigned thread_count;    /* that have not exited */
	struct process *parent;   /* (a) counted by being in its children list; init has none */
	struct task *parent_task; /* who cloned us, for PDEATHSIG; NULL when gone */
	struct list children;     /* (a) process.sibling_node, zombies included */
	struct list sibling_node, pgroup_node, all_node;
	struct pgroup *pgroup;                  /* counted */
	struct sigpending pending;              /* signals for the process as a whole */
	struct waitq child_wait;                /* a child changed state */
	struct waitq exit_wait;                 /* pidfd: this process exited */
	bool exiting;                           /* group exit under way */
	bool zombie, reaped, exec_done;         /* exec_done: setpgid refuses with EACCES */
	int exit_status;                        /* as wait(2) gives it */
	int exit_signal;                        /* sent to the parent at exit; 0: none */
	bool stopped, stop_reported, continued; /* job control */
	int stop_signal;
	struct waitq continue_wait; /* stopped threads wait here */
	struct rlimit64_pair limits[RLIMIT_COUNT];
	struct rusage_counts usage;          /* of threads that have ended */
	struct rusage_counts children_usage; /* of reaped children */
	void *timers;                        /* POSIX and interval timers (sentry/timer.c) */
	struct list sem_undos;               /* what SEM_UNDO promised (sentry/sysv_sem.c) */
	bool child_subreaper;
	bool left_tty;            /* has given up the session's controlling terminal by TIOCNOTTY; inherited */
	bool is_init;             /* pid 1: no program, no signals, the parent of orphans (sentry/process.c) */
	bool is_main;             /* the program of the command line: the sandbox ends with it */
	bool group_stop;          /* (a) job control: threads are to stop, or have stopped */
	unsigned stop_left;       /* threads that have not stopped yet in this group_stop */
	struct task *execing;     /* the thread that waits for the others to leave (execve), or NULL */
	struct waitq thread_wait; /* a thread has left */
	uint64_t start_ns;        /* CLOCK_BOOTTIME of the sandbox */
	int32_t oom_score_adj;
	bool oom_victim; /* killed for lack of memory (sentry/oom.c) */
	int32_t nice;
	uint32_t coredump_filter; /* which mappings a core dump has (core(5)) */
	struct core *core;        /* a thread dumps, the others stop (sentry/core.c); on its fiber's stack */
};

struct vfork_wait {
	struct waitq queue;
	bool done;
};

enum restart_kind { RESTART_NONE, RESTART_NANOSLEEP, RESTART_FUTEX, RESTART_POLL };

enum task_state { TASK_RUNNING, TASK_SLEEPING, TASK_STOPPED, TASK_ZOMBIE, TASK_DEAD };

struct task {
	struct ref ref;
	int32_t tid;
	struct process *process; /* counted */
	struct list thread_node, hash_node;
	struct fiber *fiber;     /* NULL before task_start and when it has ended */
	struct uthread *uthread; /* NULL between two address spaces */
	struct stop stop;        /* (t) what we are answering */
	enum task_state state;
	struct mm *mm;           /* (t) counted; NULL once exited */
	struct fdtable *files;   /* (t) counted */
	struct fs_context *fs;   /* (t) counted */
	struct sighand *sighand; /* (t) counted; shared by CLONE_SIGHAND */
	struct cred *cred;       /* (t) counted */
	char comm[COMM_BYTES];
	/* signals */
	struct sigpending pending;    /* for this thread alone */
	uint64_t blocked, saved_mask; /* bit n-1 is signal n */
	bool restore_mask;            /* put saved_mask back after delivery (sigsuspend, ppoll, ...) */
	uint64_t sigwait_mask;        /* what blocked was, while sigtimedwait(2) has unblocked some; 0 otherwise */
	struct uaddr altstack;
	uint64_t altstack_size;
	uint32_t altstack_flags;
	bool killed;           /* SIGKILL, group exit, exec of another thread: leave at the next chance */
	bool in_guest;         /* (t) inside uthread_wait: whoever wants us must kick */
	bool context_set;      /* (t) the call has set the whole context (sigreturn, exec): there is no result */
	bool stop_counted;     /* has taken part in the present group_stop */
	struct list kick_node; /* in the queue of the kicker (sentry/kick.c) */
	struct {
		uint64_t trapno, error, addr; /* of the last fault, as handlers see them in their context */
	} fault;
	/* what exit must do for the guest's libraries */
	struct uaddr clear_child_tid, robust_list;
	uint64_t robust_list_bytes;
	struct vfork_wait *vfork_done; /* the parent waits until we exec or exit; on its fiber's stack */
	/* restart_syscall(2): what a call that returned -ERESTART_RESTARTBLOCK left. A kind, not a function (design
	 * D5). */
	struct {
		enum restart_kind kind;
		uint64_t deadline_ns; /* CLOCK_MONOTONIC */
		uint64_t args[4];     /* the kind's own */
	} restart;
	int pdeath_signal;
	bool no_new_privs;
	uint32_t personality;
	struct mempolicy mempolicy;
	uint64_t start_ns, user_ns, timer_slack_ns, timer_slack_default_ns;
	uint64_t calls; /* system calls so far */
	struct {
		uint64_t read_chars, write_chars, read_calls, write_calls;
	} io;          /* (t) */
	int exit_code; /* of this thread, as wait status */
	struct sched_info {
		int policy, priority, nice;
		int io_priority; /* ioprio_set(2); 0: by nice */
		struct sched_deadline {
			uint64_t runtime_ns, deadline_ns, period_ns, flags;
		} deadline; /* SCHED_DEADLINE */
		uint64_t affinity[16];
	} sched;
	struct {
		struct list requests; /* that it has submitted and that have not ended (syscalls/uring.h) */
		unsigned workers;     /* fibers that work on them with what the task has */
		struct waitq wait;    /* one of both has become less */
	} async;
	struct task_keys keys; /* (t) but for SESSION_TO_PARENT (sentry/key_holders.c) */
	void *ptrace_reserved;
};

/* The task whose fiber runs; NULL in the loop and on the sentry's own fibers. */
struct task *task_current(void);
static inline struct user task_user(struct task *task)
{
	return (struct user){task->mm->as, task->uthread};
}

/* Once at start, after arena_init. -ENOMEM. Also registers the kinds of file that sentry/ has. */
must_check int task_system_init(void);

/* ------------------------------------------------------------------------------------------------ finding them */

/* By number in the sandbox's one pid namespace; borrowed, NULL if there is none. Zombies are found. */
struct task *task_find(int32_t tid);
struct process *process_find(int32_t pid);
struct pgroup *pgroup_find(int32_t pgid);
struct list *process_all(void);     /* process.all_node, by age */
struct process *process_init(void); /* pid 1; NULL before the first process */
void task_get(struct task *task);
void task_put(struct task *task);
void process_get(struct process *process);
void process_put(struct process *process);
unsigned task_total(void);
/* --pids: as many tasks at most, pid 1 not counted; TASK_LIMIT before. */
void task_limit_set(unsigned limit);
unsigned task_limit(void);
/* The number of the parent: 0 for pid 1. */
int32_t process_ppid(const struct process *process);
/* Soft limit, and the same for the current task's process (RLIM_INFINITY on fibers without a task). */
uint64_t process_limit(const struct process *process, unsigned resource);

/* ------------------------------------------------------------------------------------------------ beginning */

#define INIT_PID 1
/* The first program's process (pid 2), not yet running, and pid 1, its parent. Borrows everything. */
struct task_main_config {
	struct fs_context *fs;
	struct cred *cred;
	struct fdtable *files;
};
must_check int task_new_main(const struct task_main_config *config, struct task **out);
/* Makes the task's fiber ready; it begins with task_run_main. -EAGAIN. */
must_check int task_start(struct task *task);

struct clone_request {
	uint64_t flags; /* CLONE_*, without the exit signal */
	int exit_signal;
	struct uaddr stack; /* its top; 0: the parent's */
	uint64_t tls;
	struct uaddr parent_tid, child_tid, pidfd;
	int32_t set_tid;
};
/* PARKS. clone(2): the new thread's tid, or an error. */
must_check long task_clone(struct task *parent, const struct clone_request *request);

/* PARKS. execve(2): replaces the program; on success the task continues in the new one (returns 0, nothing is
 * answered). The task may be the caller, or one that has not been started yet (boot). */
must_check long task_exec(struct task *task, struct file *file, const char *path, char *const argv[],
			  char *const envp[]);
/* The same with what execveat(2) knows: the name goes by a descriptor that closes on exec. */
must_check long task_exec_at(struct task *task, struct file *file, const char *path, bool path_closed,
			     char *const argv[], char *const envp[]);

/* Its parts, for sentry/clone.c, exec.c and unit tests: an object with a fresh number, in no process's list yet. */
must_check int task_alloc(struct task **out);
void task_hash(struct task *task); /* makes task_find find it */
void task_unhash(struct task *task);
must_check int process_alloc(struct process **out);
/* Joins: process->threads, thread_count. */
void process_add_thread(struct process *process, struct task *task);
/* Tells the gate who the thread is, after any change. */
void task_identity_update(struct task *task);
void process_identity_update(struct process *process); /* all its threads */
/* Swaps in other credentials. Takes the reference. */
void task_cred_set(struct task *task, struct cred *cred);

/* ------------------------------------------------------------------------------------------------ ending */

/* Marks the task to leave with this wait status; its loop does the rest (task_exit_now). */
void task_exit(struct task *task, int status);
void process_exit(struct process *process, int status); /* all threads: exit_group(2), fatal signals */
/* PARKS. Only task_run_main calls it, as its last: gives everything back, tells the parent. */
void task_exit_now(struct task *task);
/* Takes a zombie away for good: nobody finds it any more. */
void process_reap(struct process *process);
/* SIGHUP and SIGCONT to a group that has become orphaned with stopped members (exit of `leaving`). */
void pgroup_orphan_check(struct pgroup *group, const struct process *leaving);
/* execve(2): ends every thread but this one and waits for that; task has the process's number afterwards.
 * -EAGAIN when the task is itself to die. PARKS. */
must_check int process_single(struct task *task);
/* Wakes whoever waits for the end of our use of the memory: vfork's parent, and the word of CLONE_CHILD_CLEARTID.
 * PARKS. */
void task_release_memory(struct task *task);
/* wait4(2) and waitid(2). type: P_ALL, P_PID, P_PGID. options: W*. PARKS. Returns the pid, 0 (WNOHANG), or an error. */
struct wait_result {
	int status, code; /* as wait4 and as si_code */
	int32_t pid;
	uint32_t uid;
	struct rusage_counts usage;
};
must_check long process_wait(struct task *task, int type, int32_t id, int options, struct wait_result *out);

/* ------------------------------------------------------------------------------------------------ groups, sessions */

must_check int pgroup_new(int32_t pgid, struct session *session, struct pgroup **out);
void pgroup_get(struct pgroup *group);
void pgroup_put(struct pgroup *group);
void pgroup_join(struct process *process, struct pgroup *group); /* leaves the old one */
void session_get(struct session *session);
void session_put(struct session *session);
bool session_exists(int32_t sid);
long session_start(struct task *task);                         /* setsid(2) */
long pgroup_set(struct task *task, int32_t pid, int32_t pgid); /* setpgid(2) */
/* Nobody in it has a parent in another group of the same session: its stops would be for ever (setpgid(2), tty). */
bool pgroup_orphaned(const struct pgroup *group, const struct process *ignored);
/* The session's leader has ended: its terminal is free, who was in the foreground hears of it. */
void session_leader_gone(struct session *session);

/* ------------------------------------------------------------------------------------------------ asking */

/* May sender signal target by kill(2)'s rules? */
bool task_may_signal(const struct task *sender, const struct process *target, int sig);
/* ptrace(2)'s access check, for process_vm_readv(2), /proc/PID/mem, prlimit: 0 or -EPERM. */
must_check int task_may_access(const struct task *asking, const struct task *target);
/* CPU time of a thread, of all threads of a process with those that have ended. Nanoseconds. */
uint64_t task_cpu_ns(const struct task *task);
uint64_t process_cpu_ns(const struct process *process);
void rusage_add(struct rusage_counts *sum, const struct rusage_counts *more);
void task_usage(const struct task *task, struct rusage_counts *out);
void process_usage(const struct process *process, struct rusage_counts *out);

/* Of the sandbox as a whole: how many there have been, and what those used that have ended. */
struct task_totals {
	uint64_t processes, threads;
	struct rusage_counts usage; /* max_rss_kb: of the largest */
};
void task_totals_get(struct task_totals *out);
void task_totals_add(const struct rusage_counts *usage); /* a thread ends */

/* ------------------------------------------------------------------------------------------------ running */

void task_run_main(void *task); /* the fiber's main (sentry/run.c) */
/* The system call table registers its dispatcher here at start (sentry/ must not include syscalls/). It answers the
 * task's stop: returns the result; a restart code is allowed. */
void run_set_dispatch(long (*dispatch)(struct task *task));
/* What the calls have begun for a task and must end before its files and memory go: called at exit and exec. PARKS. */
void run_set_leave(void (*leave)(struct task *task));
void run_leave(struct task *task);
/* Whoever wants to know what happens to tasks besides their calls (--strace). The functions do not park. */
struct run_observer {
	void (*signal)(const struct task *task, const struct abi_siginfo *info); /* one that is about to act */
	void (*exited)(const struct task *task, int wait_status);
	void (*exec)(const struct task *task, const char *path, char *const argv[]);
};
void run_set_observer(const struct run_observer *observer); /* NULL: nobody */
void run_tell_signal(const struct task *task, const struct abi_siginfo *info);
void run_tell_exit(const struct task *task, int wait_status);
void run_tell_exec(const struct task *task, const char *path, char *const argv[]);
unsigned run_inside(void); /* how many threads run guest code now */
/* Makes the task look up from guest code or from an interruptible wait. Never parks (sentry/kick.c). */
void task_kick(struct task *task);
/* The same for one that is to die (killed is set): its thread is ended wherever it is. */
void task_kick_dead(struct task *task);
/* Parks until what *done says, or until the task is killed: -EINTR. For waits that signals must not end (vfork). */
must_check int task_wait_killable(struct task *task, struct waitq *queue, const bool *done);
/* The kicker lets go of a user thread before its owner frees it. PARKS for a moment at most. */
void task_kick_settle(struct task *task);

#endif
