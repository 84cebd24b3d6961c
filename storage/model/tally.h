/* tally.h — the sums to which a lease contributes: its pool's and its scope's. Pure. */
#ifndef HF_STORAGE_MODEL_TALLY_H
#define HF_STORAGE_MODEL_TALLY_H

#include "lease.h"
#include "pool.h"
#include "zone.h"

/* Adds a lease to its pool's counters (except the overlaid addresses) and to its scope's sum, if `by` is 1; subtracts it if -1. */
void hf_tally_lease(struct hf_pool *pool, struct hf_scope *scope, const struct hf_lease *lease, int by);

#endif
