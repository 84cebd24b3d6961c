/* http.h — serves HTTP with libmicrohttpd: requests in, answers out, and what waits in between. */
#ifndef HF_SERVER_HTTP_HTTP_H
#define HF_SERVER_HTTP_HTTP_H

#include "api/call/call.h"
#include "lane.h"
#include "wakeups.h"

struct hf_http;

struct hf_http_options {
	uint64_t connections_max;	  /* open at once */
	uint64_t connections_per_address; /* of these from one address; 0: three quarters */
	uint64_t head_seconds;		  /* for a request's head to arrive */
	uint64_t body_seconds;		  /* for a body to arrive or an answer to be read; one second more for each 16 KiB */
	uint64_t idle_seconds;		  /* that a connection stays open without a request */
	uint64_t threads;		  /* workers */
};

/* Serves on a listening socket until hf_http_stop(). Takes the socket over, and closes it if it fails.
 * Fails with HF_E_OVERLOADED if memory or threads run out. */
enum hf_err hf_http_start(int listen_fd, const struct hf_http_options *options, struct hf_api *api, struct hf_wakeups *wakeups,
			  struct hf_lane *const lanes[HF_LANE_NAMES], struct hf_why *why, struct hf_http **ret) HF_CHECKED;

/* Stops accepting connections and waits up to `grace_ms` for current requests to end; requests in a lane that have not begun by
 * then are refused. May be called again, to wait for answers that are being sent. */
void hf_http_drain(struct hf_http *http, int grace_ms);

/* Ends the workers and frees the server. No connection may be suspended: stop the wakeups, the committer and the lanes first. NULL
 * is fine. */
void hf_http_stop(struct hf_http *http);

#endif
