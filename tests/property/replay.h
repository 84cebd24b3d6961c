/* replay.h — the change feed read as a follower reads it: who has which address, without the model and without the leases.
 *
 * At each revision an address is bound to one lease, overlaps included; nothing but a move and a new lease binds one; and at the
 * end the feed says the same as the table of addresses.
 */
#ifndef HF_TESTS_REPLAY_H
#define HF_TESTS_REPLAY_H

#include "check.h"

/* Begins with what the table of addresses has. */
void replay_begin(struct run *run);

/* Reads the changes that are new, on a reader that has begun. */
void replay_changes(struct run *run);

/* Compares with the table of addresses, on a reader that has begun. */
void replay_check(struct run *run);

#endif
