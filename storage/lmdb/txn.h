/* txn.h — the one place that knows LMDB: an environment of named tables, and transactions over them.
 *
 * A transaction's first fault sticks: from then on reads find nothing, writes do nothing, and hf_txn_fault() and
 * hf_txn_commit() answer it. So a verb is written as a straight line and checks once, at its end. Every change of the store
 * passes through here: hf_txn_put(), insert, append, del and clear, and hf_cursor_del().
 *
 * Slices that a read or a cursor returns are borrowed: valid until the transaction's next write, reset or end.
 */
#ifndef HF_STORAGE_LMDB_TXN_H
#define HF_STORAGE_LMDB_TXN_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/bytes.h"
#include "storage/base/err.h"

#define HF_TABLE_LIST(X)                                                                                                           \
	X(META, "meta", false)                                                                                                     \
	X(LEASES, "leases", false)                                                                                                 \
	X(ADDRESSES, "addresses", true)                                                                                            \
	X(FREE, "free", false)                                                                                                     \
	X(DEADLINES, "deadlines", true)                                                                                            \
	X(POOLS, "pools", false)                                                                                                   \
	X(ZONES, "zones", false)                                                                                                   \
	X(SCOPES, "scopes", false)                                                                                                 \
	X(CHANGES, "changes", true)                                                                                                \
	X(HISTORY, "history", true)

/* The second column is the name on disk; the third says that keys usually come in ascending order, so that pages fill up. */
enum hf_table {
#define HF_TABLE_ENUM(name, text, ascending) HF_##name,
	HF_TABLE_LIST(HF_TABLE_ENUM)
#undef HF_TABLE_ENUM
		HF_TABLES
};

const char *hf_table_name(enum hf_table table);

struct hf_kv;
struct hf_txn;

/* Opens the environment in an existing directory that the caller has locked; creates an empty one if there is none. The map is a
 * sparse limit, not memory. One environment per directory and process; it must not cross a fork.
 * HF_E_CORRUPT: not a whole LMDB file, or not a store of ours. HF_E_STORAGE_FULL: no room for a new file, or for the lock table,
 * which is given all of its places on the disk. HF_E_DATA_DIR: the system refused. Thread-safe once open. */
enum hf_err hf_kv_open(const char *dir, uint64_t map_size_bytes, struct hf_why *why, struct hf_kv **ret) HF_CHECKED;

/* Looks at every page in use, as hf_kv_open_read() does: so before hf_kv_open(), which for the sake of a quick start looks at none
 * in a file of its full length. The caller has locked the directory. What hf_kv_open() itself refuses is fine here.
 * HF_E_CORRUPT: a page is missing or wrong. HF_E_DATA_DIR: out of memory. */
enum hf_err hf_kv_check(const char *dir, struct hf_why *why) HF_CHECKED;

/* Opens a database to be read alone: a data directory, whose server may be at work, or a file, such as a backup, that nobody
 * writes. Every page in use is looked at before. HF_E_DATA_DIR: not there, or the system refused. HF_E_STORAGE_FULL: as above.
 * HF_E_CORRUPT: as above, or a page is missing or wrong. */
enum hf_err hf_kv_open_read(const char *path, struct hf_why *why, struct hf_kv **ret) HF_CHECKED;

/* Closes it; every transaction must have ended. NULL is fine. */
void hf_kv_close(struct hf_kv *kv);

/* Pages of the file that a snapshot's trees do not use and that may be used again; of at most 10,000 transactions that freed some.
 */
uint64_t hf_txn_free_pages(struct hf_txn *reader);

/* The transaction of the oldest snapshot that a process reads, of any process, and the last one that was committed. Without any
 * reader both are the last one. */
void hf_kv_oldest_reader(struct hf_kv *kv, uint64_t *ret_oldest, uint64_t *ret_last);

/* Whether a damaged page or record was met, or a commit failed in its last step: then it cannot be said that all is well. */
bool hf_kv_is_doubtful(const struct hf_kv *kv);

/* Takes the places of readers whose process died out of the table: their snapshots would hold pages back for ever. */
void hf_kv_drop_dead_readers(struct hf_kv *kv);

/* Bytes of the file in use, and the limit of the map. */
void hf_kv_size(const struct hf_kv *kv, uint64_t *ret_used_bytes, uint64_t *ret_map_bytes);

/* The one write transaction; blocks while another is open. HF_E_PANIC: a commit failed in its last step, and LMDB refuses all
 * further work, reading too, until the store is opened anew. Ends with commit or abort on the same thread. */
enum hf_err hf_txn_begin(struct hf_kv *kv, struct hf_why *why, struct hf_txn **ret) HF_CHECKED;

