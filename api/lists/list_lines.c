/* list_lines.c — a list with one document a line. */
#include "list_lines.h"

#include <string.h>

#include "api/text/parse.h"
#include "list_json.h"

/* Returns whether a line has begun. Blanks before it are never kept, so they cannot make it too large. */
static bool in_line(const struct hf_list_buffer *buffer) { return buffer->text.len > 0 || buffer->too_large; }

enum hf_err hf_list_lines_feed(struct hf_list_buffer *buffer, const char *data, size_t len) {
	const char *at = data, *end = data + len;
	enum hf_err err = HF_OK;
	while (!err && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
		while (!in_line(buffer) && at < stop && hf_list_is_space(*at))
			at++;
		bool blank = !in_line(buffer) && at == stop;
		buffer->place += newline != NULL;
		if (!blank && newline)
			err = hf_list_hand_over(buffer, HF_LIST_ITEM, buffer->place, at, (size_t)(stop - at));
		else if (!blank)
			err = hf_list_keep(buffer, at, (size_t)(stop - at));
		at = newline ? newline + 1 : end;
	}
	return err;
}

/* Handles a last line without a line end, which may have been cut off: matching brackets show that it was not. Other faults are
 * left to the consumer. */
enum hf_err hf_list_lines_end(struct hf_list_buffer *buffer) {
	uint32_t line = buffer->place + 1;
	if (!in_line(buffer))
		return HF_OK;
	size_t skimmed;
	if (buffer->too_large && hf_skim_end(&buffer->skim, &skimmed))
		return hf_list_hand_over(buffer, HF_LIST_ITEM, line, "", 0);
	if (buffer->too_large)
		return hf_fail(&buffer->why, HF_E_BODY_TOO_LARGE,
			       "line %u has more than %zu bytes and no line end: the body may have been cut off", line,
			       buffer->options.item_max_bytes);
	const char *mark = hf_parse_mark(buffer->text.data, buffer->text.len);
	if (mark)
		return hf_fail(&buffer->why, HF_E_INVALID_JSON, "line %u: %s", line, mark);
	if (!hf_list_json_is_whole(buffer->text.data, hf_list_trimmed(buffer->text.data, buffer->text.len)))
		return hf_fail(&buffer->why, HF_E_INVALID_JSON, "line %u: the body ends in the middle of a document", line);
	return hf_list_hand_over(buffer, HF_LIST_ITEM, line, "", 0);
}
