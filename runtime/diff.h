/* diff.h - `usbx diff`: shows what is in an archive that `usbx run --save` has written. */
#ifndef RUNTIME_DIFF_H
#define RUNTIME_DIFF_H

/* argv[0] is "diff". The status to exit with. */
int diff_main(int argc, char **argv);

#endif