/* Commits durably: HF_OK means that every put and delete is on disk (two flushes); else none of them is. Frees the transaction. */
enum hf_err hf_txn_commit(struct hf_txn *txn, struct hf_why *why) HF_CHECKED;
void hf_txn_abort(struct hf_txn *txn);

/* A read transaction that is used again and again: renew takes the newest snapshot, reset lets go of it (an open snapshot keeps
 * old pages alive). It begins reset. May move between threads, one at a time. close() accepts NULL. */
enum hf_err hf_txn_open_read(struct hf_kv *kv, struct hf_txn **ret) HF_CHECKED;
enum hf_err hf_txn_renew(struct hf_txn *txn, struct hf_why *why) HF_CHECKED;
void hf_txn_reset(struct hf_txn *txn);
void hf_txn_close(struct hf_txn *txn);

/* Renews a reader, and tells the file that its snapshot lies in: the descriptor, which is LMDB's own, and the meta page of these
 * very trees. Until the reader is reset, no page of them is overwritten. HF_E_OVERLOADED: commits come too fast. */
struct hf_kv_meta;
enum hf_err hf_txn_renew_file(struct hf_txn *txn, struct hf_why *why, int *ret_fd, struct hf_kv_meta *ret) HF_CHECKED;

/* Takes a new snapshot and looks at every page that it uses, while the writer goes on; the snapshot is kept. HF_E_CORRUPT: a page
 * is missing or wrong, which `why` names. HF_E_OVERLOADED: out of memory, stopped (hf_txn_stop_on()), or as above; the reader is
 * reset then. */
enum hf_err hf_txn_check_pages(struct hf_txn *reader, struct hf_why *why) HF_CHECKED;

/* The first fault: HF_OK, HF_E_STORAGE, HF_E_STORAGE_FULL, HF_E_CORRUPT or HF_E_PANIC, with its words. */
enum hf_err hf_txn_fault(const struct hf_txn *txn, struct hf_why *why) HF_CHECKED;

/* Makes the transaction faulty: the record of `table` at hand is damaged. */
void hf_txn_corrupt(struct hf_txn *txn, enum hf_table table, const char *what);

/* Makes the transaction faulty for another reason, such as HF_E_STORAGE: out of memory. */
void hf_txn_fail(struct hf_txn *txn, enum hf_err err, const char *what);

/* False: no such key, or a fault. */
bool hf_txn_get(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice *ret_value);
void hf_txn_put(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value);

/* Puts a key that must not exist; its presence is HF_E_CORRUPT. */
void hf_txn_insert(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value);

/* Puts a key that must be behind all others of its table, so that its pages fill up; any other is HF_E_CORRUPT. */
void hf_txn_append(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value);

/* Empties a table. */
void hf_txn_clear(struct hf_txn *txn, enum hf_table table);

/* Deletes a key that must exist; its absence is HF_E_CORRUPT. */
void hf_txn_del(struct hf_txn *txn, enum hf_table table, struct hf_slice key);

/* From now on the transaction becomes faulty (HF_E_OVERLOADED) once the flag is set, at the next step of a cursor: so a long walk
 * can be ended from outside. NULL: no more. */
void hf_txn_stop_on(struct hf_txn *txn, const _Atomic bool *flag);

/* How many puts and deletes a write transaction has made. */
uint64_t hf_txn_writes(const struct hf_txn *txn);

/* How many keys a table has, from its root page. */
uint64_t hf_txn_count(struct hf_txn *txn, enum hf_table table);

/* A position in a table. Opened on the stack, closed with hf_cursor_close() (or HF_CURSOR) before its transaction ends. Every move
 * answers whether there is an entry, and then sets key and value. Writes to the table through the transaction end its use, but
 * for hf_cursor_del(), behind which hf_cursor_next() goes on. */
struct hf_cursor {
	struct hf_txn *txn;
	enum hf_table table;
	void *lmdb;
	struct hf_slice key, value;
};

void hf_cursor_open(struct hf_txn *txn, enum hf_table table, struct hf_cursor *ret);
void hf_cursor_close(struct hf_cursor *cursor);
bool hf_cursor_seek(struct hf_cursor *cursor, struct hf_slice key);	 /* the first entry at or behind the key */
bool hf_cursor_seek_back(struct hf_cursor *cursor, struct hf_slice key); /* the last entry at or before the key */
bool hf_cursor_first(struct hf_cursor *cursor);
bool hf_cursor_last(struct hf_cursor *cursor);
bool hf_cursor_next(struct hf_cursor *cursor); /* from an unpositioned cursor: the first entry */
bool hf_cursor_prev(struct hf_cursor *cursor); /* from an unpositioned cursor: the last entry */
void hf_cursor_del(struct hf_cursor *cursor);

#define HF_CURSOR __attribute__((cleanup(hf_cursor_close))) struct hf_cursor

#endif
