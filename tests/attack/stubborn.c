/* stubborn.c - guests that do not play their part of the platform's protocol, each in a process of its own, while
 * others of the same sandbox expect to be served.
 *
 *   deaf       blocks every signal on the host (a forged frame) and spins: SIGTERM and SIGSTOP of its parent end it
 *   deaf-exit  the same in one thread: exit_group of another thread, and execve, do not wait for it
 *   silent     is granted a memory call and never makes it: others that touch the range wait, nobody else does
 *   noise      writes over bell, reply page and blocks without end: its neighbours' calls are right all the same
 *   forge-done writes over the reply page while its siblings fork and make threads
 *   mute       goes on in the gate's code as if it had never been answered
 *
 * Ends with "done", or says what went wrong.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <pthread.h>
#include <sys/auxv.h>

#include "tests/attack/attack.h"

#define PLACE    0x40000000ul
#define WAIT_MS  20000 /* a busy machine is slow; a hang is longer */
#define NOISE_MS 2000

static void must(int condition, const char *what)
{
	if (condition)
		return;
	printf("failed: %s (errno %d)\n", what, errno);
	exit(1);
}

/* rt_sigreturn by the gate's instruction, to go on at code with every signal blocked but SIGSYS. */
static void go_deaf(void (*code)(void))
{
	static __thread uint64_t frame[256] __attribute__((aligned(64)));
	uint64_t *sc = frame + 5, at = 0;
	const unsigned char *gate = (const unsigned char *)GATE_CODE;

	for (unsigned i = 0; i + 7 < GATE_CODE_BYTES && !at; i++)
		if (!memcmp(gate + i, "\xb8\x0f\x00\x00\x00\x0f\x05", 7))
			at = GATE_CODE + i + 5;
	sc[15] = (uint64_t)malloc(65536) + 65536 - 8;
	sc[16] = (uint64_t)code;
	sc[17] = 0x202;
	sc[18] = 0x33 | 0x2bul << 48;
	frame[37] = ~(1ul << (SIGSYS - 1));
	__asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tjmp *%1" : : "r"(frame), "r"(at) : "memory");
	__builtin_unreachable();
}

static void spin(void)
{
	for (;;)
		__builtin_ia32_pause();
}

static void *deaf_thread(void *arg)
{
	*(volatile int *)arg = 1;
	go_deaf(spin);
	return NULL;
}

static void start_deaf_thread(void)
{
	static volatile int started;
	pthread_t thread;

	must(pthread_create(&thread, NULL, deaf_thread, (void *)&started) == 0, "a thread");
	while (!started)
		usleep(1000);
	usleep(20000);
}

/* The child's wait status; it must come in time. */
static int status_of(pid_t pid, const char *what)
{
	uint64_t end = attack_now_ms() + WAIT_MS;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		must(attack_now_ms() < end, what);
		usleep(2000);
	}
	return status;
}

static void deaf(void)
{
	static const int signals[] = {SIGTERM, SIGSTOP, SIGKILL};

	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		if (pid == 0)
			go_deaf(spin);
		usleep(50000);
		kill(pid, signals[i]);
		must(WIFSIGNALED(status_of(pid, "a deaf process is ended")), "by a signal");
	}
}

static void deaf_exit(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		start_deaf_thread();
		_exit(5);
	}
	must(status_of(pid, "exit_group beside a deaf thread") == 5 << 8, "with its status");
	pid = fork();
	if (pid == 0) {
		start_deaf_thread();
		execl("/bin/true", "true", NULL);
		_exit(6);
	}
	must(status_of(pid, "execve beside a deaf thread") == 0, "true has run");
	pid = fork();
	if (pid == 0) {
		start_deaf_thread();
		pid = fork();
		if (pid == 0)
			_exit(7);
		_exit(status_of(pid, "a child") >> 8);
	}
	must(status_of(pid, "fork beside a deaf thread") == 7 << 8, "with its status");
}

/* A request by hand: the answer, with its queued call, is looked at and left. */
static void *silent_thread(void *arg)
{
	volatile struct channel *ch = NULL;
	uint64_t gs;

	__asm__ volatile("rdgsbase %0" : "=r"(gs));
	ch = (volatile struct channel *)gs;
	ch->nr = SYS_mmap;
	ch->arg[0] = PLACE;
	ch->arg[1] = 65536;
	ch->arg[2] = 3;
	ch->arg[3] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	ch->arg[4] = -1ul;
	ch->arg[5] = 0;
	ch->kind = POST_CALL;
	__atomic_store_n(&ch->state, CHANNEL_REQUEST, __ATOMIC_SEQ_CST);
	while (ch->state != CHANNEL_DONE)
		__builtin_ia32_pause();
	*(volatile int *)arg = 1;
	spin();
	return NULL;
}

static int has_fsgsbase(void)
{
	return getauxval(AT_HWCAP2) & 2;
}

