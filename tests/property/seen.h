/* seen.h — what the runs met: one that never meets a refusal does not test it. */
#ifndef HF_TESTS_SEEN_H
#define HF_TESTS_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "storage/sync/sync.h"

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
	uint64_t new_first, adopted_back;		   /* services after a restore: new ones; that got their address back */
};
extern struct seen seen;

/* Adds what a run's model met. */
void seen_met(const struct m_met *met);
void seen_print(void);

/* Names what was never met; false if there is anything. */
bool seen_all(void);

#endif
