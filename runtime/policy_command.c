/* policy_command.c - see policy_command.h; control.h says how a sandbox is asked. */
#include "runtime/policy_command.h"

#include "runtime/control.h"
#include "runtime/fail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char usage[] =
	"usage: usbx policy list                the running sandboxes that have a network\n"
	"       usbx policy ID show             what the sandbox may reach\n"
	"       usbx policy ID set FILE         from now on what FILE says, and no more; - is standard input\n"
	"       usbx policy check FILE          does FILE make sense as a policy?\n"
	"\n"
	"ID is what usbx run --name gave, or the number of its process. docs/policy.md describes the file.\n";

static bool address_of(const char *id, struct sockaddr_un *out)
{
	const char *directory = control_directory(false);

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	return directory && !strchr(id, '/') &&
	       snprintf(out->sun_path, sizeof out->sun_path, "%s/%s.sock", directory, id) < (int)sizeof out->sun_path;
}

/* -1: there is no such sandbox. */
static int reach(const char *id)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && address_of(id, &address) && !connect(fd, (const struct sockaddr *)&address, sizeof address))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void write_all(int fd, const char *bytes, size_t size)
{
	for (ssize_t n; size; bytes += n, size -= (size_t)n)
		if ((n = write(fd, bytes, size)) <= 0)
			fail("policy: the sandbox has gone");
}

/* The answer to a request; ends the program when it is an error. name: of the file that a line belongs to. */
static char *request(const char *id, const char *head, const char *body, size_t size, const char *name)
{
	static char answer[CONTROL_TEXT_BYTES];
	size_t used = 0;
	int fd = reach(id);

	if (fd < 0)
		fail("policy %s: no sandbox of this user's has this name; see usbx policy list", id);
	write_all(fd, head, strlen(head));
	write_all(fd, body, size);
	shutdown(fd, SHUT_WR);
	for (ssize_t n; used < sizeof answer - 1 && (n = read(fd, answer + used, sizeof answer - 1 - used)) > 0;)
		used += (size_t)n;
	answer[used] = 0;
	close(fd);
	if (!strncmp(answer, "error 0: ", 9))
		fail("policy %s: %s", id, answer + 9);
	if (!strncmp(answer, "error ", 6))
		fail("%s:%s", name, answer + 6);
	if (strncmp(answer, "ok", 2) != 0)
		fail("policy %s: the sandbox has gone", id);
	return answer + 2;
}

static int list(void)
{
	const char *path = control_directory(false);
	DIR *directory = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char *end = strstr(entry->d_name, ".sock");
		if (!end || end == entry->d_name || end[5])
			continue;
		*end = 0;
		int fd = reach(entry->d_name);
		if (fd < 0)
			continue; /* one that was killed */
		close(fd);
		puts(entry->d_name);
	}
	if (directory)
		closedir(directory);
	finish_output();
	return 0;
}

static int set(const char *id, const char *path)
{
	char *text = must_alloc(POLICY_FILE_BYTES + 1);
	size_t size = 0;
	bool input = !strcmp(path, "-");
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		fail("policy: %s: %s", path, strerror(errno));
	for (ssize_t n; (n = read(fd, text + size, POLICY_FILE_BYTES + 1 - size)) != 0; size += (size_t)n)
		if (n < 0)
			fail("policy: %s: %s", path, strerror(errno));
	if (size > POLICY_FILE_BYTES)
		fail("policy: %s: is larger than %u KiB", path, POLICY_FILE_BYTES >> 10);
	const char *answer = request(id, "set\n", text, size, input ? "standard input" : path);
	free(text);
	printf("the new rules hold; connections dropped: %lu\n", strtoul(answer, NULL, 10));
	finish_output();
	return 0;
}

static int check(const char *path)
{
	static struct policy_config config;

	policy_file_apply(path, &config);
	printf("%s: %u rules\n", path, config.rules.count);
	finish_output();
	return 0;
}

int policy_main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "", *verb = argc > 2 ? argv[2] : "";

	if (argc == 2 && (!strcmp(word, "--help") || !strcmp(word, "-h"))) {
		fputs(usage, stdout);
		finish_output();
		return 0;
	}
	if (argc == 2 && !strcmp(word, "list"))
		return list();
	if (argc == 3 && !strcmp(word, "check"))
		return check(argv[2]);
	if (argc == 4 && !strcmp(verb, "set"))
		return set(word, argv[3]);
	if (argc != 3 || strcmp(verb, "show") != 0)
		fail("policy: usbx policy list, usbx policy check FILE, usbx policy ID show, or usbx policy ID set "
		     "FILE");
	fputs(request(word, "show", "", 0, "") + 1, stdout);
	finish_output();
	return 0;
}
