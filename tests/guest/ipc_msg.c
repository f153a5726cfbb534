/* System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2). */
#include "guest.h"
#include <sys/msg.h>

static int id;

struct message {
	long type;
	char text[9000];
};

static int put(long type, const char *text)
{
	struct message message = {.type = type};
	strcpy(message.text, text);
	return msgsnd(id, &message, strlen(text), IPC_NOWAIT);
}

static void get(long type, int flags)
{
	struct message message = {0};
	ssize_t n = msgrcv(id, &message, sizeof message.text, type, flags | IPC_NOWAIT);
	if (n < 0)
		say("type %ld: %s\n", type, error_name(errno));
	else
		say("type %ld: %zd bytes of type %ld: %s\n", type, n, message.type, message.text);
}

static void status(const char *when)
{
	struct msqid_ds st;
	MUST(msgctl(id, IPC_STAT, &st));
	say("%s: %lu messages, %lu bytes of %lu, sent %d, received %d\n", when, st.msg_qnum, st.__msg_cbytes,
	    st.msg_qbytes, st.msg_stime != 0, st.msg_rtime != 0);
}

static void order(void)
{
	static const struct {
		long type;
		const char *text;
	} all[] = {{3, "three"}, {1, "one"}, {2, "two"}, {1, "again one"}, {5, "five"}, {4, "four"}, {2, ""}};
	for (unsigned i = 0; i < COUNT(all); i++)
		MUST(put(all[i].type, all[i].text));
	status("filled");
	get(0, 0);
	get(2, 0);
	get(-4, 0);
	get(-4, 0);
	get(9, 0);
	get(2, MSG_EXCEPT);
	get(-1, 0);
	get(0, 0);
	get(0, 0);
	get(0, 0);
}

static void sizes(void)
{
	struct message message = {.type = 1, .text = "a longer message"};
	MUST(msgsnd(id, &message, 16, 0));
	SHOW(msgrcv(id, &message, 5, 0, 0));
	SHOW(msgrcv(id, &message, 5, 0, MSG_NOERROR));
	status("the rest is gone");
	SHOW(msgsnd(id, &message, 8193, 0));
	SHOW(msgsnd(id, &message, -1, 0));
	message.type = 0;
	SHOW(msgsnd(id, &message, 1, 0));
	SHOW(msgsnd(id, NULL, 1, 0));
	message.type = 7;
	SHOW(msgsnd(id, &message, 8192, IPC_NOWAIT));
	SHOW(msgsnd(id, &message, 8192, IPC_NOWAIT));
	SHOW(msgsnd(id, &message, 1, IPC_NOWAIT));
	SHOW(msgsnd(id, &message, 0, IPC_NOWAIT));
	status("full");
	while (msgrcv(id, &message, sizeof message.text, 0, IPC_NOWAIT) >= 0)
		;
	status("empty");
}

static void waiting(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		struct message message;
		for (int i = 0; i < 20; i++)
			if (msgrcv(id, &message, sizeof message.text, 0, 0) != 4096 || message.type != i + 1)
				_exit(1);
		_exit(0);
	}
	struct message message = {0};
	for (int i = 0; i < 20; i++) {
		message.type = i + 1;
		MUST(msgsnd(id, &message, 4096, 0)); /* five fit, so that both sides wait */
	}
	reap("receiver", pid);
}

static void copying(void)
{
	struct {
		long type;
		char text[16];
	} in = {3, "first"}, out = {0};
	MUST(msgsnd(id, &in, 6, 0));
	in.type = 5;
	strcpy(in.text, "second");
	MUST(msgsnd(id, &in, 7, 0));
	SHOW(msgrcv(id, &out, 16, 1, MSG_COPY | IPC_NOWAIT));
	SHOW(out.type);
	SHOW_TEXT(out.text);
	SHOW(msgrcv(id, &out, 3, 0, MSG_COPY | IPC_NOWAIT));
	SHOW(msgrcv(id, &out, 3, 0, MSG_COPY | IPC_NOWAIT | MSG_NOERROR));
	SHOW(msgrcv(id, &out, 16, 2, MSG_COPY | IPC_NOWAIT));
	SHOW(msgrcv(id, &out, 16, 0, MSG_COPY));
	SHOW(msgrcv(id, &out, 16, 0, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT));
	SHOW(msgrcv(id, &out, 16, 0, IPC_NOWAIT));
	SHOW(msgrcv(id, &out, 16, 0, IPC_NOWAIT));
	SHOW(msgrcv(id, &out, 16, 0, IPC_NOWAIT));
}

static void nothing(int sig)
{
	(void)sig;
}

int main(void)
{
	int key = 0x5d000000 | getpid(), state;
	struct message message;
	SHOW(msgget(key, 0));
	id = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
	CHECK(id >= 0 && msgget(key, IPC_CREAT) == id);
	SHOW(msgget(key, IPC_CREAT | IPC_EXCL));
	status("made");
	section("order");
	order();
	section("sizes");
	sizes();
	section("copying");
	copying();
	section("waiting");
	waiting();
	handle(SIGALRM, nothing, SA_RESTART);
	alarm(1);
	SHOW(msgrcv(id, &message, 10, 0, 0));
	section("removal");
	pid_t pid = fork_child();
	if (!pid)
		_exit(msgrcv(id, &message, 10, 0, 0) < 0 ? errno : 0);
	nap_ms(200);
	SHOW(msgctl(id, IPC_RMID, NULL));
	MUST(waitpid(pid, &state, 0));
	say("the waiter: %s\n", error_name(WEXITSTATUS(state)));
	SHOW(msgctl(id, IPC_RMID, NULL) == -1 && (errno == EINVAL || errno == EIDRM));
	return 0;
}
