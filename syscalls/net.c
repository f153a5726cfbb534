/* net.c - the socket calls: what is the same for every family. Families are behind struct socket_ops (fs/socket.h).
 *
 * Headers, addresses and control data are copied from the guest once and checked there. Descriptors in control data
 * become counted files here, and files that arrive become descriptors here, because only here the task's table is
 * known. The data itself goes through a uio, straight between the guest and the family.
 *
 * Limits: SOCKET_CONTROL_LIMIT bytes of control data, IOV_LIMIT pieces and messages a call, ABI_SCM_MAX_FD files a
 * message. A connection that accept(2) has taken is lost when no descriptor is free (EMFILE); Linux leaves it in the
 * queue.
 */
#include "fs/socket.h"
#include "sentry/abi/time.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/give.h"
#include "syscalls/handlers.h"
#include "syscalls/poll.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>

#define FEW_PARTS    8 /* on the fiber's stack */
#define OPTION_BYTES 256
#define MAKE_FLAGS   (ABI_SOCK_CLOEXEC | ABI_SOCK_NONBLOCK)

/* ------------------------------------------------------------------------------------------------- who and where */

/* Who asks, as the families want to know it. Valid while the caller's frame and the task's own fields live. */
struct asking {
	struct socket_caller who;
	struct walker walker;
};

static const struct socket_caller *asking_init(struct task *task, struct asking *asking)
{
	asking->walker = (struct walker){.context = task->fs, .cred = task->cred, .start = task->fs->cwd};
	asking->who = (struct socket_caller){.pid = task->process->pid, .cred = task->cred, .walker = &asking->walker};
	return &asking->who;
}

static int address_read(struct task *task, struct uaddr at, int size, struct socket_address *out)
{
	memset(out, 0, sizeof *out);
	if (size < 0 || size > ABI_SOCKADDR_BYTES)
		return -EINVAL;
	out->size = size;
	return size ? user_read(task_user(task), out->bytes, at, size) : 0;
}

/* As move_addr_to_user in Linux: cut to the room there is, and the whole size told. */
static int address_write(struct task *task, const struct socket_address *address, struct uaddr at, struct uaddr size_at)
{
	int32_t room, size = address->size;
	int error = user_read(task_user(task), &room, size_at, sizeof room);

	if (error)
		return error;
	if (room < 0)
		return -EINVAL;
	room = MIN(room, size);
	error = room ? user_write(task_user(task), at, address->bytes, room) : 0;
	return error ? error : user_write(task_user(task), size_at, &size, sizeof size);
}

/* ------------------------------------------------------------------------------------------------- making sockets */

long sys_socket(struct task *task, int family, int type, int protocol)
{
	const struct socket_ops *ops = socket_family(family);
	struct asking asking;
	struct file *file;

	if (type & ~(ABI_SOCK_TYPE_MASK | MAKE_FLAGS))
		return -EINVAL;
	if (family < 0 || family >= ABI_AF_MAX)
		return -EAFNOSUPPORT;
	if ((type & ABI_SOCK_TYPE_MASK) >= ABI_SOCK_TYPES)
		return -EINVAL;
	if (!ops)
		return -EAFNOSUPPORT;
	int error = ops->create(asking_init(task, &asking), type & ABI_SOCK_TYPE_MASK, protocol,
				type & ABI_SOCK_NONBLOCK ? O_NONBLOCK : 0, &file);
	return error ? error : file_give(task, file, type & ABI_SOCK_CLOEXEC);
}

