/* misc.c - system calls about the machine: random numbers, and what no guest may do to its kernel.
 *
 * Calls that control the real machine (reboot, kexec, modules, the kernel's log) answer EPERM, as they do in a
 * container without the capability: the capabilities that a guest's root shows reach no further than the sandbox.
 */
#include "platform/host.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>

#define GRND_INSECURE_FLAG 4u /* GRND_INSECURE, which older headers lack */
#define RANDOM_CHUNK       2048
#define RANDOM_TURN        (64 * 1024) /* so many bytes before others get their turn */

/* Long requests let other tasks run and end early at a signal, as getrandom(2) says of requests above 256 bytes. */
long sys_getrandom(struct task *task, struct uaddr buffer, uint64_t size, uint32_t flags)
{
	uint8_t bytes[RANDOM_CHUNK];
	uint64_t done = 0;
	int error = 0;

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE_FLAG) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE_FLAG)) == (GRND_RANDOM | GRND_INSECURE_FLAG))
		return -EINVAL;
	size = MIN(size, (uint64_t)INT_MAX);
	while (done < size && !error) {
		size_t n = MIN(size - done, (uint64_t)sizeof bytes);
		if (done && done % RANDOM_TURN == 0) {
			fiber_yield();
			if (fiber_interrupted() || task->killed)
				break;
		}
		host_random(bytes, n);
		error = user_write(task_user(task), uaddr_add(buffer, done), bytes, n);
		if (!error)
			done += n;
	}
	memset(bytes, 0, sizeof bytes);
	return done || !error ? (long)done : error;
}

long sys_syslog(struct task *task, int type, struct uaddr buffer, int size)
{
	(void)task, (void)type, (void)buffer, (void)size;
	return -EPERM;
}

long sys_reboot(struct task *task, uint32_t magic, uint32_t magic2, uint32_t command, struct uaddr argument)
{
	(void)task, (void)magic, (void)magic2, (void)command, (void)argument;
	return -EPERM;
}

long sys_init_module(struct task *task, struct uaddr image, uint64_t size, struct uaddr parameters)
{
	(void)task, (void)image, (void)size, (void)parameters;
	return -EPERM;
}

long sys_finit_module(struct task *task, int fd, struct uaddr parameters, uint32_t flags)
{
	(void)task, (void)fd, (void)parameters, (void)flags;
	return -EPERM;
}

long sys_delete_module(struct task *task, struct uaddr name, uint32_t flags)
{
	(void)task, (void)name, (void)flags;
	return -EPERM;
}

long sys_kexec_load(struct task *task, uint64_t entry, uint64_t count, struct uaddr segments, uint64_t flags)
{
	(void)task, (void)entry, (void)count, (void)segments, (void)flags;
	return -EPERM;
}

long sys_kexec_file_load(struct task *task, int kernel_fd, int initrd_fd, uint64_t size, struct uaddr command_line,
			 uint64_t flags)
{
	(void)task, (void)kernel_fd, (void)initrd_fd, (void)size, (void)command_line, (void)flags;
	return -EPERM;
}

long sys_iopl(struct task *task, uint32_t level)
{
	(void)task;
	return level > 3 ? -EINVAL : level ? -EPERM : 0;
}

long sys_ioperm(struct task *task, uint64_t from, uint64_t count, int on)
{
	(void)task;
	if (from + count <= from || from + count > 65536)
		return -EINVAL;
	return on ? -EPERM : 0;
}

/* As with kernel.perf_event_paranoid 4 (/proc/sys says so). */
long sys_perf_event_open(struct task *task, struct uaddr attributes, int32_t pid, int cpu, int group_fd, uint64_t flags)
{
	(void)task, (void)attributes, (void)pid, (void)cpu, (void)group_fd, (void)flags;
	return -EACCES;
}

long sys_bpf(struct task *task, int command, struct uaddr attributes, uint32_t size)
{
	(void)task, (void)command, (void)attributes, (void)size;
	return -EPERM;
}
