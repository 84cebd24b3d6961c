/* metrics.c — counts requests and outcomes. */
#include "metrics.h"

#include <stdlib.h>

const int HF_STATUSES[HF_METRICS_STATUSES] = {200, 201, 304, 400, 401, 403, 404, 405, 409, 410,
					      412, 413, 415, 421, 422, 431, 500, 503, 507};

struct hf_metrics *hf_metrics_new(void) {
	return calloc(1, sizeof(struct hf_metrics));
}

void hf_metrics_free(struct hf_metrics *metrics) { free(metrics); }

void hf_metrics_request(struct hf_metrics *metrics, int route, int status, uint64_t duration_us) {
	size_t place = route >= 0 ? (size_t)route : HF_METRICS_ROUTES - 1, s = 0;
	while (s < HF_METRICS_STATUSES - 1 && HF_STATUSES[s] != status)
		s++;
	atomic_fetch_add_explicit(&metrics->requests[place][s], 1, memory_order_relaxed);
	hf_histogram_observe(&metrics->duration_us[place], duration_us);
}

void hf_metrics_problem(struct hf_metrics *metrics, enum hf_err err) {
	atomic_fetch_add_explicit(&metrics->problems[err], 1, memory_order_relaxed);
}

void hf_metrics_backup(struct hf_metrics *metrics, bool whole, int64_t now_ms) {
	(*(whole ? &metrics->backups : &metrics->backups_cut))++;
	if (whole)
		metrics->backup_ms = now_ms;
}

void hf_metrics_verified(struct hf_metrics *metrics, uint64_t violations, int64_t now_ms) {
	metrics->verifications++;
	metrics->violations = violations;
	metrics->verified_ms = now_ms;
}

void hf_metrics_outcome(struct hf_metrics *metrics, enum hf_outcome outcome) {
	atomic_fetch_add_explicit(&metrics->outcomes[outcome], 1, memory_order_relaxed);
}