long sys_socketpair(struct task *task, int family, int type, int protocol, struct uaddr fds)
{
	const struct socket_ops *ops = socket_family(family);
	struct asking asking;
	struct file *files[2];

	if (type & ~(ABI_SOCK_TYPE_MASK | MAKE_FLAGS))
		return -EINVAL;
	if (family < 0 || family >= ABI_AF_MAX)
		return -EAFNOSUPPORT;
	if ((type & ABI_SOCK_TYPE_MASK) >= ABI_SOCK_TYPES)
		return -EINVAL;
	if (!ops)
		return -EAFNOSUPPORT;
	if (!ops->pair) { /* two sockets are made first, which may fail for a better reason */
		int error = ops->create(asking_init(task, &asking), type & ABI_SOCK_TYPE_MASK, protocol, 0, files);
		if (!error)
			file_put(files[0]);
		return error ? error : -EOPNOTSUPP;
	}
	int error = ops->pair(asking_init(task, &asking), type & ABI_SOCK_TYPE_MASK, protocol,
			      type & ABI_SOCK_NONBLOCK ? O_NONBLOCK : 0, files);
	return error ? error : file_give_pair(task, files[0], files[1], type & ABI_SOCK_CLOEXEC, fds);
}

long sys_bind(struct task *task, struct file *file, struct uaddr at, int size)
{
	const struct socket_ops *ops;
	struct socket_address address;
	struct asking asking;
	int error = socket_of(file, &ops, NULL);

	if (!error)
		error = address_read(task, at, size, &address);
	return error ? error : ops->bind(file, asking_init(task, &asking), &address);
}

long sys_listen(struct task *task, struct file *file, int backlog)
{
	const struct socket_ops *ops;
	struct asking asking;
	int error = socket_of(file, &ops, NULL);

	if (!error && !ops->listen)
		error = -EOPNOTSUPP;
	return error ? error : ops->listen(file, asking_init(task, &asking), backlog);
}

long sys_connect(struct task *task, struct file *file, struct uaddr at, int size)
{
	const struct socket_ops *ops;
	struct socket_address address;
	struct asking asking;
	int error = socket_of(file, &ops, NULL);

	if (!error)
		error = address_read(task, at, size, &address);
	return error ? error : ops->connect(file, asking_init(task, &asking), &address, file->flags & O_NONBLOCK);
}

long sys_accept4(struct task *task, struct file *file, struct uaddr at, struct uaddr size_at, uint32_t flags)
{
	const struct socket_ops *ops;
	struct socket_address address;
	struct asking asking;
	struct file *accepted;
	int error = socket_of(file, &ops, NULL);

	if (!error && flags & ~(uint32_t)MAKE_FLAGS)
		error = -EINVAL;
	if (!error && !ops->accept)
		error = -EOPNOTSUPP;
	if (error)
		return error;
	error = ops->accept(file, asking_init(task, &asking), flags & ABI_SOCK_NONBLOCK ? O_NONBLOCK : 0, &address,
			    &accepted);
	if (error)
		return error;
	error = at.v ? address_write(task, &address, at, size_at) : 0;
	if (error) {
		file_put(accepted);
		return error;
	}
	return file_give(task, accepted, flags & ABI_SOCK_CLOEXEC);
}

long sys_accept(struct task *task, struct file *file, struct uaddr at, struct uaddr size_at)
{
	return sys_accept4(task, file, at, size_at, 0);
}

static long show_name(struct task *task, struct file *file, bool peer, struct uaddr at, struct uaddr size_at)
{
	const struct socket_ops *ops;
	struct socket_address address;
	int error = socket_of(file, &ops, NULL);

	if (!error)
		error = ops->name(file, peer, &address);
	return error ? error : address_write(task, &address, at, size_at);
}

long sys_getsockname(struct task *task, struct file *file, struct uaddr at, struct uaddr size_at)
{
	return show_name(task, file, false, at, size_at);
}

long sys_getpeername(struct task *task, struct file *file, struct uaddr at, struct uaddr size_at)
{
	return show_name(task, file, true, at, size_at);
}

long sys_shutdown(struct task *task, struct file *file, int how)
{
	const struct socket_ops *ops;
	int error = socket_of(file, &ops, NULL);

	(void)task;
	if (!error && !ops->shutdown)
		error = -EOPNOTSUPP;
	return error ? error : ops->shutdown(file, how);
}

/* ------------------------------------------------------------------------------------------------- options */

