/* unix_socket_name.c - the names of Unix domain sockets: in the tree, abstract, and given by the kernel (unix(7),
 * "Address format").
 *
 * An abstract name is any bytes behind a zero byte, in a hash of lists, apart for each socket type. A name in the tree
 * is a socket inode that points to the socket while it lives; the inode stays behind when the socket is gone. Both are
 * given up only when the socket ends.
 *
 * Limits: SUN_PATH's 108 bytes; 2^20 automatic names.
 */
#include "fs/dentry.h"
#include "fs/unix_socket.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_BUCKETS 256
#define PATH_AT      offsetof(struct abi_sockaddr_un, path)

/* In the arena; made with the first name. */
static struct list *buckets;

static struct unix_address *address_new(const void *un, uint32_t size)
{
	struct unix_address *address = arena_alloc(sizeof *address);

	assert(size <= sizeof address->un);
	if (!address)
		return NULL;
	ref_init(&address->ref);
	address->size = size;
	memcpy(&address->un, un, size);
	return address;
}

void unix_address_put(struct unix_address *address)
{
	if (address && ref_put(&address->ref))
		arena_free(address, sizeof *address);
}

void unix_address_show(const struct unix_address *address, struct socket_address *out)
{
	memset(out->bytes, 0, sizeof out->bytes);
	out->family = ABI_AF_UNIX;
	out->size = sizeof out->family;
	if (!address)
		return;
	/* With the zero byte behind a path that fills the array, the name is longer than the structure. */
	out->size = address->size;
	memcpy(out->bytes, &address->un, MIN((size_t)address->size, sizeof address->un));
}

int unix_name_check(const struct socket_address *address)
{
	if (address->size <= PATH_AT || address->size > sizeof(struct abi_sockaddr_un))
		return -EINVAL;
	return address->family == ABI_AF_UNIX ? 0 : -EINVAL;
}

static bool is_abstract(const struct socket_address *address)
{
	return !address->un.path[0];
}

/* The path as a string: what is behind it in the array does not count. */
static void path_of(const struct socket_address *address, char path[ABI_UNIX_PATH_BYTES + 1])
{
	size_t room = address->size - PATH_AT, size = strnlen(address->un.path, room);

	memcpy(path, address->un.path, size);
	path[size] = 0;
}

/* ------------------------------------------------------------------------------------------------- abstract names */

static struct list *bucket_of(const void *name, uint32_t size)
{
	const uint8_t *bytes = name;
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (uint32_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	if (!buckets) {
		buckets = arena_alloc(NAME_BUCKETS * sizeof *buckets);
		if (!buckets)
			return NULL;
		for (int i = 0; i < NAME_BUCKETS; i++)
			list_init(&buckets[i]);
	}
	return &buckets[(hash ^ hash >> 16) % NAME_BUCKETS];
}

static struct unix_sock *abstract_find(const void *un, uint32_t size, uint32_t type)
{
	struct list *bucket = bucket_of(un, size);
	struct unix_sock *sock;

