/* mq_notify with SIGEV_THREAD: the C library's thread, and what it reads from its netlink socket. */
#include "guest.h"
#include <fcntl.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/socket.h>

static sem_t told;
static volatile int value;

static void answer(union sigval sent)
{
	value = sent.sival_int;
	sem_post(&told);
}

static void by_thread(mqd_t queue)
{
	char bytes[8192];
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 42};
	event.sigev_notify_function = answer;
	section("by a thread");
	sem_init(&told, 0, 0);
	for (int i = 0; i < 3; i++) {
		event.sigev_value.sival_int = i;
		SHOW(mq_notify(queue, &event));
		SHOW(mq_notify(queue, &event));
		MUST(mq_send(queue, "a", 1, 0));
		MUST(sem_wait(&told));
		say("told: %d\n", value);
		MUST(mq_receive(queue, bytes, sizeof bytes, NULL));
	}
	SHOW(mq_notify(queue, &event));
	SHOW(mq_notify(queue, NULL));
	MUST(mq_send(queue, "b", 1, 0));
	MUST(mq_receive(queue, bytes, sizeof bytes, NULL));
	SHOW(sem_trywait(&told));
}

static void show_cookie(int socket)
{
	unsigned char bytes[64];
	ssize_t n = recv(socket, bytes, sizeof bytes, MSG_DONTWAIT);
	say("%zd bytes", n);
	say(n > 0 ? ": %d %d ... %d\n" : "\n", bytes[0], bytes[1], bytes[31]);
}

static void by_socket(mqd_t queue)
{
	unsigned char cookie[32] = {7, 8};
	char bytes[8192];
	int socket_fd = MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = socket_fd};
	event.sigev_value.sival_ptr = cookie;
	section("by a socket");
	SHOW(syscall(SYS_mq_notify, queue, &event));
	show_cookie(socket_fd);
	MUST(mq_send(queue, "a", 1, 0));
	show_cookie(socket_fd);
	MUST(mq_receive(queue, bytes, sizeof bytes, NULL));
	SHOW(syscall(SYS_mq_notify, queue, &event));
	SHOW(syscall(SYS_mq_notify, queue, NULL));
	show_cookie(socket_fd);
	SHOW(syscall(SYS_mq_notify, queue, &event));
	SHOW(syscall(SYS_mq_notify, queue, &event));
	MUST(close(dup(queue)));
	show_cookie(socket_fd);
	event.sigev_signo = queue;
	SHOW(syscall(SYS_mq_notify, queue, &event));
	event.sigev_signo = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(syscall(SYS_mq_notify, queue, &event));
	event.sigev_signo = 1000;
	SHOW(syscall(SYS_mq_notify, queue, &event));
	event.sigev_value.sival_ptr = (void *)8;
	SHOW(syscall(SYS_mq_notify, queue, &event));
	event.sigev_notify = 77;
	SHOW(syscall(SYS_mq_notify, queue, &event));
	/* The end of the queue's last descriptor tells as well; the socket may go first. */
	event = (struct sigevent){.sigev_notify = SIGEV_THREAD, .sigev_signo = socket_fd};
	event.sigev_value.sival_ptr = cookie;
	SHOW(syscall(SYS_mq_notify, queue, &event));
	MUST(close(socket_fd));
	MUST(mq_send(queue, "b", 1, 0));
}

int main(void)
{
	mq_unlink("/usbx-thread");
	mqd_t queue = mq_open("/usbx-thread", O_RDWR | O_CREAT, 0600, NULL);
	if (queue < 0 && errno == ENOSYS)
		skip("no POSIX message queues here");
	by_thread(queue);
	by_socket(queue);
	mq_unlink("/usbx-thread");
	return 0;
}
