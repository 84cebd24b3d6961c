/* traffic.c — writes the metrics of connections and requests. */
#include "traffic.h"

#include <inttypes.h>

#include "api/text/prometheus.h"

static const char *const REASONS[] = {
	[HF_CUT_NO_PLACE] = "no-place",		[HF_CUT_KEPT_PLACES] = "kept-places",	[HF_CUT_MADE_ROOM] = "made-room",
	[HF_CUT_HEAD_TIMEOUT] = "head-timeout", [HF_CUT_BODY_TIMEOUT] = "body-timeout", [HF_CUT_ANSWER_TIMEOUT] = "answer-timeout",
	[HF_CUT_CLIENT_GONE] = "client-gone"};

void hf_traffic_write(struct hf_traffic *traffic, struct hf_buf *out) {
	hf_prometheus_single(out, "holdfast_http_connections", "gauge", "Connections that are open.", traffic->connections);
	hf_prometheus_head(out, "holdfast_http_connections_limit", "gauge", "How many may be open: in all, and from one address.");
	hf_buf_printf(out, "holdfast_http_connections_limit{of=\"all\"} %" PRIu64 "\n", traffic->connections_max);
	hf_buf_printf(out, "holdfast_http_connections_limit{of=\"address\"} %" PRIu64 "\n", traffic->per_address_max);
	hf_prometheus_single(out, "holdfast_http_requests_under_way", "gauge",
			     "Requests that began and have not ended, this one included.", traffic->under_way);
	hf_prometheus_single(out, "holdfast_http_waiters", "gauge", "Long-polls that wait for a change.", traffic->waiters);
	hf_prometheus_single(out, "holdfast_http_waiters_limit", "gauge", "How many may wait.", traffic->waiters_max);
	hf_prometheus_head(out, "holdfast_http_refusals_total", "counter",
			   "Connections that the server ended early and requests that it did not carry out, by reason.");
	for (int i = 0; i < HF_CUTS; i++)
		hf_buf_printf(out, "holdfast_http_refusals_total{reason=\"%s\"} %" PRIu64 "\n", REASONS[i],
			      (uint64_t)traffic->cuts[i]);
}
