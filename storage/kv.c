/* kv.c — LMDB, wrapped: tables, transactions with a sticky fault, cursors. */
#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kv_pages.h"
#include "room.h"

#define MAX_READERS 1024
#define READER_BYTES 64	    /* of its slot in the lock table, behind a head of at least as much */
#define SNAPSHOT_TRIES 1000 /* each fails only if two commits come between two system calls */

struct hf_kv {
	MDB_env *env;
	MDB_dbi tables[HF_TABLES];
};

struct hf_txn {
	struct hf_kv *kv;
	MDB_txn *lmdb;
	uint64_t writes;
	enum hf_err fault;
	struct hf_why why;
	const _Atomic bool *stop; /* NULL: there is none */
};

static const struct {
	const char *name;
	bool ascending;
} TABLES[] = {
#define HF_TABLE_ROW(id, text, ascending) [HF_##id] = {text, ascending},
	HF_TABLE_LIST(HF_TABLE_ROW)
#undef HF_TABLE_ROW
};

const char *hf_table_name(enum hf_table table) { return TABLES[table].name; }

/* The one translation of LMDB's (and its system calls') errors. */
static enum hf_err translate(int rc) {
	switch (rc) {
	case MDB_SUCCESS:
		return HF_OK;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return HF_E_STORAGE_FULL;
	case MDB_PANIC:
		return HF_E_PANIC;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE: /* an entry where a table should be */
		return HF_E_CORRUPT;
	default:
		return hf_room_is_short(rc) ? HF_E_STORAGE_FULL : HF_E_STORAGE;
	}
}

/* LMDB makes EIO of a write that the file system cut short, for which there is a better word. */
static int true_error(struct hf_kv *kv, int rc) {
	int fd, lack = rc == EIO && mdb_env_get_fd(kv->env, &fd) == MDB_SUCCESS ? hf_room_lack(fd) : 0;
	return hf_room_is_short(lack) ? lack : rc;
}

/* Makes a failed call the transaction's fault, unless it has one already. */
static void blame(struct hf_txn *txn, int rc, const char *call, enum hf_table table) {
	if (rc == MDB_SUCCESS || txn->fault)
		return;
	rc = true_error(txn->kv, rc);
	txn->fault = hf_fail(&txn->why, translate(rc), "%s in table \"%s\": %s", call, TABLES[table].name, mdb_strerror(rc));
}

static MDB_val to_val(struct hf_slice s) { return (MDB_val){s.len, (void *)s.data}; }

static struct hf_slice to_slice(MDB_val v) { return (struct hf_slice){v.mv_data, v.mv_size}; }

static int open_tables(struct hf_kv *kv, MDB_txn *txn, bool writable, struct hf_why *why) {
	MDB_dbi main_table;
	MDB_stat stat;
	int rc = mdb_dbi_open(txn, NULL, 0, &main_table);
	if (rc == MDB_SUCCESS)
		rc = mdb_stat(txn, main_table, &stat);
	if (rc != MDB_SUCCESS)
		return rc;
	bool is_new = writable && stat.ms_entries == 0;
	for (int i = 0; i < HF_TABLES; i++) {
		rc = mdb_dbi_open(txn, TABLES[i].name, is_new ? MDB_CREATE : 0, &kv->tables[i]);
		if (rc == MDB_NOTFOUND)
			hf_fail(why, HF_E_CORRUPT, "table \"%s\" is missing: this is not a Holdfast store, or a damaged one",
				TABLES[i].name);
		if (rc != MDB_SUCCESS)
			return rc;
	}
	return MDB_SUCCESS;
}

static enum hf_err pages_missing(const char *file, const struct hf_kv_damage *damage, struct hf_why *why) {
	return hf_fail(why, HF_E_CORRUPT, "%.120s is damaged or truncated: page %llu %s", file, (unsigned long long)damage->page,
		       damage->what);
}

