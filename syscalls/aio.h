/* aio.h - io_setup(2) and its fellows. */
#ifndef SYSCALLS_AIO_H
#define SYSCALLS_AIO_H

/* Once at start: contexts go with their address spaces. */
void aio_init(void);

#endif
