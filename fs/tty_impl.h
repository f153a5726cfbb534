/* tty_impl.h - the inside of a terminal, for fs/tty*.c, fs/pty.c and fs/devpts.c alone. See fs/tty.c for how it works.
 */
#ifndef FS_TTY_IMPL_H
#define FS_TTY_IMPL_H

#include "fs/mutex.h"
#include "fs/tty.h"
#include "sentry/abi/termios.h"

#define TTY_INPUT_BYTES  4096u  /* what the slave may read, as N_TTY_BUF_SIZE */
#define TTY_FEED_BYTES   4096u  /* written by the master, not yet seen by the line discipline */
#define TTY_OUTPUT_BYTES 16384u /* for the master to read */
#define TTY_ECHO_BYTES   2048u  /* echo operations that wait for room in the output */
#define TTY_STEP_BYTES   8u     /* the most that one character becomes in the output: a tab */
#define TTY_MASTER_READ  4095u  /* of the output, what Linux would have moved to the master's own buffer */

/* A queue in an array whose size is a power of two; both indices only grow, modulo 2^32. */
struct tty_ring {
	uint32_t head, tail;
};

struct tty_buffers {
	uint8_t input[TTY_INPUT_BYTES];
	uint8_t line_ends[TTY_INPUT_BYTES / 8]; /* canonical mode: a bit for each place in input that ends a line */
	uint8_t feed[TTY_FEED_BYTES];
	uint8_t output[TTY_OUTPUT_BYTES];
	uint8_t echo[TTY_ECHO_BYTES]; /* pairs: operation, argument */
};

/* No field is changed by the sentry's other parts; several fibers change them, between two PARKS points. */
struct tty {
	struct ref ref;        /* each end's open files, and the session that it controls */
	struct superblock *sb; /* the devpts it is in */
	uint32_t index;        /* its name there */
	struct inode *inode;   /* counted; NULL: the master is closed, nothing happens here any more */
	struct tty_buffers *buffers;

	struct abi_termios2 termios;
	uint32_t special[8]; /* a bit for each character that the line discipline must look at */
	struct abi_winsize size;
	int32_t sid, pgid;    /* the session that it controls and its foreground group; 0: none */
	uint32_t slave_files; /* open files of the slave */
	uint32_t hangups;     /* an open file of the slave that saw another number is cut off */
	bool slave_closed;    /* was open and is not: the master reads EIO */
	bool locked;          /* TIOCSPTLCK */
	bool exclusive;       /* TIOCEXCL */
	bool stopped;         /* output: by the stop character or TCOOFF */
	bool stopped_by_call; /* by TCOOFF: only TCOON ends it */
	bool packet;          /* TIOCPKT */
	uint8_t packet_status;

	/* the line discipline: input is [tail, head), complete lines reach to canon_head */
	struct tty_ring input;
	uint32_t canon_head;
	bool literal; /* the next character has no meaning (VLNEXT) */
	bool erasing; /* within \.../ (ECHOPRT) */
	uint32_t column, canon_column;
	struct tty_ring feed, output, echo;

	struct mutex read_mutex, write_mutex, master_read_mutex, master_write_mutex;
	struct waitq read_wait, write_wait; /* the slave's */
	struct waitq master_read_wait, master_write_wait;
};

static inline uint32_t ring_used(const struct tty_ring *ring)
{
	return ring->head - ring->tail;
}

static inline uint8_t tty_char(const struct tty *tty, uint32_t at)
{
	return tty->buffers->input[at % TTY_INPUT_BYTES];
}

/* Room for whatever one character becomes. */
static inline bool tty_output_room(const struct tty *tty)
{
	return !tty->stopped && TTY_OUTPUT_BYTES - ring_used(&tty->output) >= TTY_STEP_BYTES;
}

/* tty.c */
must_check int tty_new(struct superblock *sb, uint32_t index, struct tty **out);
void tty_get(struct tty *tty);
void tty_put(struct tty *tty);
void tty_defaults(struct tty *tty);
void tty_wake_slave(struct tty *tty);
void tty_wake_master(struct tty *tty);
void tty_packet_note(struct tty *tty, uint8_t set, uint8_t clear); /* TIOCPKT_* for the master, if it wants them */
void tty_stop(struct tty *tty);
void tty_start(struct tty *tty); /* unless a call has stopped it */
/* May the caller read (SIGTTIN) or change (SIGTTOU) it? 0, -EIO, -ERESTARTSYS: signalled. */
must_check int tty_job_check(struct tty *tty, int sig);
/* TIOCSCTTY and what open(2) does without O_NOCTTY. */
struct fs_job;
void tty_control(struct tty *tty, const struct fs_job *job);
void tty_uncontrol(struct tty *tty); /* the session has none from here on */

/* tty_line.c: the line discipline */
void tty_feed(struct tty *tty); /* looks at what the master has written, as far as there is room */
/* Bytes of the slave on their way to the master; how many were taken, fewer when there is no room. */
size_t tty_output(struct tty *tty, const uint8_t *bytes, size_t n);
bool tty_input_ready(const struct tty *tty, bool for_poll);
/* Takes what a read gets in canonical mode (one line at most), or in raw mode (all there is). n <= TTY_INPUT_BYTES. */
size_t tty_take(struct tty *tty, uint8_t *bytes, size_t n);
uint32_t tty_input_count(const struct tty *tty); /* FIONREAD */
void tty_input_flush(struct tty *tty);
void tty_output_flush(struct tty *tty);
void tty_echo_flush(struct tty *tty);
void tty_termios_set(struct tty *tty, const struct abi_termios2 *termios);

/* tty_ioctl.c */
long tty_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument);

/* pty.c */
void pty_init(void);
bool pty_hung_up(const struct file *slave);
must_check int pty_slave_open(struct tty *tty, struct inode *inode, const struct path *path, uint32_t flags,
			      struct cred *cred, struct file **out);
must_check int pty_master_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
			       struct file **out);
long pty_peer_open(struct file *master, uint32_t flags); /* TIOCGPTPEER */

/* devpts.c */
void devpts_init(void);
/* A number, and a node for it that belongs to cred. -ENOSPC. tty->inode is counted. */
must_check int devpts_add(struct superblock *sb, struct cred *cred, struct tty **out);
void devpts_remove(struct tty *tty);
struct superblock *devpts_default(void); /* NULL: there is none */
/* The place of a terminal's slave in the tree, gives. */
must_check int devpts_place(const struct tty *tty, const struct path *hint, struct path *out);

#endif
