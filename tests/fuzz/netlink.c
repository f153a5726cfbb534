/* netlink.c - hostile bytes as what a guest writes to an AF_NETLINK socket: the whole stack as it starts, one socket of
 * either family, one request; the answers are read until there are none. The first byte chooses the family.
 *
 *     make fuzz
 */
#include "fs/fdtable.h"
#include "fs/mount.h"
#include "fs/socket.h"
#include "netstack/net.h"
#include "sentry/base/arena.h"
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char bytes[65536];
	static bool begun;
	static struct cred *cred;
	struct socket_caller who = {.pid = 1};
	struct uio uio;
	struct file *file;

	if (!begun) {
		if (arena_init())
			abort();
		fs_init();
		if (net_init() || !(cred = cred_new(0, 0)))
			abort();
		begun = true;
	}
	who.cred = cred;
	if (!size || size > 4096)
		return 0;
	const struct socket_ops *ops = socket_family(ABI_AF_NETLINK);
	if (ops->create(&who, ABI_SOCK_RAW, data[0] & 1 ? NETLINK_ROUTE : NETLINK_SOCK_DIAG, O_NONBLOCK, &file))
		abort();
	memcpy(bytes, data + 1, size - 1);
	uio_init_kernel(&uio, bytes, size - 1);
	struct socket_message request = {.data = &uio, .nonblock = true};
	(void)!ops->send(file, &who, &request);
	for (ssize_t n = 1; n > 0;) {
		uio_init_kernel(&uio, bytes, sizeof bytes);
		struct socket_message answer = {.data = &uio, .nonblock = true};
		n = ops->receive(file, &answer);
	}
	file_put(file);
	return 0;
}
