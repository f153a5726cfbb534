/* flock over fork, exec, dup and messages: the lock is the open file's, and goes with its last descriptor. */
#include "unix.h"
#include <sys/file.h>

static void other(const char *when)
{
	int fd = MUST(open("file", O_RDWR));
	say("%s: %s\n", when, flock(fd, LOCK_EX | LOCK_NB) ? error_name(errno) : "free");
	close(fd);
}

static void by_message(void)
{
	int pair[2], fd = MUST(open("file", O_RDONLY));
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec piece = {"x", 1};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control};
	message.msg_controllen = sizeof control;
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	MUST(flock(fd, LOCK_EX));
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	MUST(sendmsg(pair[0], &message, 0));
	close(fd);
	other("in a message");
	close(pair[0]);
	other("its sender closed");
	close(pair[1]);
	other("the message gone with its socket");
}

static void killed(int back[2])
{
	section("killed");
	pid_t child = fork_child();
	if (!child) {
		int fd = MUST(open("file", O_RDWR));
		MUST(flock(fd, LOCK_SH));
		tell(back[1]);
		pause();
	}
	await(back[0]);
	other("the child has it");
	kill(child, SIGKILL);
	reap("child", child);
	other("the child is gone");
}

int main(int argc, char **argv)
{
	int turn[2], back[2];
	if (argc > 1) {
		other("after exec");
		_exit(flock(atoi(argv[1]), LOCK_UN) ? 1 : 5);
	}
	MUST(pipe(turn));
	MUST(pipe(back));
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	section("fork");
	MUST(flock(fd, LOCK_EX));
	pid_t child = fork_child();
	if (!child) {
		tell(back[1]);
		await(turn[0]);
		other("the parent closed");
		close(fd);
		other("and the child");
		_exit(0);
	}
	await(back[0]);
	close(fd);
	tell(turn[1]);
	reap("child", child);

	killed(back);
	section("exec");
	fd = MUST(open("file", O_RDWR));
	MUST(flock(fd, LOCK_EX));
	child = fork_child();
	if (!child) {
		char number[12];
		snprintf(number, sizeof number, "%d", fd);
		execl("/proc/self/exe", "again", number, NULL);
		_exit(9);
	}
	reap("child", child);
	other("unlocked by the child");
	MUST(flock(fd, LOCK_EX));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	child = fork_child();
	if (!child) {
		execl("/bin/true", "true", NULL);
		_exit(9);
	}
	reap("closed on exec", child);
	other("still ours");

	section("dup and open through /proc");
	int copy = dup(fd);
	close(fd);
	other("a copy has it");
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
	fd = MUST(open(path, O_RDWR));
	SHOW(flock(fd, LOCK_SH | LOCK_NB));
	close(copy);
	SHOW(flock(fd, LOCK_SH | LOCK_NB));
	close(fd);
	other("all closed");
	section("message");
	by_message();
	return 0;
}
