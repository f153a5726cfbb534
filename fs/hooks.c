/* hooks.c - the registered table, and what holds without one (unit tests of fs/ alone). */
#include "fs/hooks.h"
#include <errno.h>
#include <string.h>

static const struct fs_hooks *hooks;

void fs_hooks_register(const struct fs_hooks *table)
{
	hooks = table;
}

bool hook_caller(int32_t *pid, struct cred **cred)
{
	if (hooks)
		return hooks->caller(pid, cred);
	*pid = 1;
	*cred = NULL;
	return false;
}

void hook_caller_name(char name[16])
{
	name[0] = 0;
	if (hooks)
		hooks->caller_name(name);
}

void hook_signal_caller(int sig)
{
	if (hooks)
		hooks->signal_caller(sig);
}

bool hook_job(struct fs_job *out)
{
	memset(out, 0, sizeof *out);
	return hooks && hooks->job(out);
}

void hook_session_tty_set(int32_t sid, void *tty)
{
	if (hooks)
		hooks->session_tty_set(sid, tty);
}

int32_t hook_group_session(int32_t pgid)
{
	return hooks ? hooks->group_session(pgid) : -ESRCH;
}

void hook_signal_group(int32_t pgid, int sig)
{
	if (hooks)
		hooks->signal_group(pgid, sig);
}

void hook_signal_leader(int32_t sid, int sig)
{
	if (hooks)
		hooks->signal_leader(sid, sig);
}

bool hook_caller_ignores(int sig)
{
	return hooks && hooks->caller_ignores(sig);
}

bool hook_group_orphaned(int32_t pgid)
{
	return hooks && hooks->group_orphaned(pgid);
}

void hook_session_orphan(int32_t sid, int32_t pgid)
{
	if (hooks)
		hooks->session_orphan(sid, pgid);
}

void hook_leave_tty(void)
{
	if (hooks)
		hooks->leave_tty();
}

void hook_limit_reached(const char *message)
{
	if (hooks)
		hooks->limit_reached(message);
}

void hook_signal_owner(const struct file *file, int fd, int code, uint32_t band)
{
	if (hooks)
		hooks->signal_owner(file, fd, code, band);
}

long hook_give_file(struct file *file, bool cloexec)
{
	if (hooks)
		return hooks->give_file(file, cloexec);
	file_put(file);
	return -EBADF;
}

bool hook_memory_has_room(uint64_t bytes)
{
	return !hooks || hooks->memory_has_room(bytes);
}
