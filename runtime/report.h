/* report.h - what a sandbox leaves behind, told at its end: --diff and --save. */
#ifndef RUNTIME_REPORT_H
#define RUNTIME_REPORT_H

#include "fs/changes.h"
#include "runtime/change_text.h"
#include "runtime/options.h"

/* Once, before the sandbox runs. save_file: host file index, or HOSTFILE_NONE; save_path: as the person named it. */
void report_init(enum diff_form diff, uint32_t save_file, const char *save_path);
bool report_wanted(void);
/* PARKS. In the jail, after the last guest has gone. */
void report_changes(void);
/* Something that was asked for could not be written. */
bool report_failed(void);

/* report_save.c. PARKS. Writes the list as an archive into a host file: 0 or -errno. left_out counts those that an
 * archive cannot hold, the first of which becomes *example. */
must_check int report_save(const struct change_list *list, uint32_t host_file, size_t *left_out,
			   const struct change **example);
/* What is shown of a change; target has PATH_LIMIT bytes. */
void report_describe(const struct change *change, char *target, struct change_shown *out);

#endif