static void silent(void)
{
	static volatile int granted;
	pthread_t thread;
	pid_t pid;

	if (!has_fsgsbase())
		return;
	pid = fork();
	if (pid == 0) {
		int zero = open("/dev/zero", O_RDONLY);
		pthread_create(&thread, NULL, silent_thread, (void *)&granted);
		while (!granted)
			usleep(1000);
		(void)!read(zero, (void *)PLACE, 4096); /* waits for the call that does not come */
		_exit(0);
	}
	usleep(200000);
	for (int i = 0; i < 100; i++) { /* nobody else waits */
		int child = fork();
		if (child == 0)
			_exit(3);
		must(status_of(child, "a neighbour of a silent process") == 3 << 8, "its status");
	}
	kill(pid, SIGKILL);
	status_of(pid, "a silent process is ended");
}

static void scribble_for(uint64_t ms)
{
	uint64_t end = attack_now_ms() + ms, state = (uint64_t)getpid();
	volatile uint64_t *bell = (volatile uint64_t *)GATE_BELL, *reply = (volatile uint64_t *)GATE_REPLY;

	do {
		for (int i = 0; i < 20000; i++) {
			state = state * 6364136223846793005ul + 1442695040888963407ul;
			bell[(state >> 33) % 512] = state >> (state >> 58);
			reply[(state >> 40) % 24] = state;
		}
	} while (attack_now_ms() < end);
}

/* Pipes, files and memory, with contents. */
static void honest_work(void)
{
	char name[] = "/tmp/honest-XXXXXX", out[64], in[64];
	int fd = mkstemp(name), fds[2];

	must(fd >= 0 && pipe(fds) == 0, "a file and a pipe");
	for (int i = 0; i < 300; i++) {
		snprintf(out, sizeof out, "line %d of %d", i, getpid());
		must(pwrite(fd, out, sizeof out, i * 64) == 64 && pread(fd, in, sizeof in, i * 64) == 64, "the file");
		must(!memcmp(in, out, 64), "the file's content");
		must(write(fds[1], out, 64) == 64 && read(fds[0], in, 64) == 64 && !memcmp(in, out, 64), "the pipe");
		char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(p != MAP_FAILED && p[5000] == 0, "memory");
		must(munmap(p, 8192) == 0, "munmap");
	}
	unlink(name);
}

static void noise(void)
{
	pid_t noisy[2], pid;

	for (int i = 0; i < 2; i++) {
		noisy[i] = fork();
		if (noisy[i] == 0) {
			scribble_for(NOISE_MS);
			_exit(0);
		}
	}
	for (int i = 0; i < 3; i++) {
		pid = fork();
		if (pid == 0) {
			honest_work();
			_exit(9);
		}
		must(status_of(pid, "work beside noise") == 9 << 8, "its status");
	}
	for (int i = 0; i < 2; i++) {
		kill(noisy[i], SIGKILL);
		status_of(noisy[i], "a noisy process is ended");
	}
}

static void *scribbler(void *arg)
{
	(void)arg;
	scribble_for(NOISE_MS * 2);
	return NULL;
}

static void *short_thread(void *arg)
{
	return arg;
}

static void forge_done(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		pthread_t thread, other;
		uint64_t end = attack_now_ms() + NOISE_MS;
		pthread_create(&thread, NULL, scribbler, NULL);
		while (attack_now_ms() < end) {
			pid_t child = fork();
			if (child == 0)
				_exit(0);
			if (child > 0)
				waitpid(child, NULL, 0);
			if (pthread_create(&other, NULL, short_thread, NULL) == 0)
				pthread_join(other, NULL);
		}
		_exit(4);
	}
	status = status_of(pid, "a forger of replies ends");
	must(WIFSIGNALED(status) || status == 4 << 8, "somehow");
	honest_work();
}

/* A thread that answers for itself: state and kind are set as the sentry would, again and again. */
static void mute(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		start_deaf_thread();
		for (uint64_t end = attack_now_ms() + NOISE_MS; attack_now_ms() < end;)
			for (int b = 0; b < 2; b++) {
				volatile struct channel *ch =
					(volatile struct channel *)(GATE_BLOCK0 + b * (uint64_t)BLOCK_BYTES);
				ch->kind = ANSWER_NO_RET | ANSWER_BACK;
				ch->state = CHANNEL_DONE;
				ch->op_done = ch->op_seq + 1;
			}
		_exit(0);
	}
	usleep(NOISE_MS * 500);
	honest_work();
	kill(pid, SIGKILL);
	status_of(pid, "a mute process is ended");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {{"deaf", deaf},   {"deaf-exit", deaf_exit},   {"silent", silent},
		   {"noise", noise}, {"forge-done", forge_done}, {"mute", mute}};

	attack_require_sandbox();
	signal(SIGSEGV, SIG_DFL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		if (argc < 2 || !strcmp(argv[1], all[i].name))
			all[i].run();
	puts("done");
	return 0;
}
