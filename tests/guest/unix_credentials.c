/* Credentials: SO_PASSCRED, SCM_CREDENTIALS and who may claim what, SO_PEERCRED. */
#include "unix.h"

static void peer(int fd)
{
	struct ucred who = {9, 9, 9};
	socklen_t size = sizeof who;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size));
	say("pid %s, uid %d, gid %d, %u bytes\n",
	    who.pid == getpid()    ? "ours"
	    : who.pid == getppid() ? "the parent's"
	    : who.pid              ? "another"
				   : "0",
	    (int)who.uid, (int)who.gid, size);
}

static void claim(int fd, pid_t pid, uid_t uid, gid_t gid)
{
	struct ucred who = {pid, uid, gid};
	SHOW(send_control(fd, "claim", SCM_CREDENTIALS, &who, sizeof who));
}

int main(void)
{
	int pair[2], on = 1, off = 0;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	peer(pair[0]);
	SHOW(send(pair[0], "before", 6, 0));
	show_message(pair[1], 100, 0, NULL);
	SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	SHOW(send(pair[0], "after", 5, 0));
	show_message(pair[1], 100, 0, NULL);
	claim(pair[0], getpid(), 0, 0);
	show_message(pair[1], 100, 0, NULL);
	claim(pair[0], getppid(), 1234, 5678);
	show_message(pair[1], 100, 0, NULL);
	claim(pair[0], 1 << 22, 0, 0);
	SHOW(send_control(pair[0], "short", SCM_CREDENTIALS, &on, sizeof on));
	claim(pair[0], getpid(), 0, 0);
	show_message(pair[1], CMSG_LEN(4), 0, NULL);

	section("parting a stream");
	SHOW(send(pair[0], "ours", 4, 0));
	pid_t pid = fork_child();
	if (!pid) {
		MUST(setresuid(1000, 1000, 1000));
		SHOW(send(pair[0], "theirs", 6, 0));
		claim(pair[0], getpid(), 1000, 0);
		claim(pair[0], getpid(), 0, 0);
		claim(pair[0], getppid(), 1000, 0);
		_exit(0);
	}
	reap("child", pid);
	show_message(pair[1], 100, 0, NULL);
	show_message(pair[1], 100, 0, NULL);
	show_message(pair[1], 100, 0, NULL);
	SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &off, sizeof off));
	claim(pair[0], getpid(), 0, 0);
	show_message(pair[1], 100, 0, NULL);

	section("by name");
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	peer(listener);
	MUST(bind_to(listener, "@cred"));
	MUST(listen(listener, 1));
	peer(listener);
	pid = fork_child();
	if (!pid) {
		become_user(1000);
		int client = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		MUST(connect_to(client, "@cred"));
		peer(client);
		pause();
	}
	int server = MUST(accept(listener, NULL, NULL));
	nap_ms(50);
	peer(server);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	peer(server);
	int dgram = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	peer(dgram);
	socklen_t size = 4;
	int value;
	SHOW(getsockopt(dgram, SOL_SOCKET, SO_PASSCRED, &value, &size));
	SHOW(value);
	return 0;
}
