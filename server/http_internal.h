/* http_internal.h — what the parts of the HTTP server share: http.c (the daemon), client.c (who holds what) and exchange.c (one
 * request and its answer). */
#ifndef HF_SERVER_HTTP_INTERNAL_H
#define HF_SERVER_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "http.h"
#include "worker.h"

struct hf_http {
	struct hf_api *api;
	struct hf_wakeups *wakeups;
	struct hf_lane *lanes[HF_LANE_NAMES]; /* none for the workers' own requests */
	struct MHD_Daemon *daemon;
	_Atomic bool drained; /* the time to finish what began is over */
	uint64_t waiting_max; /* requests that wait for a change, so that connections are left for others */
	struct hf_workers workers;
};

#endif
