/* metrics.h — counters of requests and outcomes. Thread-safe. */
#ifndef HF_API_CALL_METRICS_H
#define HF_API_CALL_METRICS_H

#include <stdint.h>

#include "storage/base/err.h"
#include "storage/base/histogram.h"
#include "storage/model/lease_rules.h"

/* The number of statuses in use; any other status is counted with the last one. */
#define HF_METRICS_STATUSES 19
extern const int HF_STATUSES[HF_METRICS_STATUSES];

#define HF_METRICS_ROUTES 48 /* the last entry counts requests without a route */

struct hf_metrics {
	_Atomic uint64_t requests[HF_METRICS_ROUTES][HF_METRICS_STATUSES];
	struct hf_histogram duration_us[HF_METRICS_ROUTES];
	_Atomic uint64_t outcomes[HF_OUTCOMES];
	_Atomic uint64_t problems[HF_E_PANIC + 1];
	_Atomic uint64_t backups, backups_cut, verifications, violations; /* `violations`: found by the last check */
	_Atomic int64_t backup_ms, verified_ms; /* time of the last backup and of the last check; 0: none yet */
};

/* Returns NULL if out of memory. */
struct hf_metrics *hf_metrics_new(void);
void hf_metrics_free(struct hf_metrics *metrics);

/* Counts an answered request: its route's index in the table (-1: none), its status, and the time from its first byte to its
 * answer. */
void hf_metrics_request(struct hf_metrics *metrics, int route, int status, uint64_t duration_us);

/* Counts a problem. */
void hf_metrics_problem(struct hf_metrics *metrics, enum hf_err err);

/* Counts a backup that was sent completely, or cut off because its reader left or was too slow, or the disk failed. */
void hf_metrics_backup(struct hf_metrics *metrics, bool whole, int64_t now_ms);

/* Records a check of the invariants. */
void hf_metrics_verified(struct hf_metrics *metrics, uint64_t violations, int64_t now_ms);

/* Counts the outcome of an acquire. */
void hf_metrics_outcome(struct hf_metrics *metrics, enum hf_outcome outcome);

#endif
