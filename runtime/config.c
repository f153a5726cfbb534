/* config.c - see config.h. The format is YAML, read by libyaml as events: one mapping, whose keys are the long names of
 * options.def, and whose values are texts, or lists of texts for options that add up. A value is taken as it is
 * written, so that 512M, 0.5 and no mean what they mean on the command line; true and false are for options without a
 * value.
 *
 * Limits: CONFIG_BYTES_LIMIT; no anchors, tags or further documents, of which nothing here has any use. Stands alone,
 * for the fuzzer.
 */
#include "runtime/config.h"

#include "runtime/yaml_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reader {
	struct yaml_reader yaml;
	config_take take;
	void *context;
	char *error;
	unsigned seen[OPTION_COUNT]; /* the line of each key; 0: not yet */
	char key[64];
};

printf_like(2, 3) static bool wrong(struct reader *r, const char *format, ...)
{
	int used = snprintf(r->error, CONFIG_ERROR_BYTES, "%u: %s%s", yaml_reader_line(&r->yaml), r->key,
			    *r->key ? ": " : "");
	va_list args;

	va_start(args, format);
	vsnprintf(r->error + used, CONFIG_ERROR_BYTES - (size_t)used, format, args);
	va_end(args);
	return false;
}

static bool next(struct reader *r)
{
	const char *why;

	switch (yaml_reader_next(&r->yaml, &why)) {
	case YAML_STEP_BROKEN:
		snprintf(r->error, CONFIG_ERROR_BYTES, "%u: this is not YAML: %s", yaml_reader_line(&r->yaml), why);
		return false;
	case YAML_STEP_REFUSED:
		return wrong(r, "%s", why);
	default:
		return true;
	}
}

static const char *scalar(const struct reader *r)
{
	return yaml_reader_text(&r->yaml);
}

/* true and false as YAML writes them: plain, not in quotes. */
static bool is_plain(const struct reader *r, const char *word)
{
	return r->yaml.event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp(scalar(r), word);
}

static bool read_list(struct reader *r, enum option_id option)
{
	if (r->yaml.event.type != YAML_SEQUENCE_START_EVENT)
		return wrong(r, "use a list, such as [%s]", option_rows[option].argument);
	for (;;) {
		if (!next(r))
			return false;
		if (r->yaml.event.type == YAML_SEQUENCE_END_EVENT)
			return true;
		if (!scalar(r))
			return wrong(r, "use a list of texts, not of lists or mappings");
		r->take(r->context, option, scalar(r), yaml_reader_line(&r->yaml));
	}
}

static bool read_value(struct reader *r, enum option_id option)
{
	const struct option_row *row = &option_rows[option];

	if (row->many)
		return read_list(r, option);
	if (!scalar(r))
		return wrong(r, "use one value, not a list or a mapping");
	bool yes = is_plain(r, "true"), no = is_plain(r, "false");
	if (row->value == VALUE_NONE && !yes && !no)
		return wrong(r, "use true or false");
	if (row->value == VALUE_REQUIRED && (yes || no || !*scalar(r)))
		return wrong(r, "give a value: %s", row->argument);
	if (!no || row->value == VALUE_REQUIRED)
		r->take(r->context, option, yes ? NULL : scalar(r), yaml_reader_line(&r->yaml));
	return true;
}

/* The option that a key names; OPTION_COUNT with the error set. */
static enum option_id find_key(struct reader *r)
{
	unsigned option = 0;

	r->key[0] = 0;
	if (!scalar(r)) {
		(void)wrong(r, "a key must be the name of an option");
		return OPTION_COUNT;
	}
	snprintf(r->key, sizeof r->key, "%s", scalar(r));
	while (option < OPTION_COUNT && strcmp(option_rows[option].name, scalar(r)) != 0)
		option++;
	if (option == OPTION_COUNT) {
		const char *near = nearest_option(scalar(r));
		(void)wrong(r, "no such option%s%s%s; see usbx run --help", near ? "; did you mean " : "",
			    near ? near : "", near ? "?" : "");
	} else if (option_rows[option].topic == TOPIC_HELP || option_rows[option].topic == TOPIC_CONFIG) {
		(void)wrong(r, "only for the command line");
		option = OPTION_COUNT;
	} else if (r->seen[option]) {
		(void)wrong(r, "is already in line %u: keep one of them", r->seen[option]);
		option = OPTION_COUNT;
	}
	return (enum option_id)option;
}

static bool read_document(struct reader *r)
{
	if (!next(r) || !next(r)) /* the stream's beginning */
		return false;
	if (r->yaml.event.type == YAML_STREAM_END_EVENT)
		return true;
	if (!next(r))
		return false;
	if (scalar(r) && !*scalar(r))
		return true;
	if (r->yaml.event.type != YAML_MAPPING_START_EVENT)
		return wrong(r, "use lines of the form option: value");
	for (;;) {
		if (!next(r))
			return false;
		if (r->yaml.event.type == YAML_MAPPING_END_EVENT)
			break;
		enum option_id option = find_key(r);
		if (option == OPTION_COUNT)
			return false;
		r->seen[option] = yaml_reader_line(&r->yaml);
		if (!next(r) || !read_value(r, option))
			return false;
	}
	r->key[0] = 0;
	if (!next(r) || !next(r))
		return false;
	return r->yaml.event.type == YAML_STREAM_END_EVENT ||
	       wrong(r, "a second document: one file, one set of options");
}

bool config_parse(const char *text, size_t size, config_take take, void *context, char error[CONFIG_ERROR_BYTES])
{
	struct reader r = {.take = take, .context = context, .error = error};

	if (!yaml_reader_init(&r.yaml, text, size)) {
		snprintf(error, CONFIG_ERROR_BYTES, "1: no memory");
		return false;
	}
	bool right = read_document(&r);
	yaml_reader_fini(&r.yaml);
	return right;
}
