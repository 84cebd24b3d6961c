/* txn.c — transactions with a sticky fault, and cursors, over LMDB. */
#include "txn.h"

#include <stdlib.h>

#include "env_internal.h"
#include "errors.h"
#include "fault.h"

struct hf_txn {
	struct hf_env *env;
	MDB_txn *lmdb;
	uint64_t writes;
	enum hf_err fault;
	struct hf_why why;
	const _Atomic bool *stop; /* may be NULL */
};

static const bool ASCENDING[] = {
#define HF_TABLE_ASCENDING(id, text, ascending, since) [HF_##id] = ascending,
	HF_TABLE_LIST(HF_TABLE_ASCENDING)
#undef HF_TABLE_ASCENDING
};

/* Surrounds every call to LMDB and records what to report if LMDB hits a damaged page. */
static void enter(const char *table) { hf_fault_note = (struct hf_fault_note){table, true}; }

static int left(int rc) {
	hf_fault_note.inside = false;
	return rc;
}

#define LMDB(table, call) (enter(table), left(call))

/* Records faults that are not temporary. */
static enum hf_err doubt(struct hf_env *env, enum hf_err err) {
	if (err == HF_E_CORRUPT || err == HF_E_PANIC)
		env->doubtful = true;
	return err;
}

/* Makes a failed call the transaction's fault, unless it has one already. */
static void blame(struct hf_txn *txn, int rc, const char *call, enum hf_table table) {
	if (rc == MDB_SUCCESS || txn->fault)
		return;
	rc = hf_lmdb_true_error(txn->env->lmdb, rc);
	txn->fault = hf_fail(&txn->why, doubt(txn->env, hf_lmdb_translate(rc)), "%s in table \"%s\": %s", call,
			     hf_table_name(table), mdb_strerror(rc));
}

static MDB_val to_val(struct hf_slice s) { return (MDB_val){s.len, (void *)s.data}; }

static struct hf_slice to_slice(MDB_val v) { return (struct hf_slice){v.mv_data, v.mv_size}; }

enum hf_err hf_txn_renew_file(struct hf_txn *txn, struct hf_why *why, int *ret_fd, struct hf_lmdb_meta *ret) {
	txn->fault = HF_OK;
	int rc = LMDB(NULL, mdb_txn_renew(txn->lmdb));
	if (rc == MDB_SUCCESS)
		rc = LMDB(NULL, hf_env_renew_meta(txn->env->lmdb, txn->lmdb, ret_fd, ret));
	return rc == MDB_SUCCESS ? HF_OK : hf_lmdb_no_transaction(rc, why);
}

enum hf_err hf_txn_check_pages(struct hf_txn *reader, struct hf_why *why) {
	struct hf_lmdb_damage damage;
	struct hf_lmdb_meta meta;
	int fd;
	hf_txn_reset(reader);
	enum hf_err err = hf_txn_renew_file(reader, why, &fd, &meta);
	if (err || hf_lmdb_pages_whole(fd, &meta, reader->stop, &damage))
		return err;
	if (!damage.is_unknown)
		return hf_fail(why, doubt(reader->env, HF_E_CORRUPT), "page %llu %s", (unsigned long long)damage.page, damage.what);
	return hf_fail(why, HF_E_OVERLOADED, "%s", damage.what);
}

static enum hf_err begin(struct hf_env *env, unsigned flags, struct hf_why *why, struct hf_txn **ret) {
	struct hf_txn *txn = calloc(1, sizeof *txn);
	if (!txn)
		return hf_no_memory(why);
	txn->env = env;
	int rc = LMDB(NULL, mdb_txn_begin(env->lmdb, NULL, flags, &txn->lmdb));
	if (rc != MDB_SUCCESS) {
		free(txn);
		return hf_lmdb_no_transaction(rc, why);
	}
	*ret = txn;
	return HF_OK;
}

enum hf_err hf_txn_begin(struct hf_env *env, struct hf_why *why, struct hf_txn **ret) { return begin(env, 0, why, ret); }

enum hf_err hf_txn_commit(struct hf_txn *txn, struct hf_why *why) {
	enum hf_err err = hf_txn_fault(txn, why);
	if (err) {
		mdb_txn_abort(txn->lmdb);
	} else {
		int rc = hf_lmdb_true_error(txn->env->lmdb, LMDB(NULL, mdb_txn_commit(txn->lmdb)));
		if (rc != MDB_SUCCESS)
			err = hf_fail(why, doubt(txn->env, hf_lmdb_translate(rc)), "the commit failed: %s", mdb_strerror(rc));
	}
	free(txn);
	return err;
}

void hf_txn_abort(struct hf_txn *txn) {
	mdb_txn_abort(txn->lmdb);
	free(txn);
}

enum hf_err hf_txn_open_read(struct hf_env *env, struct hf_why *why, struct hf_txn **ret) {
	enum hf_err err = begin(env, MDB_RDONLY, why, ret);
	if (!err)
		hf_txn_reset(*ret);
	return err;
}

