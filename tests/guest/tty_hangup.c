/* The end of a terminal: the master is closed, the session's leader ends. */
#include "tty.h"

static volatile sig_atomic_t seen;

static void note(int sig)
{
	seen |= sig == SIGHUP ? 1 : 2;
}

static void dead_slave(void)
{
	char bytes[8];
	struct termios now;
	SHOW(read(slave, bytes, sizeof bytes));
	SHOW(write(slave, "x", 1));
	SHOW(tcgetattr(slave, &now));
	SHOW(isatty(slave));
	SHOW(tcsetpgrp(slave, getpid()));
	SHOW(tcgetsid(slave));
	say("poll: %x\n", poll_events(slave, POLLIN | POLLOUT | POLLPRI, 0));
	struct stat st;
	SHOW(fstat(slave, &st));
	SHOW(open("/dev/tty", O_RDWR));
	SHOW(fcntl(slave, F_GETFL));
}

static void master_closes(void)
{
	int ends[2], answers[2];
	section("the master closes");
	open_pair();
	MUST(pipe(ends));
	MUST(pipe(answers));
	pid_t pid = fork_leader();
	if (!pid) {
		close(master);
		handle(SIGHUP, note, 0);
		handle(SIGCONT, note, 0);
		pid_t job = fork_child();
		if (!job) {
			setpgid(0, 0);
			handle(SIGHUP, SIG_DFL, 0);
			handle(SIGCONT, SIG_DFL, 0);
			for (;;)
				pause();
		}
		setpgid(job, job);
		tcsetpgrp(slave, job);
		tell(answers[1]);
		while (seen != 3)
			nap_ms(1);
		say("the leader saw SIGHUP and SIGCONT\n");
		nap_ms(20);
		say("the job lives: %d\n", !kill(job, 0) && waitpid(job, NULL, WNOHANG) == 0);
		dead_slave();
		_exit(0);
	}
	char name[64];
	strcpy(name, ptsname(master));
	await(answers[0]);
	SHOW(exists(name));
	close(master);
	SHOW(exists(name));
	reap("leader", pid);
	close(slave);
}

static void waiting_reader(void)
{
	section("a reader waits, a writer waits");
	open_pair();
	pid_t pid = fork_child();
	if (!pid) {
		char bytes[8];
		close(master);
		SHOW(read(slave, bytes, sizeof bytes));
		_exit(0);
	}
	nap_ms(30);
	close(master);
	reap("reader", pid);
	close(slave);

	open_pair();
	pid = fork_child();
	if (!pid) {
		static char much[100000];
		close(master);
		signal(SIGPIPE, SIG_IGN);
		ssize_t n = write(slave, much, sizeof much);
		CHECK(n == -1 || n < (ssize_t)sizeof much);
		SHOW(write(slave, much, 1));
		_exit(0);
	}
	nap_ms(30);
	close(master);
	reap("writer", pid);
	close(slave);
}

static void leader_ends(void)
{
	int ready[2], done[2], go[2][2];
	section("the leader ends");
	open_pair();
	MUST(pipe(ready));
	MUST(pipe(done));
	MUST(pipe(go[0]));
	MUST(pipe(go[1]));
	pid_t pid = fork_leader();
	if (!pid) {
		for (int i = 0; i < 2; i++) {
			pid_t job = fork();
			if (!job) {
				setpgid(0, 0);
				handle(SIGHUP, note, 0);
				tell(ready[1]);
				await(go[i][0]);
				for (int turn = 0; i && turn < 1000 && !seen; turn++)
					nap_ms(2);
				say("%s\n", seen == i ? "as it should be" : "the wrong one got SIGHUP");
				if (i) {
					SHOW(open("/dev/tty", O_RDWR));
					SHOW(write(slave, "still there", 11));
					SHOW(tcgetsid(slave));
				}
				tell(done[1]);
				_exit(0);
			}
			setpgid(job, job);
			if (i)
				tcsetpgrp(slave, job);
			await(ready[0]);
		}
		_exit(0);
	}
	reap("leader", pid);
	for (int i = 0; i < 2; i++) {
		tell(go[i][1]);
		await(done[0]);
	}
	SHOW_MASTER();
	SHOW(ioctl(master, TIOCGSID, &(pid_t){0}));
	close_pair();
}

int main(void)
{
	master_closes();
	waiting_reader();
	leader_ends();
	return 0;
}
