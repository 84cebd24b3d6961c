/* sync_judge.h — deciding a sync on a snapshot. */
#ifndef HF_STORAGE_SYNC_SYNC_JUDGE_H
#define HF_STORAGE_SYNC_SYNC_JUDGE_H

#include "sync.h"

/* Decides on the reader's snapshot. Sets *ret_write if something has to be written; else the result is set. A manifest is never
 * written. Services of other zones are looked up as of the result's revision.
 * HF_E_STALE_EPOCH: the stated zone epoch is not the zone's.
 * HF_E_ZONE_OFFLINE: it would release leases, and the zone is offline.
 * HF_E_MASS_RELEASE_GUARD: it would release too much; the result has the summary that it would have had.
 * HF_E_OVERLOADED: beyond the budget, or a known document that was not parsed is no longer known.
 * Or a storage fault. */
enum hf_err hf_sync_peek(struct hf_txn *reader, struct hf_sync *sync, struct hf_why *why, bool *ret_write) HF_CHECKED;

#endif
