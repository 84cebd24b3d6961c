/* env.c — opens an LMDB environment for writing or for reading only, after checking its file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env_internal.h"
#include "errors.h"
#include "fault.h"
#include "storage/disk/datadir.h"
#include "storage/disk/file.h"
#include "storage/disk/space.h"

#define MAX_READERS 1024
#define SNAPSHOT_TRIES 1000 /* each fails only if a commit ends between two system calls */
#define READER_BYTES 64	    /* of its slot in the lock table, whose header is at least as long */

static const char *const TABLES[] = {
#define HF_TABLE_NAME(id, text, ascending, since) [HF_##id] = text,
	HF_TABLE_LIST(HF_TABLE_NAME)
#undef HF_TABLE_NAME
};

static const unsigned SINCE[] = {
#define HF_TABLE_SINCE(id, text, ascending, since) [HF_##id] = since,
	HF_TABLE_LIST(HF_TABLE_SINCE)
#undef HF_TABLE_SINCE
};

const char *hf_table_name(enum hf_table table) { return TABLES[table]; }

/* Whether the store says that it has a format in which a table did not exist yet. The table "meta" is open. */
static bool precedes(const struct hf_env *env, MDB_txn *txn, enum hf_table table) {
	uint8_t bytes[4] = {0};
	MDB_val key = {6, "format"}, value;
	if (SINCE[table] == 1 || mdb_get(txn, env->tables[HF_META], &key, &value) != MDB_SUCCESS || value.mv_size != sizeof bytes)
		return false;
	memcpy(bytes, value.mv_data, sizeof bytes);
	return bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] < SINCE[table];
}

static int open_tables(struct hf_env *env, MDB_txn *txn, bool writable, struct hf_why *why) {
	MDB_dbi main_table;
	MDB_stat stat;
	int rc = mdb_dbi_open(txn, NULL, 0, &main_table);
	if (rc == MDB_SUCCESS)
		rc = mdb_stat(txn, main_table, &stat);
	if (rc != MDB_SUCCESS)
		return rc;
	bool is_new = writable && stat.ms_entries == 0;
	for (int i = 0; i < HF_TABLES; i++) {
		rc = mdb_dbi_open(txn, hf_table_name((enum hf_table)i), is_new ? MDB_CREATE : 0, &env->tables[i]);
		if (rc == MDB_NOTFOUND && precedes(env, txn, (enum hf_table)i)) {
			env->tables[i] = HF_TABLE_ABSENT;
			rc = MDB_SUCCESS;
		}
		if (rc == MDB_NOTFOUND)
			hf_fail(why, HF_E_CORRUPT, "table \"%s\" is missing: this is not a Holdfast store, or a damaged one",
				hf_table_name((enum hf_table)i));
		if (rc != MDB_SUCCESS)
			return rc;
	}
	return MDB_SUCCESS;
}

static enum hf_err pages_missing(const char *file, const struct hf_lmdb_damage *damage, struct hf_why *why) {
	if (damage->is_unknown)
		return hf_fail(why, HF_E_OVERLOADED, "%.120s cannot be checked: %s", file, damage->what);
	return hf_fail(why, HF_E_CORRUPT, "%.120s is damaged or truncated: page %llu %s", file, (unsigned long long)damage->page,
		       damage->what);
}

/* A file may end before its last numbered page only if no tree uses the pages after its end. */
static enum hf_err check_length(MDB_env *env, const char *file, struct hf_why *why) {
	struct hf_lmdb_meta meta;
	struct hf_lmdb_damage damage;
	struct stat st;
	int fd;
	if (mdb_env_get_fd(env, &fd) != MDB_SUCCESS || fstat(fd, &st) != 0)
		return hf_fail(why, HF_E_DATA_DIR, "the database file's size cannot be read");
	if (!hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &meta))
		return hf_fail(why, HF_E_CORRUPT, "the database file's first pages are damaged");
	if ((uint64_t)st.st_size >= meta.pages * meta.page_bytes || hf_lmdb_pages_whole(fd, &meta, NULL, &damage))
		return HF_OK;
	return pages_missing(file, &damage, why);
}

/* Checks what LMDB takes for granted. Refuses a file that is not an LMDB file, or whose first pages are damaged. Accepts a missing
 * file. */
static enum hf_err check_file(const char *path, bool follow, struct hf_why *why) {
	struct hf_lmdb_meta meta;
	int fd = open(path, O_RDONLY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0 && errno == ELOOP)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is a link, or not a file; name the directory that holds the file itself",
			       path);
	if (fd < 0)
		return HF_OK; /* LMDB reports the reason */
	bool is_database = hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &meta);
	close(fd);
	if (is_database)
		return HF_OK;
	return hf_fail(why, HF_E_CORRUPT, "%.120s is not a database of this format, or its first pages are damaged", path);
}

