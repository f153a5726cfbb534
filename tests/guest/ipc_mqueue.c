/* POSIX message queues: order, limits, errors, waiting. */
#include "guest.h"
#include <mqueue.h>
#include <poll.h>

static void put(mqd_t queue, const char *text, unsigned priority)
{
	int result = mq_send(queue, text, strlen(text), priority);
	say("send %s at %u: %s\n", text, priority, result ? error_name(errno) : "0");
}

static void get(mqd_t queue)
{
	char text[8193];
	unsigned priority = 0;
	ssize_t n = mq_receive(queue, text, sizeof text, &priority);
	if (n < 0) {
		say("receive: %s\n", error_name(errno));
		return;
	}
	text[n] = 0;
	say("receive %s at %u\n", text, priority);
}

static void show(mqd_t queue)
{
	struct mq_attr now;
	MUST(mq_getattr(queue, &now));
	say("flags %lx, %ld of %ld messages of %ld bytes\n", now.mq_flags, now.mq_curmsgs, now.mq_maxmsg,
	    now.mq_msgsize);
}

static struct timespec in_ms(long ms)
{
	long long at = now_ns(CLOCK_REALTIME) + ms * 1000000ll;
	return (struct timespec){at / 1000000000, at % 1000000000};
}

static void waiting(mqd_t queue)
{
	char bytes[8192];
	section("waiting");
	struct timespec time = in_ms(40);
	SHOW(mq_timedreceive(queue, bytes, sizeof bytes, NULL, &time));
	SHOW(mq_timedreceive(queue, bytes, sizeof bytes, NULL, &time));
	time.tv_nsec = -1;
	SHOW(mq_timedreceive(queue, bytes, sizeof bytes, NULL, &time));
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(40);
		put(queue, "from the child", 3);
		_exit(0);
	}
	MUST(mq_receive(queue, bytes, sizeof bytes, NULL));
	reap("sender", pid);
	for (int i = 0; i < 10; i++)
		MUST(mq_send(queue, "x", 1, i));
	time = in_ms(40);
	SHOW(mq_timedsend(queue, "y", 1, 0, &time));
	pid = fork_child();
	if (!pid) {
		nap_ms(40);
		get(queue);
		_exit(0);
	}
	int result = mq_send(queue, "z", 1, 20);
	reap("receiver", pid);
	SHOW(result);
	get(queue);
	show(queue);
}

static void errors(void)
{
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 4};
	char bytes[8192];
	section("errors");
	SHOW(mq_open("/absent", O_RDWR));
	SHOW(mq_open("/", O_RDWR | O_CREAT, 0600, NULL));
	SHOW(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL));
	SHOW(mq_open("/usbx-test", O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
	mqd_t small = mq_open("/usbx-small", O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
	CHECK(small >= 0);
	show(small);
	put(small, "12345", 0);
	put(small, "1234", 40000);
	put(small, "1234", 32767);
	put(small, "", 0);
	put(small, "1", 0);
	SHOW(mq_receive(small, bytes, 3, NULL));
	get(small);
	get(small);
	get(small);
	struct mq_attr now = {.mq_flags = 0};
	SHOW(mq_setattr(small, &now, NULL));
	now.mq_flags = 1;
	SHOW(mq_setattr(small, &now, NULL));
	show(small);
	mqd_t reader = mq_open("/usbx-small", O_RDONLY), writer = mq_open("/usbx-small", O_WRONLY | O_NONBLOCK);
	SHOW(mq_send(reader, "x", 1, 0));
	SHOW(mq_receive(writer, bytes, 100, NULL));
	SHOW(mq_send(0, "x", 1, 0));
	SHOW(mq_unlink("/usbx-small"));
	SHOW(mq_unlink("/usbx-small"));
	put(writer, "kept", 1);
	get(reader);
	attributes.mq_maxmsg = 0;
	SHOW(mq_open("/usbx-other", O_RDWR | O_CREAT, 0600, &attributes));
	attributes = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 1 << 25};
	SHOW(mq_open("/usbx-other", O_RDWR | O_CREAT, 0600, &attributes));
}

static void user(void)
{
	become_user(1000);
	struct mq_attr attributes = {.mq_maxmsg = 11, .mq_msgsize = 10};
	SHOW(mq_open("/usbx-test", O_RDWR));
	SHOW(mq_unlink("/usbx-test"));
	SHOW(mq_open("/usbx-user", O_RDWR | O_CREAT, 0600, &attributes));
}

int main(void)
{
	mq_unlink("/usbx-test");
	mq_unlink("/usbx-small");
	mqd_t queue = mq_open("/usbx-test", O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	if (queue < 0 && errno == ENOSYS)
		skip("no POSIX message queues here");
	CHECK(queue >= 0);
	show(queue);
	put(queue, "low", 1);
	put(queue, "first of two", 5);
	put(queue, "second of two", 5);
	put(queue, "lowest", 0);
	put(queue, "high", 9);
	show(queue);
	struct pollfd poll_fd = {.fd = queue, .events = POLLIN | POLLOUT};
	SHOW(poll(&poll_fd, 1, 0));
	SHOW(poll_fd.revents);
	for (int i = 0; i < 5; i++)
		get(queue);
	SHOW(poll(&poll_fd, 1, 0));
	SHOW(poll_fd.revents);
	SHOW(fcntl(queue, F_GETFD));
	waiting(queue);
	errors();
	in_child("user", user);
	SHOW(mq_unlink("/usbx-test"));
	SHOW(mq_close(queue));
	SHOW(mq_close(queue));
	return 0;
}
