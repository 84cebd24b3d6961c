/* store_metrics.c — the store's time and zones as metrics. */
#include "store_metrics.h"
#include "storage/requests/zone_requests.h"

#include <inttypes.h>

#include "api/text/prometheus.h"

static void write_clock(struct hf_buf *out, const struct hf_store *store) {
	hf_prometheus_head(out, "holdfast_clock_steps_total", "counter",
			   "Steps of the wall clock by more than 2 s, since the start.");
	hf_buf_printf(out, "holdfast_clock_steps_total{direction=\"forward\"} %" PRIu64 "\n", hf_store_clock_steps(store, true));
	hf_buf_printf(out, "holdfast_clock_steps_total{direction=\"backward\"} %" PRIu64 "\n", hf_store_clock_steps(store, false));
	hf_prometheus_head(
		out, "holdfast_clock_offset_seconds", "gauge",
		"How far the wall clock is from the store's time: beyond 2 s only before it is followed, or if it is not set.");
	hf_buf_printf(out, "holdfast_clock_offset_seconds %.3f\n", (double)hf_store_clock_offset_ms(store) / 1000);
}

static enum hf_err write_zones(struct hf_call *call, struct hf_buf *out) {
	uint64_t zones[HF_ZONE_STATES];
	enum hf_err err = hf_zones_count(call->reader, &call->why, zones);
	if (err)
		return err;
	hf_prometheus_head(out, "holdfast_zones", "gauge", "Zones, by state; retired zones are no longer listed.");
	for (int state = 1; state < HF_ZONE_STATES; state++)
		hf_buf_printf(out, "holdfast_zones{state=\"%s\"} %" PRIu64 "\n", hf_zone_state_name((enum hf_zone_state)state),
			      zones[state]);
	return HF_OK;
}

enum hf_err hf_store_metrics_write(struct hf_call *call, struct hf_buf *out) {
	write_clock(out, call->api->store);
	return write_zones(call, out);
}
