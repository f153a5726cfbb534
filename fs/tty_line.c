/* tty_line.c - the line discipline: what happens to each character between the two ends (termios(3), N_TTY in Linux).
 *
 * Input goes feed -> character by character through receive -> input. In canonical mode the part behind canon_head is
 * the line that is being edited; a delimiter moves canon_head and sets its bit in line_ends. The end-of-file character
 * is stored as 0 with its bit set, and is left out when the line is read. When the input is full and has no complete
 * line, each further character replaces the last one, so that a delimiter can still arrive.
 *
 * What input shows (echo) is queued as operations, because how many columns a character takes is known only when it is
 * put out, and because output may be stopped. Operations: see enum echo_op.
 *
 * Nothing here parks.
 *
 * Limits: no parity and no breaks, which a pseudoterminal has not; echo beyond TTY_ECHO_BYTES loses the oldest.
 */
#include "fs/hooks.h"
#include "fs/tty_impl.h"
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define TAB_COLUMNS 8u
#define DISABLED    0 /* _POSIX_VDISABLE: a special character with this value does not exist */

enum echo_op {
	ECHO_CHAR,       /* through output processing */
	ECHO_CONTROL,    /* as ^X */
	ECHO_BACK,       /* one column back, nothing shown */
	ECHO_LINE_START, /* the edited line begins at this column */
	ECHO_ERASE_TAB,  /* argument: columns before the tab; ERASE_AFTER_TAB: since the tab before it */
};
#define ERASE_AFTER_TAB 0x80u

static bool has(uint32_t flags, uint32_t flag)
{
	return flags & flag;
}

static bool is_control(uint8_t c)
{
	return c < ' ' || c == 0x7f;
}

/* Letters as the kernel's isupper and islower have them, which know Latin-1. */
static bool is_upper(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static bool is_lower(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7);
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || c == '_' || is_upper(c) || is_lower(c);
}

static bool is_continuation(const struct tty *tty, uint8_t c)
{
	return has(tty->termios.iflag, IUTF8) && (c & 0xc0) == 0x80;
}

/* ------------------------------------------------------------------------------------------------ output */

static void output_put(struct tty *tty, uint8_t c)
{
	assert(ring_used(&tty->output) < TTY_OUTPUT_BYTES);
	tty->buffers->output[tty->output.head++ % TTY_OUTPUT_BYTES] = c;
}

static void put_tab(struct tty *tty)
{
	uint32_t spaces = TAB_COLUMNS - tty->column % TAB_COLUMNS;

	tty->column += spaces;
	if ((tty->termios.oflag & TABDLY) != XTABS)
		output_put(tty, '\t');
	else
		while (spaces--)
			output_put(tty, ' ');
}

static void put_return(struct tty *tty)
{
	if (has(tty->termios.oflag, ONOCR) && !tty->column)
		return;
	if (has(tty->termios.oflag, OCRNL)) {
		if (has(tty->termios.oflag, ONLRET))
			tty->column = tty->canon_column = 0;
		output_put(tty, '\n');
		return;
	}
	tty->column = tty->canon_column = 0;
	output_put(tty, '\r');
}

static void put_newline(struct tty *tty)
{
	if (has(tty->termios.oflag, ONLRET))
		tty->column = 0;
	if (has(tty->termios.oflag, ONLCR)) {
		tty->column = 0;
		output_put(tty, '\r');
	}
	tty->canon_column = tty->column;
	output_put(tty, '\n');
}

/* One character with output processing. There is room for TTY_STEP_BYTES. */
static void put_processed(struct tty *tty, uint8_t c)
{
	switch (c) {
	case '\n':
		put_newline(tty);
		return;
	case '\r':
		put_return(tty);
		return;
	case '\t':
		put_tab(tty);
		return;
	case '\b':
		tty->column -= tty->column > 0;
		break;
	default:
		if (is_control(c))
			break;
		if (has(tty->termios.oflag, OLCUC) && is_lower(c))
			c -= 32;
		tty->column += !is_continuation(tty, c);
	}
	output_put(tty, c);
}

