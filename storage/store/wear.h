/* wear.h — how many leases syncs released lately, by zone, mesh and kind, so that no zone is worn away in small steps.
 *
 * A release counts for ten minutes, on a clock that nobody sets, or until its lease comes back from quarantine, whoever asks for
 * it. What the mass-release guard judges is then the sum of the steps against what was there before the first of them. Releases
 * that a sync with maxRelease=100 makes are meant, and never count; such a sync also settles what went before in its scope.
 *
 * Kept in memory alone: a server that starts knows of no release. Guarded by the writer's turn: used inside a batch, whose changes
 * hold from hf_wear_settle() on. Memory grows with the scopes that released something lately, not with the releases.
 */
#ifndef HF_STORAGE_STORE_WEAR_H
#define HF_STORAGE_STORE_WEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"
#include "storage/lmdb/txn.h"

#define HF_WEAR_MS (10 * 60 * 1000) /* how long a release counts; to half a minute longer where many come in a row */
#define HF_WEAR_STEP_MS (30 * 1000) /* releases of this long are remembered together */
#define HF_WEAR_STEPS (HF_WEAR_MS / HF_WEAR_STEP_MS + 2)

struct hf_wear; /* NULL: nothing was released; every function takes it */

/* Notes the release of a lease of a scope (zone, NUL, mesh, NUL, kind), by the revision that the release got; the first one makes
 * the wear. False: out of memory. */
bool hf_wear_add(struct hf_wear **wear, struct hf_slice scope, uint64_t revision, int64_t now_ms) HF_CHECKED;

/* Notes that a lease came back which was released by that revision; nothing if no sync released it lately. */
void hf_wear_undo(struct hf_wear *wear, struct hf_slice scope, uint64_t revision);

/* Forgets what was released before this batch in a scope. */
void hf_wear_forget(struct hf_wear *wear, struct hf_slice scope);

/* The end of the batch: what it noted holds if it was committed, and never happened if not. */
void hf_wear_settle(struct hf_wear *wear, bool committed);

/* Whether a release by that revision counts now. */
bool hf_wear_has(const struct hf_wear *wear, struct hf_slice scope, uint64_t revision, int64_t now_ms);

/* Calls each() with every scope that begins with the prefix and has releases that count, and with their number. */
void hf_wear_each(const struct hf_wear *wear, struct hf_slice prefix, int64_t now_ms,
		  void (*each)(void *context, struct hf_slice scope, uint64_t releases), void *context);

void hf_wear_free(struct hf_wear *wear);

#endif
