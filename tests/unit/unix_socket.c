/* unix_socket.c - Unix domain sockets without a guest: streams, datagrams, names, descriptors on their way, cycles. */
#include "fs/unix_socket.h"
#include "tests/unit/ipc.h"

static const struct socket_ops *ops;
static struct socket_caller who;
static struct file *pair[2];
static char block[1 << 20];

static void init(void)
{
	world_init();
	ops = socket_family(ABI_AF_UNIX);
	who = (struct socket_caller){.pid = 7, .cred = cred};
}

TestSuite(unix_socket, .init = init, .timeout = 10);

static void make_pair(uint32_t type)
{
	cr_assert_eq(ops->pair(&who, type, 0, O_NONBLOCK, pair), 0);
}

static struct file *make(uint32_t type)
{
	struct file *file;
	cr_assert_eq(ops->create(&who, type, 0, O_NONBLOCK, &file), 0);
	return file;
}

static struct socket_address name(const char *text)
{
	struct socket_address address = {.size = 3 + strlen(text)};
	address.un.family = ABI_AF_UNIX;
	memcpy(address.un.path + 1, text, strlen(text));
	return address;
}

static ssize_t send_with(struct file *file, const char *text, struct file *a, struct file *b, uint32_t flags)
{
	struct uio uio;
	struct socket_message message = {.data = &uio, .flags = flags, .nonblock = true};
	uio_init_kernel(&uio, (void *)(uintptr_t)text, strlen(text));
	if (a) {
		message.files = socket_files_new(2);
		message.files->files[message.files->count++] = a;
		file_get(a);
		if (b) {
			message.files->files[message.files->count++] = b;
			file_get(b);
		}
	}
	ssize_t result = ops->send(file, &who, &message);
	socket_files_put(message.files);
	return result;
}

static ssize_t receive(struct file *file, size_t size, uint32_t flags, struct socket_message *message)
{
	struct uio uio;
	memset(block, 0, 256);
	*message = (struct socket_message){.data = &uio, .flags = flags, .nonblock = true};
	uio_init_kernel(&uio, block, size);
	return ops->receive(file, message);
}

Test(unix_socket, a_stream_glues_messages)
{
	make_pair(ABI_SOCK_STREAM);
	cr_assert_eq(put(pair[0], "ab", 2), 2);
	cr_assert_eq(put(pair[0], "cd", 2), 2);
	assert_reads(pair[1], "abcd");
	cr_assert_eq(take(pair[1], block, 1), -EAGAIN);
}

Test(unix_socket, a_stream_holds_as_much_as_in_linux)
{
	make_pair(ABI_SOCK_STREAM);
	cr_assert_eq(put(pair[0], block, sizeof block), 219264);
	cr_assert_eq(take(pair[1], block, sizeof block), 219264);
	int writes = 0;
	while (put(pair[0], block, 1) > 0)
		writes++;
	cr_assert_eq(writes, 278);
}

Test(unix_socket, a_datagram_stays_whole)
{
	make_pair(ABI_SOCK_DGRAM);
	cr_assert_eq(put(pair[0], "abc", 3), 3);
	cr_assert_eq(put(pair[0], "", 0), 0);
	cr_assert_eq(put(pair[0], "de", 2), 2);
	struct socket_message message;
	cr_assert_eq(receive(pair[1], 2, ABI_MSG_PEEK | ABI_MSG_TRUNC, &message), 3);
	cr_assert_eq(receive(pair[1], 2, 0, &message), 2);
	cr_assert_eq(message.out_flags, ABI_MSG_TRUNC);
	cr_assert_eq(receive(pair[1], 2, 0, &message), 0);
	cr_assert_eq(receive(pair[1], 9, 0, &message), 2);
	cr_assert_eq(receive(pair[1], 9, 0, &message), -EAGAIN);
}

