/* metrics.h — counters of requests and outcomes, and /metrics in the Prometheus text format (0.0.4). Thread-safe. */
#ifndef HF_API_CALL_METRICS_H
#define HF_API_CALL_METRICS_H

#include <stdint.h>

#include "call.h"

/* NULL if out of memory. */
struct hf_metrics *hf_metrics_new(void);
void hf_metrics_free(struct hf_metrics *metrics);

/* A request was answered: its route (NULL: none), status, and how long it took from its first byte to its answer. */
void hf_metrics_request(struct hf_metrics *metrics, const struct hf_route *route, int status, uint64_t duration_us);

/* A problem was answered. */
void hf_metrics_problem(struct hf_metrics *metrics, enum hf_err err);

/* A backup was sent whole, or was cut off: its reader left or was too slow, or the disk failed. */
void hf_metrics_backup(struct hf_metrics *metrics, bool whole, int64_t now_ms);

/* The invariants were checked. */
void hf_metrics_verified(struct hf_metrics *metrics, uint64_t violations, int64_t now_ms);

/* An acquire was answered. */
void hf_metrics_outcome(struct hf_metrics *metrics, enum hf_outcome outcome);

#endif
