/* sync_body.h — a zone's list on its way in: the parameters and the documents of a sync or a manifest. */
#ifndef HF_API_SYNC_SYNC_BODY_H
#define HF_API_SYNC_SYNC_BODY_H

#include "api/call/call.h"
#include "api/lists/list_reader.h"
#include "storage/sync/known.h"
#include "sync_ledger.h"

enum hf_sync_return { HF_RETURN_CHANGED, HF_RETURN_ALL, HF_RETURN_NONE };

struct hf_sync_body {
	struct hf_sink sink; /* call->sink */
	struct hf_call *call;
	struct hf_budget *share; /* the zone's of the memory */
	struct hf_sync sync;
	struct hf_list_reader *reader;
	bool ndjson;
	enum hf_sync_return want; /* which results are answered */
	int64_t start_us;
	uint32_t n_documents;  /* that came so far */
	uint32_t learn_at;     /* how many of them it takes for this to pay, 0 until that is known: */
	struct hf_known known; /* … who they are about, by their digests; until the body's end */
};

/* Gives the call a body of its own: reads the query parameters and headers, and takes the documents as they come. Errors as the
 * API's, HF_E_OVERLOADED when memory is short. */
enum hf_err hf_sync_body_open(struct hf_call *call, bool is_manifest) HF_CHECKED;

/* The call's, once it is open. */
static inline struct hf_sync_body *hf_sync_body_of(const struct hf_call *call) { return (struct hf_sync_body *)call->sink; }

/* Reads the query parameters and headers (sync_params.c). */
enum hf_err hf_sync_params_read(struct hf_call *call, bool is_manifest, struct hf_sync_body *ret) HF_CHECKED;

/* Counts a document, and reads what is known of the zone once there are enough of them for it to pay (sync_shortcut.c). */
void hf_sync_learn(struct hf_sync_body *body);

/* Takes a document, of which input->raw is set, for what it was when a lease was stored from it: sets the rest of *input, which
 * borrows *id. False: it has to be parsed, as it always has to be where every refused claim is to be told. */
bool hf_sync_take_known(struct hf_sync_body *body, struct hf_sync_input *input, const char *text, size_t len,
			struct hf_identity *id) HF_CHECKED;

#endif
