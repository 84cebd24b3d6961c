/* upkeep.h — what a batch does besides its own writes: deadlines that are due are carried out first, the feed is cut to its length
 * last. Inside storage/ only (and tests).
 */
#ifndef HF_STORAGE_STORE_UPKEEP_H
#define HF_STORAGE_STORE_UPKEEP_H

#include "batch.h"

/* hf_batch_begin(), and carries out at most 256 deadlines that are due. */
enum hf_err hf_upkeep_begin(struct hf_store *store, struct hf_why *why, struct hf_batch **ret) HF_CHECKED;

/* Cuts the feed, in step with what the batch adds to it, and commits as hf_batch_commit() does. */
enum hf_err hf_upkeep_commit(struct hf_batch *batch, struct hf_why *why) HF_CHECKED;

/* Whether deadlines are due or the feed is too long or too old. The reader's snapshot is taken and let go of. */
enum hf_err hf_upkeep_is_due(struct hf_store *store, struct hf_txn *reader, struct hf_why *why, bool *ret) HF_CHECKED;

/* A batch of upkeep alone, bounded: there may be more to do after it. */
enum hf_err hf_upkeep_run(struct hf_store *store, struct hf_why *why) HF_CHECKED;

/* Drops changes that the feed keeps no longer, at most `budget` of them. */
void hf_upkeep_compact(struct hf_batch *batch, int budget);

#endif
