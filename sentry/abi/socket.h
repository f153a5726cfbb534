/* socket.h - structures and numbers of the socket calls as Linux x86-64 has them (include/linux/socket.h,
 * asm-generic/socket.h, linux/un.h). Under names of our own, so that no header of the C library is mixed in. */
#ifndef SENTRY_ABI_SOCKET_H
#define SENTRY_ABI_SOCKET_H

#include <stdint.h>

#define ABI_AF_UNSPEC  0
#define ABI_AF_UNIX    1
#define ABI_AF_INET    2
#define ABI_AF_INET6   10
#define ABI_AF_NETLINK 16
#define ABI_AF_MAX     46

#define ABI_SOCK_STREAM    1
#define ABI_SOCK_DGRAM     2
#define ABI_SOCK_RAW       3
#define ABI_SOCK_SEQPACKET 5
#define ABI_SOCK_TYPES     11 /* one more than the largest */
#define ABI_SOCK_TYPE_MASK 0xf
#define ABI_SOCK_CLOEXEC   02000000
#define ABI_SOCK_NONBLOCK  04000

#define ABI_MSG_OOB          0x1u
#define ABI_MSG_PEEK         0x2u
#define ABI_MSG_DONTROUTE    0x4u
#define ABI_MSG_CTRUNC       0x8u
#define ABI_MSG_TRUNC        0x20u
#define ABI_MSG_DONTWAIT     0x40u
#define ABI_MSG_EOR          0x80u
#define ABI_MSG_WAITALL      0x100u
#define ABI_MSG_ERRQUEUE     0x2000u
#define ABI_MSG_NOSIGNAL     0x4000u
#define ABI_MSG_MORE         0x8000u
#define ABI_MSG_WAITFORONE   0x10000u
#define ABI_MSG_FASTOPEN     0x20000000u
#define ABI_MSG_CMSG_CLOEXEC 0x40000000u

#define ABI_SOL_SOCKET     1
#define ABI_SO_DEBUG       1
#define ABI_SO_REUSEADDR   2
#define ABI_SO_TYPE        3
#define ABI_SO_ERROR       4
#define ABI_SO_DONTROUTE   5
#define ABI_SO_BROADCAST   6
#define ABI_SO_SNDBUF      7
#define ABI_SO_RCVBUF      8
#define ABI_SO_KEEPALIVE   9
#define ABI_SO_OOBINLINE   10
#define ABI_SO_PRIORITY    12
#define ABI_SO_LINGER      13
#define ABI_SO_REUSEPORT   15
#define ABI_SO_PASSCRED    16
#define ABI_SO_PEERCRED    17
#define ABI_SO_RCVLOWAT    18
#define ABI_SO_SNDLOWAT    19
#define ABI_SO_RCVTIMEO    20
#define ABI_SO_SNDTIMEO    21
#define ABI_SO_TIMESTAMP   29
#define ABI_SO_ACCEPTCONN  30
#define ABI_SO_PEERSEC     31
#define ABI_SO_SNDBUFFORCE 32
#define ABI_SO_RCVBUFFORCE 33
#define ABI_SO_MARK        36
#define ABI_SO_PROTOCOL    38
#define ABI_SO_DOMAIN      39
#define ABI_SO_PEEK_OFF    42
#define ABI_SO_PEERGROUPS  59

#define ABI_SCM_RIGHTS      1
#define ABI_SCM_CREDENTIALS 2
#define ABI_SCM_MAX_FD      253

#define ABI_SHUT_RD   0
#define ABI_SHUT_WR   1
#define ABI_SHUT_RDWR 2

struct abi_msghdr {
	uint64_t name;
	uint32_t name_size, pad0;
	uint64_t parts, part_count;
	uint64_t control, control_size;
	uint32_t flags, pad1;
};
_Static_assert(sizeof(struct abi_msghdr) == 56, "struct user_msghdr");

struct abi_mmsghdr {
	struct abi_msghdr header;
	uint32_t size, pad;
};
_Static_assert(sizeof(struct abi_mmsghdr) == 64, "struct mmsghdr");

struct abi_cmsghdr {
	uint64_t size; /* of header and data, without the padding behind it */
	int32_t level, type;
};
_Static_assert(sizeof(struct abi_cmsghdr) == 16, "struct cmsghdr");
#define ABI_CMSG_ALIGN(bytes) (((bytes) + 7ul) & ~7ul)

struct abi_ucred {
	int32_t pid;
	uint32_t uid, gid;
};
_Static_assert(sizeof(struct abi_ucred) == 12, "struct ucred");

#define ABI_UNIX_PATH_BYTES 108
struct abi_sockaddr_un {
	uint16_t family;
	char path[ABI_UNIX_PATH_BYTES];
};
_Static_assert(sizeof(struct abi_sockaddr_un) == 110, "struct sockaddr_un");

#define ABI_SOCKADDR_BYTES 128 /* struct sockaddr_storage: the most a caller may give */

struct abi_linger {
	int32_t on, seconds;
};
_Static_assert(sizeof(struct abi_linger) == 8, "struct linger");

struct abi_sock_timeval {
	int64_t seconds, microseconds;
};
_Static_assert(sizeof(struct abi_sock_timeval) == 16, "struct __kernel_sock_timeval");

#endif
