/* sendmmsg and recvmmsg; vectors. */
#include "unix.h"
#include <sys/uio.h>

int main(void)
{
	int pair[2];
	char in[4][16] = {"", "", "", ""};
	struct iovec out_parts[] = {{"one", 3}, {"two ", 4}, {"parts", 5}, {"three", 5}}, in_parts[4];
	struct mmsghdr out[3] = {{.msg_hdr = {.msg_iov = out_parts, .msg_iovlen = 1}},
				 {.msg_hdr = {.msg_iov = out_parts + 1, .msg_iovlen = 2}},
				 {.msg_hdr = {.msg_iov = out_parts + 3, .msg_iovlen = 1}}},
		       got[4] = {0};
	for (int i = 0; i < 4; i++) {
		in_parts[i] = (struct iovec){in[i], 8};
		got[i].msg_hdr.msg_iov = &in_parts[i];
		got[i].msg_hdr.msg_iovlen = 1;
	}
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	SHOW(sendmmsg(pair[0], out, 3, 0));
	for (int i = 0; i < 3; i++)
		SHOW(out[i].msg_len);
	SHOW(recvmmsg(pair[1], got, 4, MSG_DONTWAIT, NULL));
	for (int i = 0; i < 3; i++) {
		say("%u, flags %x\n", got[i].msg_len, got[i].msg_hdr.msg_flags);
		show_bytes("message", in[i], got[i].msg_len);
	}
	SHOW(recvmmsg(pair[1], got, 4, MSG_DONTWAIT, NULL));
	SHOW(sendmmsg(pair[0], out, 2, 0));
	SHOW(recvmmsg(pair[1], got, 4, MSG_WAITFORONE, NULL));
	struct timespec time = {0, 40000000};
	MUST(sendmmsg(pair[0], out, 1, 0));
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(80);
		MUST(sendmmsg(pair[0], out, 1, 0));
		_exit(0);
	}
	SHOW(recvmmsg(pair[1], got, 4, 0, &time));
	reap("sender", pid);
	out[1].msg_hdr.msg_iov = (void *)8;
	SHOW(sendmmsg(pair[0], out, 3, 0));
	SHOW(sendmmsg(pair[0], out + 1, 1, 0));
	SHOW(sendmmsg(pair[0], (void *)8, 1, 0));
	SHOW(recvmmsg(pair[1], got, 0, 0, NULL));
	time.tv_nsec = -1;
	SHOW(recvmmsg(pair[1], got, 1, 0, &time));

	section("vectors");
	int stream[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, stream));
	SHOW(writev(stream[0], out_parts, 4));
	SHOW(readv(stream[1], in_parts, 4));
	show_bytes("first", in[0], 8);
	show_bytes("second", in[1], 8);
	struct msghdr message = {.msg_iov = out_parts, .msg_iovlen = 1025};
	SHOW(sendmsg(stream[0], &message, 0));
	message.msg_iovlen = 0;
	SHOW(sendmsg(stream[0], &message, 0));
	SHOW(sendmsg(stream[0], (void *)8, 0));
	return 0;
}
