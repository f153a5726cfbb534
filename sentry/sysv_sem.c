/* sysv_sem.c - semaphore sets (semget(2), semop(2), semctl(2)).
 *
 * The operations of a call happen all at once or not at all: they are tried, and undone when one of them must wait. A
 * waiter sits on the set's queue and tries again whenever a value has changed. SEM_UNDO keeps for each process and set
 * what is to be given back at the process's end.
 *
 * Limits: SYSV_SEM_LIMIT sets, SYSV_SEM_TOTAL semaphores, SYSV_SEM_OPS operations; undo values belong to the process
 * as a whole, whatever CLONE_SYSVSEM said.
 */
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/sysv.h"
#include <errno.h>
#include <string.h>
#include <sys/sem.h>

#define VALUE_LIMIT 32767 /* SEMVMX */

struct sem {
	uint16_t value;
	int32_t last; /* who changed it last */
};

struct sem_set {
	struct sysv_object object;
	struct sem *sems;
	unsigned count;
	int64_t otime;
	struct waitq wait;
	struct list waiting; /* sem_wait.node */
	struct list undos;   /* undo.on_set */
};

/* What a process will give back. */
struct undo {
	struct list on_set, of_process;
	struct process *process;
	struct sem_set *set;
	int16_t *adjust; /* set->count of them */
};

/* Somebody who waits, on its fiber's stack: for GETNCNT and GETZCNT. */
struct sem_wait {
	struct list node;
	unsigned number;
	bool for_zero;
};

static struct slab sem_set_slab = SLAB(sem_set), undo_slab = SLAB(undo);
static unsigned sems_total;
static uint64_t undo_bytes; /* of all adjust arrays */

static struct sem_set *set_of(struct sysv_object *object)
{
	return container_of(object, struct sem_set, object);
}

static void undo_free(struct undo *undo)
{
	list_remove(&undo->on_set);
	list_remove(&undo->of_process);
	undo_bytes -= undo->set->count * sizeof *undo->adjust;
	arena_free(undo->adjust, undo->set->count * sizeof *undo->adjust);
	slab_free(&undo_slab, undo);
}

static void set_free(struct sysv_object *object)
{
	struct sem_set *set = set_of(object);

	assert(list_empty(&set->waiting) && list_empty(&set->undos));
	arena_free(set->sems, set->count * sizeof *set->sems);
	sems_total -= set->count;
	slab_free(&sem_set_slab, set);
}

static void set_show(const struct sysv_object *object, struct text *out)
{
	const struct sem_set *set = set_of((struct sysv_object *)object);

	text_printf(out, "%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n", object->key, object->id, object->mode,
		    set->count, object->uid, object->gid, object->cuid, object->cgid, set->otime, object->ctime);
}

void sem_system_init(void)
{
	static const struct sysv_kind kind = {
		.limit = SYSV_SEM_LIMIT,
		.free = set_free,
		.heading = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
		.show = set_show};

	sysv_kind_register(SYSV_SEM, &kind);
}

static long set_make(struct task *task, int32_t key, int count, int flags)
{
	if (count <= 0 || count > SYSV_SEM_PER_SET)
		return -EINVAL;
	if (sems_total + (unsigned)count > SYSV_SEM_TOTAL)
		return -ENOSPC;
	struct sem_set *set = slab_new(&sem_set_slab);
	if (!set)
		return -ENOMEM;
	set->count = (unsigned)count;
	set->sems = arena_alloc(set->count * sizeof *set->sems);
	waitq_init(&set->wait);
	list_init(&set->waiting);
	list_init(&set->undos);
	int id = set->sems ? sysv_add(task, &set->object, SYSV_SEM, key, flags) : -ENOMEM;
	if (id < 0) {
		arena_free(set->sems, set->count * sizeof *set->sems);
		slab_free(&sem_set_slab, set);
		return id;
	}
	sems_total += set->count;
	return id;
}

long sem_get(struct task *task, int32_t key, int count, int flags)
{
	struct sysv_object *object;

	if (count < 0 || count > SYSV_SEM_PER_SET)
		return -EINVAL;
	int error = sysv_find_key(task, SYSV_SEM, key, flags, &object);
	if (error)
		return error;
	if (!object)
		return set_make(task, key, count, flags);
	return (unsigned)count > set_of(object)->count ? -EINVAL : object->id;
}

