/* timerfd.c - timers as files.
 *
 * Firing sets ticks to one and wakes; what a periodic timer passed over is added, and its next period armed, when
 * somebody looks (read, settime, gettime), so that a short period costs nothing while nobody reads.
 *
 * Limits: TFD_TIMER_CANCEL_ON_SET is accepted and never cancels, because nobody sets the clock of a sandbox.
 */
#include "sentry/timerfd.h"
#include "sentry/base/arena.h"
#include "sentry/clock.h"
#include "sentry/timer.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

struct timerfd {
	struct timer timer;
	struct waitq wait;
	int clock, settime_flags;
	uint64_t expires_ns, interval_ns, ticks; /* expires: CLOCK_MONOTONIC; 0: off */
};

static struct slab timerfd_slab = SLAB(timerfd);

static void fired(struct timer *timer)
{
	struct timerfd *timerfd = container_of(timer, struct timerfd, timer);

	timerfd->ticks++;
	waitq_wake(&timerfd->wait, POLLIN);
}

/* Adds what a periodic timer passed over since it fired, and arms it for the next time. */
static void catch_up(struct timerfd *timerfd)
{
	uint64_t now = clock_fresh_ns();

	if (!timerfd->ticks || !timerfd->interval_ns || timerfd->timer.armed || !timerfd->expires_ns)
		return;
	uint64_t periods = now < timerfd->expires_ns ? 0 : (now - timerfd->expires_ns) / timerfd->interval_ns;
	timerfd->ticks += periods;
	timerfd->expires_ns = deadline_after(timerfd->expires_ns, (periods + 1) * timerfd->interval_ns);
	timer_arm(&timerfd->timer, timerfd->expires_ns);
}

static ssize_t timerfd_read(struct file *file, struct uio *to, int64_t *pos)
{
	struct timerfd *timerfd = file->data;
	uint64_t ticks;

	(void)pos;
	if (to->left < sizeof ticks)
		return -EINVAL;
	if (!timerfd->ticks && (file->flags & O_NONBLOCK))
		return -EAGAIN;
	int error = WAIT_EVENT(&timerfd->wait, timerfd->ticks, DEADLINE_NONE);
	if (error)
		return error;
	catch_up(timerfd);
	ticks = timerfd->ticks;
	timerfd->ticks = 0;
	return uio_put(to, &ticks, sizeof ticks);
}

static uint32_t timerfd_poll(struct file *file, struct poll_wait *wait)
{
	struct timerfd *timerfd = file->data;

	poll_listen(wait, &timerfd->wait);
	return timerfd->ticks ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_release(struct file *file)
{
	struct timerfd *timerfd = file->data;

	timer_disarm(&timerfd->timer);
	slab_free(&timerfd_slab, timerfd);
}

static void timerfd_read_setting(const struct timerfd *timerfd, struct abi_itimerspec *out)
{
	uint64_t now = clock_now_ns(), left = 0;

	if (timerfd->timer.armed)
		left = timerfd->expires_ns > now ? timerfd->expires_ns - now : 1;
	out->it_interval = ns_timespec(timerfd->interval_ns);
	out->it_value = ns_timespec(left);
}

static int timerfd_fdinfo(struct file *file, char *text, size_t size)
{
	const struct timerfd *timerfd = file->data;
	struct abi_itimerspec now;

	timerfd_read_setting(timerfd, &now);
	return snprintf(
		text, size,
		"clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%lld, %lld)\nit_interval: (%lld, %lld)\n",
		timerfd->clock, (unsigned long long)timerfd->ticks, (unsigned)timerfd->settime_flags,
		(long long)now.it_value.tv_sec, (long long)now.it_value.tv_nsec, (long long)now.it_interval.tv_sec,
		(long long)now.it_interval.tv_nsec);
}

static const struct file_ops timerfd_ops = {
	.seek = file_seek_nowhere,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.release = timerfd_release,
	.fdinfo = timerfd_fdinfo,
};

void timerfd_init(void)
{
	file_kind_register(FILE_TIMERFD, &timerfd_ops);
	timer_kind_register(TIMER_FD, fired);
}

int timerfd_new(int clock, uint32_t flags, struct cred *cred, struct file **out)
{
	uint64_t unused;

	if (clock == ABI_CLOCK_TAI || clock_deadline(clock, false, 0, &unused))
		return -EINVAL;
	struct timerfd *timerfd = slab_new(&timerfd_slab);
	if (!timerfd)
		return -ENOMEM;
	int error = file_new_anonymous(FILE_TIMERFD, O_RDWR | flags, 0600, "timerfd", cred, out);
	if (error) {
		slab_free(&timerfd_slab, timerfd);
		return error;
	}
	timer_setup(&timerfd->timer, TIMER_FD);
	waitq_init(&timerfd->wait);
	timerfd->clock = clock;
	(*out)->data = timerfd;
	return 0;
}

int timerfd_set(struct file *file, int flags, const struct abi_itimerspec *new, struct abi_itimerspec *old)
{
	struct timerfd *timerfd = file->data;
	uint64_t value, interval;

	if (file->kind != FILE_TIMERFD || (flags & ~(ABI_TFD_TIMER_ABSTIME | ABI_TFD_TIMER_CANCEL_SET)) ||
	    timespec_ns(&new->it_value, &value) || timespec_ns(&new->it_interval, &interval))
		return -EINVAL;
	catch_up(timerfd);
	if (old)
		timerfd_read_setting(timerfd, old);
	timer_disarm(&timerfd->timer);
	timerfd->ticks = 0;
	timerfd->settime_flags = flags;
	timerfd->interval_ns = interval;
	timerfd->expires_ns = 0;
	if (!value)
		return 0;
	int error = clock_deadline(timerfd->clock, flags & ABI_TFD_TIMER_ABSTIME, value, &timerfd->expires_ns);
	if (!error)
		timer_arm(&timerfd->timer, timerfd->expires_ns);
	return error;
}

int timerfd_get(struct file *file, struct abi_itimerspec *out)
{
	struct timerfd *timerfd = file->data;

	if (file->kind != FILE_TIMERFD)
		return -EINVAL;
	catch_up(timerfd);
	timerfd_read_setting(timerfd, out);
	return 0;
}
