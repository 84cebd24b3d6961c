/* wear.h — counts recent releases by syncs, by zone, mesh and kind, so that a zone is not emptied in small steps.
 *
 * A release counts for ten minutes of the monotonic clock, or until any request restores its lease from quarantine. So the
 * mass-release guard compares the sum of the steps with the number of leases before the first of them. Releases by a sync with
 * maxRelease=100 are intended and never count; such a sync also clears the earlier ones in its scope.
 *
 * The counts are kept in memory only: a server starts without any. They are used inside a batch, by the thread that has the
 * writer's turn; changes take effect with hf_wear_settle(). Memory grows with the scopes that had recent releases, not with the
 * releases.
 */
#ifndef HF_STORAGE_STORE_WEAR_H
#define HF_STORAGE_STORE_WEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"
#include "storage/lmdb/txn.h"

#define HF_WEAR_MS (10 * 60 * 1000) /* how long a release counts; up to half a minute longer if many follow each other */
#define HF_WEAR_STEP_MS (30 * 1000) /* releases within this time are counted together */
#define HF_WEAR_STEPS (HF_WEAR_MS / HF_WEAR_STEP_MS + 2)

struct hf_wear; /* NULL: no releases; every function accepts it */

/* Records the release of a lease in a scope (zone, NUL, mesh, NUL, kind), with the revision of the release; the first one
 * allocates *wear. Returns false if out of memory. */
bool hf_wear_add(struct hf_wear **wear, struct hf_slice scope, uint64_t revision, int64_t now_ms) HF_CHECKED;

/* Records that a lease released with that revision was restored; does nothing if no sync released it recently. */
void hf_wear_undo(struct hf_wear *wear, struct hf_slice scope, uint64_t revision);

/* Forgets the releases in a scope before this batch. */
void hf_wear_forget(struct hf_wear *wear, struct hf_slice scope);

/* Ends the batch: its records take effect if it was committed, otherwise they are discarded. */
void hf_wear_settle(struct hf_wear *wear, bool committed);

/* Returns whether the release with that revision counts now. */
bool hf_wear_has(const struct hf_wear *wear, struct hf_slice scope, uint64_t revision, int64_t now_ms);

/* Returns how many releases in a scope count now. */
uint64_t hf_wear_of(const struct hf_wear *wear, struct hf_slice scope, int64_t now_ms);

/* Calls each() for every scope that begins with the prefix and has releases that count, with their number. */
void hf_wear_each(const struct hf_wear *wear, struct hf_slice prefix, int64_t now_ms,
		  void (*each)(void *context, struct hf_slice scope, uint64_t releases), void *context);

void hf_wear_free(struct hf_wear *wear);

#endif