/* ------------------------------------------------------------------------------------------------ undo */

static struct undo *undo_find(const struct process *process, struct sem_set *set)
{
	struct undo *undo;

	list_for_each (undo, &set->undos, on_set)
		if (undo->process == process)
			return undo;
	return NULL;
}

static struct undo *undo_get(struct process *process, struct sem_set *set)
{
	struct undo *undo = undo_find(process, set);

	if (undo)
		return undo;
	if (undo_bytes > SYSV_UNDO_BYTES)
		return NULL;
	undo = slab_new(&undo_slab);
	if (!undo)
		return NULL;
	undo->adjust = arena_alloc(set->count * sizeof *undo->adjust);
	if (!undo->adjust) {
		slab_free(&undo_slab, undo);
		return NULL;
	}
	undo_bytes += set->count * sizeof *undo->adjust;
	undo->process = process;
	undo->set = set;
	list_push_back(&set->undos, &undo->on_set);
	list_push_back(&process->sem_undos, &undo->of_process);
	return undo;
}

void sem_exit(struct process *process)
{
	struct undo *undo, *after;

	list_for_each_safe (undo, after, &process->sem_undos, of_process) {
		struct sem_set *set = undo->set;
		for (unsigned i = 0; i < set->count; i++) {
			int value = set->sems[i].value + undo->adjust[i];
			if (!undo->adjust[i])
				continue;
			set->sems[i].value = (uint16_t)MAX(0, MIN(value, VALUE_LIMIT));
			set->sems[i].last = process->pid;
		}
		set->otime = fs_time_now().s;
		undo_free(undo);
		waitq_wake(&set->wait, 0);
	}
}

/* ------------------------------------------------------------------------------------------------ semop */

static void take_back(struct sem_set *set, const struct sembuf *operations, size_t done)
{
	while (done--)
		set->sems[operations[done].sem_num].value =
			(uint16_t)(set->sems[operations[done].sem_num].value - operations[done].sem_op);
}

/* 0: done; 1: operations[*at] must wait; -ERANGE. Nothing has changed but at 0. */
static int try_operations(struct sem_set *set, const struct sembuf *operations, size_t count, const struct undo *undo,
			  size_t *at)
{
	for (size_t i = 0; i < count; i++) {
		const struct sembuf *one = &operations[i];
		struct sem *sem = &set->sems[one->sem_num];
		int value = sem->value + one->sem_op, result = 0;
		if ((!one->sem_op && sem->value) || value < 0)
			result = 1;
		else if (value > VALUE_LIMIT)
			result = -ERANGE;
		else if (one->sem_flg & SEM_UNDO && (undo->adjust[one->sem_num] - one->sem_op > VALUE_LIMIT ||
						     undo->adjust[one->sem_num] - one->sem_op < -VALUE_LIMIT - 1))
			result = -ERANGE;
		if (result) {
			take_back(set, operations, i);
			*at = i;
			return result;
		}
		sem->value = (uint16_t)value;
	}
	return 0;
}

static void settle(struct task *task, struct sem_set *set, const struct sembuf *operations, size_t count,
		   struct undo *undo)
{
	bool changed = false;

	for (size_t i = 0; i < count; i++) {
		const struct sembuf *one = &operations[i];
		set->sems[one->sem_num].last = task->process->pid;
		if (one->sem_flg & SEM_UNDO)
			undo->adjust[one->sem_num] = (int16_t)(undo->adjust[one->sem_num] - one->sem_op);
		changed |= one->sem_op;
	}
	set->otime = fs_time_now().s;
	if (changed)
		waitq_wake(&set->wait, 0);
}

