/* list_reader.c — lists in pieces: the buffers, and the form with one document a line. */
#include "list_reader.h"

#include <stdlib.h>
#include <string.h>

#include "api/text/parse.h"
#include "list_internal.h"

#define FIRST_BYTES 4096 /* of a buffer */

static enum hf_err grow(struct hf_list_reader *reader, struct hf_buf *buf, size_t need) {
	size_t cap = buf->cap ? buf->cap * 2 : FIRST_BYTES;
	if (cap > reader->options.item_max_bytes)
		cap = reader->options.item_max_bytes;
	if (cap < need)
		cap = need;
	if (reader->options.charge && !reader->options.charge(reader->options.context, cap - buf->cap))
		return hf_fail(&reader->why, HF_E_OVERLOADED, "too much memory is in use to read the list now");
	char *data = realloc(buf->data, cap);
	if (!data)
		return hf_fail(&reader->why, HF_E_OVERLOADED, "out of memory");
	buf->data = data;
	buf->cap = cap;
	return HF_OK;
}

enum hf_err hf_list_add(struct hf_list_reader *reader, struct hf_buf *buf, const char *data, size_t len) {
	enum hf_err err = HF_OK;
	if (buf->cap - buf->len < len)
		err = grow(reader, buf, buf->len + len);
	if (!err)
		hf_buf_add(buf, data, len);
	return err;
}

static bool fits(const struct hf_list_reader *reader, size_t len) {
	return !reader->too_large && len <= reader->options.item_max_bytes - reader->text.len;
}

/* Of a document that is too large goes on what says whose it is: first what was kept of it, then the piece at hand. */
static enum hf_err skim(struct hf_list_reader *reader, const char *data, size_t len) {
	const struct hf_list_options *options = &reader->options;
	if (!reader->too_large) {
		if (reader->skim.out.cap == 0 && options->charge && !options->charge(options->context, HF_SKIM_MAX))
			return hf_fail(&reader->why, HF_E_OVERLOADED, "too much memory is in use to read the list now");
		hf_skim_begin(&reader->skim);
		hf_skim_feed(&reader->skim, reader->text.data, reader->text.len);
		reader->too_large = true;
		reader->text.len = 0;
	}
	hf_skim_feed(&reader->skim, data, len);
	return HF_OK;
}

enum hf_err hf_list_keep(struct hf_list_reader *reader, const char *data, size_t len) {
	return fits(reader, len) ? hf_list_add(reader, &reader->text, data, len) : skim(reader, data, len);
}

/* The length without the whitespace at its end. */
static size_t trimmed(const char *text, size_t len) {
	while (len > 0 && hf_list_is_space(text[len - 1]))
		len--;
	return len;
}

enum hf_err hf_list_hand_over(struct hf_list_reader *reader, enum hf_list_member member, uint32_t place, const char *last,
			      size_t len) {
	const struct hf_list_options *options = &reader->options;
	bool too_large = !fits(reader, len);
	if (reader->documents == options->items_max)
		return hf_fail(&reader->why, HF_E_BODY_TOO_LARGE, "the list has more than %u items", options->items_max);
	reader->documents++;
	reader->items += member == HF_LIST_ITEM;
	enum hf_err err = HF_OK;
	if (too_large) {
		err = skim(reader, last, len);
		len = 0;
		last = hf_skim_end(&reader->skim, &len);
	} else if (reader->text.len > 0) {
		err = hf_list_add(reader, &reader->text, last, len);
		last = reader->text.data;
		len = reader->text.len;
	}
	reader->text.len = 0;
	reader->too_large = false;
	return err ? err : options->document(options->context, member, place, last, trimmed(last, len), too_large, &reader->why);
}

/* Whether a line has begun: blanks before it are not kept, however many, so that they never make it too large. */
static bool in_line(const struct hf_list_reader *reader) { return reader->text.len > 0 || reader->too_large; }

static enum hf_err feed_lines(struct hf_list_reader *reader, const char *data, size_t len) {
	const char *at = data, *end = data + len;
	enum hf_err err = HF_OK;
	while (!err && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
		while (!in_line(reader) && at < stop && hf_list_is_space(*at))
			at++;
		bool blank = !in_line(reader) && at == stop;
		reader->place += newline != NULL;
		if (!blank && newline)
			err = hf_list_hand_over(reader, HF_LIST_ITEM, reader->place, at, (size_t)(stop - at));
		else if (!blank)
			err = hf_list_keep(reader, at, (size_t)(stop - at));
		at = newline ? newline + 1 : end;
	}
	return err;
}

/* The last line lacks its end: was the body cut off? Brackets that match say no; what else is wrong is the consumer's to judge. */
static enum hf_err end_lines(struct hf_list_reader *reader) {
	uint32_t line = reader->place + 1;
	if (!in_line(reader))
		return HF_OK;
	size_t skimmed;
	if (reader->too_large && hf_skim_end(&reader->skim, &skimmed))
		return hf_list_hand_over(reader, HF_LIST_ITEM, line, "", 0);
	if (reader->too_large)
		return hf_fail(&reader->why, HF_E_BODY_TOO_LARGE,
			       "line %u has more than %zu bytes and no line end: whether the body is whole cannot be told", line,
			       reader->options.item_max_bytes);
	const char *mark = hf_parse_mark(reader->text.data, reader->text.len);
	if (mark)
		return hf_fail(&reader->why, HF_E_INVALID_JSON, "line %u: %s", line, mark);
	if (!hf_list_json_is_whole(reader->text.data, trimmed(reader->text.data, reader->text.len)))
		return hf_fail(&reader->why, HF_E_INVALID_JSON, "line %u: the body ends in the middle of a document", line);
	return hf_list_hand_over(reader, HF_LIST_ITEM, line, "", 0);
}

enum hf_err hf_list_reader_open(const struct hf_list_options *options, struct hf_list_reader **ret) {
	struct hf_list_reader *reader = calloc(1, sizeof *reader);
	if (!reader)
		return HF_E_OVERLOADED;
	reader->options = *options;
	*ret = reader;
	return HF_OK;
}

/* Why the reading ended, every time it is asked. */
static enum hf_err outcome(const struct hf_list_reader *reader, struct hf_why *why) {
	return reader->err ? hf_fail(why, reader->err, "%s", reader->why.text) : HF_OK;
}

enum hf_err hf_list_reader_feed(struct hf_list_reader *reader, const char *data, size_t len, struct hf_why *why) {
	if (!reader->err && len > 0)
		reader->err = reader->options.ndjson ? feed_lines(reader, data, len) : hf_list_json_feed(reader, data, len);
	return outcome(reader, why);
}

enum hf_err hf_list_reader_end(struct hf_list_reader *reader, struct hf_why *why, json_t **ret_rest, uint32_t *ret_items) {
	json_t *rest = NULL;
	if (!reader->err)
		reader->err = reader->options.ndjson ? end_lines(reader) : hf_list_json_end(reader, &rest);
	if (!reader->err) {
		*ret_rest = rest;
		*ret_items = reader->items;
	}
	return outcome(reader, why);
}

void hf_list_reader_close(struct hf_list_reader *reader) {
	if (!reader)
		return;
	hf_buf_free(&reader->text);
	hf_skim_free(&reader->skim);
	hf_buf_free(&reader->scan.rest);
	free(reader);
}
