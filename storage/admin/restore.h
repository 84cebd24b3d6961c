/* restore.h — putting a backup in place of a store, and what makes that safe.
 *
 * A backup is of the past: addresses were handed out since, and control planes wrote to the store that it is not any more. So a
 * restored store begins a new store epoch. Everything that orders or fences is raised by 2^32 for each epoch, more than can have
 * happened in one: the revision and the epoch of each zone. Connected zones are offline until they come back, which freezes their
 * leases. The feed begins anew. Each sequential cursor moves ahead, for each epoch past what was handed out in it, so that this is
 * free for those who hold it and present it (`adopted`). Quarantines last at least the pool's quarantine time from the restore on
 * (zone_rules.h).
 */
#ifndef HF_STORAGE_ADMIN_RESTORE_H
#define HF_STORAGE_ADMIN_RESTORE_H

#include <limits.h>

#include "storage/store/store.h"
#include "storage/verify/verify.h"

/* Raises the store epoch by 1, or to `at_least` if that is more, with all that goes with it, in one transaction. No committer is at
 * work. HF_E_INVALID_PARAMETER: the epoch is out of range. Or a fault: nothing is changed then. */
enum hf_err hf_store_raise_epoch(struct hf_store *store, uint64_t at_least, struct hf_why *why) HF_CHECKED;

struct hf_restore {
	const char *file;      /* the backup */
	const char *dir;       /* the data directory; made if only its last part is missing */
	uint64_t store_epoch;  /* at least; 0: not stated. For old data that are lost, or cannot be read, and had a later epoch */
	bool other_store;      /* the directory may hold another store than the backup's */
	struct hf_clock clock; /* now_ms NULL: the system's */
	/* Called for each pool of the old data whose ranges the backup does not have; it is the callee's only during the call. May
	 * be NULL. The restore may still fail. */
	void (*pool_lost)(void *context, const struct hf_pool *pool);
	/* Called for each pool in which a new service may be given what was handed out since the backup, and why: until the zones
	 * are back, nothing new should come there. As above. */
	void (*pool_at_risk)(void *context, const char *name, const char *why);
	void *context;
	/* The result. */
	struct hf_meta backup, meta;	/* as the backup had it, and as it is now */
	struct hf_verify_counts counts; /* of the backup */
	char aside[PATH_MAX];		/* where the old data are; "" if there were none */
	struct hf_why unreadable;	/* why the old data could not be read, and so their epoch is not known; "" if they could */
};

/* Locks the directory, verifies the backup, copies it beside the old data, raises its epoch above the old data's as well, and puts
 * it in place atomically; the old data are kept aside. A crash leaves the old store or the restored one. On any error the old store
 * is in place. HF_E_LOCKED: a server has the directory, or the backup. HF_E_CORRUPT: the file is no whole and sound backup.
 * HF_E_PRECONDITION_FAILED: another store, or old data that cannot be read and no store_epoch. HF_E_STORAGE_FULL.
 * HF_E_NEWER_FORMAT. HF_E_DATA_DIR. HF_E_INVALID_PARAMETER. */
enum hf_err hf_restore(struct hf_restore *restore, struct hf_why *why) HF_CHECKED;

#endif
