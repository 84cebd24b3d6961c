/* list_options.h — what the reader of a list may read, and where it delivers the documents. */
#ifndef HF_API_LISTS_LIST_OPTIONS_H
#define HF_API_LISTS_LIST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/base/err.h"

enum hf_list_member { HF_LIST_ITEM, HF_LIST_REMOVED };

struct hf_list_options {
	bool ndjson;	       /* one document a line; else a JSON object with "items" (and "removed") arrays */
	size_t item_max_bytes; /* largest document; also the limit for everything around the arrays */
	uint32_t items_max;    /* in both members together */

	/* Called before the reader's buffers grow by that many bytes; returning false fails with HF_E_OVERLOADED. May be NULL. The
	 * reader never returns a charge; hf_list_reader_close() frees the memory. */
	bool (*charge)(void *context, size_t bytes);

	/* Takes one complete document without whitespace around it, valid until the call returns. `place` counts from 1: the line
	 * of an NDJSON body (blank lines are counted and skipped), else the place in its array. The member is always HF_LIST_ITEM
	 * in NDJSON. `too_large`: it has more than item_max_bytes (whitespace before a line end counts); text is then the skim
	 * (skim.h) that identifies it, or NULL with len 0 if it cannot be identified.
	 * An error ends the reading; the reader then fails with it and with `why`, which is never NULL. */
	enum hf_err (*document)(void *context, enum hf_list_member member, uint32_t place, const char *text, size_t len,
				bool too_large, struct hf_why *why);
	void *context; /* borrowed; passed to both functions */
};

#endif
