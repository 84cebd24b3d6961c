/* http_internal.h — the HTTP server as its parts see it. */
#ifndef HF_SERVER_HTTP_HTTP_INTERNAL_H
#define HF_SERVER_HTTP_HTTP_INTERNAL_H

#include <pthread.h>

#include "api/call/call.h"
#include "client.h"
#include "lane.h"
#include "linger.h"
#include "wakeups.h"
#include "worker.h"

struct hf_http {
	struct hf_api *api;
	struct hf_wakeups *wakeups;
	struct hf_lane *lanes[HF_LANE_NAMES]; /* NULL for HF_LANE_WORKER: those requests stay on their worker */
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;  /* for the condition */
	pthread_cond_t ended;  /* the last current request has ended; signalled while draining */
	_Atomic bool draining; /* a thread waits for the current requests */
	_Atomic bool drained;  /* the time to finish current requests is over */
	struct hf_clients clients;
	struct hf_watch *watch;
	struct hf_linger *linger;
	struct hf_workers workers;
};

#endif
