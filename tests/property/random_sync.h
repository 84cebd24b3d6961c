/* random_sync.h — random syncs and manifests: mostly what a zone would send, with all that can be wrong with it. */
#ifndef HF_TESTS_RANDOM_SYNC_H
#define HF_TESTS_RANDOM_SYNC_H

#include "model_sync.h"
#include "random.h"

void w_sync(struct world *w, const struct model *m, struct m_sync *ret);

#endif
