/* acquire.h — carrying an acquire out, for whoever has a batch. Inside storage/ only. */
#ifndef HF_STORAGE_ACQUIRE_H
#define HF_STORAGE_ACQUIRE_H

#include "batch.h"
#include "rules.h"

/* Addresses that the strategy must not give away, as somebody behind in the same sync claims them; in ascending order. */
struct hf_avoid {
	const struct hf_addr *addresses;
	size_t n;
};

/* How many of a new lease's addresses the request's claims would give it now. */
enum hf_claimed { HF_CLAIMED_NONE, HF_CLAIMED_SOME, HF_CLAIMED_ALL };
enum hf_claimed hf_acquire_claimed(struct hf_batch *batch, const struct hf_acquire *request);

/* Judges the request and does what it asks: sets its outcome and lease. `avoid` may be NULL. A refusal has written nothing; the
 * errors are those of hf_acquire_begin(). */
enum hf_err hf_acquire_carry_out(struct hf_batch *batch, struct hf_acquire *request, enum hf_cause cause,
				 const struct hf_avoid *avoid, struct hf_why *why) HF_CHECKED;

#endif
