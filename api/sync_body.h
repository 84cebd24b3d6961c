/* sync_body.h — a zone's list on its way in: the parameters and the documents of a sync or a manifest. */
#ifndef HF_API_SYNC_BODY_H
#define HF_API_SYNC_BODY_H

#include "call.h"
#include "list_reader.h"
#include "storage/known.h"
#include "syncs.h"

enum hf_sync_return { HF_RETURN_CHANGED, HF_RETURN_ALL, HF_RETURN_NONE };

struct hf_sync_body {
	struct hf_call *call;
	struct hf_sync sync;
	struct hf_list_reader *reader;
	bool ndjson;
	enum hf_sync_return want; /* which results are answered */
	int64_t start_us;
	uint32_t n_documents;  /* that came so far */
	struct hf_known known; /* read once there are enough of them for it to pay */
};

/* Reads the query parameters and headers into a new body. Errors as the API's. */
enum hf_err hf_sync_params_read(struct hf_call *call, struct hf_sync_body *body) HF_CHECKED;

/* call->refused of a sync: takes note, and tells the guard's summary. */
void hf_sync_refused(struct hf_call *call, enum hf_err err, struct hf_json *json);

/* Reads the parameters and headers of a route whose body is a list, before the body comes; call->sync_body is then set. Errors as
 * the API's, HF_E_OVERLOADED when memory is short. */
enum hf_err hf_sync_body_open(struct hf_call *call) HF_CHECKED;

/* A piece of the body. HF_E_INVALID_JSON, HF_E_INVALID_PARAMETER, HF_E_BODY_TOO_LARGE (too many items), HF_E_OVERLOADED. */
enum hf_err hf_sync_body_feed(struct hf_sync_body *body, const char *data, size_t len, struct hf_why *why) HF_CHECKED;

/* The body is over: the sync has all its items. The errors above, and HF_E_INCOMPLETE_LIST. */
enum hf_err hf_sync_body_end(struct hf_sync_body *body, struct hf_why *why) HF_CHECKED;

/* Frees it, with its sync. NULL is fine. */
void hf_sync_body_close(struct hf_sync_body *body);

#endif
