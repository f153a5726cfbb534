/* Real-time signals queue, in order, with their values; ordinary ones merge; lower numbers come first. */
#include "guest.h"

static struct {
	int sig, value, code;
} log_[64];
static volatile sig_atomic_t count;

static void note(int sig, siginfo_t *info, void *context)
{
	if (count < 64) {
		log_[count].sig = sig;
		log_[count].value = info->si_value.sival_int;
		log_[count].code = info->si_code;
	}
	count++;
}

static void send(int sig, int value)
{
	MUST(sigqueue(getpid(), sig, (union sigval){.sival_int = value}));
}

int main(void)
{
	/* While one handler runs all others wait: so the log has the order of delivery. */
	const int signals[] = {SIGRTMIN + 3, SIGRTMIN + 1, SIGRTMIN, SIGRTMAX, SIGUSR1};
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
	sigset_t set;
	sigfillset(&action.sa_mask);
	sigemptyset(&set);
	for (size_t i = 0; i < COUNT(signals); i++) {
		MUST(sigaction(signals[i], &action, NULL));
		sigaddset(&set, signals[i]);
	}
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < COUNT(signals); i++)
			send(signals[i], round * 10 + (int)i);
	raise(SIGRTMIN + 1);
	SHOW(count);
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	for (int i = 0; i < count; i++)
		say("%s value %d %s\n", signal_name(log_[i].sig), log_[i].code == SI_QUEUE ? log_[i].value : 0,
		    log_[i].code == SI_QUEUE   ? "SI_QUEUE"
		    : log_[i].code == SI_TKILL ? "SI_TKILL"
					       : "other code");
	SHOW(sigqueue(getpid(), 65, (union sigval){0}));
	SHOW(sigqueue(1 << 22, SIGUSR1, (union sigval){0}));
	SHOW(sigqueue(getpid(), 0, (union sigval){0}));
	return 0;
}
