/* store_metrics.c — the store's time and zones as metrics. */
#include "store_metrics.h"

#include <inttypes.h>

#include "prometheus.h"

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

enum hf_err hf_store_metrics_write(struct hf_call *call, struct hf_buf *out) {
	write_clock(out, call->api->store);
	return HF_OK;
}