/* PARKS. The set is held by the caller. */
static long operate(struct task *task, struct sem_set *set, const struct sembuf *operations, size_t count, bool undoes,
		    uint64_t deadline_ns)
{
	struct sem_wait wait;
	struct waiter waiter;
	size_t at = 0;
	int result;

	for (;;) {
		/* While we waited the undo may have been dropped with a SETVAL. */
		struct undo *undo = undoes ? undo_get(task->process, set) : NULL;
		if (undoes && !undo)
			return -ENOMEM;
		result = try_operations(set, operations, count, undo, &at);
		if (!result)
			settle(task, set, operations, count, undo);
		if (result <= 0)
			return result;
		if (operations[at].sem_flg & IPC_NOWAIT)
			return -EAGAIN;
		wait = (struct sem_wait){.number = operations[at].sem_num, .for_zero = !operations[at].sem_op};
		waiter_init(&waiter);
		waitq_add(&set->wait, &waiter);
		list_push_back(&set->waiting, &wait.node);
		task->state = TASK_SLEEPING;
		result = waiter_wait(&waiter, deadline_ns);
		task->state = TASK_RUNNING;
		list_remove(&wait.node);
		waitq_remove(&waiter);
		if (set->object.removed)
			return -EIDRM;
		if (result)
			return result == -ETIMEDOUT ? -EAGAIN : -EINTR;
	}
}

static int check_operations(struct task *task, const struct sem_set *set, const struct sembuf *operations, size_t count,
			    bool *undoes)
{
	bool alter = false;

	*undoes = false;
	for (size_t i = 0; i < count; i++) {
		if (operations[i].sem_num >= set->count)
			return -EFBIG;
		alter |= operations[i].sem_op;
		*undoes |= !!(operations[i].sem_flg & SEM_UNDO);
	}
	return sysv_permission(task, &set->object, alter ? 0200 : 0400);
}

long sem_operate(struct task *task, int32_t id, struct uaddr at, uint64_t count, uint64_t deadline_ns)
{
	struct sysv_object *object;
	bool undoes;

	if (!count || id < 0)
		return -EINVAL;
	if (count > SYSV_SEM_OPS)
		return -E2BIG;
	size_t bytes = count * sizeof(struct sembuf);
	struct sembuf *operations = arena_alloc(bytes);
	if (!operations)
		return -ENOMEM;
	long result = user_read(task_user(task), operations, at, bytes);
	if (!result)
		result = sysv_find(SYSV_SEM, id, &object);
	if (!result)
		result = check_operations(task, set_of(object), operations, count, &undoes);
	if (!result) {
		ref_get(&object->ref);
		result = operate(task, set_of(object), operations, count, undoes, deadline_ns);
		sysv_put(object);
	}
	arena_free(operations, bytes);
	return result;
}

/* ------------------------------------------------------------------------------------------------ semctl */

static int waiters(const struct sem_set *set, unsigned number, bool for_zero)
{
	const struct sem_wait *wait;
	int count = 0;

	list_for_each (wait, &set->waiting, node)
		count += wait->number == number && wait->for_zero == for_zero;
	return count;
}

static void remove_set(struct sem_set *set)
{
	struct undo *undo, *after;

	list_for_each_safe (undo, after, &set->undos, on_set)
		undo_free(undo);
	ref_get(&set->object.ref);
	sysv_remove(&set->object);
	waitq_wake(&set->wait, 0);
	sysv_put(&set->object);
}

static long info(struct task *task, int command, struct uaddr buffer)
{
	int highest;
	unsigned count = sysv_count(SYSV_SEM, &highest);
	struct seminfo limits = {.semmap = SYSV_SEM_TOTAL,
				 .semmni = SYSV_SEM_LIMIT,
				 .semmns = SYSV_SEM_TOTAL,
				 .semmnu = SYSV_SEM_TOTAL,
				 .semmsl = SYSV_SEM_PER_SET,
				 .semopm = SYSV_SEM_OPS,
				 .semume = SYSV_SEM_OPS,
				 .semusz = 20,
				 .semvmx = VALUE_LIMIT,
				 .semaem = VALUE_LIMIT};

	if (command == SEM_INFO) {
		limits.semusz = (int)count;
		limits.semaem = (int)sems_total;
	}
	int error = user_write(task_user(task), buffer, &limits, sizeof limits);
	return error ? error : highest;
}

static void forget_undo(struct sem_set *set, unsigned first, unsigned count)
{
	struct undo *undo;

	list_for_each (undo, &set->undos, on_set)
		memset(undo->adjust + first, 0, count * sizeof *undo->adjust);
}