/* A file may end before its last numbered page only if no tree uses the pages beyond. */
static enum hf_err check_length(MDB_env *env, const char *file, struct hf_why *why) {
	struct hf_kv_meta meta;
	struct hf_kv_damage damage;
	struct stat st;
	int fd;
	if (mdb_env_get_fd(env, &fd) != MDB_SUCCESS || fstat(fd, &st) != 0)
		return hf_fail(why, HF_E_DATA_DIR, "the database file's size cannot be read");
	if (!hf_kv_meta_read(fd, HF_KV_ANY_TXN, &meta))
		return hf_fail(why, HF_E_CORRUPT, "the database file's first pages are damaged");
	if ((uint64_t)st.st_size >= meta.pages * meta.page_bytes || hf_kv_pages_whole(fd, &meta, &damage))
		return HF_OK;
	return pages_missing(file, &damage, why);
}

/* What LMDB itself believes without a look: refuses a file that is none of its own, or whose first pages are damaged. A file that
 * is not there yet is fine. */
static enum hf_err check_file(const char *path, struct hf_why *why) {
	struct hf_kv_meta meta;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return HF_OK; /* LMDB says why */
	bool is_database = hf_kv_meta_read(fd, HF_KV_ANY_TXN, &meta);
	close(fd);
	if (is_database)
		return HF_OK;
	return hf_fail(why, HF_E_CORRUPT, "%.120s is not a database of this format, or its first pages are damaged", path);
}

/* Whether a snapshot is of the last commit. Not so mdb_env_info(): it looks at the meta pages, and sees a commit that is still
 * being flushed, which on a disk is most of the time. */
static bool is_newest(MDB_env *env, MDB_txn *txn) {
	MDB_txn *now;
	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &now) != MDB_SUCCESS)
		return false;
	bool newest = mdb_txn_id(now) == mdb_txn_id(txn);
	mdb_txn_abort(now);
	return newest;
}

/* The meta page of a transaction that is open, so that no page of its trees is overwritten. Its own is, by the second commit after
 * it: it is for certain as long as not one had ended when it was read. False: there was one. */
static bool read_meta(MDB_env *env, MDB_txn *txn, int *ret_fd, struct hf_kv_meta *ret) {
	return mdb_env_get_fd(env, ret_fd) == MDB_SUCCESS && hf_kv_meta_read(*ret_fd, mdb_txn_id(txn), ret) && is_newest(env, txn);
}

/* Looks at all pages, before LMDB does; the file may be written by a server meanwhile. */
static enum hf_err check_pages(MDB_env *env, MDB_txn *txn, const char *file, struct hf_why *why) {
	struct hf_kv_meta meta;
	struct hf_kv_damage damage;
	int fd, tries = SNAPSHOT_TRIES;
	while (!read_meta(env, txn, &fd, &meta)) {
		mdb_txn_reset(txn);
		if (--tries == 0 || mdb_txn_renew(txn) != MDB_SUCCESS)
			return hf_fail(why, HF_E_OVERLOADED, "the database changes too fast to be read");
	}
	return hf_kv_pages_whole(fd, &meta, &damage) ? HF_OK : pages_missing(file, &damage, why);
}

/* LMDB makes its lock table as long as it is, and sparse, and writes to it through a map. Only a lack of room is an error of ours:
 * LMDB knows what to do where it may not write. */
static enum hf_err reserve_lock_table(const char *dir, struct hf_why *why) {
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/" HF_KV_LOCK_NAME, dir);
	int error = hf_room_reserve(path, (MAX_READERS + 1) * READER_BYTES);
	return hf_room_is_short(error) ? hf_fail(why, HF_E_STORAGE_FULL, "%.120s cannot be written: %s", path, strerror(error))
				       : HF_OK;
}

static enum hf_err open_env(struct hf_kv *kv, const char *path, const char *file, unsigned flags, uint64_t map_size_bytes,
			    struct hf_why *why) {
	enum hf_err err = check_file(file, why);
	if (!err && !(flags & MDB_NOLOCK))
		err = reserve_lock_table(path, why);
	if (err)
		return err;
	int rc = mdb_env_create(&kv->env);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_maxdbs(kv->env, HF_TABLES);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_maxreaders(kv->env, MAX_READERS);
	if (rc == MDB_SUCCESS && map_size_bytes)
		rc = mdb_env_set_mapsize(kv->env, map_size_bytes);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_open(kv->env, path, MDB_NOTLS | flags, 0640);
	if (rc == MDB_SUCCESS && !(flags & MDB_NOLOCK))
		rc = mdb_reader_check(kv->env, NULL);
	if (rc == MDB_SUCCESS)
		return HF_OK;
	if (translate(rc) == HF_E_CORRUPT)
		return hf_fail(why, HF_E_CORRUPT, "%.120s is not a database of this format, or is damaged: %s", file,
			       mdb_strerror(rc));
	return hf_fail(why, hf_room_err(rc), "the database %.120s cannot be opened: %s", file, mdb_strerror(rc));
}

