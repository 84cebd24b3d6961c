/* prometheus.c — parts of a metrics page. */
#include "prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void hf_prometheus_head(struct hf_buf *out, const char *name, const char *type, const char *help) {
	hf_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void hf_prometheus_single(struct hf_buf *out, const char *name, const char *type, const char *help, uint64_t value) {
	hf_prometheus_head(out, name, type, help);
	hf_buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

void hf_prometheus_histogram(struct hf_buf *out, const char *name, const char *labels, struct hf_histogram *h, double scale) {
	uint64_t total = 0;
	for (int i = 0; i < HF_HISTOGRAM_BOUNDS; i++) {
		total += h->buckets[i];
		hf_buf_printf(out, "%s_bucket{%sle=\"%g\"} %" PRIu64 "\n", name, labels, (double)hf_histogram_bound(i) / scale,
			      total);
	}
	total += h->buckets[HF_HISTOGRAM_BOUNDS];
	hf_buf_printf(out, "%s_bucket{%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, total);
	char own[128] = ""; /* the labels alone, in braces */
	if (labels[0])
		snprintf(own, sizeof own, "{%.*s}", (int)strlen(labels) - 1, labels);
	hf_buf_printf(out, "%s_sum%s %.6f\n%s_count%s %" PRIu64 "\n", name, own, (double)h->sum / scale, name, own, total);
}
