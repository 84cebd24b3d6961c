/* follow.h — the store's time follows the wall clock. Inside storage/ only (and tests). clock.h says what the store's time is.
 *
 * Ends of quarantines are times of the wall clock, so that people can read them, but their length is one that really passes. When
 * the wall clock is found to have stepped, one transaction sets the store's time to it and moves along what rules compare with it:
 * the ends of quarantines, none of which is then later than the pool's whole quarantine time from now, and a zone's or the store's
 * coming back if it is recent. History and feed keep the times that they were written with; they are judged by a time that lags
 * behind the store's by as much as it was set forward, until what was there before the step is gone.
 *
 * A start is a step like any other, by as much as the wall clock differs from what the store knows. Within a boot it knows what
 * passed, by the monotonic clock. After a boot it knows its newest change only: what passed since does not count for a quarantine,
 * which can end a quarantine time late, but never early. A wall clock behind that then moves nothing but the limit.
 */
#ifndef HF_STORAGE_STORE_FOLLOW_H
#define HF_STORAGE_STORE_FOLLOW_H

#include "store.h"

/* Takes up the store's time at a start, and follows the wall clock as far as the options want it. A transaction that fails leaves
 * the time as it was, except that a time ahead of the wall clock after a boot goes back all the same, and is tried again by
 * hf_follow_clock(), which moves the same ends by the same amount then. HF_E_CORRUPT: a damaged record. */
enum hf_err hf_follow_start(struct hf_store *store, struct hf_why *why) HF_CHECKED;

/* Looks at the wall clock, and follows it: at once if it is behind the store's time, as an end that is too far off would be seen,
 * and if it is ahead once it has been so for the options' time, as a clock that is wrong for a moment is none to follow. What is
 * found is told once, also if the transaction fails; it is tried again then. The caller has the writer's turn. Costs three system
 * calls at most if nothing happened. */
enum hf_err hf_follow_clock(struct hf_store *store, struct hf_why *why, struct hf_clock_news *ret) HF_CHECKED;

#endif
