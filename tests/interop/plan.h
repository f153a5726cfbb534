/* plan.h - what one world of the interoperation test is made of: all from a seed, known to both ends. */
#ifndef TESTS_INTEROP_PLAN_H
#define TESTS_INTEROP_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TRANSFERS_LIMIT 16
#define PORT            20000 /* + the transfer's number, at whoever listens */
#define OURS4           "10.77.0.1"
#define THEIRS4         "10.77.0.2"
#define OURS6           "fd77::1"
#define THEIRS6         "fd77::2"
#define PAUSES          50  /* of a slow reader, at most */
#define RESET_LIMIT_S   20  /* a connection that is reset while it begins may never be seen by accept(2) */
#define WORLD_LIMIT_S   120 /* then it stalls */

enum ending {
	END_CLEAN,     /* both send all, shut down, and read to the end */
	END_OUR_RESET, /* we close with SO_LINGER 0 in the middle */
	END_THEIR_RESET,
};

/* What one end does, ours or Linux's. */
struct end_plan {
	uint32_t bytes;                       /* that it sends */
	uint32_t piece;                       /* largest write and read */
	bool no_delay, cork;                  /* Nagle off; TCP_CORK on and off all the time */
	bool slow;                            /* reads with pauses: its window closes */
	bool idle;                            /* waits in the middle for longer than keepalive does */
	bool keepalive;                       /* SO_KEEPALIVE, asked after a second */
	bool urgent;                          /* sends some bytes with MSG_OOB; the other reads them in line */
	bool reno;                            /* TCP_CONGESTION */
	bool quick;                           /* TCP_QUICKACK now and then */
	uint32_t receive_buffer, send_buffer; /* 0: the default */
	uint32_t mss;                         /* TCP_MAXSEG; 0: the default */
	uint32_t reset_after;                 /* bytes sent before it resets */
};

struct transfer_plan {
	bool we_connect, v6, fast_open;
	enum ending ending;
	struct end_plan ours, theirs;
};

struct world_plan {
	uint64_t seed;
	unsigned count;
	struct transfer_plan transfer[TRANSFERS_LIMIT];
	/* The wire: of 1,000 frames each way. */
	unsigned loss, duplicate, reorder, corrupt;
	uint64_t delay_ns, jitter_ns;
	uint32_t mtu;
	/* sysctl net.ipv4.tcp_* of the peer. */
	bool timestamps, sack, scaling, dsack, reordering_recovery;
	unsigned ecn;
	bool mark; /* the wire marks instead of dropping, where it may (RFC 3168) */
};

void plan_make(struct world_plan *plan, uint64_t seed);
void plan_print(const struct world_plan *plan, FILE *to);

/* The bytes that an end sends: by transfer and direction. */
uint8_t byte_at(uint64_t stream, uint32_t at);

/* fork(2), also on a machine that has no process to spare for a moment. */
int fork_patiently(void);

/* Linux's end, in a process of its own: threads with ordinary sockets. go_fd: read once before anything is connected.
 * Returns the number of failures. */
int theirs_run(const struct world_plan *plan, int ready_fd, int go_fd);

#endif