size_t tty_output(struct tty *tty, const uint8_t *bytes, size_t n)
{
	bool processed = has(tty->termios.oflag, OPOST);
	size_t done = 0;

	for (; done < n && tty_output_room(tty); done++) {
		if (processed)
			put_processed(tty, bytes[done]);
		else
			output_put(tty, bytes[done]);
	}
	if (done)
		waitq_wake(&tty->master_read_wait, POLLIN | POLLRDNORM);
	return done;
}

void tty_output_flush(struct tty *tty)
{
	if (ring_used(&tty->output) > TTY_MASTER_READ)
		tty->output.head = tty->output.tail + TTY_MASTER_READ;
	tty_packet_note(tty, TIOCPKT_FLUSHWRITE, 0);
	waitq_wake(&tty->write_wait, POLLOUT | POLLWRNORM);
}

/* ------------------------------------------------------------------------------------------------ echo */

static void echo_run(struct tty *tty, enum echo_op op, uint8_t argument)
{
	uint32_t columns = argument & ~ERASE_AFTER_TAB;

	switch (op) {
	case ECHO_CHAR:
		if (has(tty->termios.oflag, OPOST))
			put_processed(tty, argument);
		else
			output_put(tty, argument);
		return;
	case ECHO_CONTROL:
		output_put(tty, '^');
		output_put(tty, argument ^ 0100);
		tty->column += 2;
		return;
	case ECHO_BACK:
		tty->column -= tty->column > 0;
		return;
	case ECHO_LINE_START:
		tty->canon_column = tty->column;
		return;
	case ECHO_ERASE_TAB:
		if (!(argument & ERASE_AFTER_TAB))
			columns += tty->canon_column;
		for (uint32_t i = TAB_COLUMNS - columns % TAB_COLUMNS; i; i--) {
			output_put(tty, '\b');
			tty->column -= tty->column > 0;
		}
		return;
	}
}

void tty_echo_flush(struct tty *tty)
{
	bool any = false;

	while (ring_used(&tty->echo) && tty_output_room(tty)) {
		uint32_t at = tty->echo.tail % TTY_ECHO_BYTES;
		tty->echo.tail += 2;
		echo_run(tty, tty->buffers->echo[at], tty->buffers->echo[at + 1]);
		any = true;
	}
	if (any)
		waitq_wake(&tty->master_read_wait, POLLIN | POLLRDNORM);
}

static void echo(struct tty *tty, enum echo_op op, uint8_t argument)
{
	uint32_t at = tty->echo.head % TTY_ECHO_BYTES;

	if (ring_used(&tty->echo) == TTY_ECHO_BYTES)
		tty->echo.tail += 2;
	tty->buffers->echo[at] = op;
	tty->buffers->echo[at + 1] = argument;
	tty->echo.head += 2;
}

static void echo_text(struct tty *tty, const char *text)
{
	for (; *text; text++)
		echo(tty, ECHO_CHAR, (uint8_t)*text);
}

static void echo_char(struct tty *tty, uint8_t c)
{
	bool control = has(tty->termios.lflag, ECHOCTL) && is_control(c) && c != '\t';

	echo(tty, control ? ECHO_CONTROL : ECHO_CHAR, c);
}

static void finish_erasing(struct tty *tty)
{
	if (tty->erasing)
		echo(tty, ECHO_CHAR, '/');
	tty->erasing = false;
}

/* A character that joins the edited line. */
static void echo_input(struct tty *tty, uint8_t c)
{
	if (tty->canon_head == tty->input.head)
		echo(tty, ECHO_LINE_START, 0);
	echo_char(tty, c);
}

/* ------------------------------------------------------------------------------------------------ the input buffer */

static void end_bit(struct tty *tty, uint32_t at, bool set)
{
	uint8_t *byte = &tty->buffers->line_ends[at % TTY_INPUT_BYTES / 8], bit = 1u << at % 8;

	*byte = set ? *byte | bit : *byte & ~bit;
}

static bool is_end(const struct tty *tty, uint32_t at)
{
	return tty->buffers->line_ends[at % TTY_INPUT_BYTES / 8] & 1u << at % 8;
}

