/* returns.h — control planes that come back after a restore, with services that hold addresses of which the store knows nothing. */
#ifndef HF_TESTS_RETURNS_H
#define HF_TESTS_RETURNS_H

#include "check.h"

/* Before the restore: who holds what. */
void returns_note(const struct model *m);

/* After it: some new services, then most of those who held addresses, in acquires and syncs. */
void do_returns(struct run *run);

#endif
