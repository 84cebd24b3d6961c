/* repair.h — recreates derived tables that no longer match the tables from which they are derived.
 *
 * Only derived tables can be repaired (derive.h). What is remembered of identities without a lease is dropped where it contradicts
 * leases, pools or history. Leases, past holders, changes, zones and the pools' configurations cannot be
 * derived: if one of these is damaged, or two leases have the same address, nothing is changed, and only a backup helps.
 */
#ifndef HF_STORAGE_ADMIN_REPAIR_H
#define HF_STORAGE_ADMIN_REPAIR_H

#include <limits.h>

#include "storage/store/store.h"
#include "storage/verify/verify.h"

/* Rows of a table that were added, removed, or given another value. */
struct hf_repair_rows {
	uint64_t added, removed, changed;
};

struct hf_repair {
	struct hf_store *store; /* open, without another writer */
	const char *dir;
	bool apply; /* if false, repair, report, and roll back */
	/* Called for each violation found, and again for each that remains; the text is valid only during the call. May be NULL. */
	void (*violation)(void *context, bool remains, enum hf_table table, const char *what);
	void *context;
	/* The result. */
	uint64_t found, remaining; /* violations */
	struct hf_repair_rows rows[HF_TABLES];
	bool applied;
	char aside[PATH_MAX]; /* a copy of the database before the repair; "": not made */
};

/* Repairs in one transaction, which is verified before the commit and rolled back if a violation remains. Leaves a store without
 * violations unchanged. After an error nothing has changed.
 * Fails with HF_E_CORRUPT if the store's record or a page cannot be read.
 * Fails with HF_E_STORAGE_FULL if the disk has no room for a copy, or for the repair.
 * Fails with HF_E_DATA_DIR if the copy could not be made. */
enum hf_err hf_repair(struct hf_repair *repair, struct hf_why *why) HF_CHECKED;

#endif
