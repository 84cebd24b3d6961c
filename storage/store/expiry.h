/* expiry.h — processes deadlines that are due. */
#ifndef HF_STORAGE_STORE_EXPIRY_H
#define HF_STORAGE_STORE_EXPIRY_H

#include "batch.h"

/* Takes the zones offline whose connection was not refreshed within its ttl, at most 64. */
void hf_expiry_zones(struct hf_batch *batch);

/* Ends quarantines and drops history entries whose deadline has come, at most `budget`, earliest first, and records in the store
 * when the next one is due. A quarantine whose zone is offline, or has not been back for the pool's quarantine time, gets a later
 * deadline instead, without a revision. Faults stick to the batch's transaction. */
void hf_expiry_sweep(struct hf_batch *batch, int budget);

#endif