/* GETALL and SETALL. The set is held by the caller, since copies may park. */
static long all_values(struct task *task, struct sem_set *set, bool write, struct uaddr buffer)
{
	size_t bytes = set->count * sizeof(uint16_t);
	uint16_t *values = arena_alloc(bytes);
	long result = values ? 0 : -ENOMEM;

	if (values && write) {
		result = user_read(task_user(task), values, buffer, bytes);
		for (unsigned i = 0; !result && i < set->count; i++)
			if (values[i] > VALUE_LIMIT)
				result = -ERANGE;
		if (!result && set->object.removed)
			result = -EIDRM;
		for (unsigned i = 0; !result && i < set->count; i++)
			set->sems[i] = (struct sem){.value = values[i], .last = task->process->pid};
		if (!result) {
			forget_undo(set, 0, set->count);
			set->object.ctime = fs_time_now().s;
			waitq_wake(&set->wait, 0);
		}
	} else if (values) {
		for (unsigned i = 0; i < set->count; i++)
			values[i] = set->sems[i].value;
		result = user_write(task_user(task), buffer, values, bytes);
	}
	arena_free(values, bytes);
	return result;
}

static long one_value(struct task *task, struct sem_set *set, int number, int command, uint64_t argument)
{
	if (number < 0 || (unsigned)number >= set->count)
		return -EINVAL;
	struct sem *sem = &set->sems[number];
	switch (command) {
	case GETVAL:
		return sem->value;
	case GETPID:
		return sem->last;
	case GETNCNT:
		return waiters(set, (unsigned)number, false);
	case GETZCNT:
		return waiters(set, (unsigned)number, true);
	}
	int value = (int)argument;
	if (value < 0 || value > VALUE_LIMIT)
		return -ERANGE;
	*sem = (struct sem){.value = (uint16_t)value, .last = task->process->pid};
	forget_undo(set, (unsigned)number, 1);
	set->object.ctime = fs_time_now().s;
	waitq_wake(&set->wait, 0);
	return 0;
}

static long status(struct task *task, const struct sem_set *set, bool by_slot, struct uaddr buffer)
{
	struct semid_ds out = {.sem_otime = set->otime, .sem_ctime = set->object.ctime, .sem_nsems = set->count};
	int32_t id = set->object.id;

	sysv_perm_get(&set->object, &out.sem_perm);
	int error = user_write(task_user(task), buffer, &out, sizeof out);
	return error ? error : by_slot ? id : 0;
}

static long change(struct task *task, struct sem_set *set, int command, struct uaddr buffer)
{
	struct semid_ds wanted;
	int error = command == IPC_SET ? user_read(task_user(task), &wanted, buffer, sizeof wanted) : 0;

	if (!error && set->object.removed)
		error = -EIDRM;
	if (!error)
		error = sysv_may_change(task, &set->object);
	if (error)
		return error;
	if (command == IPC_SET)
		sysv_perm_set(&set->object, &wanted.sem_perm);
	else
		remove_set(set);
	return 0;
}

/* The set is held by the caller. */
static long control(struct task *task, struct sem_set *set, int number, int command, uint64_t argument)
{
	bool alters = command == SETVAL || command == SETALL;
	int error = command == IPC_RMID || command == IPC_SET || command == SEM_STAT_ANY
			    ? 0
			    : sysv_permission(task, &set->object, alters ? 0200 : 0400);

	if (error)
		return error;
	switch (command) {
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return status(task, set, command != IPC_STAT, UADDR(argument));
	case GETALL:
	case SETALL:
		return all_values(task, set, alters, UADDR(argument));
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
		return one_value(task, set, number, command, argument);
	case IPC_SET:
	case IPC_RMID:
		return change(task, set, command, UADDR(argument));
	}
	return -EINVAL;
}

long sem_control(struct task *task, int32_t id, int number, int command, uint64_t argument)
{
	struct sysv_object *object;

	if (id < 0)
		return -EINVAL;
	if (command == IPC_INFO || command == SEM_INFO)
		return info(task, command, UADDR(argument));
	int error = command == SEM_STAT || command == SEM_STAT_ANY ? sysv_find_slot(SYSV_SEM, id, &object)
								   : sysv_find(SYSV_SEM, id, &object);
	if (error)
		return error;
	ref_get(&object->ref);
	long result = control(task, set_of(object), number, command, argument);
	sysv_put(object);
	return result;
}
