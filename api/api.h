/* api.h — what all requests share: the store, the committer, the counters. */
#ifndef HF_API_API_H
#define HF_API_API_H

#include <stdatomic.h>
#include <stdbool.h>

#include "storage/committer.h"
#include "storage/store.h"

struct hf_metrics;

struct hf_api {
	struct hf_store *store;
	struct hf_committer *committer;
	struct hf_metrics *metrics;
	size_t body_max_bytes;	     /* of a request's body */
	uint32_t quarantine_seconds; /* of a pool that states none */
	int64_t started_ms;
	_Atomic bool stopping; /* not ready any more */
};

#define HF_DEFAULT_BODY_MAX ((size_t)256 * 1024)

#endif
