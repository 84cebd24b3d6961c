/* release.h — carries out a release inside a batch. Inside storage/ only. */
#ifndef HF_STORAGE_REQUESTS_RELEASE_H
#define HF_STORAGE_REQUESTS_RELEASE_H

#include "storage/store/batch.h"

/* Puts an active lease into its pool's quarantine and updates *lease. A forced quarantine ends even while the zone is offline. */
void hf_release_quarantine(struct hf_batch *batch, struct hf_lease *lease, enum hf_cause cause, bool forced);

#endif
