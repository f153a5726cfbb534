/* control.c - see control.h. A client is the same user, so it is not hostile; yet none can hold the sandbox up for more
 * than PATIENCE_S, and what it sends is checked like a file of --policy.
 */
#include "runtime/control.h"

#include "netstack/policy_change.h"
#include "runtime/fail.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 5
#define BACKLOG    8

static struct {
	int listener, sandbox; /* -1: none */
	struct sockaddr_un address;
	struct policy_change now;                          /* what holds */
	struct policy_publish fixed[POLICY_PUBLISH_LIMIT]; /* of --publish: whatever else changes */
	unsigned fixed_count;
} control = {.listener = -1, .sandbox = -1};

const char *control_directory(bool create)
{
	static char path[sizeof control.address.sun_path - CONTROL_NAME_BYTES];
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat attributes;
	int n;

	if (runtime && *runtime == '/')
		n = snprintf(path, sizeof path, "%s/usbx", runtime);
	else if (!geteuid())
		n = snprintf(path, sizeof path, "/run/usbx");
	else
		n = snprintf(path, sizeof path, "/tmp/usbx-%u", geteuid());
	if (n < 0 || (size_t)n >= sizeof path || (create && mkdir(path, 0700) && errno != EEXIST))
		return NULL;
	bool ours = !lstat(path, &attributes) && S_ISDIR(attributes.st_mode) && attributes.st_uid == geteuid() &&
		    !(attributes.st_mode & 077);
	return ours ? path : NULL;
}

bool control_name_good(const char *name)
{
	bool number = true;

	for (const char *c = name; *c; c++) {
		number &= !!isdigit((unsigned char)*c);
		if (!isalnum((unsigned char)*c) && (c == name || !strchr("-_.", *c)))
			return false;
	}
	return *name && strlen(name) < CONTROL_NAME_BYTES - sizeof "/.sock" && !number;
}