/* feed_room has made sure that there is a place. */
static void input_put(struct tty *tty, uint8_t c)
{
	if (ring_used(&tty->input) < TTY_INPUT_BYTES)
		tty->buffers->input[tty->input.head++ % TTY_INPUT_BYTES] = c;
}

/* 0xff in input that marks nothing is doubled (PARMRK). */
static void input_put_marked(struct tty *tty, uint8_t c)
{
	if (has(tty->termios.iflag, PARMRK) && c == 0xff)
		input_put(tty, c);
	input_put(tty, c);
}

static void end_line(struct tty *tty, uint8_t c)
{
	end_bit(tty, tty->input.head, true);
	input_put(tty, c);
	tty->canon_head = tty->input.head;
	waitq_wake(&tty->read_wait, POLLIN | POLLRDNORM);
}

static bool is_canonical(const struct tty *tty)
{
	return has(tty->termios.lflag, ICANON) && !has(tty->termios.lflag, EXTPROC);
}

bool tty_input_ready(const struct tty *tty, bool for_poll)
{
	uint32_t least = 1;

	if (is_canonical(tty))
		return tty->canon_head != tty->input.tail;
	if (for_poll && !tty->termios.cc[ABI_VTIME] && tty->termios.cc[ABI_VMIN])
		least = tty->termios.cc[ABI_VMIN];
	return ring_used(&tty->input) >= least;
}

static size_t take_raw(struct tty *tty, uint8_t *bytes, size_t n)
{
	n = MIN(n, (size_t)ring_used(&tty->input));
	for (size_t i = 0; i < n; i++)
		bytes[i] = tty_char(tty, tty->input.tail++);
	return n;
}

/* An end-of-file right behind what fills the reader's buffer is taken along: it would else end the next read. */
static size_t take_line(struct tty *tty, uint8_t *bytes, size_t n)
{
	size_t done = 0;

	while (tty->input.tail != tty->canon_head) {
		uint32_t at = tty->input.tail;
		bool end = is_end(tty, at), eof = end && tty_char(tty, at) == DISABLED;
		if (done == n && !eof)
			break;
		tty->input.tail++;
		end_bit(tty, at, false);
		if (!eof)
			bytes[done++] = tty_char(tty, at);
		if (end)
			break;
	}
	return done;
}

size_t tty_take(struct tty *tty, uint8_t *bytes, size_t n)
{
	assert(n <= TTY_INPUT_BYTES);
	size_t done = is_canonical(tty) ? take_line(tty, bytes, n) : take_raw(tty, bytes, n);
	if ((int32_t)(tty->canon_head - tty->input.tail) < 0)
		tty->canon_head = tty->input.tail;
	return done;
}

uint32_t tty_input_count(const struct tty *tty)
{
	uint32_t count = 0;

	if (!is_canonical(tty))
		return ring_used(&tty->input);
	for (uint32_t at = tty->input.tail; at != tty->canon_head; at++)
		count += !(is_end(tty, at) && tty_char(tty, at) == DISABLED);
	return count;
}

void tty_input_flush(struct tty *tty)
{
	tty->input.head = tty->input.tail = tty->canon_head = 0;
	tty->erasing = false;
	memset(tty->buffers->line_ends, 0, sizeof tty->buffers->line_ends);
	tty_packet_note(tty, TIOCPKT_FLUSHREAD, 0);
}

/* ------------------------------------------------------------------------------------------------ editing */

/* A tab that is erased takes back the columns to where the text before it ended. */
static void echo_erase_tab(struct tty *tty)
{
	uint32_t columns = 0, at = tty->input.head;
	bool after_tab = false;

	while (at != tty->canon_head && !after_tab) {
		uint8_t c = tty_char(tty, --at);
		if (c == '\t')
			after_tab = true;
		else if (is_control(c))
			columns += has(tty->termios.lflag, ECHOCTL) ? 2 : 0;
		else
			columns += !is_continuation(tty, c);
	}
	echo(tty, ECHO_ERASE_TAB, columns % TAB_COLUMNS | (after_tab ? ERASE_AFTER_TAB : 0));
}

