/* list_reader.c — reads lists in pieces, in either form. */
#include "list_reader.h"

#include <stdlib.h>

#include "list_json.h"
#include "list_lines.h"

struct hf_list_reader {
	struct hf_list_buffer buffer;
	struct hf_list_json json; /* unused for lines */
	enum hf_err err;	  /* why the reading ended */
};

enum hf_err hf_list_reader_open(const struct hf_list_options *options, struct hf_list_reader **ret) {
	struct hf_list_reader *reader = calloc(1, sizeof *reader);
	if (!reader)
		return HF_E_OVERLOADED;
	reader->buffer.options = *options;
	reader->json.buffer = &reader->buffer;
	*ret = reader;
	return HF_OK;
}

/* Returns why the reading ended, each time it is called. */
static enum hf_err outcome(const struct hf_list_reader *reader, struct hf_why *why) {
	return reader->err ? hf_fail(why, reader->err, "%s", reader->buffer.why.text) : HF_OK;
}

enum hf_err hf_list_reader_feed(struct hf_list_reader *reader, const char *data, size_t len, struct hf_why *why) {
	if (!reader->err && len > 0)
		reader->err = reader->buffer.options.ndjson ? hf_list_lines_feed(&reader->buffer, data, len)
							    : hf_list_json_feed(&reader->json, data, len);
	return outcome(reader, why);
}

enum hf_err hf_list_reader_end(struct hf_list_reader *reader, struct hf_why *why, json_t **ret_rest, uint32_t *ret_items) {
	json_t *rest = NULL;
	if (!reader->err)
		reader->err =
			reader->buffer.options.ndjson ? hf_list_lines_end(&reader->buffer) : hf_list_json_end(&reader->json, &rest);
	if (!reader->err) {
		*ret_rest = rest;
		*ret_items = reader->buffer.items;
	}
	return outcome(reader, why);
}

void hf_list_reader_close(struct hf_list_reader *reader) {
	if (!reader)
		return;
	hf_list_buffer_free(&reader->buffer);
	hf_buf_free(&reader->json.rest);
	free(reader);
}
