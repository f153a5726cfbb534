/* tcp_sysctl.c - the settings below /proc/sys/net/ipv4 that can be changed: what is written takes effect at the next
 * connection (Documentation/networking/ip-sysctl.rst of Linux).
 *
 * Limits: the other files of the directory tell what the stack does and are read-only (fs/procsys.c).
 */
#include "fs/proc.h"
#include "netstack/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A number that the stack knows the meaning of. */
static ssize_t store(int *setting, int most, const char *bytes, size_t n)
{
	char *end;
	long value = strtol(bytes, &end, 10);

	if (end == bytes || end[strspn(end, " \t\n")] || value < 0 || value > most)
		return -EINVAL;
	*setting = (int)value;
	return (ssize_t)n;
}

#define SETTING(name, most)                                                                                            \
	static int show_##name(const struct node_ref *ref, struct text *out)                                           \
	{                                                                                                              \
		(void)ref;                                                                                             \
		text_printf(out, "%d\n", tcp_settings.name);                                                           \
		return 0;                                                                                              \
	}                                                                                                              \
	static ssize_t store_##name(const struct node_ref *ref, const char *bytes, size_t n)                           \
	{                                                                                                              \
		(void)ref;                                                                                             \
		return store(&tcp_settings.name, most, bytes, n);                                                      \
	}
SETTING(ecn, 2)
SETTING(cookies, 2)
SETTING(fastopen, 1)

static const struct node_desc files[] = {
	{.name = "tcp_ecn", .mode = S_IFREG | 0644, .show = show_ecn, .store = store_ecn},
	{.name = "tcp_syncookies", .mode = S_IFREG | 0644, .show = show_cookies, .store = store_cookies},
	{.name = "tcp_fastopen", .mode = S_IFREG | 0644, .show = show_fastopen, .store = store_fastopen},
};

void tcp_sysctl_init(void)
{
	uint32_t place = nodefs_find(proc_root(), "sys/net/ipv4");

	assert(place != NODE_ROOT);
	for (unsigned i = 0; i < COUNT(files); i++)
		nodefs_register(place, &files[i]);
}