enum hf_err hf_txn_renew(struct hf_txn *txn, struct hf_why *why) {
	txn->fault = HF_OK;
	int rc = LMDB(NULL, mdb_txn_renew(txn->lmdb));
	return rc == MDB_SUCCESS ? HF_OK : hf_lmdb_no_transaction(rc, why);
}

void hf_txn_reset(struct hf_txn *txn) { mdb_txn_reset(txn->lmdb); }

void hf_txn_close(struct hf_txn *txn) {
	if (txn)
		hf_txn_abort(txn);
}

enum hf_err hf_txn_fault(const struct hf_txn *txn, struct hf_why *why) {
	return txn->fault ? hf_fail(why, txn->fault, "%s", txn->why.text) : HF_OK;
}

void hf_txn_corrupt(struct hf_txn *txn, enum hf_table table, const char *what) {
	if (!txn->fault)
		txn->fault = hf_fail(&txn->why, doubt(txn->env, HF_E_CORRUPT), "table \"%s\": %s", hf_table_name(table), what);
}

void hf_txn_fail(struct hf_txn *txn, enum hf_err err, const char *what) {
	if (!txn->fault)
		txn->fault = hf_fail(&txn->why, err, "%s", what);
}

bool hf_txn_damaged(struct hf_txn *txn, enum hf_table table) {
	hf_txn_corrupt(txn, table, "a record is damaged");
	return false;
}

void hf_txn_no_memory(struct hf_txn *txn) {
	if (!txn->fault)
		txn->fault = hf_no_memory(&txn->why);
}

/* Whether a table is there to be read: a store of an older format may lack it. */
static bool exists(const struct hf_txn *txn, enum hf_table table) { return txn->env->tables[table] != HF_TABLE_ABSENT; }

/* Whether a table can be written: neither is it absent nor has the transaction a fault. */
static bool writable(struct hf_txn *txn, enum hf_table table) {
	if (!exists(txn, table))
		hf_txn_corrupt(txn, table, "the store's format has no such table");
	return !txn->fault;
}

void hf_txn_add_tables(struct hf_txn *txn) {
	for (int i = 0; i < HF_TABLES && !txn->fault; i++)
		if (!exists(txn, (enum hf_table)i))
			blame(txn,
			      LMDB(hf_table_name((enum hf_table)i),
				   mdb_dbi_open(txn->lmdb, hf_table_name((enum hf_table)i), MDB_CREATE, &txn->env->tables[i])),
			      "create", (enum hf_table)i);
}

bool hf_txn_get(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice *ret_value) {
	if (txn->fault || !exists(txn, table))
		return false;
	MDB_val k = to_val(key), v;
	int rc = LMDB(hf_table_name(table), mdb_get(txn->lmdb, txn->env->tables[table], &k, &v));
	if (rc == MDB_SUCCESS)
		*ret_value = to_slice(v);
	else if (rc != MDB_NOTFOUND)
		blame(txn, rc, "get", table);
	return rc == MDB_SUCCESS;
}

static void put(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value, unsigned flags) {
	if (!writable(txn, table))
		return;
	txn->writes++;
	MDB_val k = to_val(key), v = to_val(value);
	int rc = MDB_KEYEXIST;
	if (ASCENDING[table])
		rc = LMDB(hf_table_name(table), mdb_put(txn->lmdb, txn->env->tables[table], &k, &v, MDB_APPEND));
	if (rc == MDB_KEYEXIST)
		rc = LMDB(hf_table_name(table), mdb_put(txn->lmdb, txn->env->tables[table], &k, &v, flags));
	if (rc == MDB_KEYEXIST)
		hf_txn_corrupt(txn, table, "an entry to insert exists already");
	else
		blame(txn, rc, "put", table);
}

void hf_txn_put(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value) {
	put(txn, table, key, value, 0);
}

void hf_txn_insert(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value) {
	put(txn, table, key, value, MDB_NOOVERWRITE);
}

void hf_txn_append(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value) {
	if (!writable(txn, table))
		return;
	txn->writes++;
	MDB_val k = to_val(key), v = to_val(value);
	int rc = LMDB(hf_table_name(table), mdb_put(txn->lmdb, txn->env->tables[table], &k, &v, MDB_APPEND));
	if (rc == MDB_KEYEXIST)
		hf_txn_corrupt(txn, table, "an entry to append does not follow the others");
	else
		blame(txn, rc, "put", table);
}

void hf_txn_clear(struct hf_txn *txn, enum hf_table table) {
	if (!writable(txn, table))
		return;
	txn->writes++;
	blame(txn, LMDB(hf_table_name(table), mdb_drop(txn->lmdb, txn->env->tables[table], 0)), "clear", table);
}

