/* traffic.c — the metrics of connections and requests. */
#include "traffic.h"

#include "prometheus.h"

void hf_traffic_write(struct hf_traffic *traffic, struct hf_buf *out) {
	hf_prometheus_single(out, "holdfast_http_connections", "gauge", "Connections that are open.", traffic->connections);
	hf_prometheus_single(out, "holdfast_http_requests_under_way", "gauge",
			     "Requests that began and have not ended, the one that reads this included.", traffic->under_way);
	hf_prometheus_single(out, "holdfast_http_waiters", "gauge", "Requests that wait for a change.", traffic->waiters);
}
