/* api.h — what all requests share: the store, the committer, the counters. */
#ifndef HF_API_CALL_API_H
#define HF_API_CALL_API_H

#include <stdatomic.h>
#include <stdbool.h>

#include "api/text/buf.h"
#include "shares.h"
#include "storage/store/committer.h"
#include "storage/store/store.h"
#include "traffic.h"

struct hf_hosts;
struct hf_metrics;
struct hf_route;
struct hf_syncs;

/* What is worth a line in the log that is no request's own. */
enum hf_event_level { HF_EVENT_DEBUG, HF_EVENT_INFO, HF_EVENT_WARN, HF_EVENT_ERROR };

struct hf_api {
	struct hf_store *store;
	struct hf_committer *committer;
	const struct hf_route *routes; /* the table */
	int n_routes;
	struct hf_metrics *metrics;
	struct hf_syncs *syncs;
	const struct hf_hosts *hosts; /* the server's own; NULL: any */
	/* Where events go: a message and logfmt pairs. NULL: nowhere. */
	void (*event)(enum hf_event_level level, const char *message, const char *pairs);
	bool log_debug;			 /* whether events of that level are wanted */
	uint64_t (*lines_dropped)(void); /* of the log, since the start. NULL: none ever are */
	size_t body_max_bytes;		 /* of a request's body; of one document of a list */
	uint32_t quarantine_seconds;	 /* of a pool that states none */
	int64_t started_ms;		 /* by the store's monotonic clock */
	_Atomic bool stopping;		 /* not ready any more */
	_Atomic int checks;		 /* that are under way, or wait for their turn */
	int64_t check_began_us;		 /* the last check's, and its answer; of the operations' lane alone */
	struct hf_buf check_answer;
	struct hf_shares shares; /* of what answers hold while they are read */
	struct hf_traffic traffic;
};

static inline void hf_api_event(const struct hf_api *api, enum hf_event_level level, const char *message, const char *pairs) {
	if (api->event)
		api->event(level, message, pairs);
}

#endif
