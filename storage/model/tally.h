/* tally.h — the sums that a lease counts in: its pool's and its scope's. Pure. */
#ifndef HF_STORAGE_MODEL_TALLY_H
#define HF_STORAGE_MODEL_TALLY_H

#include "lease.h"
#include "pool.h"
#include "zone.h"

/* Adds a lease to its pool's counters (except the overlaid addresses) and to its scope's sum `by` 1, or -1 to take it out. */
void hf_tally_lease(struct hf_pool *pool, struct hf_scope *scope, const struct hf_lease *lease, int by);

#endif
