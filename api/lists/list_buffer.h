/* list_buffer.h — keeps the document that a list's reader has begun, and hands it over; shared by both forms of a list.
 *
 * A document that continues in the next piece is kept; one that grows larger than item_max_bytes is skimmed instead. Functions
 * that fail leave the reason in buffer->why. One thread at a time.
 */
#ifndef HF_API_LISTS_LIST_BUFFER_H
#define HF_API_LISTS_LIST_BUFFER_H

#include "api/text/buf.h"
#include "list_options.h"
#include "skim.h"

struct hf_list_buffer {
	struct hf_list_options options;
	struct hf_buf text; /* what earlier pieces held of the current document */
	bool too_large;	    /* the current document has become too large: only what `skim` finds in it is kept */
	struct hf_skim skim;
	uint32_t place;		   /* lines or elements that have ended */
	uint32_t documents, items; /* handed over */
	struct hf_why why;
};

static inline bool hf_list_is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Returns the length of a text without the whitespace at its end. */
static inline size_t hf_list_trimmed(const char *text, size_t len) {
	while (len > 0 && hf_list_is_space(text[len - 1]))
		len--;
	return len;
}

/* Adds to one of the reader's buffers; the caller keeps the length within item_max_bytes.
 * Fails with HF_E_OVERLOADED if charge() refuses, or memory runs out. */
enum hf_err hf_list_add(struct hf_list_buffer *buffer, struct hf_buf *to, const char *data, size_t len) HF_CHECKED;

/* Keeps part of a document that continues in the next piece.
 * Fails with HF_E_OVERLOADED as hf_list_add() does. */
enum hf_err hf_list_keep(struct hf_list_buffer *buffer, const char *data, size_t len) HF_CHECKED;

/* Hands over the document that consists of the kept bytes followed by these.
 * Fails with HF_E_BODY_TOO_LARGE if the list has more than items_max documents.
 * Fails with HF_E_OVERLOADED as hf_list_add() does.
 * Other errors are those of document(). */
enum hf_err hf_list_hand_over(struct hf_list_buffer *buffer, enum hf_list_member member, uint32_t place, const char *last,
			      size_t len) HF_CHECKED;

void hf_list_buffer_free(struct hf_list_buffer *buffer);

#endif