Test(unix_socket, a_closed_stream_says_so)
{
	make_pair(ABI_SOCK_STREAM);
	cr_assert_eq(put(pair[0], "x", 1), 1);
	file_put(pair[0]);
	assert_reads(pair[1], "x");
	cr_assert_eq(take(pair[1], block, 1), 0);
	cr_assert_eq(put(pair[1], "x", 1), -EPIPE);
	make_pair(ABI_SOCK_STREAM);
	cr_assert_eq(put(pair[1], "x", 1), 1);
	file_put(pair[0]); /* with data that nobody read */
	cr_assert_eq(file_poll(pair[1], NULL) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
	cr_assert_eq(take(pair[1], block, 1), -ECONNRESET);
	cr_assert_eq(take(pair[1], block, 1), 0);
}

Test(unix_socket, connections_are_accepted_in_order)
{
	struct file *listener = make(ABI_SOCK_STREAM), *client = make(ABI_SOCK_STREAM), *accepted;
	struct socket_address address = name("here"), peer;
	cr_assert_eq(ops->connect(client, &who, &address, true), -ECONNREFUSED);
	cr_assert_eq(ops->bind(listener, &who, &address), 0);
	cr_assert_eq(ops->connect(client, &who, &address, true), -ECONNREFUSED);
	cr_assert_eq(ops->accept(listener, &who, 0, &peer, &accepted), -EINVAL);
	cr_assert_eq(ops->listen(listener, &who, 0), 0);
	cr_assert_eq(ops->accept(listener, &who, 0, &peer, &accepted), -EAGAIN);
	cr_assert_eq(ops->connect(client, &who, &address, true), 0);
	cr_assert_eq(ops->connect(client, &who, &address, true), -EAGAIN); /* the queue is full: looked at first */
	struct file *second = make(ABI_SOCK_STREAM);
	cr_assert_eq(ops->connect(second, &who, &address, true), -EAGAIN);
	cr_assert_eq(put(client, "early", 5), 5);
	cr_assert_eq(ops->accept(listener, &who, 0, &peer, &accepted), 0);
	cr_assert_eq(peer.size, 2);
	assert_reads(accepted, "early");
	cr_assert_eq(ops->connect(client, &who, &address, true), -EISCONN);
	cr_assert_eq(ops->connect(second, &who, &address, true), 0);
	file_put(listener);
	cr_assert_eq(take(second, block, 1), -ECONNRESET);
	cr_assert_eq(ops->bind(second, &who, &address), 0); /* the name is free again */
}

Test(unix_socket, datagrams_of_strangers_are_few)
{
	struct file *server = make(ABI_SOCK_DGRAM), *client = make(ABI_SOCK_DGRAM);
	struct socket_address address = name("box");
	struct socket_message message;
	cr_assert_eq(ops->bind(server, &who, &address), 0);
	cr_assert_eq(ops->connect(client, &who, &address, true), 0);
	int sent = 0;
	while (put(client, "x", 1) > 0)
		sent++;
	cr_assert_eq(sent, 11);
	cr_assert_eq(file_poll(client, NULL) & POLLOUT, 0);
	cr_assert_eq(receive(server, 1, 0, &message), 1);
	cr_assert_neq(file_poll(client, NULL) & POLLOUT, 0);
	file_put(server);
	cr_assert_eq(put(client, "x", 1), -ECONNREFUSED);
	cr_assert_eq(put(client, "x", 1), -ENOTCONN);
}

Test(unix_socket, descriptors_travel)
{
	struct socket_message message;
	make_pair(ABI_SOCK_STREAM);
	struct file *cargo = make(ABI_SOCK_DGRAM);
	cr_assert_eq(put(pair[0], "a", 1), 1);
	cr_assert_eq(send_with(pair[0], "b", cargo, NULL, 0), 1);
	cr_assert_eq(put(pair[0], "c", 1), 1);
	cr_assert_eq(unix_inflight_count(), 1);
	cr_assert_eq(receive(pair[1], 10, ABI_MSG_PEEK, &message), 2);
	cr_assert_eq(message.files->files[0], cargo);
	socket_files_put(message.files);
	cr_assert_eq(receive(pair[1], 10, 0, &message), 2); /* never across descriptors */
	cr_assert_eq(message.files->count, 1);
	cr_assert_eq(unix_inflight_count(), 0);
	socket_files_put(message.files);
	cr_assert_eq(receive(pair[1], 10, 0, &message), 1);
	cr_assert_eq(cargo->ref.count, 1);
}

static void make_cycle(void)
{
	make_pair(ABI_SOCK_STREAM);
	struct file *first[2] = {pair[0], pair[1]};
	cr_assert_eq(send_with(first[0], "x", first[0], first[1], 0), 1);
	make_pair(ABI_SOCK_STREAM);
	cr_assert_eq(send_with(first[1], "x", pair[0], NULL, 0), 1);
	cr_assert_eq(send_with(pair[0], "x", pair[1], first[0], 0), 1);
	for (int i = 0; i < 2; i++) {
		file_put(first[i]);
		file_put(pair[i]);
	}
	/* Nothing has been released yet: the next close of any socket finds it. */
	file_put(make(ABI_SOCK_DGRAM));
	cr_assert_eq(unix_inflight_count(), 0);
}

/* What slabs and the table of names keep is taken by the first round. */
static void assert_no_leak(void (*round)(void))
{
	round();
	size_t before = arena_used_bytes();
	for (int i = 0; i < 100; i++)
		round();
	cr_assert_eq(arena_used_bytes(), before);
}

Test(unix_socket, a_cycle_is_collected)
{
	assert_no_leak(make_cycle);
}

Test(unix_socket, what_is_reachable_is_not_collected)
{
	struct socket_message message;
	make_pair(ABI_SOCK_STREAM);
	struct file *outer[2] = {pair[0], pair[1]};
	make_pair(ABI_SOCK_STREAM);
	cr_assert_eq(send_with(pair[0], "x", pair[1], NULL, 0), 1);
	cr_assert_eq(send_with(outer[0], "x", pair[0], pair[1], 0), 1);
	file_put(pair[0]);
	file_put(pair[1]);
	file_put(make(ABI_SOCK_DGRAM));
	cr_assert_eq(unix_inflight_count(), 3);
	cr_assert_eq(receive(outer[1], 1, 0, &message), 1);
	cr_assert_eq(message.files->count, 2);
	socket_files_put(message.files);
	file_put(make(ABI_SOCK_DGRAM));
	cr_assert_eq(unix_inflight_count(), 0);
}

static void queue_listener(void)
{
	struct file *listener = make(ABI_SOCK_STREAM), *client = make(ABI_SOCK_STREAM);
	struct socket_address address = name("loop");
	cr_assert_eq(ops->bind(listener, &who, &address), 0);
	cr_assert_eq(ops->listen(listener, &who, 1), 0);
	cr_assert_eq(ops->connect(client, &who, &address, true), 0);
	cr_assert_eq(send_with(client, "x", listener, client, 0), 1);
	file_put(listener);
	file_put(client);
	file_put(make(ABI_SOCK_DGRAM));
	cr_assert_eq(unix_inflight_count(), 0);
}

Test(unix_socket, a_listener_in_its_own_queue_is_collected)
{
	assert_no_leak(queue_listener);
}

Test(unix_socket, deep_nesting_ends_without_a_deep_stack)
{
	make_pair(ABI_SOCK_STREAM);
	struct file *old[2] = {pair[0], pair[1]};
	for (int i = 0; i < 5000; i++) {
		make_pair(ABI_SOCK_STREAM);
		cr_assert_eq(send_with(pair[0], "x", old[0], old[1], 0), 1);
		file_put(old[0]);
		file_put(old[1]);
		old[0] = pair[0];
		old[1] = pair[1];
	}
	cr_assert_eq(unix_inflight_count(), 10000);
	file_put(old[0]);
	file_put(old[1]);
	cr_assert_eq(unix_inflight_count(), 0);
}

Test(unix_socket, too_many_on_their_way_are_refused)
{
	struct file *cargo = make(ABI_SOCK_DGRAM);
	ssize_t result = 0;
	int rounds = 0;
	while (result >= 0 && rounds++ < 40000) {
		if (rounds % 100 == 1)
			make_pair(ABI_SOCK_STREAM);
		result = send_with(pair[0], "x", cargo, NULL, 0);
	}
	cr_assert_eq(result, -ETOOMANYREFS);
	cr_assert_eq(unix_inflight_count(), 16384);
}

Test(unix_socket, credentials_part_a_stream)
{
	struct socket_message message;
	int on = 1;
	make_pair(ABI_SOCK_STREAM);
	cr_assert_eq(socket_option_set(pair[1], &who, ABI_SOL_SOCKET, ABI_SO_PASSCRED, &on, sizeof on), 0);
	cr_assert_eq(send_with(pair[0], "a", NULL, NULL, 0), 1);
	who.pid = 8;
	cr_assert_eq(send_with(pair[0], "b", NULL, NULL, 0), 1);
	cr_assert_eq(receive(pair[1], 9, 0, &message), 1);
	cr_assert(message.has_cred && message.cred.pid == 7);
	cr_assert_eq(receive(pair[1], 9, 0, &message), 1);
	cr_assert_eq(message.cred.pid, 8);
}

static ssize_t got;

static void read_five(void *unused)
{
	(void)unused;
	struct uio uio;
	struct socket_message message = {.data = &uio, .flags = ABI_MSG_WAITALL};
	uio_init_kernel(&uio, block, 5);
	got = ops->receive(pair[1], &message);
}

Test(unix_socket, waitall_waits_for_all)
{
	make_pair(ABI_SOCK_STREAM);
	start(read_five, NULL);
	run();
	put(pair[0], "ab", 2);
	run();
	cr_assert_eq(got, 0);
	put(pair[0], "cdef", 4);
	run();
	cr_assert_eq(got, 5);
	assert_reads(pair[1], "f");
}

Test(unix_socket, a_timeout_ends_a_wait)
{
	struct abi_sock_timeval time = {0, 20000};
	make_pair(ABI_SOCK_STREAM);
	cr_assert_eq(socket_option_set(pair[1], &who, ABI_SOL_SOCKET, ABI_SO_RCVTIMEO, &time, sizeof time), 0);
	uint64_t before = clock_now_ns();
	start(read_five, NULL);
	run();
	cr_assert_eq(got, -EAGAIN);
	cr_assert_geq(clock_now_ns() - before, 20 * NS_PER_MS);
}