	if (!bucket)
		return NULL;
	list_for_each (sock, bucket, name_node) {
		if (sock->base.type == type && sock->address->size == size && !memcmp(&sock->address->un, un, size))
			return sock;
	}
	return NULL;
}

static int abstract_bind(struct unix_sock *sock, const void *un, uint32_t size)
{
	struct list *bucket = bucket_of(un, size);

	if (bucket && abstract_find(un, size, sock->base.type))
		return -EADDRINUSE;
	struct unix_address *address = bucket ? address_new(un, size) : NULL;
	if (!address)
		return -ENOMEM;
	sock->address = address;
	list_push_back(bucket, &sock->name_node);
	return 0;
}

int unix_autobind(struct unix_sock *sock)
{
	static uint32_t next;
	struct abi_sockaddr_un un = {.family = ABI_AF_UNIX};

	if (sock->address)
		return 0;
	/* A bounded search: so many tries that all are taken only if somebody takes names for nothing else. */
	for (int tries = 0; tries < 4096; tries++) {
		char text[8];
		snprintf(text, sizeof text, "%05x", next++ & 0xfffff);
		memcpy(un.path + 1, text, 5);
		int error = abstract_bind(sock, &un, PATH_AT + 6);
		if (error != -EADDRINUSE)
			return error;
	}
	return -ENOSPC;
}

/* ------------------------------------------------------------------------------------------------- names in the tree
 */

static int path_bind(struct unix_sock *sock, const struct file *file, const struct socket_caller *who,
		     const struct socket_address *wanted)
{
	struct abi_sockaddr_un un = {.family = ABI_AF_UNIX};
	char text[ABI_UNIX_PATH_BYTES + 1];
	struct path path;

	if (!who->walker)
		return -ENOENT;
	path_of(wanted, text);
	memcpy(un.path, text, MIN(strlen(text) + 1, sizeof un.path));
	struct unix_address *address = address_new(&un, MIN(PATH_AT + strlen(text) + 1, sizeof un));
	if (!address)
		return -ENOMEM;
	address->size = PATH_AT + strlen(text) + 1;
	int error = walk_mknod(who->walker, text, S_IFSOCK | (file->inode->mode & 0777), 0);
	if (!error)
		error = walk(who->walker, text, 0, &path);
	/* walk_mknod may PARK: somebody else may have bound us meanwhile. */
	if (!error && sock->address) {
		path_put(&path);
		error = -EINVAL;
	}
	if (error) {
		unix_address_put(address);
		return error == -EEXIST ? -EADDRINUSE : error;
	}
	sock->inode = path.dentry->inode;
	inode_get(sock->inode);
	path_put(&path);
	sock->address = address;
	sock->inode->socket = sock;
	return 0;
}

int unix_bind(struct file *file, const struct socket_caller *who, const struct socket_address *address)
{
	struct unix_sock *sock = unix_sock_of(file);

	if (address->size == PATH_AT && address->family == ABI_AF_UNIX)
		return sock->address ? 0 : unix_autobind(sock);
	int error = unix_name_check(address);
	if (error)
		return error;
	if (is_abstract(address))
		return sock->address ? -EINVAL : abstract_bind(sock, &address->un, address->size);
	return sock->address ? -EINVAL : path_bind(sock, file, who, address);
}

void unix_unname(struct unix_sock *sock)
{
	list_remove(&sock->name_node);
	if (!sock->inode)
		return;
	if (sock->inode->socket == sock)
		sock->inode->socket = NULL;
	inode_put(sock->inode);
	sock->inode = NULL;
}

static int path_find(const struct socket_caller *who, const struct socket_address *address, uint32_t type,
		     struct unix_sock **out)
{
	char text[ABI_UNIX_PATH_BYTES + 1];
	struct path path;

	if (!who->walker)
		return -ENOENT;
	path_of(address, text);
	int error = walk(who->walker, text, WALK_FOLLOW, &path);
	if (error)
		return error;
	struct inode *inode = path.dentry->inode;
	struct unix_sock *sock = inode->socket;
	error = inode_permission(inode, who->cred, 2);
	if (!error && (!S_ISSOCK(inode->mode) || !sock))
		error = -ECONNREFUSED;
	if (!error && sock->base.type != type)
		error = -EPROTOTYPE;
	if (!error) {
		unix_sock_get(sock);
		*out = sock;
	}
	path_put(&path);
	return error;
}

int unix_find(const struct socket_caller *who, const struct socket_address *address, uint32_t type,
	      struct unix_sock **out)
{
	if (!is_abstract(address))
		return path_find(who, address, type, out);
	struct unix_sock *sock = abstract_find(&address->un, address->size, type);
	if (!sock)
		return -ECONNREFUSED;
	unix_sock_get(sock);
	*out = sock;
	return 0;
}
