/* lease_change.h — the only way to alter a lease, and to append to the feed; batch.h explains what is derived from it. Inside
 * storage/ only. */
#ifndef HF_STORAGE_STORE_LEASE_CHANGE_H
#define HF_STORAGE_STORE_LEASE_CHANGE_H

#include "batch.h"

/* Alters a lease from `before` (NULL: new) to `after` (NULL: deleted), as a change with the next revision, which it sets in *after.
 * A new address of the lease must not be held; it may be of another pool. If their identities differ the lease is renamed, and
 * everything that is bound to it stays so, under the new identity, which must have no lease. */
void hf_batch_change(struct hf_batch *batch, const struct hf_lease *before, struct hf_lease *after, enum hf_change_type type,
		     enum hf_cause cause);

/* Stores a lease that differs only in its version string, its raw digest or when something of it ends: no revision, no change. */
void hf_batch_relabel(struct hf_batch *batch, const struct hf_lease *before, const struct hf_lease *after);

/* Returns how long a lease's quarantine lasts, at least: as its pool says, or as the longest overlap of its previous addresses,
 * which are freed with it. */
int64_t hf_batch_quarantine_ms(struct hf_batch *batch, const struct hf_lease *lease);

/* Appends a change to the feed under the next revision. Sets its revision, time and `by`, and returns the revision. */
uint64_t hf_batch_record(struct hf_batch *batch, struct hf_change *change);

#endif
