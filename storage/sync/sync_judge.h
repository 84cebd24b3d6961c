/* sync_judge.h — decides a sync on a snapshot. */
#ifndef HF_STORAGE_SYNC_SYNC_JUDGE_H
#define HF_STORAGE_SYNC_SYNC_JUDGE_H

#include "sync.h"

/* Decides on the reader's snapshot. Sets *ret_write if something must be written; otherwise sets the result. A manifest is never
 * written. Services of other zones are looked up as of the result's revision.
 * Fails with HF_E_STALE_EPOCH if the stated zone epoch is not the current one.
 * Fails with HF_E_ZONE_OFFLINE if it would release leases while the zone is offline.
 * Fails with HF_E_MASS_RELEASE_GUARD if it would release too many; the result then has the summary of the refused sync.
 * Fails with HF_E_OVERLOADED if the budget is exceeded, or an unparsed document is no longer known.
 * Fails with the reader's fault. */
enum hf_err hf_sync_peek(struct hf_txn *reader, struct hf_sync *sync, struct hf_why *why, bool *ret_write) HF_CHECKED;

#endif