long sys_getsockopt(struct task *task, struct file *file, int level, int option, struct uaddr value_at,
		    struct uaddr size_at)
{
	char few[OPTION_BYTES], *value = few;
	int32_t given;
	int error = socket_of(file, NULL, NULL);

	if (!error)
		error = user_read(task_user(task), &given, size_at, sizeof given);
	if (!error && given < 0)
		error = -EINVAL;
	if (error)
		return error;
	uint32_t room = MIN((uint32_t)given, (uint32_t)(GROUPS_LIMIT * sizeof(uint32_t))), size = room;
	if (room > sizeof few)
		value = arena_alloc(room);
	if (!value)
		return -ENOMEM;
	/* PACKET_HDRLEN is a question (packet(7)). */
	error = level == SOL_PACKET && size ? user_read(task_user(task), value, value_at, size) : 0;
	if (!error)
		error = socket_option_get(file, level, option, value, &size);
	if (!error && size)
		error = user_write(task_user(task), value_at, value, size);
	int told = error && error != -ERANGE ? 0 : user_write(task_user(task), size_at, &size, sizeof size);
	if (value != few)
		arena_free(value, room);
	return error ? error : told;
}

/* SO_ATTACH_FILTER: the instructions lie where the option's value says. */
static int filter_attach(struct task *task, struct file *file, struct uaddr value_at, uint32_t size)
{
	struct sock_fprog given;
	int error = size == sizeof given ? user_read(task_user(task), &given, value_at, sizeof given) : -EINVAL;

	if (!error && (!given.filter || !given.len || given.len > BPF_MAXINSNS))
		error = -EINVAL;
	if (error)
		return error;
	size_t bytes = given.len * sizeof *given.filter;
	struct sock_filter *code = arena_alloc_dirty(bytes);
	if (!code)
		return -ENOMEM;
	error = user_read(task_user(task), code, UADDR((uint64_t)given.filter), bytes);
	if (!error)
		error = socket_filter_attach(file, code, given.len);
	arena_free(code, bytes);
	return error;
}

long sys_setsockopt(struct task *task, struct file *file, int level, int option, struct uaddr value_at, int size)
{
	char value[OPTION_BYTES];
	struct asking asking;
	int error = socket_of(file, NULL, NULL);

	if (!error && size < 0)
		error = -EINVAL;
	if (error)
		return error;
	if (level == ABI_SOL_SOCKET && option == SO_ATTACH_FILTER)
		return filter_attach(task, file, value_at, (uint32_t)size);
	uint32_t bytes = MIN((size_t)size, sizeof value);
	error = bytes ? user_read(task_user(task), value, value_at, bytes) : 0;
	return error ? error : socket_option_set(file, asking_init(task, &asking), level, option, value, bytes);
}

/* ------------------------------------------------------------------------------------------------- control data,
 * sending */

static int rights_take(struct task *task, const int32_t *fds, uint32_t count, struct socket_message *message)
{
	if (!message->files) {
		message->files = socket_files_new(ABI_SCM_MAX_FD);
		if (!message->files)
			return -ENOMEM;
	}
	struct socket_files *files = message->files;
	if (count > files->room - files->count)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		int error = fd_get(task->files, fds[i], &files->files[files->count]);
		if (error)
			return error;
		files->count++;
		if (files->files[files->count - 1]->kind == FILE_URING) /* could hold itself; so Linux since 6.7 */
			return -EINVAL;
	}
	return 0;
}

