/* list_options.h — what the reader of a list is asked to do, and whom it hands the documents. */
#ifndef HF_API_LISTS_LIST_OPTIONS_H
#define HF_API_LISTS_LIST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/base/err.h"

enum hf_list_member { HF_LIST_ITEM, HF_LIST_REMOVED };

struct hf_list_options {
	bool ndjson;	       /* one document a line; else a JSON object with "items" (and "removed") arrays */
	size_t item_max_bytes; /* of one document; also of what surrounds the arrays */
	uint32_t items_max;    /* of both members together */

	/* Called before the reader's buffers grow by that many bytes; false: HF_E_OVERLOADED. May be NULL. The reader never gives
	 * back what it asked for; hf_list_reader_close() frees it all. */
	bool (*charge)(void *context, size_t bytes);

	/* One document, wholly there, without whitespace around it, valid until the call returns. `place` counts from 1: the line
	 * of an NDJSON body (blank lines are counted and skipped), else the place in its array. The member is always HF_LIST_ITEM
	 * in NDJSON. `too_large`: it has more than item_max_bytes (whitespace before a line end counts); text is then what a skim
	 * (skim.h) finds of whose it is, NULL and len 0 if that cannot be told.
	 * An error ends the reading and is what the reader then answers, with `why`, which is never NULL. */
	enum hf_err (*document)(void *context, enum hf_list_member member, uint32_t place, const char *text, size_t len,
				bool too_large, struct hf_why *why);
	void *context; /* borrowed; given to both calls */
};

#endif
