/* http_internal.h — what the parts of the HTTP server share: http.c (the daemon), client.c (who holds what) and exchange.c (one
 * request and its answer). */
#ifndef HF_SERVER_HTTP_HTTP_INTERNAL_H
#define HF_SERVER_HTTP_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "client.h"
#include "http.h"
#include "linger.h"
#include "worker.h"

struct hf_http {
	struct hf_api *api;
	struct hf_wakeups *wakeups;
	struct hf_lane *lanes[HF_LANE_NAMES]; /* none for the workers' own requests */
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;  /* for the condition */
	pthread_cond_t ended;  /* no request is under way any more; once it is draining */
	_Atomic bool draining; /* somebody waits for the requests under way */
	_Atomic bool drained;  /* the time to finish what began is over */
	struct hf_clients clients;
	struct hf_linger *linger;
	struct hf_workers workers;
};

#endif
