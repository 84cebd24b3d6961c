/* migrate.h — converts a store of an older format to the current one.
 *
 * Each step leads from one format to the next; all of them run in one transaction, so that a store has either its old format or the
 * current one.
 */
#ifndef HF_STORAGE_STORE_MIGRATE_H
#define HF_STORAGE_STORE_MIGRATE_H

#include "storage/lmdb/txn.h"

/* Copies the file aside (ret_aside has PATH_MAX bytes), then migrates from format `from`, which is older than HF_FORMAT. The
 * caller has locked the directory. After an error the store is unchanged.
 * Fails with HF_E_STORAGE_FULL if the disk has no room for the copy or the changes.
 * Fails with the transaction's fault. */
enum hf_err hf_migrate(struct hf_env *env, const char *dir, unsigned from, int64_t now_ms, struct hf_why *why,
		       char *ret_aside) HF_CHECKED;

#endif