/* Opens the tables, and keeps their handles. In a writable store that is new they are made. */
static enum hf_err open_all(struct hf_kv *kv, const char *file, bool writable, struct hf_why *why) {
	MDB_txn *txn;
	int rc = mdb_txn_begin(kv->env, NULL, writable ? 0 : MDB_RDONLY, &txn);
	if (rc == MDB_SUCCESS) {
		enum hf_err err = writable ? HF_OK : check_pages(kv->env, txn, file, why);
		if (err) {
			mdb_txn_abort(txn);
			return err;
		}
		rc = open_tables(kv, txn, writable, why);
		/* Nothing is changed in a store that exists; LMDB keeps the handles of a committed transaction only. */
		if (rc == MDB_SUCCESS)
			rc = mdb_txn_commit(txn);
		else
			mdb_txn_abort(txn);
	}
	if (rc == MDB_SUCCESS)
		return HF_OK;
	rc = true_error(kv, rc);
	enum hf_err err = rc == MDB_NOTFOUND ? HF_E_CORRUPT : translate(rc);
	return why->text[0] ? err : hf_fail(why, err, "the database %.120s cannot be read: %s", file, mdb_strerror(rc));
}

enum hf_err hf_kv_open(const char *dir, uint64_t map_size_bytes, struct hf_why *why, struct hf_kv **ret) {
	struct hf_kv *kv = calloc(1, sizeof *kv);
	struct hf_why said = {""};
	char file[PATH_MAX];
	if (!kv)
		return hf_fail(why, HF_E_DATA_DIR, "out of memory");
	snprintf(file, sizeof file, "%s/" HF_KV_FILE_NAME, dir);
	enum hf_err err = open_env(kv, dir, file, 0, map_size_bytes, &said);
	if (!err)
		err = check_length(kv->env, file, &said);
	if (!err)
		err = open_all(kv, file, true, &said);
	if (err) {
		hf_kv_close(kv);
		return hf_fail(why, err, "%s", said.text);
	}
	*ret = kv;
	return HF_OK;
}

