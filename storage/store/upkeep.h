/* upkeep.h — what a batch does besides its own writes: it first processes deadlines that are due, and last limits the feed. Inside
 * storage/ and tests only. */
#ifndef HF_STORAGE_STORE_UPKEEP_H
#define HF_STORAGE_STORE_UPKEEP_H

#include "batch.h"

/* Begins a batch as hf_batch_begin() does, and processes at most 256 deadlines that are due. */
enum hf_err hf_upkeep_begin(struct hf_store *store, struct hf_why *why, struct hf_batch **ret) HF_CHECKED;

/* Drops old changes in proportion to what the batch adds, and commits as hf_batch_commit() does. */
enum hf_err hf_upkeep_commit(struct hf_batch *batch, struct hf_why *why) HF_CHECKED;

/* Sets *ret if deadlines are due, or the feed is too long or too old. Takes a snapshot with the reader, and releases it. */
enum hf_err hf_upkeep_is_due(struct hf_store *store, struct hf_txn *reader, struct hf_why *why, bool *ret) HF_CHECKED;

/* Runs one bounded batch of upkeep; more may be due after it. */
enum hf_err hf_upkeep_run(struct hf_store *store, struct hf_why *why) HF_CHECKED;

/* Drops changes that the feed no longer keeps, at most `budget` of them. */
void hf_upkeep_compact(struct hf_batch *batch, int budget);

#endif
