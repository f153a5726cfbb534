/* epoll.h - what the cases about epoll share. */
#ifndef GUEST_EPOLL_H
#define GUEST_EPOLL_H

#include "guest.h"
#include <sys/epoll.h>
#include <sys/socket.h>

__attribute__((unused)) static int control(int epoll, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};
	return epoll_ctl(epoll, op, fd, &event);
}

__attribute__((unused)) static int add(int epoll, int fd, uint32_t events, uint64_t data)
{
	return control(epoll, EPOLL_CTL_ADD, fd, events, data);
}

/* All that is ready, by number: the order in which different files became ready is not the cases' affair. */
__attribute__((unused)) static void show_ready(int epoll, int timeout_ms)
{
	struct epoll_event events[32];
	int count = epoll_wait(epoll, events, 32, timeout_ms);
	if (count < 0) {
		say("epoll_wait: %s\n", error_name(errno));
		return;
	}
	say("%d ready\n", count);
	for (uint64_t data = 0; data < 100; data++)
		for (int i = 0; i < count; i++)
			if (events[i].data.u64 == data)
				say("  %d: %x\n", (int)data, events[i].events);
}

#endif
