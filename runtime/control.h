/* control.h - how a running sandbox is found by its name, and what it can be told from outside (usbx policy).
 *
 * Each sandbox with a network listens at a Unix socket ID.sock in a directory of its user's, who alone may enter it.
 * The process of the command line serves it, outside of the jail; ID is --name, or that process's number.
 *
 * A request is one line and what belongs to it, then the end of what is written:
 *     show                         the answer: "ok", and the policy as a file
 *     set\n TEXT OF A POLICY       the answer: "ok N dropped", or "error LINE: what is wrong"
 */
#ifndef RUNTIME_CONTROL_H
#define RUNTIME_CONTROL_H

#include "runtime/options.h"
#include "runtime/policy_file.h"

#define CONTROL_NAME_BYTES 65
#define CONTROL_TEXT_BYTES (POLICY_FILE_BYTES + 64) /* of a request or an answer */

/* The directory with the sockets; NULL: it is not there (create: and cannot be made), or is not ours alone. */
const char *control_directory(bool create);
/* Can it be a sandbox's name? */
bool control_name_good(const char *name);

/* Opens the socket, and puts the sandbox's end of the way for changes at descriptor wanted, which
 * is taken by something until then. Fails (fail.h) only with
 * --name; else the sandbox cannot be changed. */
void control_open(const struct options *options, int wanted);
/* To be polled for reading; -1: nothing. */
int control_fd(void);
/* Somebody is there: answers, within a bounded time. */
void control_serve(void);
void control_close(void);

#endif
