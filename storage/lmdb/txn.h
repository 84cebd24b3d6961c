/* txn.h — transactions over the tables of an environment (env.h), and cursors in them.
 *
 * A transaction's first fault sticks: from then on reads find nothing, writes do nothing, and hf_txn_fault() and hf_txn_commit()
 * return it. So a request is written as a straight line and checks once, at its end. Every change of the store passes through here:
 * hf_txn_put(), insert, append, del and clear, and hf_cursor_del().
 *
 * Slices that a read or a cursor returns are borrowed: valid until the transaction's next write, reset or end.
 */
#ifndef HF_STORAGE_LMDB_TXN_H
#define HF_STORAGE_LMDB_TXN_H

#include "env.h"
#include "storage/base/bytes.h"

struct hf_txn;

/* Begins the one write transaction; blocks while another is open. It ends with commit or abort, on the same thread.
 * Fails with HF_E_PANIC if a commit failed in its last step; LMDB refuses all further work, reads included, until the store is
 * reopened.
 * Fails with HF_E_STORAGE if the system refuses.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_txn_begin(struct hf_env *env, struct hf_why *why, struct hf_txn **ret) HF_CHECKED;

/* Commits durably: after HF_OK every put and delete is on disk (two flushes); after an error, which hf_txn_fault() lists, none is.
 * Frees the transaction. */
enum hf_err hf_txn_commit(struct hf_txn *txn, struct hf_why *why) HF_CHECKED;
void hf_txn_abort(struct hf_txn *txn);

/* A read transaction that is used again and again: renew takes the newest snapshot, reset releases it (an open snapshot keeps old
 * pages alive). It begins reset. It may move between threads, but only one may use it at a time. close() accepts NULL.
 * Fails with HF_E_OVERLOADED if all reader slots are taken, or memory runs out.
 * Fails with HF_E_STORAGE if the system refuses.
 * Fails with HF_E_PANIC as hf_txn_begin() does. */
enum hf_err hf_txn_open_read(struct hf_env *env, struct hf_why *why, struct hf_txn **ret) HF_CHECKED;
enum hf_err hf_txn_renew(struct hf_txn *txn, struct hf_why *why) HF_CHECKED;
void hf_txn_reset(struct hf_txn *txn);
void hf_txn_close(struct hf_txn *txn);

/* Renews a reader, and sets the file that holds its snapshot: the descriptor, which belongs to LMDB, and the meta page of exactly
 * this snapshot. None of its pages is overwritten until the reader is reset.
 * Fails with HF_E_OVERLOADED if commits follow each other too quickly.
 * Otherwise fails as hf_txn_renew() does. */
struct hf_lmdb_meta;
enum hf_err hf_txn_renew_file(struct hf_txn *txn, struct hf_why *why, int *ret_fd, struct hf_lmdb_meta *ret) HF_CHECKED;

/* Takes a new snapshot and checks every page that it uses, while the writer continues; keeps the snapshot. After an error the
 * reader is reset, unless a page is damaged.
 * Fails with HF_E_CORRUPT if a page is missing or damaged; `why` names it.
 * Fails with HF_E_OVERLOADED if memory runs out or the check was stopped (hf_txn_stop_on()), or as hf_txn_renew_file() does. */
enum hf_err hf_txn_check_pages(struct hf_txn *reader, struct hf_why *why) HF_CHECKED;

/* Returns the number of free pages in a snapshot's file: its trees do not use them, and they may be used again. Examines the pages
 * that at most 10,000 transactions freed. */
uint64_t hf_txn_free_pages(struct hf_txn *reader);

/* Returns the first fault and copies its explanation to `why`; HF_OK if the transaction has none.
 * Fails with HF_E_STORAGE if the system refuses a read or a write.
 * Fails with HF_E_STORAGE_FULL if the disk or the map is full.
 * Fails with HF_E_CORRUPT if a page or a record is damaged.
 * Fails with HF_E_PANIC as hf_txn_begin() does.
 * Otherwise fails with the code that was passed to hf_txn_fail(). */
enum hf_err hf_txn_fault(const struct hf_txn *txn, struct hf_why *why) HF_CHECKED;

/* Makes the transaction faulty (HF_E_CORRUPT): `table` is damaged, and `what` says how. */
void hf_txn_corrupt(struct hf_txn *txn, enum hf_table table, const char *what);

/* Makes the transaction faulty because a record cannot be decoded. Returns false, for the decoder to return. */
bool hf_txn_damaged(struct hf_txn *txn, enum hf_table table);

/* Makes the transaction faulty for another reason; hf_txn_no_memory() does so as hf_no_memory() does. */
void hf_txn_fail(struct hf_txn *txn, enum hf_err err, const char *what);
void hf_txn_no_memory(struct hf_txn *txn);

/* Returns false if the key does not exist, or after a fault. */
bool hf_txn_get(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice *ret_value);
void hf_txn_put(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value);

/* Puts a key that must not exist; if it does, HF_E_CORRUPT sticks. */
void hf_txn_insert(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value);

/* Puts a key that must follow all others of its table, so that pages fill up; for any other key HF_E_CORRUPT sticks. */
void hf_txn_append(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value);

/* Makes the tables that a store of an older format lacks, for a migration. */
void hf_txn_add_tables(struct hf_txn *txn);

/* Empties a table. */
void hf_txn_clear(struct hf_txn *txn, enum hf_table table);

/* Deletes a key that must exist; if it does not, HF_E_CORRUPT sticks. */
void hf_txn_del(struct hf_txn *txn, enum hf_table table, struct hf_slice key);

/* Makes the transaction faulty (HF_E_OVERLOADED) at the next step of a cursor after the flag is set, so that a long walk can be
 * stopped from outside. NULL: never. */
void hf_txn_stop_on(struct hf_txn *txn, const _Atomic bool *flag);

/* Returns how many puts and deletes a write transaction has made. */
uint64_t hf_txn_writes(const struct hf_txn *txn);

/* Returns how many keys a table has, from its root page. */
uint64_t hf_txn_count(struct hf_txn *txn, enum hf_table table);

/* A position in a table. Lives on the stack; close it with hf_cursor_close() (or declare it HF_CURSOR) before its transaction ends.
 * Every move returns true and sets key and value if it reached an entry. A write to the table through the transaction makes the
 * cursor invalid, except hf_cursor_del(), after which hf_cursor_next() reaches the following entry. */
struct hf_cursor {
	struct hf_txn *txn;
	enum hf_table table;
	void *lmdb;
	struct hf_slice key, value;
};

void hf_cursor_open(struct hf_txn *txn, enum hf_table table, struct hf_cursor *ret);
void hf_cursor_close(struct hf_cursor *cursor);
bool hf_cursor_seek(struct hf_cursor *cursor, struct hf_slice key); /* the first entry at or after the key */
bool hf_cursor_seek_after(struct hf_cursor *cursor,
			  struct hf_slice key);				 /* the first entry after the key; of all, if it is empty */
bool hf_cursor_seek_back(struct hf_cursor *cursor, struct hf_slice key); /* the last entry at or before the key */
bool hf_cursor_first(struct hf_cursor *cursor);
bool hf_cursor_last(struct hf_cursor *cursor);
bool hf_cursor_next(struct hf_cursor *cursor); /* from an unpositioned cursor: the first entry */
bool hf_cursor_prev(struct hf_cursor *cursor); /* from an unpositioned cursor: the last entry */
void hf_cursor_del(struct hf_cursor *cursor);

#define HF_CURSOR __attribute__((cleanup(hf_cursor_close))) struct hf_cursor

#endif
