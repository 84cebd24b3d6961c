/* open.h — opening a data directory, or a file of one. */
#ifndef HF_STORAGE_STORE_OPEN_H
#define HF_STORAGE_STORE_OPEN_H

#include "store.h"

/* Opens (at first start creates) the data directory: locks it, checks the file, reads the format, makes the default pools. A store
 * of an older format is migrated, in one transaction, after its file was copied aside. HF_E_DATA_DIR: missing parent, not writable,
 * a backup that was put there without being restored, or a system error. HF_E_LOCKED: in use. HF_E_NEWER_FORMAT. HF_E_CORRUPT:
 * damaged or not ours; nothing is repaired. HF_E_STORAGE_FULL: no room for a new store, which leaves nothing of it, for the lock
 * table, or to migrate. HF_E_PRECONDITION_FAILED: an older format that the options keep. `why` says which and what to do. */
enum hf_err hf_store_open(const char *dir, const struct hf_store_options *options, struct hf_why *why,
			  struct hf_store **ret) HF_CHECKED;

/* Whether the directory has a database at all, so that an administrator's command makes no new one. HF_E_DATA_DIR: it has none. */
enum hf_err hf_store_exists(const char *dir, struct hf_why *why) HF_CHECKED;

/* Opens a store to be read alone, by readers: a data directory whose server may be at work, or a file such as a backup, which is
 * compared with its own digest if it has one. It may be of an older format. HF_E_DATA_DIR, HF_E_STORAGE_FULL (for the lock table),
 * HF_E_NEWER_FORMAT, HF_E_CORRUPT. */
enum hf_err hf_store_open_read(const char *path, struct hf_why *why, struct hf_store **ret) HF_CHECKED;

#endif
