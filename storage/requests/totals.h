/* totals.h — the numbers of leases, pools, zones and changes in the store, for status and metrics. */
#ifndef HF_STORAGE_REQUESTS_TOTALS_H
#define HF_STORAGE_REQUESTS_TOTALS_H

#include "storage/lmdb/txn.h"

struct hf_totals {
	uint64_t active, quarantined;	/* leases */
	uint64_t pools, zones, changes; /* retired zones are not counted */
};

/* Counts on the reader's snapshot.
 * Fails with the reader's fault. */
enum hf_err hf_totals_read(struct hf_txn *reader, struct hf_why *why, struct hf_totals *ret) HF_CHECKED;

#endif
