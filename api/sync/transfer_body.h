/* transfer_body.h — the items of a transfer on their way in. */
#ifndef HF_API_SYNC_TRANSFER_BODY_H
#define HF_API_SYNC_TRANSFER_BODY_H

#include "api/call/call.h"
#include "api/lists/list_reader.h"
#include "storage/requests/transfer.h"

struct hf_transfer_body {
	struct hf_sink sink; /* call->sink */
	struct hf_call *call;
	struct hf_budget *share; /* of the memory for syncs */
	struct hf_transfer transfer;
	struct hf_list_reader *reader;
	bool ndjson;	/* one item a line */
	bool wants_all; /* the answer has every item */
};

/* Gives the call a sink for its body, which takes the items as they come; reads the query parameters and headers first.
 * Fails with HF_E_INVALID_PARAMETER if a parameter or header is invalid.
 * Fails with HF_E_OVERLOADED if memory is short. */
enum hf_err hf_transfer_body_open(struct hf_call *call) HF_CHECKED;

/* Returns the call's body; only after hf_transfer_body_open(). */
static inline struct hf_transfer_body *hf_transfer_body_of(const struct hf_call *call) {
	return (struct hf_transfer_body *)call->sink;
}

#endif