void hf_txn_del(struct hf_txn *txn, enum hf_table table, struct hf_slice key) {
	if (!writable(txn, table))
		return;
	txn->writes++;
	MDB_val k = to_val(key);
	int rc = LMDB(hf_table_name(table), mdb_del(txn->lmdb, txn->env->tables[table], &k, NULL));
	if (rc == MDB_NOTFOUND)
		hf_txn_corrupt(txn, table, "an entry to delete is missing");
	else
		blame(txn, rc, "delete", table);
}

void hf_txn_stop_on(struct hf_txn *txn, const _Atomic bool *flag) { txn->stop = flag; }

uint64_t hf_txn_writes(const struct hf_txn *txn) { return txn->writes; }

uint64_t hf_txn_count(struct hf_txn *txn, enum hf_table table) {
	MDB_stat stat = {0};
	if (!txn->fault && exists(txn, table))
		blame(txn, LMDB(hf_table_name(table), mdb_stat(txn->lmdb, txn->env->tables[table], &stat)), "stat", table);
	return stat.ms_entries;
}

void hf_cursor_open(struct hf_txn *txn, enum hf_table table, struct hf_cursor *ret) {
	MDB_cursor *lmdb = NULL;
	if (!txn->fault && exists(txn, table))
		blame(txn, LMDB(hf_table_name(table), mdb_cursor_open(txn->lmdb, txn->env->tables[table], &lmdb)), "cursor", table);
	*ret = (struct hf_cursor){.txn = txn, .table = table, .lmdb = lmdb};
}

void hf_cursor_close(struct hf_cursor *cursor) {
	if (cursor->lmdb)
		mdb_cursor_close(cursor->lmdb);
	cursor->lmdb = NULL;
}

static bool move(struct hf_cursor *cursor, MDB_cursor_op op, struct hf_slice key) {
	if (cursor->txn->stop && *cursor->txn->stop)
		hf_txn_fail(cursor->txn, HF_E_OVERLOADED, "stopped");
	if (cursor->txn->fault || !cursor->lmdb)
		return false;
	MDB_val k = to_val(key), v = {0, NULL};
	int rc = LMDB(hf_table_name(cursor->table), mdb_cursor_get(cursor->lmdb, &k, &v, op));
	if (rc == MDB_SUCCESS) {
		cursor->key = to_slice(k);
		cursor->value = to_slice(v);
	} else if (rc != MDB_NOTFOUND) {
		blame(cursor->txn, rc, "seek", cursor->table);
	}
	return rc == MDB_SUCCESS;
}

bool hf_cursor_seek(struct hf_cursor *cursor, struct hf_slice key) { return move(cursor, MDB_SET_RANGE, key); }

bool hf_cursor_seek_after(struct hf_cursor *cursor, struct hf_slice key) {
	if (key.len == 0)
		return hf_cursor_first(cursor);
	return hf_cursor_seek(cursor, key) && (hf_slice_compare(cursor->key, key) != 0 || hf_cursor_next(cursor));
}

bool hf_cursor_seek_back(struct hf_cursor *cursor, struct hf_slice key) {
	if (!hf_cursor_seek(cursor, key))
		return hf_cursor_last(cursor);
	return hf_slice_compare(cursor->key, key) == 0 || hf_cursor_prev(cursor);
}

bool hf_cursor_first(struct hf_cursor *cursor) { return move(cursor, MDB_FIRST, (struct hf_slice){0}); }

bool hf_cursor_last(struct hf_cursor *cursor) { return move(cursor, MDB_LAST, (struct hf_slice){0}); }

bool hf_cursor_next(struct hf_cursor *cursor) { return move(cursor, MDB_NEXT, (struct hf_slice){0}); }

bool hf_cursor_prev(struct hf_cursor *cursor) { return move(cursor, MDB_PREV, (struct hf_slice){0}); }

void hf_cursor_del(struct hf_cursor *cursor) {
	cursor->txn->writes++;
	if (!cursor->txn->fault && cursor->lmdb)
		blame(cursor->txn, LMDB(hf_table_name(cursor->table), mdb_cursor_del(cursor->lmdb, 0)), "delete", cursor->table);
}

uint64_t hf_txn_free_pages(struct hf_txn *reader) {
	enum { TREE_OF_FREE_PAGES = 0, TRANSACTIONS_MAX = 10000 };
	MDB_cursor *cursor;
	MDB_val k, v;
	uint64_t pages = 0;
	if (reader->fault || LMDB(NULL, mdb_cursor_open(reader->lmdb, TREE_OF_FREE_PAGES, &cursor)) != MDB_SUCCESS)
		return 0;
	for (int n = 0; n < TRANSACTIONS_MAX && LMDB(NULL, mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == MDB_SUCCESS; n++) {
		size_t listed = 0;
		if (v.mv_size >= sizeof listed)
			memcpy(&listed, v.mv_data, sizeof listed);
		pages += listed;
	}
	mdb_cursor_close(cursor);
	return pages;
}
