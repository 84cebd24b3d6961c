/* env.h — an LMDB environment: a database file of named tables, open in this process. Its transactions are in txn.h.
 *
 * lmdb/ is the one place that includes <lmdb.h>.
 */
#ifndef HF_STORAGE_LMDB_ENV_H
#define HF_STORAGE_LMDB_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

#define HF_TABLE_LIST(X)                                                                                                           \
	X(META, "meta", false, 1)                                                                                                  \
	X(LEASES, "leases", false, 1)                                                                                              \
	X(ADDRESSES, "addresses", true, 1)                                                                                         \
	X(FREE, "free", false, 1)                                                                                                  \
	X(DEADLINES, "deadlines", true, 1)                                                                                         \
	X(POOLS, "pools", false, 1)                                                                                                \
	X(ZONES, "zones", false, 1)                                                                                                \
	X(SCOPES, "scopes", false, 1)                                                                                              \
	X(CHANGES, "changes", true, 1)                                                                                             \
	X(HISTORY, "history", true, 1)                                                                                             \
	X(USAGE, "usage", false, 4)                                                                                                \
	X(AFFINITY, "affinity", false, 4)                                                                                          \
	X(REMEMBERED, "remembered", false, 4)

/* The second column is the name on disk; the third says that keys usually come in ascending order, so that pages fill up; the
 * fourth is the format that the table came with. */
enum hf_table {
#define HF_TABLE_ENUM(name, text, ascending, since) HF_##name,
	HF_TABLE_LIST(HF_TABLE_ENUM)
#undef HF_TABLE_ENUM
		HF_TABLES
};

const char *hf_table_name(enum hf_table table);

struct hf_env;

/* Opens the environment in an existing directory that the caller has locked; creates an empty one if the file is missing. A
 * store of an older format lacks the tables that came later: they are empty, and cannot be written before hf_txn_add_tables(). The
 * map is a sparse limit, not memory. One environment per directory and process; it must not cross a fork. Thread-safe once open.
 * Fails with HF_E_CORRUPT if the file is not a whole LMDB file, or not a Holdfast store.
 * Fails with HF_E_STORAGE_FULL if the disk has no room for a new file, or for the lock table, all of whose space is allocated
 * here.
 * Fails with HF_E_LOCKED if a reader with this process number, such as one in another container, has the database open.
 * Fails with HF_E_OVERLOADED if memory runs out.
 * Fails with HF_E_DATA_DIR if the system refuses. */
enum hf_err hf_env_open(const char *dir, uint64_t map_size_bytes, struct hf_why *why, struct hf_env **ret) HF_CHECKED;

/* Checks every page in use, as hf_env_open_read() does. Call it before hf_env_open(), which starts quickly and so does not check
 * the pages of a file of full length. The caller has locked the directory. Accepts a file that hf_env_open() itself refuses.
 * Fails with HF_E_CORRUPT if a page is missing or damaged.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_env_check(const char *dir, struct hf_why *why) HF_CHECKED;

/* Opens a database for reading only: a data directory, whose server may be running, or a file that nobody writes, such as a
 * backup. Reads every page in use first.
 * Fails with HF_E_DATA_DIR if the path does not exist, or the system refuses.
 * Fails with HF_E_STORAGE_FULL if the disk has no room for the lock table.
 * Fails with HF_E_LOCKED if a server has the file, or a reader has this process number.
 * Fails with HF_E_OVERLOADED if memory runs out.
 * Fails with HF_E_CORRUPT as hf_env_open() does, or if a page is missing or damaged. */
enum hf_err hf_env_open_read(const char *path, struct hf_why *why, struct hf_env **ret) HF_CHECKED;

/* Closes it; every transaction must have ended. NULL is fine. */
void hf_env_close(struct hf_env *env);

/* Sets *ret_oldest to the transaction of the oldest snapshot that any process is reading, and *ret_last to the last committed one.
 * If no process is reading, both are the last one. */
void hf_env_oldest_reader(struct hf_env *env, uint64_t *ret_oldest, uint64_t *ret_last);

/* Returns true once a damaged page or record was found, or a commit failed in its last step: the store may no longer be sound. */
bool hf_env_is_doubtful(const struct hf_env *env);

/* Frees the reader slots of processes that died: their snapshots would keep pages from being reused for ever. */
void hf_env_drop_dead_readers(struct hf_env *env);

/* Sets the number of bytes of the file in use, and the limit of the map. */
void hf_env_size(const struct hf_env *env, uint64_t *ret_used_bytes, uint64_t *ret_map_bytes);

#endif