/* A socket of that name that nobody listens at any more makes place. */
static int listen_at(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool taken = !connect(probe, (const struct sockaddr *)address, sizeof *address);
	int error = taken ? EADDRINUSE : 0;

	close(probe);
	if (!taken)
		unlink(address->sun_path);
	if (!error && (bind(fd, (const struct sockaddr *)address, sizeof *address) || listen(fd, BACKLOG)))
		error = errno;
	if (!error)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

static void remember(const struct options *options)
{
	const struct network_options *net = &options->network;

	control.now.rules = options->policy.rules;
	control.now.publish_count = options->policy.publish_count;
	memcpy(control.now.publish, options->policy.publish, sizeof control.now.publish);
	for (unsigned i = 0; i < net->published_count; i++) {
		const struct network_published *item = &net->published[i];
		control.fixed[control.fixed_count++] =
			(struct policy_publish){item->udp ? POLICY_UDP : POLICY_TCP, item->port, item->port};
	}
}

/* The socket for requests. false: there is none, and only --name makes that an error. */
static bool open_listener(const struct options *options)
{
	bool network = options->network.kind != NETWORK_NONE;
	const char *directory = network ? control_directory(true) : NULL;
	char number[16];

	if (!directory && options->name)
		fail("--name %s: %s", options->name,
		     network ? "there is no directory for it that is this user's alone: set XDG_RUNTIME_DIR"
			     : "only a sandbox with a network can be found by it: add --net=user");
	if (!directory)
		return false;
	snprintf(number, sizeof number, "%d", getpid());
	control.address.sun_family = AF_UNIX;
	snprintf(control.address.sun_path, sizeof control.address.sun_path, "%s/%s.sock", directory,
		 options->name ? options->name : number);
	control.listener = listen_at(&control.address);
	if (control.listener < 0 && options->name)
		fail("--name %s: %s", options->name,
		     errno == EADDRINUSE ? "another sandbox has this name" : strerror(errno));
	return control.listener >= 0;
}

void control_open(const struct options *options, int wanted)
{
	int pair[2];

	if (!open_listener(options)) {
		close(wanted);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || dup2(pair[1], wanted) < 0)
		fail("cannot make a socket: %s", strerror(errno));
	close(pair[1]);
	control.sandbox = pair[0];
	remember(options);
}

int control_fd(void)
{
	return control.listener;
}

void control_close(void)
{
	if (control.listener < 0)
		return;
	unlink(control.address.sun_path);
	close(control.listener);
	close(control.sandbox);
	control.listener = control.sandbox = -1;
}

/* ------------------------------------------------------------------------------------------------ requests */

static void set_patience(int fd)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static bool move_all(int fd, void *bytes, size_t size, bool out)
{
	for (size_t done = 0; done < size;) {
		char *at = (char *)bytes + done;
		ssize_t n = out ? send(fd, at, size - done, MSG_NOSIGNAL) : recv(fd, at, size - done, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Until the other end has said all; -1: it takes too long, or says too much. */
static ssize_t read_request(int fd, char *text, size_t size)
{
	size_t used = 0;

	for (ssize_t n; used < size && (n = recv(fd, text + used, size - used, 0)) != 0; used += (size_t)MAX(n, 0))
		if (n < 0 && errno != EINTR)
			return -1;
	return used < size ? (ssize_t)used : -1;
}

static int set_policy(char *text, size_t size, char *answer, size_t room)
{
	static struct policy_config config;
	static struct policy_change change;
	struct policy_changed changed;
	char error[POLICY_ERROR_BYTES];

	memset(&config, 0, sizeof config);
	if (!policy_parse(text, size, &config, error))
		return snprintf(answer, room, "error %s", error);
	change = (struct policy_change){.rules = config.rules};
	for (unsigned i = 0; i < config.publish_count + control.fixed_count; i++) {
		if (i == POLICY_PUBLISH_LIMIT)
			return snprintf(answer, room, "error 1: more ports than a sandbox can have, with --publish");
		change.publish[i] =
			i < config.publish_count ? config.publish[i] : control.fixed[i - config.publish_count];
		change.publish_count++;
	}
	set_patience(control.sandbox);
	if (!move_all(control.sandbox, &change, sizeof change, true) ||
	    !move_all(control.sandbox, &changed, sizeof changed, false)) {
		/* Half of a change would be taken for the beginning of the next one. */
		shutdown(control.sandbox, SHUT_RDWR);
		return snprintf(answer, room, "error 0: the sandbox does not answer");
	}
	control.now = change;
	return snprintf(answer, room, "ok %u dropped", changed.dropped);
}

static void show_rules(struct text *text, bool deny)
{
	bool any = false;

	for (uint32_t i = 0; i < control.now.rules.count; i++) {
		if (control.now.rules.rule[i].deny != deny)
			continue;
		if (!any)
			text_add_string(text, deny ? "deny:\n" : "allow:\n");
		any = true;
		text_add_string(text, "  - \"");
		policy_rule_show(&control.now.rules.rule[i], text);
		text_add_string(text, "\"\n");
	}
}

static void show_policy(struct text *text)
{
	const struct policy_limits *limits = &control.now.rules.limits;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {{"connections", limits->connections},
		    {"connections-per-minute", limits->per_minute},
		    {"up", limits->up_bytes},
		    {"down", limits->down_bytes}};

	show_rules(text, false);
	show_rules(text, true);
	for (uint32_t i = 0; i < control.now.publish_count; i++) {
		const struct policy_publish *item = &control.now.publish[i];
		text_printf(text, i ? "  - %u" : "listen:\n  - %u", item->first);
		text_printf(text, item->last != item->first ? "-%u%s\n" : "%.0u%s\n",
			    item->last != item->first ? item->last : 0, item->protocol == POLICY_UDP ? "/udp" : "");
	}
	bool any = false;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		if (!rows[i].value)
			continue;
		text_printf(text, any ? "  %s: %llu\n" : "limits:\n  %s: %llu\n", rows[i].name,
			    (unsigned long long)rows[i].value);
		any = true;
	}
}

void control_serve(void)
{
	static char request[CONTROL_TEXT_BYTES], answer[CONTROL_TEXT_BYTES];
	int fd = accept4(control.listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	set_patience(fd);
	ssize_t size = read_request(fd, request, sizeof request);
	size_t used = 0;
	if (size >= 4 && !memcmp(request, "set\n", 4)) {
		used = (size_t)set_policy(request + 4, (size_t)size - 4, answer, sizeof answer);
	} else if (size == 4 && !memcmp(request, "show", 4)) {
		struct text text;
		text_init(&text, answer, sizeof answer);
		text_add_string(&text, "ok");
		text_add_string(&text, "\n");
		show_policy(&text);
		used = text.length;
	} else {
		used = (size_t)snprintf(answer, sizeof answer, "error 0: no such request");
	}
	(void)move_all(fd, answer, used, true);
	close(fd);
}
