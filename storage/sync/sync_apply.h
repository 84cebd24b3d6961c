/* sync_apply.h — carrying a sync out. */
#ifndef HF_STORAGE_SYNC_SYNC_APPLY_H
#define HF_STORAGE_SYNC_SYNC_APPLY_H

#include "sync.h"

/* Makes it a write that commits alone, and fails as hf_sync_peek() does. */
void hf_sync_begin(struct hf_sync *sync);

#endif
