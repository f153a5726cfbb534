/* sysv.c - System V IPC: shmget(2), semget(2), msgget(2) and their kin. The work is done in sentry/sysv*.c. */
#include "sentry/sysv.h"
#include "sentry/clock.h"
#include "syscalls/handlers.h"
#include <errno.h>

long sys_shmget(struct task *task, int key, uint64_t size, int flags)
{
	return shm_get(task, key, size, flags);
}

long sys_shmat(struct task *task, int id, uint64_t addr, int flags)
{
	return shm_attach(task, id, addr, flags);
}

long sys_shmdt(struct task *task, uint64_t addr)
{
	return shm_detach(task, addr);
}

long sys_shmctl(struct task *task, int id, int command, struct uaddr buffer)
{
	return shm_control(task, id, command, buffer);
}

long sys_semget(struct task *task, int key, int count, int flags)
{
	return sem_get(task, key, count, flags);
}

long sys_semop(struct task *task, int id, struct uaddr operations, uint64_t count)
{
	return sem_operate(task, id, operations, count, DEADLINE_NONE);
}

long sys_semtimedop(struct task *task, int id, struct uaddr operations, uint64_t count,
		    const struct abi_timespec *timeout)
{
	uint64_t deadline_ns = DEADLINE_NONE, timeout_ns;

	if (timeout) {
		if (timespec_ns(timeout, &timeout_ns))
			return -EINVAL;
		deadline_ns = deadline_after(clock_fresh_ns(), timeout_ns);
	}
	return sem_operate(task, id, operations, count, deadline_ns);
}

long sys_semctl(struct task *task, int id, int number, int command, uint64_t argument)
{
	return sem_control(task, id, number, command, argument);
}

long sys_msgget(struct task *task, int key, int flags)
{
	return msg_get(task, key, flags);
}

long sys_msgsnd(struct task *task, int id, struct uaddr message, uint64_t size, int flags)
{
	return msg_send(task, id, message, size, flags);
}

long sys_msgrcv(struct task *task, int id, struct uaddr message, uint64_t size, int64_t type, int flags)
{
	return msg_receive(task, id, message, size, type, flags);
}

long sys_msgctl(struct task *task, int id, int command, struct uaddr buffer)
{
	return msg_control(task, id, command, buffer);
}