enum hf_err hf_env_check(const char *dir, struct hf_why *why) {
	struct hf_lmdb_meta meta;
	struct hf_lmdb_damage damage;
	char file[PATH_MAX];
	enum hf_err err = hf_datadir_file(dir, why, file);
	if (err)
		return err;
	int fd = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool whole = fd < 0 || !hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &meta) || hf_lmdb_pages_whole(fd, &meta, NULL, &damage);
	if (fd >= 0)
		close(fd);
	return whole ? HF_OK : pages_missing(file, &damage, why);
}

int hf_env_renew_meta(MDB_env *env, MDB_txn *txn, int *ret_fd, struct hf_lmdb_meta *ret) {
	int rc = mdb_env_get_fd(env, ret_fd);
	for (int tries = SNAPSHOT_TRIES; rc == MDB_SUCCESS && tries > 0; tries--) {
		size_t id = mdb_txn_id(txn);
		bool found = hf_lmdb_meta_read(*ret_fd, id, ret);
		mdb_txn_reset(txn);
		rc = mdb_txn_renew(txn);
		if (rc == MDB_SUCCESS && found && mdb_txn_id(txn) == id)
			return MDB_SUCCESS;
	}
	if (rc == MDB_SUCCESS)
		mdb_txn_reset(txn);
	return rc == MDB_SUCCESS ? HF_LMDB_TOO_FAST : rc;
}

/* Checks all pages before LMDB reads them, while a server may be writing the file. */
static enum hf_err check_pages(MDB_env *env, MDB_txn *txn, const char *file, struct hf_why *why) {
	struct hf_lmdb_meta meta;
	struct hf_lmdb_damage damage;
	int fd, rc = hf_env_renew_meta(env, txn, &fd, &meta);
	if (rc != MDB_SUCCESS)
		return hf_lmdb_no_transaction(rc, why);
	return hf_lmdb_pages_whole(fd, &meta, NULL, &damage) ? HF_OK : pages_missing(file, &damage, why);
}

/* Allocates the lock table on disk: LMDB makes it sparse and writes to it through a map. Apart from a link or a file of another
 * user, only a full disk is an error here: LMDB handles a directory that it may not write. */
static enum hf_err reserve_lock_table(const char *dir, bool is_writable, struct hf_why *why) {
	char path[PATH_MAX];
	enum hf_err err = hf_datadir_lock_table(dir, why, path);
	if (err)
		return err;
	int error = hf_space_reserve(path, (MAX_READERS + 1) * READER_BYTES);
	hf_file_give(path);
	if (error == ELOOP)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is a link, and is not followed: remove it", path);
	if ((error == EACCES || error == EPERM) && is_writable)
		return hf_fail(why, HF_E_DATA_DIR,
			       "%.100s cannot be written (%s): another user's program, such as root's mdb_stat, made it; it holds "
			       "no data: "
			       "remove it while nothing uses the directory",
			       path, strerror(error));
	return hf_space_is_short(error) ? hf_fail(why, HF_E_STORAGE_FULL, "%.120s cannot be written: %s", path, strerror(error))
					: HF_OK;
}

static void on_assertion(MDB_env *env, const char *text) {
	hf_fault_assertion(((struct hf_env *)mdb_env_get_userctx(env))->file, text);
}

/* Registers the maps of the file and the lock table, so that a fault in them is recognised (fault.h). */
static void watch(struct hf_env *env, const char *dir, const char *file, bool has_lock_table) {
	MDB_stat stat = {.ms_psize = 4096};
	char lock_table[PATH_MAX];
	int fd;
	if (mdb_env_stat(env->lmdb, &stat) == MDB_SUCCESS && mdb_env_get_fd(env->lmdb, &fd) == MDB_SUCCESS)
		env->watches[0] = hf_fault_watch(file, fd, stat.ms_psize, false) + 1;
	if (has_lock_table && hf_datadir_lock_table(dir, NULL, lock_table) == HF_OK)
		env->watches[1] = hf_fault_watch(lock_table, -1, stat.ms_psize, true) + 1;
}

static void close_env(struct hf_env *env) {
	for (int i = 0; i < 2; i++) {
		hf_fault_unwatch(env->watches[i] - 1);
		env->watches[i] = 0;
	}
	if (env->lmdb)
		mdb_env_close(env->lmdb);
	env->lmdb = NULL;
}