/* c, and the bytes of its encoding behind it, were at head. */
static void echo_erased(struct tty *tty, uint8_t c, uint32_t bytes, bool one)
{
	uint32_t lflag = tty->termios.lflag;

	if (has(lflag, ECHOPRT)) {
		if (!tty->erasing)
			echo(tty, ECHO_CHAR, '\\');
		tty->erasing = true;
		echo_char(tty, c);
		for (uint32_t i = 1; i < bytes; i++) {
			echo(tty, ECHO_CHAR, tty_char(tty, tty->input.head + i));
			echo(tty, ECHO_BACK, 0);
		}
	} else if (one && !has(lflag, ECHOE)) {
		echo_char(tty, tty->termios.cc[ABI_VERASE]);
	} else if (c == '\t') {
		echo_erase_tab(tty);
	} else {
		if (is_control(c) && has(lflag, ECHOCTL))
			echo_text(tty, "\b \b");
		if (!is_control(c) || has(lflag, ECHOCTL))
			echo_text(tty, "\b \b");
	}
}

/* Takes back one character with all its bytes: the first of them is left in *c, its bytes are counted. false: nothing
 * whole is left. */
static bool last_char(const struct tty *tty, uint8_t *c, uint32_t *bytes)
{
	uint32_t head = tty->input.head;

	if (head == tty->canon_head)
		return false;
	do {
		*c = tty_char(tty, --head);
	} while (is_continuation(tty, *c) && head != tty->canon_head);
	*bytes = tty->input.head - head;
	return !is_continuation(tty, *c);
}

static void erase(struct tty *tty, bool word, bool one)
{
	bool seen_word = false, shown = has(tty->termios.lflag, ECHO);
	uint32_t bytes;
	uint8_t c;

	while (last_char(tty, &c, &bytes)) {
		if (word && !is_word(c) && seen_word)
			break;
		seen_word |= is_word(c);
		tty->input.head -= bytes;
		if (shown)
			echo_erased(tty, c, bytes, one);
		if (one)
			break;
	}
	if (tty->input.head == tty->canon_head && shown)
		finish_erasing(tty);
}

static void kill_line(struct tty *tty)
{
	const uint32_t visibly = ECHOK | ECHOKE | ECHOE;
	uint32_t lflag = tty->termios.lflag;

	if (tty->input.head == tty->canon_head)
		return;
	if (has(lflag, ECHO) && (lflag & visibly) == visibly) {
		erase(tty, false, false);
		return;
	}
	tty->input.head = tty->canon_head;
	if (!has(lflag, ECHO))
		return;
	finish_erasing(tty);
	echo_char(tty, tty->termios.cc[ABI_VKILL]);
	if (has(lflag, ECHOK))
		echo(tty, ECHO_CHAR, '\n');
}

static void reprint(struct tty *tty, uint8_t c)
{
	finish_erasing(tty);
	echo_char(tty, c);
	echo(tty, ECHO_CHAR, '\n');
	for (uint32_t at = tty->canon_head; at != tty->input.head; at++)
		echo_char(tty, tty_char(tty, at));
}

/* ------------------------------------------------------------------------------------------------ receiving */

static bool is_key(const struct tty *tty, unsigned index, uint8_t c)
{
	return c != DISABLED && tty->termios.cc[index] == c;
}

static void receive_signal(struct tty *tty, int sig, uint8_t c)
{
	hook_signal_group(tty->pgid, sig);
	if (!has(tty->termios.lflag, NOFLSH)) {
		tty->echo.tail = tty->echo.head;
		tty_output_flush(tty);
		tty_input_flush(tty);
	}
	if (has(tty->termios.iflag, IXON))
		tty_start(tty);
	if (has(tty->termios.lflag, ECHO))
		echo_char(tty, c);
}

