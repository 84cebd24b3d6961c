/* sync_body.h — reads a zone's list as it arrives: the parameters and the documents of a sync or a manifest. */
#ifndef HF_API_SYNC_SYNC_BODY_H
#define HF_API_SYNC_SYNC_BODY_H

#include "api/call/call.h"
#include "api/lists/list_reader.h"
#include "sync_ledger.h"
#include "sync_params.h"
#include "sync_shortcut.h"

struct hf_sync_body {
	struct hf_sink sink; /* call->sink */
	struct hf_call *call;
	struct hf_budget *share; /* the zone's share of the memory */
	struct hf_sync sync;
	struct hf_list_reader *reader;
	struct hf_sync_params params;
	int64_t start_us;
	struct hf_sync_shortcut shortcut; /* its memory is freed at the body's end */
};

/* Reads the query parameters and headers, then gives the call a sink that takes the documents as they arrive.
 * Fails with HF_E_OVERLOADED if memory is short.
 * Otherwise fails as hf_sync_params_read() does. */
enum hf_err hf_sync_body_open(struct hf_call *call, bool is_manifest) HF_CHECKED;

/* Returns the call's body; only after hf_sync_body_open(). */
static inline struct hf_sync_body *hf_sync_body_of(const struct hf_call *call) { return (struct hf_sync_body *)call->sink; }

#endif