/* Explains a system error, and the way out. */
static enum hf_err cannot_open(const char *file, uint64_t map_size_bytes, int rc, struct hf_why *why) {
	char size[32] = "";
	if (map_size_bytes)
		snprintf(size, sizeof size, " for %llu MiB", (unsigned long long)(map_size_bytes >> 20));
	if (rc == ENOMEM)
		return hf_fail(
			why, HF_E_DATA_DIR,
			"%.100s cannot be mapped: not enough address space%s; raise its limit (ulimit -v), or lower --map-size",
			file, size);
	if (rc == ENODEV || rc == EOPNOTSUPP)
		return hf_fail(
			why, HF_E_DATA_DIR,
			"%.120s cannot be mapped: its file system does not support it (%s); use a local one, such as ext4 or XFS",
			file, strerror(rc));
	return hf_fail(why, hf_space_err(rc), "the database %.120s cannot be opened: %s", file, mdb_strerror(rc));
}

static enum hf_err open_env(struct hf_env *env, const char *path, const char *file, unsigned flags, uint64_t map_size_bytes,
			    struct hf_why *why) {
	enum hf_err err = check_file(file, flags & MDB_NOSUBDIR, why);
	if (!err && !(flags & MDB_NOLOCK))
		err = reserve_lock_table(path, !(flags & MDB_RDONLY), why);
	if (err)
		return err;
	snprintf(env->file, sizeof env->file, "%s", file);
	int rc = mdb_env_create(&env->lmdb);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_userctx(env->lmdb, env);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_assert(env->lmdb, on_assertion);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_maxdbs(env->lmdb, HF_TABLES);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_maxreaders(env->lmdb, MAX_READERS);
	if (rc == MDB_SUCCESS && map_size_bytes)
		rc = mdb_env_set_mapsize(env->lmdb, map_size_bytes);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_open(env->lmdb, path, MDB_NOTLS | flags, 0640);
	if (rc == MDB_SUCCESS)
		watch(env, path, file, !(flags & MDB_NOLOCK));
	if (rc == MDB_SUCCESS && !(flags & MDB_RDONLY))
		hf_file_give(file);
	if (rc == MDB_SUCCESS && !(flags & MDB_NOLOCK))
		rc = mdb_reader_check(env->lmdb, NULL);
	if (rc == MDB_SUCCESS)
		return HF_OK;
	if (hf_lmdb_translate(rc) == HF_E_CORRUPT)
		return hf_fail(why, HF_E_CORRUPT, "%.120s is not a database of this format, or is damaged: %s", file,
			       mdb_strerror(rc));
	return cannot_open(file, map_size_bytes, rc, why);
}

/* Opens the tables and keeps their handles; creates them in a new writable store. */
static enum hf_err open_all(struct hf_env *env, const char *file, bool writable, struct hf_why *why) {
	MDB_txn *txn;
	hf_fault_note = (struct hf_fault_note){NULL, true};
	int rc = mdb_txn_begin(env->lmdb, NULL, writable ? 0 : MDB_RDONLY, &txn);
	if (rc == MDB_SUCCESS) {
		enum hf_err err = writable ? HF_OK : check_pages(env->lmdb, txn, file, why);
		if (err) {
			mdb_txn_abort(txn);
			hf_fault_note.inside = false;
			return err;
		}
		rc = open_tables(env, txn, writable, why);
		/* Changes nothing in an existing store; LMDB keeps the handles of a committed transaction only. */
		if (rc == MDB_SUCCESS)
			rc = mdb_txn_commit(txn);
		else
			mdb_txn_abort(txn);
	}
	hf_fault_note.inside = false;
	if (rc == MDB_SUCCESS)
		return HF_OK;
	rc = hf_lmdb_true_error(env->lmdb, rc);
	if (rc == EAGAIN || rc == EACCES) /* from a lock by process number */
		return hf_fail(why, HF_E_LOCKED,
			       "%.100s is being read by a process with the same number (%ld), perhaps in another container: wait "
			       "for it, or run this with another number",
			       file, (long)getpid());
	enum hf_err err = rc == MDB_NOTFOUND ? HF_E_CORRUPT : hf_lmdb_translate(rc);
	return why->text[0] ? err : hf_fail(why, err, "the database %.120s cannot be read: %s", file, mdb_strerror(rc));
}

/* If another process has the lock table open, LMDB takes the newest transaction's number from it. If that process reads a file
 * that was replaced since, the number belongs to that file. Returns whether it belongs to this one, which only the caller
 * writes. */
static bool lock_table_fits(MDB_env *env) {
	struct hf_lmdb_meta meta;
	MDB_txn *txn;
	int fd;
	if (mdb_env_get_fd(env, &fd) != MDB_SUCCESS || !hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &meta) ||
	    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != MDB_SUCCESS)
		return true; /* the next step reports what is wrong */
	bool fits = mdb_txn_id(txn) == meta.txn_id;
	mdb_txn_abort(txn);
	return fits;
}

