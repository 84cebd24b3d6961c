/* tally.h — the sums to which a lease contributes: its pool's and its scope's. Pure. */
#ifndef HF_STORAGE_MODEL_TALLY_H
#define HF_STORAGE_MODEL_TALLY_H

#include "lease.h"
#include "pool.h"
#include "zone.h"

/* Adds a lease and its current addresses to its pool's counters (except the overlaid addresses), and the lease to its scope's sum,
 * if `by` is 1; subtracts them if -1. */
void hf_tally_lease(struct hf_pool *pool, struct hf_scope *scope, const struct hf_lease *lease, int by);

/* The same for a previous address of the lease, in the pool in whose ranges it lies; it is leased or quarantined as its lease is.
 */
void hf_tally_previous(struct hf_pool *pool, const struct hf_lease *lease, struct hf_addr a, int by);

#endif
