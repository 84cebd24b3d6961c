/* list_reader.h — reads a list of documents from a body that comes in pieces, in bounded memory.
 *
 * Two forms: NDJSON, one document a line; and a JSON object whose members `items` and `removed` are arrays of documents. Each
 * document is handed over as soon as it is wholly there: in place if it lies in one piece, else from a buffer that grows to
 * item_max_bytes at most. A reader finds where documents begin and end and never parses one: what it hands over may be any text
 * without a line end, or (from arrays) any text whose brackets and quotes match. Where the pieces are cut makes no difference.
 *
 * A body is known to be whole and well-formed only after hf_list_reader_end(); documents are handed over before. One thread at a
 * time may use a reader.
 */
#ifndef HF_API_LISTS_LIST_READER_H
#define HF_API_LISTS_LIST_READER_H

#include <jansson.h>

#include "list_options.h"

struct hf_list_reader;

/* Makes a reader with a copy of the options. HF_E_OVERLOADED: out of memory. */
enum hf_err hf_list_reader_open(const struct hf_list_options *options, struct hf_list_reader **ret) HF_CHECKED;

/* Reads the next piece, which is borrowed for the call; any length, 0 too. After an error every later call answers the same.
 * HF_E_INVALID_JSON: the form around the documents is broken, with the element after which. HF_E_BODY_TOO_LARGE: more than
 * items_max documents, or more than item_max_bytes around the arrays. HF_E_OVERLOADED: charge() refused or out of memory.
 * Else what document() failed with. */
enum hf_err hf_list_reader_feed(struct hf_list_reader *reader, const char *data, size_t len, struct hf_why *why) HF_CHECKED;

/* The body is over; may hand over the last line. To be called once. *ret_rest: for JSON what surrounded the elements of the two
 * arrays, such as {"total":23,"items":[],"next":null}, parsed by hf_parse_object(); the caller drops the reference; NULL for
 * NDJSON. An `items` or `removed` that is no array is in it as it came. *ret_items: how many HF_LIST_ITEM there were.
 * HF_E_INVALID_JSON: the body ends in the middle of something, or the rest is no JSON (a second `items` too); an empty body is
 * an error in JSON and an empty list in NDJSON. A last line without a line end must be a whole object, array or string, as far as
 * its brackets and quotes tell, since it may have been cut off; it is not handed over if it is not. One that is too large, and of
 * which a skim cannot tell, is HF_E_BODY_TOO_LARGE. Others as above. */
enum hf_err hf_list_reader_end(struct hf_list_reader *reader, struct hf_why *why, json_t **ret_rest,
			       uint32_t *ret_items) HF_CHECKED;

/* Frees the reader, at any time; NULL-safe. */
void hf_list_reader_close(struct hf_list_reader *reader);

#endif
