/* acquire.h — carries out an acquire inside a batch. Inside storage/ only. */
#ifndef HF_STORAGE_REQUESTS_ACQUIRE_H
#define HF_STORAGE_REQUESTS_ACQUIRE_H

#include "leases.h"
#include "storage/store/batch.h"

/* Returns the pool that has an address in one of its CIDRs; pools do not overlap. NULL: no pool has it. */
struct hf_pool *hf_acquire_pool_of(struct hf_batch *batch, struct hf_addr a);

/* Checks that a requested address can be granted in a pool.
 * Fails with HF_E_ADDRESS_OUTSIDE_POOL if the pool does not contain it.
 * Fails with HF_E_ADDRESS_TAKEN if it is held or reserved. */
enum hf_err hf_acquire_check_address(struct hf_batch *batch, const struct hf_pool *pool, struct hf_addr a,
				     struct hf_why *why) HF_CHECKED;

/* Returns how many of a new lease's addresses its claims would give it now. */
enum hf_claimed { HF_CLAIMED_NONE, HF_CLAIMED_SOME, HF_CLAIMED_ALL };
enum hf_claimed hf_acquire_claimed(struct hf_batch *batch, const struct hf_acquire *request);

/* Reserves the addresses that the request's claims would get now, at most one of each family, until hf_acquire_unreserve(). Bit i
 * of the result is set if claim i was reserved. The caller must unreserve them before the batch is committed. */
unsigned hf_acquire_reserve(struct hf_batch *batch, const struct hf_acquire *request);
void hf_acquire_unreserve(struct hf_batch *batch, const struct hf_acquire *request, unsigned claims);

/* The same for what is remembered for the request's identity, where its claims give it nothing. `claims`: what was set apart for it
 * of these. Bit 1 << family of the result says whether an address of that family was set apart. */
unsigned hf_acquire_reserve_memory(struct hf_batch *batch, const struct hf_acquire *request, unsigned claims);
void hf_acquire_unreserve_memory(struct hf_batch *batch, const struct hf_acquire *request, unsigned families);

/* Judges the request and carries it out: sets its outcome and lease. Writes nothing if it refuses.
 * Fails with the errors of hf_acquire_begin(). */
enum hf_err hf_acquire_carry_out(struct hf_batch *batch, struct hf_acquire *request, enum hf_cause cause,
				 struct hf_why *why) HF_CHECKED;

#endif
