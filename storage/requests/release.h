/* release.h — carries a release out inside a batch. Inside storage/ only. */
#ifndef HF_STORAGE_REQUESTS_RELEASE_H
#define HF_STORAGE_REQUESTS_RELEASE_H

#include "storage/store/batch.h"

/* Puts an active lease into its pool's quarantine, which the zone's absence does not hold if it is forced; *lease becomes what it
 * then is. */
void hf_release_quarantine(struct hf_batch *batch, struct hf_lease *lease, enum hf_cause cause, bool forced);

#endif
