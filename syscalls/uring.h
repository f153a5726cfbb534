/* uring.h - what the files of io_uring share: the rings, and the life of a request. Nobody else includes it.
 *
 *     uring.c          the calls: setup, enter, register
 *     uring_ring.c     the memory that a ring shares with the guest, completions, the ring as a file
 *     uring_register.c files, buffers and more that a ring keeps
 *     uring_request.c  how a request begins, waits, runs on a fiber of its own, ends, and is cancelled
 *     uring_wait.c     what a request waits for: files to become ready, times
 *     uring_op.c       the operations
 *
 * A request is always in one of these states:
 *
 *     LINKED    behind another in a chain, or held back by IOSQE_IO_DRAIN: has not begun
 *     RUNNING   an operation on a fiber: the submitter's, or a worker's
 *     QUEUED    wants a worker, and there are URING_WORKER_LIMIT of them
 *     POLLING   listens to the wait queues of its file
 *     TIMED     waits for a time alone
 */
#ifndef SYSCALLS_URING_H
#define SYSCALLS_URING_H

#include "sentry/base/tree.h"
#include "sentry/task.h"
#include "sentry/timer.h"
#include <linux/io_uring.h>

#define URING_PERSONALITIES 16
#define URING_PENDING       LONG_MIN       /* of an operation: not done, will complete by itself */
#define URING_AGAIN         (LONG_MIN + 1) /* of an operation: the file is not ready; poll and try again */

/* What guest and sentry both see. The guest's words are read once and believed in nothing. Who writes: (g) the guest,
 * (s) the sentry. */
struct uring_words {
	uint32_t sq_head;          /* (s) */
	uint32_t sq_tail;          /* (g) */
	uint32_t cq_head;          /* (g) */
	uint32_t cq_tail;          /* (s) */
	uint32_t sq_mask, cq_mask; /* (s) */
	uint32_t sq_entries, cq_entries;
	uint32_t sq_dropped;  /* (s) */
	uint32_t sq_flags;    /* (s) */
	uint32_t cq_flags;    /* (g) */
	uint32_t cq_overflow; /* (s) */
	uint32_t unused[4];
	struct io_uring_cqe cqes[]; /* then the array of indices of the submission queue */
};

RB_HEAD(uring_tree, uring_request);

struct uring {
	uint32_t refs;  /* its file, and its requests */
	bool closed;    /* the file is gone: nobody will see completions */
	bool disabled;  /* IORING_SETUP_R_DISABLED, and not enabled yet */
	uint32_t flags; /* IORING_SETUP_* */
	int32_t issuer; /* IORING_SETUP_SINGLE_ISSUER: this thread alone; 0: nobody yet */
	uint32_t host_file;
	uint8_t *memory; /* our mapping of it: struct uring_words, indices, submissions */
	uint64_t bytes, array_at, sqes_at;
	uint32_t sq_entries, cq_entries;
	uint32_t sq_head, cq_tail; /* the true ones: the guest's copies are only for it to see */
	uint32_t dropped, lost;
	struct list overflow; /* struct uring_overflow: completions that found no place */
	struct waitq wait;    /* those who wait for completions, and who poll the ring */
	struct list requests; /* all that have not ended */
	struct uring_tree by_data;
	struct list held;         /* IOSQE_IO_DRAIN: this one and what comes after it */
	uint32_t begun;           /* requests that have begun and not ended */
	bool draining;            /* one with IOSQE_IO_DRAIN runs: nothing else begins */
	struct list counted;      /* timeouts that wait for completions as well, the first due first */
	uint64_t posted;          /* completions but for those of timeouts */
	uint64_t sequence;        /* of requests */
	bool releasing, counting; /* guards against recursion, in uring_request.c and uring_wait.c */
	uint64_t work;            /* steps done for the present call: see URING_WORK_LIMIT */
	struct file **files;      /* registered; each counted or NULL */
	struct uio_part *buffers;
	uint32_t file_count, buffer_count;
	struct file *event; /* counted: the eventfd that is told */
	bool event_async;   /* only of what did not complete at once */
	struct cred *personalities[URING_PERSONALITIES];
};

enum uring_state { URING_LINKED, URING_RUNNING, URING_QUEUED, URING_POLLING, URING_TIMED };

struct uring_request {
	enum uring_state state;
	struct uring *ring; /* counted */
	struct task *owner; /* who submitted it; ends its requests before it goes */
	struct list ring_node, owner_node;
	struct list state_node; /* ring->held, the queue for workers, the list of those that a file has woken */
	struct list timeout_node;
	RB_ENTRY(uring_request) data_node;
	uint64_t sequence;
	struct io_uring_sqe sqe;    /* our copy */
	struct file *file;          /* counted, once it has begun */
	struct cred *cred;          /* counted: a personality; NULL: the owner's */
	struct uring_request *next; /* in the chain */
	struct fiber *worker;       /* RUNNING on it; NULL: on the submitter's */
	struct task *runner;        /* of a worker that has not begun yet */
	int error;                  /* it could not be prepared */
	bool cancelled;             /* someone wants it to end */
	bool at_once;               /* still inside the call that submitted it */
	bool began;                 /* counted in ring->begun */
	bool short_transfer;        /* less was moved than asked: breaks the chain */
	bool connecting;            /* a connect(2) of a nonblocking socket is under way */
	bool may_wait;              /* on a worker, where an operation may wait as long as it likes */
	uint32_t poll_events;
	struct poll_hooks hooks;
	struct timer timer; /* TIMED, or of a timeout linked to another */
	uint64_t deadline_ns, target;
	struct uring_request *timed; /* of a linked timeout that is armed: whom it will end; in the other its timeout */
	struct uio_part part, *parts;
	uint32_t part_count;
	char *paths[2];
};

