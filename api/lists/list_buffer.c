/* list_buffer.c — keeps the document that a list's reader has begun, and hands it over. */
#include "list_buffer.h"

#include <stdlib.h>

#define FIRST_BYTES 4096 /* of a buffer */

static enum hf_err grow(struct hf_list_buffer *buffer, struct hf_buf *to, size_t need) {
	size_t cap = to->cap ? to->cap * 2 : FIRST_BYTES;
	if (cap > buffer->options.item_max_bytes)
		cap = buffer->options.item_max_bytes;
	if (cap < need)
		cap = need;
	if (buffer->options.charge && !buffer->options.charge(buffer->options.context, cap - to->cap))
		return hf_fail(&buffer->why, HF_E_OVERLOADED, "too much memory is in use to read the list now");
	char *data = realloc(to->data, cap);
	if (!data)
		return hf_no_memory(&buffer->why);
	to->data = data;
	to->cap = cap;
	return HF_OK;
}

enum hf_err hf_list_add(struct hf_list_buffer *buffer, struct hf_buf *to, const char *data, size_t len) {
	enum hf_err err = HF_OK;
	if (to->cap - to->len < len)
		err = grow(buffer, to, to->len + len);
	if (!err)
		hf_buf_add(to, data, len);
	return err;
}

static bool fits(const struct hf_list_buffer *buffer, size_t len) {
	return !buffer->too_large && len <= buffer->options.item_max_bytes - buffer->text.len;
}

/* Skims a document that is too large for the members that identify it: first the bytes kept so far, then the current piece. */
static enum hf_err skim(struct hf_list_buffer *buffer, const char *data, size_t len) {
	const struct hf_list_options *options = &buffer->options;
	if (!buffer->too_large) {
		if (buffer->skim.out.cap == 0 && options->charge && !options->charge(options->context, HF_SKIM_MAX))
			return hf_fail(&buffer->why, HF_E_OVERLOADED, "too much memory is in use to read the list now");
		hf_skim_begin(&buffer->skim);
		hf_skim_feed(&buffer->skim, buffer->text.data, buffer->text.len);
		buffer->too_large = true;
		buffer->text.len = 0;
	}
	hf_skim_feed(&buffer->skim, data, len);
	return HF_OK;
}

enum hf_err hf_list_keep(struct hf_list_buffer *buffer, const char *data, size_t len) {
	return fits(buffer, len) ? hf_list_add(buffer, &buffer->text, data, len) : skim(buffer, data, len);
}

enum hf_err hf_list_hand_over(struct hf_list_buffer *buffer, enum hf_list_member member, uint32_t place, const char *last,
			      size_t len) {
	const struct hf_list_options *options = &buffer->options;
	bool too_large = !fits(buffer, len);
	if (buffer->documents == options->items_max)
		return hf_fail(&buffer->why, HF_E_BODY_TOO_LARGE, "the list has more than %u items", options->items_max);
	buffer->documents++;
	buffer->items += member == HF_LIST_ITEM;
	enum hf_err err = HF_OK;
	if (too_large) {
		err = skim(buffer, last, len);
		len = 0;
		last = hf_skim_end(&buffer->skim, &len);
	} else if (buffer->text.len > 0) {
		err = hf_list_add(buffer, &buffer->text, last, len);
		last = buffer->text.data;
		len = buffer->text.len;
	}
	buffer->text.len = 0;
	buffer->too_large = false;
	return err ? err
		   : options->document(options->context, member, place, last, hf_list_trimmed(last, len), too_large, &buffer->why);
}

void hf_list_buffer_free(struct hf_list_buffer *buffer) {
	hf_buf_free(&buffer->text);
	hf_skim_free(&buffer->skim);
}
