/* termios.h - the terminal structures that ioctl moves, as Linux x86-64 has them (asm-generic/termbits.h, termios.h).
 */
#ifndef SENTRY_ABI_TERMIOS_H
#define SENTRY_ABI_TERMIOS_H

#include <stdint.h>

#define ABI_NCCS 19

struct abi_termios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[ABI_NCCS];
};
_Static_assert(sizeof(struct abi_termios) == 36, "struct termios");

struct abi_termios2 {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[ABI_NCCS];
	uint32_t ispeed, ospeed;
};
_Static_assert(sizeof(struct abi_termios2) == 44, "struct termios2");

struct abi_winsize {
	uint16_t rows, columns, x_pixels, y_pixels;
};
_Static_assert(sizeof(struct abi_winsize) == 8, "struct winsize");

/* Indices into cc. */
enum {
	ABI_VINTR,
	ABI_VQUIT,
	ABI_VERASE,
	ABI_VKILL,
	ABI_VEOF,
	ABI_VTIME,
	ABI_VMIN,
	ABI_VSWTC,
	ABI_VSTART,
	ABI_VSTOP,
	ABI_VSUSP,
	ABI_VEOL,
	ABI_VREPRINT,
	ABI_VDISCARD,
	ABI_VWERASE,
	ABI_VLNEXT,
	ABI_VEOL2
};

#endif
