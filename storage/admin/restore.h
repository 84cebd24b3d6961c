/* restore.h — replaces a store by a backup, safely.
 *
 * A backup is old: since it was taken, addresses were assigned, and control planes wrote to the store. So a restored store begins
 * a new store epoch. Everything that orders or fences, which is the revision and each zone's epoch, is raised by 2^32 for each
 * store epoch, more than one store epoch can use. Zones that were connected are offline until they reconnect, which freezes their
 * leases. The feed starts empty. Each sequential cursor moves ahead, past the addresses assigned in each epoch, so that these stay
 * free for the services that hold and present them (`adopted`). Quarantines last at least the pool's quarantine time from the
 * restore (zone_rules.h).
 */
#ifndef HF_STORAGE_ADMIN_RESTORE_H
#define HF_STORAGE_ADMIN_RESTORE_H

#include <limits.h>

#include "storage/store/store.h"
#include "storage/verify/verify.h"

/* Raises the store epoch by 1, or to `at_least` if that is greater, with everything that depends on it, in one transaction. No
 * committer may be running. After an error nothing has changed.
 * Fails with HF_E_INVALID_PARAMETER if the epoch is out of range.
 * Fails with the transaction's fault. */
enum hf_err hf_store_raise_epoch(struct hf_store *store, uint64_t at_least, struct hf_why *why) HF_CHECKED;

struct hf_restore {
	const char *file;      /* the backup */
	const char *dir;       /* the data directory; created if only its last part is missing */
	uint64_t store_epoch;  /* minimum; 0: not stated. For old data with a later epoch that are lost or cannot be read */
	bool other_store;      /* the directory may hold another store than the backup's */
	struct hf_clock clock; /* now_ms NULL: the system's */
	/* Called for each pool whose old ranges the backup lacks. The pool is valid only during the call. May be NULL. The restore
	 * may still fail. */
	void (*pool_lost)(void *context, const struct hf_pool *pool);
	/* Called for each pool in which a new service may get an address that was assigned since the backup, and why. Such a pool
	 * should get no new services until the zones have reconnected. Otherwise like pool_lost. */
	void (*pool_at_risk)(void *context, const char *name, const char *why);
	void *context;
	/* The result. */
	struct hf_meta backup, meta;	/* as in the backup, and after the restore */
	struct hf_verify_counts counts; /* of the backup */
	char aside[PATH_MAX];		/* where the old data are kept; "": the directory had none */
	struct hf_why unreadable;	/* why the old data, and so their epoch, could not be read; "" if they could */
};

/* Locks the directory, verifies the backup, copies it beside the old data, raises its epoch above that of the old data, and puts
 * it in place atomically; keeps the old data aside. A crash leaves the old store or the restored one; after an error the old store
 * is in place.
 * Fails with HF_E_LOCKED if a server has the directory, or the backup.
 * Fails with HF_E_CORRUPT if the file is not a complete and sound backup.
 * Fails with HF_E_PRECONDITION_FAILED if the directory has another store, or data that cannot be read while no store_epoch is
 * stated.
 * Fails with HF_E_STORAGE_FULL if the disk has no room.
 * Fails with HF_E_NEWER_FORMAT if a newer version wrote the backup.
 * Fails with HF_E_INVALID_PARAMETER if the store epoch would be out of range.
 * Fails with HF_E_DATA_DIR if the system refuses. */
enum hf_err hf_restore(struct hf_restore *restore, struct hf_why *why) HF_CHECKED;

#endif
