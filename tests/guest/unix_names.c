/* Names: paths, abstract ones, autobind, bad addresses, permission. */
#include "unix.h"

static int raw_bind(int fd, const void *address, socklen_t size)
{
	return bind(fd, address, size);
}

static void user(void)
{
	become_user(1000);
	int fd = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	SHOW(connect_to(fd, "private"));
	SHOW(connect_to(fd, "readonly"));
	SHOW(connect_to(fd, "open"));
}

static void permission(void)
{
	section("permission");
	static const char *const names[] = {"private", "readonly", "open"};
	static const mode_t modes[] = {0700, 0755, 0777};
	for (int i = 0; i < 3; i++) {
		int fd = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
		MUST(bind_to(fd, names[i]));
		MUST(chmod(names[i], modes[i]));
	}
	in_child("user", user);
	int b = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	umask(027);
	int fd = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	MUST(bind_to(fd, "masked"));
	struct stat st;
	MUST(stat("masked", &st));
	SHOW(st.st_mode & 07777);
	MUST(rename("masked", "renamed"));
	SHOW(send_to(b, "renamed", "x"));
	SHOW(send_to(b, "masked", "x"));
	MUST(link("renamed", "linked"));
	SHOW(send_to(b, "linked", "x"));
	show_name(fd, false);
}

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t size;

static void bad_addresses(void)
{
	section("bad addresses");
	int a = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	memset(&address, 'x', sizeof address);
	address.sun_family = AF_UNIX;
	SHOW(raw_bind(a, &address, 200));
	SHOW(raw_bind(a, &address, 1));
	SHOW(raw_bind(a, &address, 0));
	SHOW(raw_bind(a, (void *)8, 10));
	SHOW(raw_bind(a, &address, -1));
	address.sun_family = AF_INET;
	SHOW(raw_bind(a, &address, 20));
	SHOW(connect(a, (struct sockaddr *)&address, 20));
	SHOW(bind_to(a, ""));
	show_name(a, false);
	int b = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	SHOW(bind_to(b, "no/such/place"));
	make_file("file", "");
	SHOW(bind_to(b, "file"));
	SHOW(bind_to(b, "file/below"));
	address.sun_family = AF_UNIX;
	memset(address.sun_path, 'y', sizeof address.sun_path);
	SHOW(raw_bind(b, &address, sizeof address));
	char long_name[200];
	size = sizeof long_name;
	SHOW(getsockname(b, (struct sockaddr *)long_name, &size));
	SHOW(size);

	permission();
}

int main(void)
{
	int a = MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), b = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));

	section("autobind");
	show_name(a, false);
	SHOW(raw_bind(a, &address, sizeof address.sun_family));
	SHOW(raw_bind(b, &address, sizeof address.sun_family));
	struct sockaddr_un first, second;
	size = sizeof first;
	MUST(getsockname(a, (struct sockaddr *)&first, &size));
	SHOW(size);
	SHOW(first.sun_path[0]);
	MUST(getsockname(b, (struct sockaddr *)&second, &size));
	CHECK(memcmp(first.sun_path, second.sun_path, 6));
	SHOW(raw_bind(a, &address, sizeof address.sun_family));
	close(a);
	close(b);

	section("abstract");
	a = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	b = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	SHOW(bind_to(a, "@name"));
	SHOW(bind_to(b, "@name"));
	SHOW(bind_to(a, "@name2"));
	show_name(a, false);
	memcpy(address.sun_path, "\0name\0tail", 10);
	SHOW(raw_bind(b, &address, 2 + 10));
	show_name(b, false);
	SHOW(send_to(b, "@name", "hello"));
	SHOW(send_to(b, "@nam", "hello"));
	show_received(a, 10, 0);
	int stream = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(connect_to(stream, "@name"));
	SHOW(bind_to(stream, "@name"));
	close(a);
	a = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	SHOW(bind_to(a, "@name"));
	close(a);
	close(b);

	bad_addresses();
	return 0;
}
