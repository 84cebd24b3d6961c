/* http.h — HTTP by libmicrohttpd: requests in, answers out, and what waits in between. */
#ifndef HF_SERVER_HTTP_HTTP_H
#define HF_SERVER_HTTP_HTTP_H

#include "api/call/call.h"
#include "lane.h"
#include "server/config/options.h"
#include "wakeups.h"

struct hf_http;

/* Serves on a listening socket, which it takes over, until hf_http_stop(). */
enum hf_err hf_http_start(int listen_fd, const struct hf_options *options, struct hf_api *api, struct hf_wakeups *wakeups,
			  struct hf_lane *const lanes[HF_LANE_NAMES], struct hf_why *why, struct hf_http **ret) HF_CHECKED;

/* Takes no new connection and lets the requests under way end, for at most `grace_ms`; long ones that have not begun by then are
 * refused. May be called again, to wait for answers on their way. */
void hf_http_drain(struct hf_http *http, int grace_ms);

/* Ends the workers; nothing may be suspended any more: the wakeups, the committer and the lanes are stopped before. Frees. NULL is
 * fine. */
void hf_http_stop(struct hf_http *http);

#endif
