/* yaml_reader.h - the YAML of our own files (config.h, policy_file.h): libyaml's events, without what has no meaning in
 * them: anchors, aliases, tags, texts with a byte of zero. Stands alone, for the fuzzers.
 */
#ifndef RUNTIME_YAML_READER_H
#define RUNTIME_YAML_READER_H

#include "sentry/base/types.h"

#include <yaml.h>

struct yaml_reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
};

/* text is borrowed until yaml_reader_fini. false: no memory, and nothing to undo. */
must_check bool yaml_reader_init(struct yaml_reader *reader, const char *text, size_t size);
void yaml_reader_fini(struct yaml_reader *reader);

enum yaml_step { YAML_STEP_DONE, YAML_STEP_BROKEN, YAML_STEP_REFUSED };
/* Goes on to the next event. BROKEN: the text is no YAML at yaml_reader_line; REFUSED: the event is none of ours. why
 * says it in words, static or the parser's. */
must_check enum yaml_step yaml_reader_next(struct yaml_reader *reader, const char **why);
/* Of the current event, or of what is broken; from 1. */
unsigned yaml_reader_line(const struct yaml_reader *reader);
/* The current event's text, borrowed; NULL: it is none. */
const char *yaml_reader_text(const struct yaml_reader *reader);

#endif
