/* pipe_ring.h - the inside of a pipe, for fs/pipe.c and fs/splice.c alone. See pipe.c for how it works. */
#ifndef FS_PIPE_RING_H
#define FS_PIPE_RING_H

#include "fs/mutex.h"
#include "fs/pipe.h"

struct pipe_slot {
	uint16_t offset; /* of the first unread byte in the slot's page */
	uint16_t size;   /* unread bytes */
	bool packet;     /* written with O_DIRECT: read alone, never added to */
};

struct pipe {
	struct mutex mutex;                  /* held while bytes are copied */
	struct waitq read_wait;              /* readers: data came, the last writer left, a writer came (open) */
	struct waitq write_wait;             /* writers, the same */
	uint32_t readers, writers;           /* open files that may read, write */
	uint32_t files;                      /* open files in all; the last one frees */
	uint64_t reader_count, writer_count; /* that have ever opened it */
	uint32_t slot_count;                 /* a power of two */
	uint32_t head, tail;                 /* next slot to fill, to drain; both only grow, modulo 2^32 */
	struct pipe_slot *slots;             /* [slot_count], arena_alloc */
	char *buffer;                        /* slot_count pages, arena_alloc; NULL before the first write */
};

static inline uint32_t pipe_used(const struct pipe *pipe)
{
	return pipe->head - pipe->tail;
}

static inline bool pipe_full(const struct pipe *pipe)
{
	return pipe_used(pipe) >= pipe->slot_count;
}

static inline struct pipe_slot *pipe_slot(const struct pipe *pipe, uint32_t at)
{
	return &pipe->slots[at & (pipe->slot_count - 1)];
}

static inline char *pipe_page(const struct pipe *pipe, uint32_t at)
{
	return pipe->buffer + (at & (pipe->slot_count - 1)) * PAGE_SIZE;
}

struct pipe *pipe_of(const struct file *file);
must_check int pipe_buffer(struct pipe *pipe);
void pipe_wake_readers(struct pipe *pipe);
void pipe_wake_writers(struct pipe *pipe);
must_check int pipe_wait_data(struct pipe *pipe); /* PARKS until there is some, or nobody writes. 0, -ERESTARTSYS */
must_check int pipe_wait_room(struct pipe *pipe); /* PARKS until a slot is free, or nobody reads */
long pipe_broken(void);                           /* SIGPIPE, -EPIPE */

/* With the mutex held. */
size_t pipe_piece(const struct pipe *pipe, size_t n);
char *pipe_tail_data(const struct pipe *pipe);
void pipe_consume(struct pipe *pipe, size_t n);
uint32_t pipe_free_run(const struct pipe *pipe);
void pipe_produce(struct pipe *pipe, size_t n, bool packet);

#endif
