/* store_metrics.h — the metrics of the store's time and zones. */
#ifndef HF_API_RESOURCES_STORE_METRICS_H
#define HF_API_RESOURCES_STORE_METRICS_H

#include "api/call/call.h"

/* Writes the metrics; the call's reader has a snapshot.
 * Fails with HF_E_CORRUPT if a record is damaged. */
enum hf_err hf_store_metrics_write(struct hf_call *call, struct hf_buf *out) HF_CHECKED;

#endif
