/* follow.h — makes the store's time follow the wall clock; clock.h explains the store's time.
 *
 * The ends of quarantines are wall clock times, for people to read, but a quarantine's length is elapsed time. When the wall clock
 * steps, one transaction sets the store's time to it and moves everything that rules compare with that time by the same amount:
 * the ends of quarantines, limited to the pool's whole quarantine time from now, and the recent return of a zone or of the store.
 * History and feed keep the times with which they were written. They are judged by a time that lags the store's time by the amount
 * that it was set forward, until everything from before the step is gone.
 *
 * A start is a step too, by the difference between the wall clock and the time that the store knows. Within a boot it knows the
 * elapsed time from the monotonic clock. After a boot it knows only its newest change: the time since then does not count for a
 * quarantine, which can end up to a quarantine time late, but never early. A wall clock earlier than that moves only the limit.
 */
#ifndef HF_STORAGE_STORE_FOLLOW_H
#define HF_STORAGE_STORE_FOLLOW_H

#include "store.h"

/* Determines the store's time at a start, and follows the wall clock if the options ask for it. If the transaction fails, the time
 * stays as it was, except that a time ahead of the wall clock after a boot goes back even then; hf_follow_clock() tries again, and
 * moves the same ends by the same amount.
 * Fails with HF_E_CORRUPT if a record is damaged. */
enum hf_err hf_follow_start(struct hf_store *store, struct hf_why *why) HF_CHECKED;

/* Compares the wall clock with the store's time, and follows it: at once if it is earlier, because people would otherwise see ends
 * too far in the future; if it is later, only after it has been so for the options' time, because it may be wrong for a moment.
 * Sets *ret once for each step, even if the transaction fails, which is tried again. The caller has the writer's turn. Costs at
 * most three system calls if nothing happened. */
enum hf_err hf_follow_clock(struct hf_store *store, struct hf_why *why, struct hf_clock_news *ret) HF_CHECKED;

#endif
