/* mq_notify: a signal when a message comes into an empty queue for which nobody waits. */
#include "guest.h"
#include <mqueue.h>

static volatile sig_atomic_t signals, code, value;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	signals++;
	code = info->si_code;
	value = info->si_value.sival_int;
}

static void seen(const char *what)
{
	nap_ms(5);
	say("%s: %d signals", what, signals);
	say(signals ? ", code %d, value %d\n" : "\n", code, value);
	signals = 0;
}

int main(void)
{
	char bytes[8192];
	mq_unlink("/usbx-notify");
	mqd_t queue = mq_open("/usbx-notify", O_RDWR | O_CREAT, 0600, NULL);
	if (queue < 0 && errno == ENOSYS)
		skip("no POSIX message queues here");
	handle_info(SIGUSR1, note, SA_RESTART);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
	SHOW(mq_notify(queue, &event));
	SHOW(mq_notify(queue, &event));
	MUST(mq_send(queue, "a", 1, 0));
	seen("first");
	MUST(mq_send(queue, "b", 1, 0));
	seen("not registered any more");
	SHOW(mq_notify(queue, &event));
	MUST(mq_send(queue, "c", 1, 0));
	seen("not empty");
	for (int i = 0; i < 3; i++)
		MUST(mq_receive(queue, bytes, sizeof bytes, NULL));
	pid_t pid = fork_child();
	if (!pid) {
		SHOW(mq_receive(queue, bytes, sizeof bytes, NULL));
		_exit(0);
	}
	nap_ms(50);
	MUST(mq_send(queue, "d", 1, 0));
	reap("receiver", pid);
	seen("somebody waited");
	MUST(mq_send(queue, "e", 1, 0));
	seen("nobody waits");
	MUST(mq_receive(queue, bytes, sizeof bytes, NULL));
	SHOW(mq_notify(queue, &event));
	SHOW(mq_notify(queue, NULL));
	MUST(mq_send(queue, "f", 1, 0));
	seen("taken back");
	MUST(mq_receive(queue, bytes, sizeof bytes, NULL));
	SHOW(mq_notify(queue, &event));
	close(dup(queue));
	MUST(mq_send(queue, "g", 1, 0));
	seen("a duplicate was closed");
	MUST(mq_receive(queue, bytes, sizeof bytes, NULL));
	event.sigev_notify = SIGEV_NONE;
	SHOW(mq_notify(queue, &event));
	SHOW(mq_notify(queue, &event));
	MUST(mq_send(queue, "h", 1, 0));
	seen("none");
	SHOW(mq_notify(queue, &event));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = 65;
	SHOW(mq_notify(queue, &event));
	event.sigev_notify = 77;
	SHOW(mq_notify(queue, &event));
	SHOW(mq_notify(0, NULL));
	mq_unlink("/usbx-notify");
	return 0;
}
