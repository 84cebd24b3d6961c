/* acquire.h — carries an acquire out inside a batch. Inside storage/ only. */
#ifndef HF_STORAGE_REQUESTS_ACQUIRE_H
#define HF_STORAGE_REQUESTS_ACQUIRE_H

#include "leases.h"
#include "storage/store/batch.h"

/* How many of a new lease's addresses the request's claims would give it now. */
enum hf_claimed { HF_CLAIMED_NONE, HF_CLAIMED_SOME, HF_CLAIMED_ALL };
enum hf_claimed hf_acquire_claimed(struct hf_batch *batch, const struct hf_acquire *request);

/* Takes what the request's claims would give it now, one address of a family at most, out of what can be given away, until
 * hf_acquire_unreserve(). Bit i of the answer is claim i. What is reserved must be given back before the batch is committed. */
unsigned hf_acquire_reserve(struct hf_batch *batch, const struct hf_acquire *request);
void hf_acquire_unreserve(struct hf_batch *batch, const struct hf_acquire *request, unsigned claims);

/* Judges the request and does what it asks: sets its outcome and lease. A refusal has written nothing; the errors are those of
 * hf_acquire_begin(). */
enum hf_err hf_acquire_carry_out(struct hf_batch *batch, struct hf_acquire *request, enum hf_cause cause,
				 struct hf_why *why) HF_CHECKED;

#endif
