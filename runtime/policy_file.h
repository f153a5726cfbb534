/* policy_file.h - a policy as a file (docs/policy.md): YAML with the keys allow, deny, listen and limits. */
#ifndef RUNTIME_POLICY_FILE_H
#define RUNTIME_POLICY_FILE_H

#include "netstack/policy.h"

#define POLICY_FILE_BYTES  (256u << 10)
#define POLICY_ERROR_BYTES 640

/* Adds what the text says to out. false: error is "LINE: what is wrong". */
must_check bool policy_parse(const char *text, size_t size, struct policy_config *out, char error[POLICY_ERROR_BYTES]);
/* The same of a file; fails (fail.h) with its name and line. */
void policy_file_apply(const char *path, struct policy_config *out);

/* PORT[-PORT][/tcp|/udp] */
must_check bool policy_port_parse(const char *text, struct policy_publish *out);

#endif