/* Who may claim to be whom: scm_check_creds in Linux. */
static int cred_claim(const struct task *task, const struct abi_ucred *claim)
{
	const struct cred *cred = task->cred;

	if (claim->pid != task->process->pid && !cred_capable(cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (claim->uid != cred->uid && claim->uid != cred->euid && claim->uid != cred->suid &&
	    !cred_capable(cred, CAP_SETUID))
		return -EPERM;
	if (claim->gid != cred->gid && claim->gid != cred->egid && claim->gid != cred->sgid &&
	    !cred_capable(cred, CAP_SETGID))
		return -EPERM;
	return process_find(claim->pid) ? 0 : -ESRCH;
}

/* One control message of SOL_SOCKET with size bytes of data. */
static int control_take(struct task *task, bool inet, int type, const char *data, size_t size,
			struct socket_message *message)
{
	switch (type) {
	case ABI_SCM_RIGHTS:
		if (size / sizeof(int32_t) > ABI_SCM_MAX_FD)
			return -EINVAL;
		if (size < sizeof(int32_t))
			return 0;
		return rights_take(task, (const int32_t *)data, size / sizeof(int32_t), message);
	case ABI_SCM_CREDENTIALS:
		if (size != sizeof message->cred)
			return -EINVAL;
		memcpy(&message->cred, data, size);
		message->has_cred = true;
		return cred_claim(task, &message->cred);
	}
	return inet ? 0 : -EINVAL; /* netstack/notes.c reads them */
}

/* Walks the copied control data. Headers are aligned in the guest's layout, and so is our copy. */
static int control_parse(struct task *task, bool inet, const char *control, size_t size, struct socket_message *message)
{
	size_t at = 0;

	while (size - at >= sizeof(struct abi_cmsghdr)) {
		struct abi_cmsghdr header;
		memcpy(&header, control + at, sizeof header);
		if (header.size < sizeof header || header.size > size - at)
			return -EINVAL;
		if (header.level == ABI_SOL_SOCKET) {
			int error = control_take(task, inet, header.type, control + at + sizeof header,
						 header.size - sizeof header, message);
			if (error)
				return error;
		}
		if (ABI_CMSG_ALIGN(header.size) > size - at)
			break;
		at += ABI_CMSG_ALIGN(header.size);
	}
	if (message->files && !message->files->count) {
		socket_files_put(message->files);
		message->files = NULL;
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------- message headers */

/* What a call knows of one message: the guest's header, the pieces of its data, our copy of its control data. */
struct envelope {
	struct abi_msghdr header;
	struct uio uio;
	struct uio_part few[FEW_PARTS], *parts;
	size_t part_bytes; /* of parts, when it is from the arena */
	char *control;
	size_t control_bytes;
	struct socket_message message;
};

static int envelope_parts(struct task *task, struct envelope *envelope)
{
	const struct abi_msghdr *header = &envelope->header;
	uint64_t total = 0;

	if (header->part_count > IOV_LIMIT)
		return -EMSGSIZE;
	envelope->parts = envelope->few;
	if (header->part_count > FEW_PARTS) {
		envelope->part_bytes = header->part_count * sizeof *envelope->parts;
		envelope->parts = arena_alloc(envelope->part_bytes);
	}
	if (!envelope->parts)
		return -ENOMEM;
	int error = header->part_count ? user_read(task_user(task), envelope->parts, UADDR(header->parts),
						   header->part_count * sizeof *envelope->parts)
				       : 0;
	if (error)
		return error;
	for (uint64_t i = 0; i < header->part_count; i++) {
		struct uio_part *part = &envelope->parts[i];
		if ((int64_t)part->size < 0)
			return -EINVAL;
		part->size = MIN(part->size, IO_LIMIT_BYTES - total);
		total += part->size;
	}
	uio_init_user_parts(&envelope->uio, task_user(task), envelope->parts, header->part_count);
	return 0;
}

/* Reads the header and the pieces. envelope_end is due in any case. */
static int envelope_open(struct task *task, struct file *file, struct uaddr at, uint32_t flags,
			 struct envelope *envelope)
{
	envelope->parts = envelope->few;
	envelope->part_bytes = envelope->control_bytes = 0;
	envelope->control = NULL;
	memset(&envelope->message, 0, sizeof envelope->message);
	int error = user_read(task_user(task), &envelope->header, at, sizeof envelope->header);
	if (error)
		return error;
	if ((int32_t)envelope->header.name_size < 0)
		return -EINVAL;
	envelope->message.data = &envelope->uio;
	envelope->message.flags = flags;
	envelope->message.nonblock = flags & ABI_MSG_DONTWAIT || file->flags & O_NONBLOCK;
	return envelope_parts(task, envelope);
}

static void envelope_end(struct envelope *envelope)
{
	socket_files_put(envelope->message.files);
	arena_free(envelope->control, envelope->control_bytes);
	if (envelope->part_bytes)
		arena_free(envelope->parts, envelope->part_bytes);
}

/* The parts that only a sender's header has. */
static int envelope_fill(struct task *task, const struct file *file, struct envelope *envelope)
{
	const struct abi_msghdr *header = &envelope->header;
	int size = header->name ? MIN(header->name_size, (uint32_t)ABI_SOCKADDR_BYTES) : 0;
	int error = address_read(task, UADDR(header->name), size, &envelope->message.address);

	if (error || !header->control_size)
		return error;
	if (header->control_size > SOCKET_CONTROL_LIMIT)
		return -ENOBUFS;
	envelope->control = arena_alloc(header->control_size);
	if (!envelope->control)
		return -ENOBUFS;
	envelope->control_bytes = header->control_size;
	error = user_read(task_user(task), envelope->control, UADDR(header->control), header->control_size);
	if (error)
		return error;
	envelope->message.control = envelope->control;
	envelope->message.control_size = envelope->control_bytes;
	return control_parse(task, file->kind == FILE_SOCKET_INET || file->kind == FILE_SOCKET_PACKET,
			     envelope->control, envelope->control_bytes, &envelope->message);
}

/* How long one message of sendmmsg or recvmmsg was. */
static int message_size_tell(struct task *task, struct uaddr at, uint32_t size)
{
	return user_write(task_user(task), uaddr_add(at, offsetof(struct abi_mmsghdr, size)), &size, sizeof size);
}

/* ------------------------------------------------------------------------------------------------- sending */

static long send_one(struct task *task, struct file *file, const struct socket_ops *ops, struct uaddr at,
		     uint32_t flags)
{
	struct envelope envelope;
	struct asking asking;
	long result = envelope_open(task, file, at, flags, &envelope);

	if (!result)
		result = envelope_fill(task, file, &envelope);
	if (!result)
		result = ops->send(file, asking_init(task, &asking), &envelope.message);
	envelope_end(&envelope);
	return result;
}

long sys_sendmsg(struct task *task, struct file *file, struct uaddr message, uint32_t flags)
{
	const struct socket_ops *ops;
	int error = socket_of(file, &ops, NULL);

	return error ? error : send_one(task, file, ops, message, flags);
}

long sys_sendmmsg(struct task *task, struct file *file, struct uaddr messages, uint32_t count, uint32_t flags)
{
	const struct socket_ops *ops;
	long done = 0, result = socket_of(file, &ops, NULL);

	if (result)
		return result;
	for (count = MIN(count, (uint32_t)IOV_LIMIT); done < count; done++) {
		struct uaddr at = uaddr_add(messages, done * sizeof(struct abi_mmsghdr));
		result = send_one(task, file, ops, at, flags);
		if (result < 0)
			break;
		result = message_size_tell(task, at, (uint32_t)result);
		if (result < 0)
			break;
	}
	return done ? done : result;
}

long sys_sendto(struct task *task, struct file *file, struct uaddr data, uint64_t size, uint32_t flags, struct uaddr at,
		int address_size)
{
	const struct socket_ops *ops;
	struct asking asking;
	struct uio uio;
	struct socket_message message = {.data = &uio, .flags = flags};
	int error = socket_of(file, &ops, NULL);

	if (!error && at.v)
		error = address_read(task, at, address_size, &message.address);
	if (error)
		return error;
	message.nonblock = flags & ABI_MSG_DONTWAIT || file->flags & O_NONBLOCK;
	uio_init_user(&uio, task_user(task), data, MIN(size, IO_LIMIT_BYTES));
	return ops->send(file, asking_init(task, &asking), &message);
}

/* ------------------------------------------------------------------------------------------------- control data,
 * receiving */

/* Where control data goes in the guest. */
struct control_out {
	struct uaddr at;
	uint64_t room;
	uint32_t *flags; /* MSG_CTRUNC when it did not fit */
};

static void control_advance(struct control_out *out, uint64_t data_bytes)
{
	uint64_t space = MIN(ABI_CMSG_ALIGN(sizeof(struct abi_cmsghdr) + data_bytes), out->room);

	out->at = uaddr_add(out->at, space);
	out->room -= space;
}

/* One control message, cut to the room there is (put_cmsg in Linux, which ignores bad addresses as well). */
static void control_put(struct task *task, struct control_out *out, int level, int type, const void *data,
			uint64_t size)
{
	struct abi_cmsghdr header = {.level = level, .type = type};

	if (!out->at.v || out->room < sizeof header) {
		*out->flags |= ABI_MSG_CTRUNC;
		return;
	}
	header.size = sizeof header + size;
	if (out->room < header.size) {
		*out->flags |= ABI_MSG_CTRUNC;
		header.size = out->room;
	}
	if (user_write(task_user(task), out->at, &header, sizeof header) ||
	    user_write(task_user(task), uaddr_add(out->at, sizeof header), data, header.size - sizeof header))
		return;
	control_advance(out, size);
}

/* One file as a descriptor whose number is written at once: so many arrived as their numbers did. */
static int rights_give(struct task *task, struct file *file, bool cloexec, struct uaddr at)
{
	file_get(file);
	int32_t fd = file_give(task, file, cloexec);
	if (fd < 0)
		return fd;
	int error = user_write(task_user(task), at, &fd, sizeof fd);
	if (error)
		(void)!fd_close(task->files, fd);
	return error;
}

static void rights_put(struct task *task, struct control_out *out, const struct socket_files *files, bool cloexec)
{
	struct abi_cmsghdr header = {.level = ABI_SOL_SOCKET, .type = ABI_SCM_RIGHTS};
	uint64_t room = out->at.v && out->room > sizeof header ? (out->room - sizeof header) / sizeof(int32_t) : 0;
	uint32_t most = MIN(room, (uint64_t)files->count), done = 0;

	while (done < most && !rights_give(task, files->files[done], cloexec,
					   uaddr_add(out->at, sizeof header + done * sizeof(int32_t))))
		done++;
	if (done) {
		header.size = sizeof header + done * sizeof(int32_t);
		(void)!user_write(task_user(task), out->at, &header, sizeof header);
		control_advance(out, done * sizeof(int32_t));
	}
	if (done < files->count)
		*out->flags |= ABI_MSG_CTRUNC;
}

/* ------------------------------------------------------------------------------------------------- receiving */

/* Name, control data and flags back into the guest's header. */
static int envelope_answer(struct task *task, struct uaddr at, struct envelope *envelope)
{
	struct socket_message *message = &envelope->message;
	const struct abi_msghdr *header = &envelope->header;
	uint32_t flags = message->out_flags | (message->flags & ABI_MSG_CMSG_CLOEXEC);
	struct control_out out = {UADDR(header->control), header->control_size, &flags};
	int error = 0;

	if (message->has_cred)
		control_put(task, &out, ABI_SOL_SOCKET, ABI_SCM_CREDENTIALS, &message->cred, sizeof message->cred);
	for (uint32_t i = 0; i < message->note_count; i++)
		control_put(task, &out, message->notes[i].level, message->notes[i].type, message->notes[i].data,
			    message->notes[i].size);
	if (message->files)
		rights_put(task, &out, message->files, message->flags & ABI_MSG_CMSG_CLOEXEC);
	if (header->name)
		error = address_write(task, &message->address, UADDR(header->name),
				      uaddr_add(at, offsetof(struct abi_msghdr, name_size)));
	uint64_t used = header->control_size - out.room;
	if (!error)
		error = user_write(task_user(task), uaddr_add(at, offsetof(struct abi_msghdr, flags)), &flags,
				   sizeof flags);
	if (!error)
		error = user_write(task_user(task), uaddr_add(at, offsetof(struct abi_msghdr, control_size)), &used,
				   sizeof used);
	return error;
}

static long receive_one(struct task *task, struct file *file, const struct socket_ops *ops, struct uaddr at,
			uint32_t flags)
{
	struct envelope envelope;
	long result = envelope_open(task, file, at, flags, &envelope);

	if (!result)
		result = ops->receive(file, &envelope.message);
	if (result >= 0) {
		int error = envelope_answer(task, at, &envelope);
		result = error ? error : result;
	}
	envelope_end(&envelope);
	return result;
}

long sys_recvmsg(struct task *task, struct file *file, struct uaddr message, uint32_t flags)
{
	const struct socket_ops *ops;
	int error = socket_of(file, &ops, NULL);

	return error ? error : receive_one(task, file, ops, message, flags);
}

/* PARKS. As many messages as there are, until count, an error, or the deadline is passed after one. */
static long receive_many(struct task *task, struct file *file, const struct socket_ops *ops, struct uaddr messages,
			 uint32_t count, uint32_t flags, uint64_t deadline_ns)
{
	long done = 0, result = 0;

	while (done < count) {
		struct uaddr at = uaddr_add(messages, done * sizeof(struct abi_mmsghdr));
		result = receive_one(task, file, ops, at, flags & ~ABI_MSG_WAITFORONE);
		if (result < 0)
			break;
		result = message_size_tell(task, at, (uint32_t)result);
		if (result < 0)
			break;
		done++;
		if (flags & ABI_MSG_WAITFORONE)
			flags |= ABI_MSG_DONTWAIT;
		clock_refresh();
		if (deadline_ns <= clock_now_ns())
			break;
	}
	return done ? done : result;
}

long sys_recvmmsg(struct task *task, struct file *file, struct uaddr messages, uint32_t count, uint32_t flags,
		  struct uaddr timeout)
{
	const struct socket_ops *ops;
	struct abi_timespec time;
	uint64_t deadline_ns = DEADLINE_NONE;
	int error = timeout.v ? user_read(task_user(task), &time, timeout, sizeof time) : 0;

	if (!error && timeout.v)
		error = poll_deadline(time.tv_sec, time.tv_nsec, &deadline_ns);
	if (!error)
		error = socket_of(file, &ops, NULL);
	if (error)
		return error;
	long result = receive_many(task, file, ops, messages, MIN(count, (uint32_t)IOV_LIMIT), flags, deadline_ns);
	if (result <= 0 || !timeout.v)
		return result;
	uint64_t left = deadline_ns > clock_now_ns() ? deadline_ns - clock_now_ns() : 0;
	if (deadline_ns != DEADLINE_NONE) {
		time = (struct abi_timespec){left / NS_PER_S, left % NS_PER_S};
		error = user_write(task_user(task), timeout, &time, sizeof time);
	}
	return error ? error : result;
}

long sys_recvfrom(struct task *task, struct file *file, struct uaddr data, uint64_t size, uint32_t flags,
		  struct uaddr at, struct uaddr size_at)
{
	const struct socket_ops *ops;
	struct uio uio;
	struct socket_message message = {.data = &uio, .flags = flags};
	int error = socket_of(file, &ops, NULL);

	if (error)
		return error;
	message.nonblock = flags & ABI_MSG_DONTWAIT || file->flags & O_NONBLOCK;
	uio_init_user(&uio, task_user(task), data, MIN(size, IO_LIMIT_BYTES));
	long result = ops->receive(file, &message);
	if (result >= 0 && at.v) {
		error = address_write(task, &message.address, at, size_at);
		result = error ? error : result;
	}
	/* There is no place for what came along. */
	socket_files_put(message.files);
	return result;
}
