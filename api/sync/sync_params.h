/* sync_params.h — the query parameters and headers of a sync or a manifest. */
#ifndef HF_API_SYNC_SYNC_PARAMS_H
#define HF_API_SYNC_SYNC_PARAMS_H

#include "api/call/call.h"
#include "api/call/route.h"
#include "storage/sync/sync.h"

enum hf_sync_return { HF_RETURN_CHANGED, HF_RETURN_ALL, HF_RETURN_NONE };

struct hf_sync_params {
	bool ndjson;		  /* the body has one document a line */
	enum hf_sync_return want; /* which results are answered */
};

/* Reads them into *ret (zeros) and into the sync's zone, mode, scope, guards and epoch.
 * Fails with HF_E_INVALID_PARAMETER if a parameter or header is missing or invalid.
 * Fails with HF_E_INVALID_NAME if the zone or the mesh is not a name. */
enum hf_err hf_sync_params_read(struct hf_call *call, bool is_manifest, struct hf_sync *sync,
				struct hf_sync_params *ret) HF_CHECKED;

#endif
