/* hooks.h - what files must know of tasks and do to them, although fs/ lies below the tasks: the sentry registers one
 * static table of functions at start (sentry/fshooks.c). Without one (unit tests) nobody is there: see each function.
 */
#ifndef FS_HOOKS_H
#define FS_HOOKS_H

#include "fs/file.h"

/* The caller's place in job control (credentials(7), setpgid(2)). */
struct fs_job {
	int32_t pid, pgid, sid;
	bool leads_session;
	void *tty; /* the session's controlling terminal, borrowed (struct tty); NULL: none */
};

/* No function parks. */
struct fs_hooks {
	/* Of the task whose fiber runs. cred is borrowed. false: no task (the sentry's own fiber). */
	bool (*caller)(int32_t *pid, struct cred **cred);
	void (*caller_name)(char name[16]); /* as in /proc/self/comm; only where there is a caller */
	void (*signal_caller)(int sig);     /* to the calling thread */
	bool (*job)(struct fs_job *out);    /* false: no task */
	/* The session's controlling terminal becomes tty (NULL: none); the reference in it is the caller's affair.
	 * A session that is gone is no error. */
	void (*session_tty_set)(int32_t sid, void *tty);
	int32_t (*group_session)(int32_t pgid); /* its session's id; a process will do as well; -ESRCH */
	void (*signal_group)(int32_t pgid, int sig);
	void (*signal_leader)(int32_t sid, int sig); /* the session's leader, if it lives */
	bool (*caller_ignores)(int sig);             /* ignored or blocked by the calling thread */
	bool (*group_orphaned)(int32_t pgid);        /* no member has a parent in the session outside of the group */
	/* The session's terminal was hung up while pgid (0: none) was in its foreground: at the end of the leader
	 * that group is told (SIGHUP, SIGCONT). */
	void (*session_orphan)(int32_t sid, int32_t pgid);
	void (*leave_tty)(void); /* the calling process, no leader, has no controlling terminal from here on */
	/* Sends the file's owner F_SETSIG's signal (or SIGIO) about descriptor fd, if who made him the owner may. code
	 * and band are siginfo's (POLL_IN and its events). */
	void (*signal_owner)(const struct file *file, int fd, int code, uint32_t band);
	/* Installs the file at the caller's lowest free descriptor; takes the reference. -EMFILE, -EBADF: no task. */
	long (*give_file)(struct file *file, bool cloexec);
	/* The sandbox has used up what it was given: it ends, and this line says why. */
	void (*limit_reached)(const char *message);
	/* --memory has room for so many bytes more of a file's content. */
	bool (*memory_has_room)(uint64_t bytes);
};

void fs_hooks_register(const struct fs_hooks *hooks);

/* Each calls its hook, or answers for a world without tasks: pid 1 with no cred, no job, signals to nobody. */
bool hook_caller(int32_t *pid, struct cred **cred);
void hook_caller_name(char name[16]);
void hook_signal_caller(int sig);
bool hook_job(struct fs_job *out);
void hook_session_tty_set(int32_t sid, void *tty);
int32_t hook_group_session(int32_t pgid);
void hook_signal_group(int32_t pgid, int sig);
void hook_signal_leader(int32_t sid, int sig);
bool hook_caller_ignores(int sig);
bool hook_group_orphaned(int32_t pgid);
void hook_session_orphan(int32_t sid, int32_t pgid);
void hook_leave_tty(void);
void hook_signal_owner(const struct file *file, int fd, int code, uint32_t band);
must_check long hook_give_file(struct file *file, bool cloexec);
void hook_limit_reached(const char *message);
must_check bool hook_memory_has_room(uint64_t bytes);

#endif
