/* open.h — opens a data directory, or a single database file. */
#ifndef HF_STORAGE_STORE_OPEN_H
#define HF_STORAGE_STORE_OPEN_H

#include "store.h"

/* Opens the data directory: locks it, checks the file and reads the format. A first start creates it, and makes the default pools.
 * Copies a store of an older format aside, and migrates it in one transaction. Repairs nothing. `why` gives the reason and the way
 * out.
 * Fails with HF_E_DATA_DIR if the parent directory is missing, the directory is not writable, a backup was put there without being
 * restored, or the system refuses.
 * Fails with HF_E_LOCKED if another process has the directory.
 * Fails with HF_E_NEWER_FORMAT if a newer version wrote the store.
 * Fails with HF_E_CORRUPT if the file is damaged, or is not a store.
 * Fails with HF_E_STORAGE_FULL if the disk has no room for a new store (nothing of it is left), for the lock table, or for a
 * migration.
 * Fails with HF_E_PRECONDITION_FAILED if the store has an older format that the options do not allow to be migrated. */
enum hf_err hf_store_open(const char *dir, const struct hf_store_options *options, struct hf_why *why,
			  struct hf_store **ret) HF_CHECKED;

/* Checks that the directory has a database, so that an administrator's command never makes a new one.
 * Fails with HF_E_DATA_DIR if it has none. */
enum hf_err hf_store_exists(const char *dir, struct hf_why *why) HF_CHECKED;

/* Opens a store for reading only: a data directory whose server may be running, or a file such as a backup, which is checked
 * against its own digest if it has one. The store may have an older format.
 * Fails with HF_E_DATA_DIR if the path does not exist, or the system refuses.
 * Fails with HF_E_STORAGE_FULL if the disk has no room for the lock table.
 * Fails with HF_E_NEWER_FORMAT if a newer version wrote the store.
 * Fails with HF_E_CORRUPT if the file is damaged, or is not a store. */
enum hf_err hf_store_open_read(const char *path, struct hf_why *why, struct hf_store **ret) HF_CHECKED;

#endif
