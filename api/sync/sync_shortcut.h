/* sync_shortcut.h — recognises documents that a lease was last stored from, byte for byte: they need no parsing.
 *
 * Reading what the zone's leases were stored from walks over all of them, so it waits until so many documents have come that it
 * pays. One thread at a time.
 */
#ifndef HF_API_SYNC_SYNC_SHORTCUT_H
#define HF_API_SYNC_SYNC_SHORTCUT_H

#include "api/call/call.h"
#include "storage/sync/known.h"
#include "storage/sync/sync.h"

struct hf_sync_shortcut {
	uint32_t n_documents;  /* documents so far */
	uint32_t learn_at;     /* the number of documents from which it pays; 0: not known yet */
	struct hf_known known; /* the zone's documents by their digests; the owner frees it */
};

/* Counts a document, and reads the zone's known documents once enough have come. */
void hf_sync_learn(struct hf_sync_shortcut *shortcut, struct hf_call *call, const struct hf_sync *sync);

/* Takes a document, whose digest is in input->raw, as what it was when a lease was stored from it: sets the rest of *input, which
 * borrows *id. Returns false if it has to be parsed; `reads_claims`: which it always has to be if it claims addresses. */
bool hf_sync_take_known(const struct hf_sync_shortcut *shortcut, const struct hf_sync *sync, bool reads_claims,
			struct hf_sync_input *input, const char *text, size_t len, struct hf_identity *id) HF_CHECKED;

#endif
