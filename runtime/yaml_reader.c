/* yaml_reader.c - see yaml_reader.h.
 *
 * Limits: those of libyaml; how long a file may be is for its reader to say.
 */
#include "runtime/yaml_reader.h"

#include <string.h>

bool yaml_reader_init(struct yaml_reader *reader, const char *text, size_t size)
{
	memset(reader, 0, sizeof *reader);
	if (!yaml_parser_initialize(&reader->parser))
		return false;
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text, size);
	return true;
}

void yaml_reader_fini(struct yaml_reader *reader)
{
	yaml_event_delete(&reader->event);
	yaml_parser_delete(&reader->parser);
}

/* What is nobody's business here; NULL: nothing. */
static const char *refusal(const yaml_event_t *event)
{
	bool text = event->type == YAML_SCALAR_EVENT;

	if (event->type == YAML_ALIAS_EVENT || (text && event->data.scalar.anchor))
		return "anchors and aliases have no meaning here: write the value out";
	if (text && event->data.scalar.tag)
		return "tags have no meaning here: write the value alone";
	if (text && strlen((char *)event->data.scalar.value) != event->data.scalar.length)
		return "a text with a byte of zero in it";
	return NULL;
}

enum yaml_step yaml_reader_next(struct yaml_reader *reader, const char **why)
{
	yaml_event_delete(&reader->event);
	if (!yaml_parser_parse(&reader->parser, &reader->event)) {
		*why = reader->parser.problem ? reader->parser.problem : "no memory";
		return YAML_STEP_BROKEN;
	}
	*why = refusal(&reader->event);
	return *why ? YAML_STEP_REFUSED : YAML_STEP_DONE;
}

unsigned yaml_reader_line(const struct yaml_reader *reader)
{
	bool broken = reader->parser.error != YAML_NO_ERROR;

	return (unsigned)(broken ? reader->parser.problem_mark.line : reader->event.start_mark.line) + 1;
}

const char *yaml_reader_text(const struct yaml_reader *reader)
{
	return reader->event.type == YAML_SCALAR_EVENT ? (const char *)reader->event.data.scalar.value : NULL;
}
