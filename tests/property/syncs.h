/* syncs.h — random syncs and manifests of a zone, against the model. */
#ifndef HF_TESTS_SYNCS_H
#define HF_TESTS_SYNCS_H

#include "check.h"
#include "model_sync.h"

/* One sync or manifest: decided on a snapshot, and if something is to be written, committed alone. With `between`, called between
 * the two, other writes come first. */
void do_sync(struct run *run, void (*between)(struct run *run));

/* That sync, with nothing in between. Returns whether it was committed. */
bool do_this_sync(struct run *run, struct m_sync *m);

#endif