enum hf_err hf_kv_open_read(const char *path, struct hf_why *why, struct hf_kv **ret) {
	struct hf_kv *kv = calloc(1, sizeof *kv);
	struct hf_why said = {""};
	struct stat st;
	char file[PATH_MAX];
	if (!kv)
		return hf_fail(why, HF_E_DATA_DIR, "out of memory");
	bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	snprintf(file, sizeof file, "%s%s", path, is_dir ? "/" HF_KV_FILE_NAME : "");
	enum hf_err err = HF_OK;
	if (stat(file, &st) != 0)
		err = hf_fail(&said, HF_E_DATA_DIR, "%.120s: %s", file, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = hf_fail(&said, HF_E_DATA_DIR, "%.120s is not a file", file);
	else if (st.st_size == 0)
		err = hf_fail(&said, HF_E_CORRUPT, "%.120s is empty: no database", file);
	else
		err = open_env(kv, path, file, MDB_RDONLY | (is_dir ? 0 : MDB_NOSUBDIR | MDB_NOLOCK), 0, &said);
	if (!err)
		err = open_all(kv, file, false, &said);
	if (err) {
		hf_kv_close(kv);
		return hf_fail(why, err, "%s", said.text);
	}
	*ret = kv;
	return HF_OK;
}

void hf_kv_close(struct hf_kv *kv) {
	if (!kv)
		return;
	if (kv->env)
		mdb_env_close(kv->env);
	free(kv);
}

void hf_kv_size(const struct hf_kv *kv, uint64_t *ret_used_bytes, uint64_t *ret_map_bytes) {
	MDB_envinfo info = {0};
	MDB_stat stat = {0};
	mdb_env_info(kv->env, &info);
	mdb_env_stat(kv->env, &stat);
	*ret_used_bytes = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	*ret_map_bytes = info.me_mapsize;
}

enum hf_err hf_txn_renew_file(struct hf_txn *txn, struct hf_why *why, int *ret_fd, struct hf_kv_meta *ret) {
	for (int tries = SNAPSHOT_TRIES; tries > 0; tries--) {
		enum hf_err err = hf_txn_renew(txn, why);
		if (err || read_meta(txn->kv->env, txn->lmdb, ret_fd, ret))
			return err;
		hf_txn_reset(txn);
	}
	return hf_fail(why, HF_E_OVERLOADED, "the database changes too fast to be copied");
}

static enum hf_err begin(struct hf_kv *kv, unsigned flags, struct hf_why *why, struct hf_txn **ret) {
	struct hf_txn *txn = calloc(1, sizeof *txn);
	if (!txn)
		return hf_fail(why, HF_E_STORAGE, "out of memory");
	txn->kv = kv;
	int rc = mdb_txn_begin(kv->env, NULL, flags, &txn->lmdb);
	if (rc != MDB_SUCCESS) {
		free(txn);
		return hf_fail(why, translate(rc), "a transaction cannot be begun: %s", mdb_strerror(rc));
	}
	*ret = txn;
	return HF_OK;
}

enum hf_err hf_txn_begin(struct hf_kv *kv, struct hf_why *why, struct hf_txn **ret) { return begin(kv, 0, why, ret); }

enum hf_err hf_txn_commit(struct hf_txn *txn, struct hf_why *why) {
	enum hf_err err = hf_txn_fault(txn, why);
	if (err) {
		mdb_txn_abort(txn->lmdb);
	} else {
		int rc = true_error(txn->kv, mdb_txn_commit(txn->lmdb));
		if (rc != MDB_SUCCESS)
			err = hf_fail(why, translate(rc), "the commit failed: %s", mdb_strerror(rc));
	}
	free(txn);
	return err;
}

void hf_txn_abort(struct hf_txn *txn) {
	mdb_txn_abort(txn->lmdb);
	free(txn);
}

enum hf_err hf_txn_open_read(struct hf_kv *kv, struct hf_txn **ret) {
	enum hf_err err = begin(kv, MDB_RDONLY, NULL, ret);
	if (!err)
		hf_txn_reset(*ret);
	return err;
}

enum hf_err hf_txn_renew(struct hf_txn *txn, struct hf_why *why) {
	txn->fault = HF_OK;
	int rc = mdb_txn_renew(txn->lmdb);
	return rc == MDB_SUCCESS ? HF_OK : hf_fail(why, translate(rc), "a snapshot cannot be taken: %s", mdb_strerror(rc));
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
		txn->fault = hf_fail(&txn->why, HF_E_CORRUPT, "table \"%s\": %s", TABLES[table].name, what);
}

void hf_txn_fail(struct hf_txn *txn, enum hf_err err, const char *what) {
	if (!txn->fault)
		txn->fault = hf_fail(&txn->why, err, "%s", what);
}

bool hf_txn_get(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice *ret_value) {
	if (txn->fault)
		return false;
	MDB_val k = to_val(key), v;
	int rc = mdb_get(txn->lmdb, txn->kv->tables[table], &k, &v);
	if (rc == MDB_SUCCESS)
		*ret_value = to_slice(v);
	else if (rc != MDB_NOTFOUND)
		blame(txn, rc, "get", table);
	return rc == MDB_SUCCESS;
}

static void put(struct hf_txn *txn, enum hf_table table, struct hf_slice key, struct hf_slice value, unsigned flags) {
	if (txn->fault)
		return;
	txn->writes++;
	MDB_val k = to_val(key), v = to_val(value);
	int rc = MDB_KEYEXIST;
	if (TABLES[table].ascending)
		rc = mdb_put(txn->lmdb, txn->kv->tables[table], &k, &v, MDB_APPEND);
	if (rc == MDB_KEYEXIST)
		rc = mdb_put(txn->lmdb, txn->kv->tables[table], &k, &v, flags);
	if (rc == MDB_KEYEXIST)
		hf_txn_corrupt(txn, table, "an entry to insert is there already");
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
	if (txn->fault)
		return;
	txn->writes++;
	MDB_val k = to_val(key), v = to_val(value);
	int rc = mdb_put(txn->lmdb, txn->kv->tables[table], &k, &v, MDB_APPEND);
	if (rc == MDB_KEYEXIST)
		hf_txn_corrupt(txn, table, "an entry to append is not behind the others");
	else
		blame(txn, rc, "put", table);
}

void hf_txn_clear(struct hf_txn *txn, enum hf_table table) {
	if (txn->fault)
		return;
	txn->writes++;
	blame(txn, mdb_drop(txn->lmdb, txn->kv->tables[table], 0), "clear", table);
}

void hf_txn_del(struct hf_txn *txn, enum hf_table table, struct hf_slice key) {
	if (txn->fault)
		return;
	txn->writes++;
	MDB_val k = to_val(key);
	int rc = mdb_del(txn->lmdb, txn->kv->tables[table], &k, NULL);
	if (rc == MDB_NOTFOUND)
		hf_txn_corrupt(txn, table, "an entry to delete is missing");
	else
		blame(txn, rc, "delete", table);
}

void hf_txn_stop_on(struct hf_txn *txn, const _Atomic bool *flag) { txn->stop = flag; }

uint64_t hf_txn_writes(const struct hf_txn *txn) { return txn->writes; }

uint64_t hf_txn_count(struct hf_txn *txn, enum hf_table table) {
	MDB_stat stat = {0};
	if (!txn->fault)
		blame(txn, mdb_stat(txn->lmdb, txn->kv->tables[table], &stat), "stat", table);
	return stat.ms_entries;
}

void hf_cursor_open(struct hf_txn *txn, enum hf_table table, struct hf_cursor *ret) {
	MDB_cursor *lmdb = NULL;
	if (!txn->fault)
		blame(txn, mdb_cursor_open(txn->lmdb, txn->kv->tables[table], &lmdb), "cursor", table);
	*ret = (struct hf_cursor){.txn = txn, .table = table, .lmdb = lmdb};
}

void hf_cursor_close(struct hf_cursor *cursor) {
	if (cursor->lmdb)
		mdb_cursor_close(cursor->lmdb);
	cursor->lmdb = NULL;
}

static bool move(struct hf_cursor *cursor, MDB_cursor_op op, struct hf_slice key) {
	if (cursor->txn->stop && *cursor->txn->stop)
		hf_txn_fail(cursor->txn, HF_E_OVERLOADED, "it was stopped");
	if (cursor->txn->fault || !cursor->lmdb)
		return false;
	MDB_val k = to_val(key), v = {0, NULL};
	int rc = mdb_cursor_get(cursor->lmdb, &k, &v, op);
	if (rc == MDB_SUCCESS) {
		cursor->key = to_slice(k);
		cursor->value = to_slice(v);
	} else if (rc != MDB_NOTFOUND) {
		blame(cursor->txn, rc, "seek", cursor->table);
	}
	return rc == MDB_SUCCESS;
}

bool hf_cursor_seek(struct hf_cursor *cursor, struct hf_slice key) { return move(cursor, MDB_SET_RANGE, key); }

bool hf_cursor_seek_back(struct hf_cursor *cursor, struct hf_slice key) {
	if (!hf_cursor_seek(cursor, key))
		return hf_cursor_last(cursor);
	bool same = cursor->key.len == key.len && memcmp(cursor->key.data, key.data, key.len) == 0;
	return same || hf_cursor_prev(cursor);
}

bool hf_cursor_first(struct hf_cursor *cursor) { return move(cursor, MDB_FIRST, (struct hf_slice){0}); }

bool hf_cursor_last(struct hf_cursor *cursor) { return move(cursor, MDB_LAST, (struct hf_slice){0}); }

bool hf_cursor_next(struct hf_cursor *cursor) { return move(cursor, MDB_NEXT, (struct hf_slice){0}); }

bool hf_cursor_prev(struct hf_cursor *cursor) { return move(cursor, MDB_PREV, (struct hf_slice){0}); }

void hf_cursor_del(struct hf_cursor *cursor) {
	cursor->txn->writes++;
	if (!cursor->txn->fault && cursor->lmdb)
		blame(cursor->txn, mdb_cursor_del(cursor->lmdb, 0), "delete", cursor->table);
}
