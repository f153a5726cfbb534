/* unix_socket_list.c - all Unix domain sockets, as /proc/net/unix shows them (unix(7), unix_seq_show in Linux): ss -x,
 * netstat, lsof and psutil read it.
 *
 * A socket is in the list from its making to its end; one that only messages or peers keep is not.
 */
#include "fs/inode.h"
#include "fs/unix_socket.h"
#include <string.h>

#define FLAG_LISTENS 0x10000u /* __SO_ACCEPTCON */

/* What sockets of every family have shown there since before there was TCP (SS_* of <linux/net.h>). */
enum { SHOWN_UNCONNECTED = 1, SHOWN_CONNECTING, SHOWN_CONNECTED };

static struct list all = LIST_INIT(all);

void unix_list_enter(struct unix_sock *sock)
{
	list_push_back(&all, &sock->all_node);
}

void unix_list_leave(struct unix_sock *sock)
{
	list_remove(&sock->all_node);
}

static unsigned state_of(const struct unix_sock *sock)
{
	if (sock->state != UNIX_CONNECTED)
		return SHOWN_UNCONNECTED;
	return sock->file ? SHOWN_CONNECTED : SHOWN_CONNECTING; /* nobody has accepted it yet */
}

/* Its file, the table's own, and each peer's. */
static unsigned holders_of(const struct unix_sock *sock)
{
	const struct list *client;
	unsigned count = 2;

	for (client = sock->clients.next; client != &sock->clients; client = client->next)
		count++;
	return count;
}

static void add_name(struct text *out, const struct unix_address *address)
{
	size_t size = MIN((size_t)address->size, sizeof address->un) - offsetof(struct abi_sockaddr_un, path);
	const char *path = address->un.path;

	text_add_char(out, ' ');
	if (path[0]) {
		text_add(out, path, strnlen(path, size));
		return;
	}
	for (size_t i = 0; i < size; i++)
		text_add_char(out, path[i] ? path[i] : '@');
}

int socket_show_unix(const struct node_ref *ref, struct text *out)
{
	struct unix_sock *sock;

	(void)ref;
	text_add_string(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	list_for_each (sock, &all, all_node) {
		/* Addresses of the kernel are nobody's business: kptr_restrict shows zeros. */
		text_printf(out, "%016x: %08X %08X %08X %04X %02X %5lu", 0, holders_of(sock), 0,
			    sock->base.listening ? FLAG_LISTENS : 0, sock->base.type, state_of(sock),
			    sock->file ? sock->file->inode->ino : 0);
		if (sock->address)
			add_name(out, sock->address);
		text_add_char(out, '\n');
	}
	return 0;
}
