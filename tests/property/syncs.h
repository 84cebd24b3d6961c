/* syncs.h — random syncs and manifests of a zone, against the model. */
#ifndef HF_TESTS_SYNCS_H
#define HF_TESTS_SYNCS_H

#include "check.h"

/* One sync or manifest: decided on a snapshot, and if something is to be written, committed alone. With `between`, called between
 * the two, other writes come first. */
void do_sync(struct run *run, void (*between)(struct run *run));

#endif
