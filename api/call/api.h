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

struct hf_access;
struct hf_hosts;
struct hf_metrics;
struct hf_route;
struct hf_syncs;

/* The level of an event that concerns no single request and deserves a line in the log. */
enum hf_event_level { HF_EVENT_DEBUG, HF_EVENT_INFO, HF_EVENT_WARN, HF_EVENT_ERROR };

struct hf_api {
	struct hf_store *store;
	struct hf_committer *committer;
	const struct hf_route *routes; /* the route table */
	int n_routes;
	struct hf_metrics *metrics;
	struct hf_syncs *syncs;
	struct hf_access *access;     /* who may call; NULL: nobody, unless it is open_to_all */
	bool open_to_all;	      /* no authentication: every caller is an administrator */
	const struct hf_hosts *hosts; /* the server's own names; NULL: accept any */
	/* Receives events: a message and logfmt pairs. NULL: discard them. */
	void (*event)(enum hf_event_level level, const char *message, const char *pairs);
	bool log_debug;			 /* log debug events */
	uint64_t (*lines_dropped)(void); /* number of log lines dropped since the start; NULL: none are ever dropped */
	size_t body_max_bytes;		 /* of a request's body, or of one document of a list */
	uint32_t quarantine_seconds;	 /* of a pool that does not state its own */
	int64_t started_ms;		 /* by the store's monotonic clock */
	_Atomic bool stopping;		 /* the server is no longer ready */
	_Atomic int checks;		 /* checks that are running or waiting for their turn */
	int64_t check_began_us;		 /* start of the last check, whose answer follows; only the operations' lane uses both */
	struct hf_buf check_answer;
	struct hf_shares shares; /* memory and snapshots held by answers while they are read */
	struct hf_traffic traffic;
};

static inline void hf_api_event(const struct hf_api *api, enum hf_event_level level, const char *message, const char *pairs) {
	if (api->event)
		api->event(level, message, pairs);
}

#endif
