/* sync_apply.h — carries out a sync. */
#ifndef HF_STORAGE_SYNC_SYNC_APPLY_H
#define HF_STORAGE_SYNC_SYNC_APPLY_H

#include "sync.h"

/* Prepares a write that commits alone, and fails with the errors of hf_sync_peek(). */
void hf_sync_begin(struct hf_sync *sync);

#endif
