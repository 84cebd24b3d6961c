/* meta.h — what a store is as a whole: its identity, epoch and revision. */
#ifndef HF_STORAGE_MODEL_META_H
#define HF_STORAGE_MODEL_META_H

#include "storage/base/digest.h"
#include "zone.h"

#define HF_FORMAT 3	   /* of the tables; storage/FORMAT.md */
#define HF_DEFAULT_POOLS 3 /* made at the first start; each is a change */
#define HF_STORE_EPOCH_MAX ((uint64_t)1 << 30)

/* What a snapshot says of the whole store. */
struct hf_meta {
	uint8_t store_id[16];
	uint64_t store_epoch; /* from 1; +1 by a restore */
	uint64_t revision;    /* of the last committed change; 0 at birth */
	uint64_t compacted;   /* the last revision that is gone from the feed; 0 if none */
	uint32_t next_pool_id;
	int64_t created_ms;
	int64_t restored_ms; /* when the store epoch was raised; 0: never */
};

/* Revisions and zone epochs of a store are below this. A store epoch that is raised raises all three alike, so none that was good
 * is too large later; it is at most 2^63. */
static inline uint64_t hf_meta_limit(const struct hf_meta *meta) {
	return (meta->store_epoch + HF_STORE_EPOCH_MAX) << HF_BAND_BITS;
}

#endif
