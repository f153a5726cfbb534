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
#include "sentry/mm.h"
#include "sentry/signal.h"

#define COMM_BYTES  16 /* TASK_COMM_LEN */
#define RLIMIT_COUNT 16

struct rlimit64_pair {
	uint64_t soft, hard;
};

struct session {
	struct ref ref;
	int32_t sid;
	void *tty; /* the controlling terminal (fs/tty.c), or NULL */
};

struct pgroup {
	struct ref ref;
	int32_t pgid;
	struct session *session; /* counted */
	struct list members;     /* process.pgroup_node */
};

struct rusage_counts {
	uint64_t user_ns, system_ns, minor_faults, major_faults, in_blocks, out_blocks, switches_voluntary, switches_forced, max_rss_kb;
};

/* A thread group: what its threads share however they were made (signal_struct). */
struct process {
	struct ref ref;
	int32_t pid;
	struct task *leader;    /* the thread whose tid is pid; stays until it is reaped */
	struct list threads;    /* (a) task.thread_node */
	unsigned thread_count;  /* that have not exited */
	struct process *parent; /* (a) counted by being in its children list; init has none */
	struct task *parent_task;  /* who cloned us, for PDEATHSIG; NULL when gone */
	struct list children;   /* (a) process.sibling_node, zombies included */
	struct list sibling_node, pgroup_node, all_node;
	struct pgroup *pgroup;  /* counted */
	struct sigpending pending;      /* signals for the process as a whole */
	struct waitq child_wait;        /* a child changed state */
	struct waitq exit_wait;         /* pidfd: this process exited */
	bool exiting;                   /* group exit under way */
	bool zombie, reaped, exec_done; /* exec_done: setpgid refuses with EACCES */
	int exit_status;                /* as wait(2) gives it */
	int exit_signal;                /* sent to the parent at exit; 0: none */
	bool stopped, stop_reported, continued; /* job control */
	int stop_signal;
	struct waitq continue_wait;     /* stopped threads wait here */
	struct rlimit64_pair limits[RLIMIT_COUNT];
	struct rusage_counts usage;          /* of threads that have ended */
	struct rusage_counts children_usage; /* of reaped children */
	void *timers;                   /* POSIX and interval timers (sentry/timer.c) */
	bool child_subreaper;
	bool is_init;
	uint64_t start_ns;              /* CLOCK_BOOTTIME of the sandbox */
	int32_t oom_score_adj;
	int32_t nice;
};

enum task_state { TASK_RUNNING, TASK_SLEEPING, TASK_STOPPED, TASK_ZOMBIE, TASK_DEAD };

struct task {
	struct ref ref;
	int32_t tid;
	struct process *process;   /* counted */
	struct list thread_node, all_node;
	struct fiber *fiber;       /* NULL when it has ended */
	struct uthread *uthread;   /* NULL between two address spaces */
	struct stop stop;          /* (t) what we are answering */
	enum task_state state;
	struct mm *mm;             /* (t) counted; NULL once exited */
	struct fdtable *files;     /* (t) counted */
	struct fs_context *fs;     /* (t) counted */
	struct sighand *sighand;   /* (t) counted; shared by CLONE_SIGHAND */
	struct cred *cred;         /* (t) counted */
	char comm[COMM_BYTES];
	/* signals */
	struct sigpending pending; /* for this thread alone */
	uint64_t blocked, saved_mask; /* bit n-1 is signal n */
	bool restore_mask;            /* put saved_mask back after delivery (sigsuspend, ppoll, ...) */
	struct uaddr altstack;
	uint64_t altstack_size;
	uint32_t altstack_flags;
	bool killed;               /* SIGKILL or group exit: leave at the next chance */
	/* what exit must do for the guest's libraries */
	struct uaddr clear_child_tid, robust_list;
	uint64_t robust_list_bytes;
	struct waitq *vfork_done;  /* the parent waits until we exec or exit; on its fiber's stack */
	/* restart_syscall(2) */
	struct {
		long (*function)(struct task *task); /* never set in a snapshot: kicks finish first */
		uint64_t deadline_ns;
		uint64_t args[4];
	} restart;
	int pdeath_signal;
	bool no_new_privs, keep_caps;
	uint32_t personality;
	uint64_t start_ns, user_ns, timer_slack_ns;
	uint64_t calls;            /* system calls so far */
	int exit_code;             /* of this thread, as wait status */
	struct sched_info {
		int policy, priority, nice;
		uint64_t affinity[16];
	} sched;
	void *ptrace_reserved;
};

/* The task whose fiber runs; NULL in the loop. */
struct task *task_current(void);
static inline struct user task_user(struct task *task)
{
	return (struct user){task->mm->as, task->uthread};
}

/* By number in the sandbox's one pid namespace; borrowed, NULL if there is none. Zombies are found. */
struct task *task_find(int32_t tid);
struct process *process_find(int32_t pid);
struct pgroup *pgroup_find(int32_t pgid);
struct list *process_all(void); /* process.all_node, by age */
void task_get(struct task *task);
void task_put(struct task *task);
void process_get(struct process *process);
void process_put(struct process *process);

/* The first process (pid 1), not yet running. Everything borrowed but taken references. */
struct task_init_config {
	struct fs_context *fs;
	struct cred *cred;
	struct fdtable *files;
};
must_check int task_new_init(const struct task_init_config *config, struct task **out);
/* Makes the task's fiber ready; it begins with task_main. */
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

/* PARKS. execve(2): replaces the program; on success the task continues in the new one (returns 0, nothing is answered). */
must_check long task_exec(struct task *task, struct file *file, const char *path, char *const argv[], char *const envp[]);

/* Marks the task to leave with this wait status; its loop does the rest (task_exit_now). */
void task_exit(struct task *task, int status);
void process_exit(struct process *process, int status); /* all threads: exit_group(2), fatal signals */

/* May sender signal target by kill(2)'s rules? */
bool task_may_signal(const struct task *sender, const struct process *target, int sig);

unsigned task_total(void);
void task_run_main(void *task); /* the fiber's main (sentry/run.c) */

#endif