enum hf_err hf_env_open(const char *dir, uint64_t map_size_bytes, struct hf_why *why, struct hf_env **ret) {
	struct hf_env *env = calloc(1, sizeof *env);
	struct hf_why said = {""};
	char file[PATH_MAX], lock_table[PATH_MAX];
	if (!env)
		return hf_no_memory(why);
	enum hf_err err = hf_datadir_file(dir, &said, file);
	if (!err)
		err = hf_datadir_lock_table(dir, &said, lock_table);
	if (!err)
		err = open_env(env, dir, file, 0, map_size_bytes, &said);
	if (!err && !lock_table_fits(env->lmdb)) {
		close_env(env);
		unlink(lock_table);
		err = open_env(env, dir, file, 0, map_size_bytes, &said);
	}
	if (!err)
		err = check_length(env->lmdb, file, &said);
	if (!err)
		err = open_all(env, file, true, &said);
	if (err) {
		hf_env_close(env);
		return hf_fail(why, err, "%s", said.text);
	}
	*ret = env;
	return HF_OK;
}

/* Returns whether the directory's lock table can be written, or created if it does not exist. */
static bool may_lock(const char *dir) {
	char path[PATH_MAX];
	if (hf_datadir_lock_table(dir, NULL, path) == HF_OK && access(path, F_OK) == 0)
		return access(path, R_OK | W_OK) == 0;
	return access(dir, W_OK) == 0;
}

/* Finds the database file of a path to read: the file itself, or the one in a data directory. */
static enum hf_err find_file(const char *path, struct hf_why *why, char ret[PATH_MAX], bool *ret_is_dir) {
	struct stat st;
	*ret_is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	if (!*ret_is_dir && snprintf(ret, PATH_MAX, "%s", path) >= PATH_MAX)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s…: the path is too long", path);
	enum hf_err err = *ret_is_dir ? hf_datadir_file(path, why, ret) : HF_OK;
	if (err)
		return err;
	if (stat(ret, &st) != 0)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s: %s", ret, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is not a file", ret);
	return st.st_size > 0 ? HF_OK : hf_fail(why, HF_E_CORRUPT, "%.120s is empty, not a database", ret);
}

enum hf_err hf_env_open_read(const char *path, struct hf_why *why, struct hf_env **ret) {
	struct hf_env *env = calloc(1, sizeof *env);
	struct hf_why said = {""};
	char file[PATH_MAX];
	bool is_dir;
	if (!env)
		return hf_no_memory(why);
	enum hf_err err = find_file(path, &said, file, &is_dir);
	if (!err && !is_dir)
		err = hf_file_share(file, &said, &env->shared_fd);
	/* A user who may not write the lock table can read without it, if no server is running, which would have the file locked.
	 */
	bool unlocked = !is_dir;
	if (!err && is_dir && !may_lock(path)) {
		unlocked = true;
		err = hf_file_share(file, &said, &env->shared_fd);
		if (err == HF_E_LOCKED)
			hf_fail(&said, err,
				"%.100s has a running server, and this user may not write its lock.mdb: run this as its owner",
				path);
	}
	if (!err)
		err = open_env(env, unlocked ? file : path, file, MDB_RDONLY | (unlocked ? MDB_NOSUBDIR | MDB_NOLOCK : 0), 0,
			       &said);
	if (!err)
		err = open_all(env, file, false, &said);
	if (err) {
		hf_env_close(env);
		return hf_fail(why, err, "%s", said.text);
	}
	*ret = env;
	return HF_OK;
}

/* Takes a line of LMDB's list: process, thread, transaction. An idle reader has a hyphen for its transaction. */
static int take_reader(const char *line, void *context) {
	uint64_t *oldest = context;
	unsigned long long txn_id;
	if (sscanf(line, "%*d %*x %llu", &txn_id) == 1 && txn_id > 0 && txn_id < *oldest)
		*oldest = txn_id;
	return 0;
}

void hf_env_oldest_reader(struct hf_env *env, uint64_t *ret_oldest, uint64_t *ret_last) {
	MDB_envinfo info = {0};
	mdb_env_info(env->lmdb, &info);
	*ret_oldest = *ret_last = info.me_last_txnid;
	mdb_reader_list(env->lmdb, take_reader, ret_oldest);
}

bool hf_env_is_doubtful(const struct hf_env *env) { return env->doubtful; }

void hf_env_drop_dead_readers(struct hf_env *env) { mdb_reader_check(env->lmdb, NULL); }

void hf_env_close(struct hf_env *env) {
	if (!env)
		return;
	close_env(env);
	if (env->shared_fd > 0)
		close(env->shared_fd);
	free(env);
}

void hf_env_size(const struct hf_env *env, uint64_t *ret_used_bytes, uint64_t *ret_map_bytes) {
	MDB_envinfo info = {0};
	MDB_stat stat = {0};
	mdb_env_info(env->lmdb, &info);
	mdb_env_stat(env->lmdb, &stat);
	*ret_used_bytes = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	*ret_map_bytes = info.me_mapsize;
}
