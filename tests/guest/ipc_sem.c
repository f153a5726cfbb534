/* System V semaphores: semget(2), semop(2), semctl(2), SEM_UNDO. */
#include "guest.h"
#include <sys/sem.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static int id;

static int operate(int number, int change, int flags)
{
	struct sembuf operation = {number, change, flags};
	return semop(id, &operation, 1);
}

static void show_values(const char *when)
{
	unsigned short values[3];
	MUST(semctl(id, 0, GETALL, (union semun){.array = values}));
	say("%s: %u %u %u\n", when, values[0], values[1], values[2]);
}

static void several_at_once(void)
{
	struct sembuf both[2] = {{0, -1, IPC_NOWAIT}, {1, -1, IPC_NOWAIT}};
	MUST(semctl(id, 0, SETVAL, (union semun){.val = 1}));
	MUST(semctl(id, 1, SETVAL, (union semun){.val = 0}));
	SHOW(semop(id, both, 2));
	show_values("neither");
	MUST(semctl(id, 1, SETVAL, (union semun){.val = 1}));
	SHOW(semop(id, both, 2));
	show_values("both");
	struct sembuf zero_then_up[2] = {{0, 0, IPC_NOWAIT}, {0, 1, 0}};
	SHOW(semop(id, zero_then_up, 2));
	SHOW(semop(id, zero_then_up, 2));
	show_values("a lock taken once");
}

static pid_t start_waiter(int number, int change)
{
	pid_t pid = fork_child();
	if (!pid)
		_exit(operate(number, change, 0) ? errno : 0);
	for (int i = 0; i < 500 && semctl(id, number, change ? GETNCNT : GETZCNT) == 0; i++)
		nap_ms(10);
	return pid;
}

static void waiting(void)
{
	MUST(semctl(id, 0, SETVAL, (union semun){.val = 0}));
	pid_t pid = start_waiter(0, -2);
	SHOW(semctl(id, 0, GETNCNT));
	SHOW(operate(0, 1, 0));
	SHOW(semctl(id, 0, GETNCNT));
	SHOW(operate(0, 1, 0));
	reap("one that waited for two", pid);
	MUST(operate(0, 1, 0));
	pid = start_waiter(0, 0);
	SHOW(semctl(id, 0, GETZCNT));
	SHOW(operate(0, -1, 0));
	reap("one that waited for zero", pid);
	CHECK(semctl(id, 0, GETPID) == getpid() || semctl(id, 0, GETPID) == pid);
	struct timespec soon = {0, 20000000};
	struct sembuf down = {0, -1, 0};
	SHOW(semtimedop(id, &down, 1, &soon));
	soon.tv_nsec = -1;
	SHOW(semtimedop(id, &down, 1, &soon));
	pid = start_waiter(0, -1);
	MUST(kill(pid, SIGTERM));
	reap("one that was killed", pid);
	SHOW(semctl(id, 0, GETNCNT));
}

static void interrupted(int sig)
{
	(void)sig;
}

static void signals(void)
{
	handle(SIGALRM, interrupted, SA_RESTART);
	alarm(1);
	SHOW(operate(0, -1, 0));
}

static void undo(void)
{
	MUST(semctl(id, 2, SETVAL, (union semun){.val = 5}));
	pid_t pid = fork_child();
	if (!pid) {
		MUST(operate(2, -3, SEM_UNDO));
		MUST(operate(2, -1, 0));
		MUST(operate(2, 1, SEM_UNDO));
		show_values("in the child");
		_exit(0);
	}
	reap("child", pid);
	show_values("undone");
	pid = fork_child();
	if (!pid) {
		MUST(operate(2, -3, SEM_UNDO));
		MUST(semctl(id, 2, SETVAL, (union semun){.val = 7}));
		raise(SIGKILL);
	}
	reap("child", pid);
	show_values("set meanwhile");
}

static void as_user(void)
{
	become_user(1000);
	SHOW(operate(0, 1, 0));
	SHOW(operate(0, 0, IPC_NOWAIT));
	SHOW(semctl(id, 0, SETVAL, (union semun){.val = 1}));
	SHOW(semctl(id, 0, IPC_RMID));
}

int main(void)
{
	int key = 0x5c000000 | getpid();
	struct semid_ds st;
	SHOW(semget(key, 3, 0));
	SHOW(semget(key, 0, IPC_CREAT | 0600));
	SHOW(semget(key, 32001, IPC_CREAT | 0600));
	id = semget(key, 3, IPC_CREAT | IPC_EXCL | 0644);
	CHECK(id >= 0);
	SHOW(semget(key, 4, 0));
	CHECK(semget(key, 3, 0) == id);
	MUST(semctl(id, 0, IPC_STAT, (union semun){.buf = &st}));
	say("%lu semaphores, mode %o, used %d\n", st.sem_nsems, st.sem_perm.mode, st.sem_otime != 0);
	unsigned short values[3] = {1, 2, 3};
	SHOW(semctl(id, 0, SETALL, (union semun){.array = values}));
	show_values("set");
	SHOW(semctl(id, 2, GETVAL));
	SHOW(semctl(id, 3, GETVAL));
	SHOW(semctl(id, 0, SETVAL, (union semun){.val = 40000}));
	SHOW(operate(0, 32767, 0));
	SHOW(operate(3, 1, 0));
	SHOW(operate(1, -3, IPC_NOWAIT));
	SHOW(operate(1, 0, IPC_NOWAIT));
	SHOW(semop(id, NULL, 0));
	SHOW(semop(id, (void *)1, 1));
	SHOW(semop(id, (void *)1, 501));
	section("several at once");
	several_at_once();
	section("waiting");
	waiting();
	signals();
	section("undo");
	undo();
	section("rights");
	in_child("user", as_user);
	section("removal");
	pid_t pid = start_waiter(0, -9);
	SHOW(semctl(id, 0, IPC_RMID));
	int status;
	MUST(waitpid(pid, &status, 0));
	say("the waiter: %s\n", error_name(WEXITSTATUS(status)));
	SHOW(operate(0, 1, 0));
	return 0;
}
