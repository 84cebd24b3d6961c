/* meta.h — what a store is as a whole: its identity, epoch and revision. */
#ifndef HF_STORAGE_MODEL_META_H
#define HF_STORAGE_MODEL_META_H

#include "storage/base/digest.h"
#include "zone.h"

#define HF_FORMAT 4	   /* of the tables; storage/FORMAT.md */
#define HF_DEFAULT_POOLS 3 /* created at the first start; each counts as a change */
#define HF_STORE_EPOCH_MAX ((uint64_t)1 << 30)

/* What a snapshot records about the store as a whole. */
struct hf_meta {
	uint8_t store_id[16];
	uint64_t store_epoch; /* starts at 1; +1 for each restore */
	uint64_t revision;    /* of the last committed change; 0 in a new store */
	uint64_t compacted;   /* the newest revision removed from the feed; 0 if none */
	uint32_t next_pool_id;
	int64_t created_ms;
	int64_t restored_ms; /* when the store epoch was last raised; 0: never */
};

/* Returns the limit below which all revisions and zone epochs of the store lie; at most 2^63. Raising the store epoch raises this
 * limit and both counters by the same amount, so a valid number never becomes too large. */
static inline uint64_t hf_meta_limit(const struct hf_meta *meta) {
	return (meta->store_epoch + HF_STORE_EPOCH_MAX) << HF_BAND_BITS;
}

#endif
