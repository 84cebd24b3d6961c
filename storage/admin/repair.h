/* repair.h — making anew what follows from other tables, where it does not fit them any more.
 *
 * What can be repaired is what can be derived (derive.h). Leases, past holders, changes, zones and the pools' configurations follow
 * from nothing: where one of these is damaged, or two leases have one address, nothing is changed, and only a backup helps.
 */
#ifndef HF_STORAGE_ADMIN_REPAIR_H
#define HF_STORAGE_ADMIN_REPAIR_H

#include <limits.h>

#include "storage/store/store.h"
#include "storage/verify/verify.h"

/* Rows of a table that were made, dropped, or given another value. */
struct hf_repair_rows {
	uint64_t added, removed, changed;
};

struct hf_repair {
	struct hf_store *store; /* open, and nobody else writes */
	const char *dir;
	bool apply; /* else everything is done, told, and given up */
	/* Called for each violation that was found, and again for each that remains; the text is the callee's only during the call.
	 */
	void (*violation)(void *context, bool remains, enum hf_table table, const char *what);
	void *context;
	/* The result. */
	uint64_t found, remaining; /* violations */
	struct hf_repair_rows rows[HF_TABLES];
	bool applied;
	char aside[PATH_MAX]; /* a copy of the database before it was repaired; "": there is none */
};

/* One transaction, which is verified before it is committed, and given up if a violation remains. A store without violations is
 * left alone. HF_E_CORRUPT: the store's record or a page cannot be read. HF_E_STORAGE_FULL, HF_E_DATA_DIR: no copy could be kept.
 * On any error nothing was changed. */
enum hf_err hf_repair(struct hf_repair *repair, struct hf_why *why) HF_CHECKED;

#endif
