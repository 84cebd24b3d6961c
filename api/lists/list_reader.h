/* list_reader.h — reads a list of documents from a body that arrives in pieces, in bounded memory.
 *
 * Two forms: NDJSON, one document a line; and a JSON object whose members `items` and `removed` are arrays of documents. Each
 * document is handed over as soon as it is complete: in place if it lies in one piece, else from a buffer that grows to
 * item_max_bytes at most. A reader finds where documents begin and end, and never parses one: it may hand over any text without a
 * line end, or (from arrays) any text whose brackets and quotes match. The positions of the cuts make no difference.
 *
 * A body is known to be whole and well-formed only after hf_list_reader_end(); documents are handed over before. One thread at a
 * time may use a reader.
 */
#ifndef HF_API_LISTS_LIST_READER_H
#define HF_API_LISTS_LIST_READER_H

#include <jansson.h>

#include "list_options.h"

struct hf_list_reader;

/* Makes a reader with a copy of the options.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_list_reader_open(const struct hf_list_options *options, struct hf_list_reader **ret) HF_CHECKED;

/* Reads the next piece, which is borrowed for the call and may have any length. After an error every later call fails with the
 * same error. Otherwise fails with the errors of document().
 * Fails with HF_E_INVALID_JSON if the text around the documents is malformed; `why` names the preceding element.
 * Fails with HF_E_BODY_TOO_LARGE if the list has more than items_max documents, or more than item_max_bytes around the arrays.
 * Fails with HF_E_OVERLOADED if charge() refuses, or memory runs out. */
enum hf_err hf_list_reader_feed(struct hf_list_reader *reader, const char *data, size_t len, struct hf_why *why) HF_CHECKED;

/* Ends the body, which may hand over the last line. Call it once. *ret_rest, for JSON: what surrounded the elements of the two
 * arrays, such as {"total":23,"items":[],"next":null}, parsed by hf_parse_object(); the caller drops the reference; NULL for
 * NDJSON. An `items` or `removed` that is not an array is in it unchanged. *ret_items: the number of HF_LIST_ITEM. An empty body
 * is an error in JSON and an empty list in NDJSON. A last line without a line end may have been cut off: it is handed over only if
 * its brackets and quotes make it a whole object, array or string.
 * Fails with HF_E_INVALID_JSON if the body ends too early, or the rest is not JSON (a second `items` included).
 * Fails with HF_E_BODY_TOO_LARGE if a last line without a line end is too large, and its skim cannot identify it.
 * Other errors as hf_list_reader_feed(). */
enum hf_err hf_list_reader_end(struct hf_list_reader *reader, struct hf_why *why, json_t **ret_rest,
			       uint32_t *ret_items) HF_CHECKED;

/* Frees the reader, at any time; NULL-safe. */
void hf_list_reader_close(struct hf_list_reader *reader);

#endif