/* ---- uring_ring.c */
void uring_ring_init(void); /* registers the kind of file */
/* Gives. bytes of host memory: -ENOMEM, -EMFILE. */
must_check int uring_new(uint32_t sq_entries, uint32_t cq_entries, uint32_t flags, struct uring **out);
must_check int uring_file_new(struct uring *ring, struct cred *cred, struct file **out); /* takes ring */
void uring_put(struct uring *ring);
struct uring *uring_of(const struct file *file); /* NULL: another kind of file */
static inline struct uring_words *uring_words(const struct uring *ring)
{
	return (struct uring_words *)ring->memory;
}
/* Submissions that the guest has made and we have not taken. At most sq_entries. */
uint32_t uring_submissions(const struct uring *ring);
/* Takes the next: false when the guest's index is none (it is counted as dropped). */
must_check bool uring_take(struct uring *ring, struct io_uring_sqe *out);
/* Completions that wait for the guest. */
uint32_t uring_completions(const struct uring *ring);
bool uring_full(const struct uring *ring); /* no place for a completion */
/* Posts a completion and tells everybody. Never parks. */
void uring_post(struct uring *ring, uint64_t user_data, long result, uint32_t flags, bool at_once);
void uring_flush(struct uring *ring); /* completions that had found no place */

/* ---- uring_request.c */
void uring_request_init(void);
/* PARKS. Takes as many submissions as count says (or stops earlier: URING_WORK_LIMIT). How many, or -errno. */
long uring_submit(struct task *task, struct uring *ring, uint32_t count);
/* PARKS. Runs it and those linked to it, on the submitter's fiber or a worker's. */
void uring_run(struct task *task, struct uring_request *request);
/* It has ended: posts, frees, and lets what waited for it begin. Never parks. */
void uring_complete(struct uring_request *request, long result);
void uring_post_more(struct uring_request *request, long result); /* a completion that is not the last */
/* Wants a worker for it. Never parks. */
void uring_hand_over(struct uring_request *request);
/* 0: it ended with -ECANCELED. -EALREADY: it runs and was told to stop. -ENOENT: it has not begun. Never parks. */
int uring_cancel(struct uring_request *request);
/* The first by its user_data. NULL: none. */
struct uring_request *uring_find(struct uring *ring, uint64_t user_data);
struct uring_request *uring_next(struct uring_request *request); /* by user_data */
void uring_rekey(struct uring_request *request, uint64_t user_data);
/* Ends all requests of a ring that goes. */
void uring_cancel_all(struct uring *ring);

/* ---- uring_wait.c */
must_check int uring_wait_init(void); /* at the first use. -EAGAIN, -ENOMEM */
/* Listens to the file until one of the events. -ENOMEM. *now: what it is ready for already; then it does not listen
 * unless it is to keep on. */
must_check int uring_poll_arm(struct uring_request *request, uint32_t events, bool keep, uint32_t *now);
void uring_poll_disarm(struct uring_request *request);
/* A time has a wait of its own, or limits another request (linked). */
must_check int uring_timeout_read(struct task *task, struct uring_request *request);
void uring_timeout_arm(struct uring_request *request);
void uring_timeout_disarm(struct uring_request *request);
must_check int uring_timeout_update(struct task *task, struct uring *ring, const struct io_uring_sqe *sqe);
/* The timeout linked behind a request that has begun to wait. */
void uring_limit_arm(struct uring_request *request);
/* completions were posted: timeouts that count them. */
void uring_timeouts_count(struct uring *ring);

/* ---- uring_op.c */
bool uring_op_known(unsigned opcode);
/* Checks the submission and copies what it points to. -EINVAL, -EFAULT, -ENOMEM. */
must_check int uring_op_prepare(struct task *task, struct uring_request *request);
/* PARKS. The result, URING_PENDING or URING_AGAIN (request->poll_events is set). */
long uring_op_run(struct task *task, struct uring_request *request);
bool uring_op_wants_worker(const struct uring_request *request);
bool uring_op_is(const struct uring_request *request, unsigned opcode);
bool uring_op_has_file(const struct uring_request *request);
/* May a poll of this file be told more than once? */
bool uring_polls_again(const struct uring_request *request);

/* ---- uring_register.c */
long uring_register(struct task *task, struct uring *ring, uint32_t opcode, struct uaddr at, uint32_t count);
/* Counted, or -EBADF. */
must_check int uring_file_get(struct task *task, struct uring *ring, bool fixed, int32_t fd, struct file **out);
must_check long uring_files_update(struct task *task, struct uring *ring, struct uaddr fds, uint32_t count,
				   uint32_t at);
void uring_unregister_all(struct uring *ring);

#endif
