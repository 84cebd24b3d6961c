/* prometheus.h — parts of a metrics page in the Prometheus text format (0.0.4). Pure. */
#ifndef HF_API_TEXT_PROMETHEUS_H
#define HF_API_TEXT_PROMETHEUS_H

#include <stdint.h>

#include "buf.h"
#include "storage/base/histogram.h"

/* Writes the HELP and TYPE lines of a metric, which precede its series. */
void hf_prometheus_head(struct hf_buf *out, const char *name, const char *type, const char *help);

/* Writes a metric with a single series without labels. */
void hf_prometheus_single(struct hf_buf *out, const char *name, const char *type, const char *help, uint64_t value);

/* Writes one series of a histogram; observed values are divided by `scale`. `labels` is empty or ends with a comma. */
void hf_prometheus_histogram(struct hf_buf *out, const char *name, const char *labels, struct hf_histogram *h, double scale);

#endif
