/* procnet.h - the directory net/ of /proc (proc(5)). */
#ifndef NETSTACK_PROCNET_H
#define NETSTACK_PROCNET_H

#include "fs/nodefs.h"

#define PROCNET_FILES 23
extern const struct node_desc procnet_files[PROCNET_FILES];

/* procstat.c */
int procstat_show_snmp6(const struct node_ref *ref, struct text *out);
int procstat_show_netstat(const struct node_ref *ref, struct text *out);
int procstat_show_snmp(const struct node_ref *ref, struct text *out);
int procstat_show_sockstat(const struct node_ref *ref, struct text *out);
int procstat_show_sockstat6(const struct node_ref *ref, struct text *out);

#endif
