/* procnet.h - the directory net/ of /proc (proc(5)). */
#ifndef NETSTACK_PROCNET_H
#define NETSTACK_PROCNET_H

#include "fs/nodefs.h"

#define PROCNET_FILES 13
extern const struct node_desc procnet_files[PROCNET_FILES];

#endif
