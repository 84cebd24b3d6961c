/* metrics.h — counters of requests and outcomes. Thread-safe. */
#ifndef HF_API_CALL_METRICS_H
#define HF_API_CALL_METRICS_H

#include <stdint.h>

#include "storage/base/err.h"
#include "storage/base/histogram.h"
#include "storage/model/lease_rules.h"

/* Every status that is answered; any other one is counted with the last. */
#define HF_METRICS_STATUSES 16
extern const int HF_STATUSES[HF_METRICS_STATUSES];

#define HF_METRICS_ROUTES 48 /* the last place is for requests without a route */

struct hf_metrics {
	_Atomic uint64_t requests[HF_METRICS_ROUTES][HF_METRICS_STATUSES];
	struct hf_histogram duration_us[HF_METRICS_ROUTES];
	_Atomic uint64_t outcomes[HF_OUTCOMES];
	_Atomic uint64_t problems[HF_E_PANIC + 1];
	_Atomic uint64_t backups, backups_cut, verifications, violations; /* the last: of the last check */
	_Atomic int64_t backup_ms, verified_ms;				  /* the last ones; 0: none yet */
};

/* NULL if out of memory. */
struct hf_metrics *hf_metrics_new(void);
void hf_metrics_free(struct hf_metrics *metrics);

/* A request was answered: the place of its route in the table (-1: none), status, and how long it took from its first byte to its
 * answer. */
void hf_metrics_request(struct hf_metrics *metrics, int route, int status, uint64_t duration_us);

/* A problem was answered. */
void hf_metrics_problem(struct hf_metrics *metrics, enum hf_err err);

/* A backup was sent whole, or was cut off: its reader left or was too slow, or the disk failed. */
void hf_metrics_backup(struct hf_metrics *metrics, bool whole, int64_t now_ms);

/* The invariants were checked. */
void hf_metrics_verified(struct hf_metrics *metrics, uint64_t violations, int64_t now_ms);

/* An acquire was answered. */
void hf_metrics_outcome(struct hf_metrics *metrics, enum hf_outcome outcome);

#endif
