/* umask: value, inheritance, effect on every way of creating. */
#include "guest.h"
#include <sys/socket.h>
#include <sys/un.h>

static void show_mode(const char *name)
{
	struct stat st;
	MUST(lstat(name, &st));
	say("%s: %o\n", name, st.st_mode & 07777);
}

static void child(void)
{
	say("inherited %o\n", umask(0));
}

int main(void)
{
	umask(022);
	say("was %o\n", umask(0137));
	say("was %o\n", umask(07777));
	say("was %o\n", umask(-1));
	say("was %o\n", umask(0137));
	close(MUST(open("file", O_WRONLY | O_CREAT, 0777)));
	MUST(mkdir("dir", 0777));
	MUST(mkfifo("fifo", 0777));
	MUST(symlink("x", "link"));
	struct sockaddr_un address = {AF_UNIX, "socket"};
	MUST(bind(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&address, sizeof address));
	show_mode("file");
	show_mode("dir");
	show_mode("fifo");
	show_mode("link");
	show_mode("socket");
	MUST(chmod("file", 0777));
	show_mode("file");
	in_child("child", child);
	say("still %o\n", umask(0));
	return 0;
}
