/* seen.h — what the runs met: one that never meets a refusal does not test it. */
#ifndef HF_TESTS_SEEN_H
#define HF_TESTS_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "model_sync.h"

struct seen_moves {
	uint64_t errors[HF_E_CORRUPT + 1], too_many; /* previous addresses */
	uint64_t moved, stayed, overlapped, other_pool, forced;
	uint64_t back, swapped, back_to_draining, across_pools;
};

struct seen_transfers {
	uint64_t errors[HF_E_CORRUPT + 1];
	uint64_t empty, zones, twice, itself, chained; /* why it is refused: a stated epoch and several zones; the same twice */
	uint64_t guarded_zone, guarded_part, guarded_worn;
	uint64_t written, dry_runs, fenced, forced, items, quarantined, previous, draining;
	uint64_t to_other_zone, to_other_scope, beside_selector;
};

struct seen {
	uint64_t errors[HF_E_CORRUPT + 1], outcomes[HF_OUTCOMES];
	struct m_met met;
	uint64_t connections[3], incremental, disconnected, forgotten; /* forgotten: an instance that is no longer remembered */
	uint64_t syncs[3], unwritten, written, dry_runs, forced;       /* by mode; how they ended */
	uint64_t between, between_same, between_other; /* other writes between peek and commit: any; of its zone; not */
	uint64_t sync_errors[HF_E_CORRUPT + 1], items[HF_SYNC_OUTCOMES], rejected[HF_E_CORRUPT + 1];
	uint64_t skipped, claims_refused, partly_claimed, avoided, reopened, guarded_empty, guarded_part, guarded_worn;
	uint64_t backups, backups_between, copies;	   /* by the store, with other writes in the middle; of the file */
	uint64_t restores, restores_older, restores_plain; /* all; of another backup than the last; of a copy of the file */
	uint64_t restores_again, restores_stated;	   /* of a backup from before another restore; to a stated epoch */
	struct seen_moves moves;
	struct seen_transfers transfers;
	uint64_t held_by_previous; /* pools that could not be deleted for them */
	uint64_t not_renamed[M_NOT_RENAMED], renamed_removed, renamed_quarantined, renamed_previous, renamed_back;
	uint64_t replayed, replayed_transfers, replayed_overlaps; /* changes of the feed */
	uint64_t new_first, adopted_back; /* services after a restore: new ones; that got their address back */
};
extern struct seen seen;

/* Adds what a run's model met. */
void seen_met(const struct m_met *met);
void seen_print(void);

/* Names what was never met; false if there is anything. */
bool seen_all(void);

#endif
