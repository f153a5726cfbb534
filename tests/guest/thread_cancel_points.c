/* pthread_cancel of threads that sleep in the calls that are cancellation points, with handlers and locks in hand. */
#include "guest.h"
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/socket.h>

static int ends[2], pair[2], epoll, queue, up[2], cleaned;
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static const char *kinds[] = {"read", "recv",      "poll", "select", "epoll_wait", "nanosleep", "pause", "sigwait",
			      "wait", "condition", "sem",  "msgrcv", "accept",     "open",      "lock"};

static void cleanup(void *arg)
{
	cleaned++;
}

static void unlock(void *arg)
{
	cleaned += 10 * !pthread_mutex_unlock(&mutex);
}

static void sleeps_in(int kind)
{
	char bytes[64];
	int sig;
	sigset_t set = set_of(SIGUSR1);
	fd_set in;
	struct pollfd poll_fd = {ends[0], POLLIN, 0};
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	switch (kind) {
	case 0:
		(void)!read(ends[0], bytes, sizeof bytes);
		break;
	case 1:
		recv(pair[0], bytes, sizeof bytes, 0);
		break;
	case 2:
		poll(&poll_fd, 1, -1);
		break;
	case 3:
		select(ends[0] + 1, &in, NULL, NULL, NULL);
		break;
	case 4:
		epoll_wait(epoll, (struct epoll_event[1]){}, 1, -1);
		break;
	case 5:
		nanosleep(&(struct timespec){1000, 0}, NULL);
		break;
	case 6:
		pause();
		break;
	case 7:
		sigwait(&set, &sig);
		break;
	case 8:
		waitpid(-1, NULL, 0);
		break;
	case 9:
		pthread_mutex_lock(&mutex);
		pthread_cleanup_push(unlock, NULL);
		for (;;)
			pthread_cond_wait(&condition, &mutex);
		pthread_cleanup_pop(0);
		break;
	case 10:
		sem_wait(&semaphore);
		break;
	case 11:
		msgrcv(queue, bytes, 8, 0, 0);
		break;
	case 12:
		accept(pair[1], NULL, NULL);
		break;
	case 13:
		open("fifo", O_RDONLY);
		break;
	case 14:
		fcntl(MUST(open("locked", O_RDWR)), F_OFD_SETLKW,
		      &(struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET});
		break;
	}
}

static void *sleeps(void *arg)
{
	pthread_cleanup_push(cleanup, NULL);
	tell(up[1]);
	sleeps_in(*(int *)arg);
	pthread_testcancel();
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel(int kind, bool at_once)
{
	pthread_t thread;
	void *result;
	cleaned = 0;
	MUST(pthread_create(&thread, NULL, sleeps, &kind));
	await(up[0]);
	if (!at_once)
		nap_ms(15);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	say("%s%s: %s, cleaned %d\n", kinds[kind], at_once ? " at once" : "",
	    result == PTHREAD_CANCELED ? "canceled" : "returned", cleaned % 10);
}

int main(void)
{
	block(SIGUSR1);
	MUST(pipe(up));
	MUST(pipe(ends));
	MUST(mkfifo("fifo", 0600));
	epoll = MUST(epoll_create1(0));
	queue = MUST(msgget(IPC_PRIVATE, 0600));
	sem_init(&semaphore, 0, 0);
	pair[0] = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	pair[1] = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(pair[1], &(struct sockaddr){AF_UNIX}, sizeof(sa_family_t)));
	MUST(listen(pair[1], 1));
	int locked = MUST(open("locked", O_RDWR | O_CREAT, 0600));
	MUST(fcntl(locked, F_OFD_SETLK, &(struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET}));
	pid_t child = fork_child();
	if (!child)
		for (;;)
			pause();
	for (int i = 0; i < (int)COUNT(kinds); i++) {
		cancel(i, false);
		cancel(i, true);
	}
	SHOW_ERR(pthread_mutex_trylock(&mutex));
	kill(child, SIGKILL);
	reap("child", child);
	SHOW(msgctl(queue, IPC_RMID, NULL));
	return 0;
}