/* Flow control and signals. true: that was all. */
static bool receive_control(struct tty *tty, uint8_t c)
{
	static const struct {
		uint8_t key, sig;
	} signals[] = {{ABI_VINTR, SIGINT}, {ABI_VQUIT, SIGQUIT}, {ABI_VSUSP, SIGTSTP}};

	if (has(tty->termios.iflag, IXON)) {
		if (is_key(tty, ABI_VSTART, c)) {
			tty_start(tty);
			return true;
		}
		if (is_key(tty, ABI_VSTOP, c)) {
			tty_stop(tty);
			return true;
		}
	}
	for (unsigned i = 0; has(tty->termios.lflag, ISIG) && i < COUNT(signals); i++) {
		if (is_key(tty, signals[i].key, c)) {
			receive_signal(tty, signals[i].sig, c);
			return true;
		}
	}
	return false;
}

static void start_literal(struct tty *tty)
{
	tty->literal = true;
	if (!has(tty->termios.lflag, ECHO))
		return;
	finish_erasing(tty);
	if (has(tty->termios.lflag, ECHOCTL))
		echo_text(tty, "^\b");
}

/* The keys that edit a line or end it. true: that was all. */
static bool receive_edit(struct tty *tty, uint8_t c)
{
	uint32_t lflag = tty->termios.lflag;
	bool extended = has(lflag, IEXTEN), shown = has(lflag, ECHO);

	if (is_key(tty, ABI_VERASE, c)) {
		erase(tty, false, true);
	} else if (is_key(tty, ABI_VKILL, c)) {
		kill_line(tty);
	} else if (extended && is_key(tty, ABI_VWERASE, c)) {
		erase(tty, true, false);
	} else if (extended && is_key(tty, ABI_VLNEXT, c)) {
		start_literal(tty);
	} else if (extended && shown && is_key(tty, ABI_VREPRINT, c)) {
		reprint(tty, c);
	} else if (c == '\n') {
		if (shown || has(lflag, ECHONL))
			echo(tty, ECHO_CHAR, '\n');
		end_line(tty, c);
	} else if (is_key(tty, ABI_VEOF, c)) {
		end_line(tty, DISABLED);
	} else if (is_key(tty, ABI_VEOL, c) || (extended && is_key(tty, ABI_VEOL2, c))) {
		if (shown)
			echo_input(tty, c);
		if (has(tty->termios.iflag, PARMRK) && c == 0xff)
			input_put(tty, c);
		end_line(tty, c);
	} else {
		return false;
	}
	return true;
}

static void receive_plain(struct tty *tty, uint8_t c, bool newline_moves)
{
	if (has(tty->termios.lflag, ECHO)) {
		finish_erasing(tty);
		if (c == '\n' && newline_moves)
			echo(tty, ECHO_CHAR, '\n');
		else
			echo_input(tty, c);
	}
	input_put_marked(tty, c);
}

/* Returns false where the character vanishes. */
static bool translate(const struct tty *tty, uint8_t *c)
{
	uint32_t iflag = tty->termios.iflag;

	if (*c == '\r') {
		if (has(iflag, IGNCR))
			return false;
		if (has(iflag, ICRNL))
			*c = '\n';
	} else if (*c == '\n' && has(iflag, INLCR)) {
		*c = '\r';
	}
	return true;
}

static void receive(struct tty *tty, uint8_t c)
{
	bool literal = tty->literal;

	tty->literal = false;
	if (has(tty->termios.iflag, ISTRIP))
		c &= 0x7f;
	if (has(tty->termios.iflag, IUCLC) && has(tty->termios.lflag, IEXTEN))
		c += is_upper(c) ? 32 : 0;
	if (!literal && has(tty->termios.lflag, EXTPROC)) {
		input_put(tty, c);
		return;
	}
	bool special = !literal && tty->special[c / 32] & 1u << c % 32;
	if (special && receive_control(tty, c))
		return;
	if (tty->stopped && has(tty->termios.iflag, IXON) && has(tty->termios.iflag, IXANY))
		tty_start(tty);
	if (special && (!translate(tty, &c) || (has(tty->termios.lflag, ICANON) && receive_edit(tty, c))))
		return;
	receive_plain(tty, c, special);
}

/* May one more character be looked at? Where nobody could ever make room, it replaces the last one. */
static bool feed_room(struct tty *tty)
{
	int32_t room = (int32_t)(TTY_INPUT_BYTES - ring_used(&tty->input));

	if (has(tty->termios.iflag, PARMRK))
		room = (room + 2) / 3;
	if (--room > 0)
		return true;
	if (!has(tty->termios.lflag, ICANON) || tty->canon_head != tty->input.tail)
		return false;
	if (room < 0)
		tty->input.head--;
	return true;
}

