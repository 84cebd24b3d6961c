/* sync_shortcut.h — recognises documents that are byte for byte those from which a lease was last stored: they need no parsing.
 *
 * Reading the zone's known documents walks over all of its leases, so it starts only when enough documents have arrived to be
 * worth it. One thread at a time.
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

/* Takes a document whose digest is in input->raw as known: sets the rest of *input, which borrows *id. Returns false if the
 * document must be parsed. `reads_claims`: it must be parsed whenever it claims addresses. */
bool hf_sync_take_known(const struct hf_sync_shortcut *shortcut, const struct hf_sync *sync, bool reads_claims,
			struct hf_sync_input *input, const char *text, size_t len, struct hf_identity *id) HF_CHECKED;

#endif