void tty_feed(struct tty *tty)
{
	uint32_t before = ring_used(&tty->feed);

	while (ring_used(&tty->feed) && feed_room(tty))
		receive(tty, tty->buffers->feed[tty->feed.tail++ % TTY_FEED_BYTES]);
	if (ring_used(&tty->feed) == before)
		return;
	tty_echo_flush(tty);
	if (tty_input_ready(tty, true))
		waitq_wake(&tty->read_wait, POLLIN | POLLRDNORM);
	waitq_wake(&tty->master_write_wait, POLLOUT | POLLWRNORM);
}

/* ------------------------------------------------------------------------------------------------ settings */

static void mark(struct tty *tty, uint8_t c)
{
	tty->special[c / 32] |= 1u << c % 32;
}

static void mark_special(struct tty *tty)
{
	const uint8_t *cc = tty->termios.cc;
	uint32_t iflag = tty->termios.iflag, lflag = tty->termios.lflag;

	memset(tty->special, 0, sizeof tty->special);
	if (has(lflag, ICANON)) {
		mark(tty, cc[ABI_VERASE]);
		mark(tty, cc[ABI_VKILL]);
		mark(tty, cc[ABI_VEOF]);
		mark(tty, cc[ABI_VEOL]);
		mark(tty, '\n');
	}
	if (has(lflag, ICANON) && has(lflag, IEXTEN)) {
		mark(tty, cc[ABI_VWERASE]);
		mark(tty, cc[ABI_VLNEXT]);
		mark(tty, cc[ABI_VEOL2]);
		if (has(lflag, ECHO))
			mark(tty, cc[ABI_VREPRINT]);
	}
	if (has(iflag, IXON)) {
		mark(tty, cc[ABI_VSTART]);
		mark(tty, cc[ABI_VSTOP]);
	}
	if (has(lflag, ISIG)) {
		mark(tty, cc[ABI_VINTR]);
		mark(tty, cc[ABI_VQUIT]);
		mark(tty, cc[ABI_VSUSP]);
	}
	tty->special[0] &= ~1u; /* DISABLED */
	if (has(iflag, IGNCR) || has(iflag, ICRNL))
		mark(tty, '\r');
	if (has(iflag, INLCR))
		mark(tty, '\n');
}

/* Canonical mode came or went: what lies in the input becomes one line, or plain bytes. */
static void change_mode(struct tty *tty)
{
	memset(tty->buffers->line_ends, 0, sizeof tty->buffers->line_ends);
	tty->canon_head = tty->input.tail;
	if (has(tty->termios.lflag, ICANON) && ring_used(&tty->input)) {
		tty->canon_head = tty->input.head;
		end_bit(tty, tty->input.head - 1, true);
	}
	tty->erasing = tty->literal = false;
}

static bool has_usual_flow_control(const struct abi_termios2 *termios)
{
	return has(termios->iflag, IXON) && termios->cc[ABI_VSTART] == 021 && termios->cc[ABI_VSTOP] == 023;
}

void tty_termios_set(struct tty *tty, const struct abi_termios2 *termios)
{
	struct abi_termios2 old = tty->termios;
	bool flow = has_usual_flow_control(termios);

	tty->termios = *termios;
	tty->termios.cflag = (tty->termios.cflag & ~(uint32_t)(CSIZE | PARENB)) | CS8 | CREAD;
	if (flow != has_usual_flow_control(&old))
		tty_packet_note(tty, flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
	if (has(old.lflag | termios->lflag, EXTPROC))
		tty_packet_note(tty, TIOCPKT_IOCTL, 0);
	mark_special(tty);
	if ((old.lflag ^ termios->lflag) & (ICANON | EXTPROC))
		change_mode(tty);
	if (has(old.iflag, IXON) && !has(termios->iflag, IXON) && !tty->stopped_by_call)
		tty_start(tty);
	tty_feed(tty);
	tty_wake_slave(tty);
}
