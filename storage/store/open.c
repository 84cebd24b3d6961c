/* open.c — opens a store: locks, checks and reads it, or makes a new one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "batch.h"
#include "follow.h"
#include "lease_change.h"
#include "migrate.h"
#include "open.h"
#include "presence.h"
#include "storage/base/digest.h"
#include "storage/base/monotonic.h"
#include "storage/disk/backup_file.h"
#include "storage/disk/datadir.h"
#include "storage/disk/file.h"
#include "storage/disk/lock_file.h"
#include "storage/disk/space.h"
#include "storage/tables/allocator.h"
#include "store_internal.h"

#define DEFAULT_REMEMBERED (1u << 20)
#define DEFAULT_FOLLOW_AFTER_MS 10000

/* Checks that the last change is the last revision: a cheap sign that the tables belong together. */
static enum hf_err check_feed(struct hf_txn *txn, const struct hf_meta *meta, struct hf_why *why) {
	struct hf_change last;
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_CHANGES, &cursor);
	bool some = hf_cursor_last(&cursor);
	if (some && !hf_change_decode(cursor.key, cursor.value, &last))
		hf_txn_corrupt(txn, HF_CHANGES, "the last record is damaged");
	else if (some ? last.revision != meta->revision : meta->revision != meta->compacted)
		hf_txn_corrupt(txn, HF_CHANGES, "the last change is not the store's revision");
	return hf_txn_fault(txn, why);
}

/* Creates one of Kuma's own default pools, one for each kind. */
static void make_default_pool(struct hf_batch *batch, const char *name, enum hf_kind kind, const char *cidr) {
	struct hf_range range;
	struct hf_pool *pool;
	if (hf_cidr_parse(cidr, NULL, &range) || hf_batch_add_pool(batch, name, &pool) ||
	    !hf_ranges_make(&range, 1, &pool->config.cidrs)) {
		hf_txn_no_memory(hf_batch_txn(batch));
		return;
	}
	pool->config.strategy = HF_SEQUENTIAL;
	pool->config.quarantine_seconds = hf_batch_store(batch)->options.quarantine_seconds;
	pool->config.kinds = 1u << kind;
	pool->created_ms = pool->modified_ms = hf_batch_now_ms(batch);
	hf_allocator_rebuild(hf_batch_txn(batch), pool);
	struct hf_change change = {.type = HF_CHANGE_POOL_WRITTEN, .cause = HF_CAUSE_START};
	memcpy(change.pool, pool->name, sizeof change.pool);
	pool->revision = hf_batch_record(batch, &change);
}

/* Creates the store's first records in one transaction, so that a store is complete or missing. */
static enum hf_err initialise(struct hf_store *store, struct hf_why *why) {
	struct hf_batch *batch;
	enum hf_err err = hf_batch_begin(store, why, &batch);
	if (err)
		return err;
	struct hf_meta *meta = hf_batch_meta(batch);
	*meta = (struct hf_meta){.store_epoch = 1, .next_pool_id = 1, .created_ms = hf_batch_now_ms(batch)};
	if (hf_random(meta->store_id, sizeof meta->store_id))
		hf_txn_fail(hf_batch_txn(batch), HF_E_STORAGE, "no random bytes for a store id");
	hf_format_write(hf_batch_txn(batch));
	make_default_pool(batch, "meshservice", HF_MESH_SERVICE, "241.0.0.0/8");
	make_default_pool(batch, "meshexternalservice", HF_MESH_EXTERNAL_SERVICE, "242.0.0.0/8");
	make_default_pool(batch, "meshmultizoneservice", HF_MESH_MULTIZONE_SERVICE, "243.0.0.0/8");
	return hf_batch_commit(batch, why);
}

/* Reads the store's format and records; format 0 means that the store is new. */
static enum hf_err read_store(struct hf_store *store, struct hf_txn *txn, struct hf_why *why) {
	if (hf_txn_count(txn, HF_META) == 0 && hf_txn_count(txn, HF_LEASES) == 0)
		return hf_txn_fault(txn, why);
	enum hf_err err = hf_format_read(txn, why, &store->format);
	if (!err) {
		struct hf_moves moves = hf_moves_read(txn);
		store->meta = hf_meta_read(txn);
		store->revision = store->meta.revision;
		for (int cause = 1; cause <= HF_CAUSES; cause++)
			store->vip_changes[cause] = moves.by_cause[cause];
		err = hf_txn_fault(txn, why);
	}
	if (!err)
		err = check_feed(txn, &store->meta, why);
	if (!err)
		err = hf_store_load_pools(store, txn, why);
	return err ? err : hf_store_load_ttl(store, txn, why);
}

static enum hf_err load(struct hf_store *store, struct hf_why *why) {
	struct hf_txn *txn;
	enum hf_err err = hf_txn_open_read(store->env, why, &txn);
	if (err)
		return err;
	err = hf_txn_renew(txn, why);
	if (!err)
		err = read_store(store, txn, why);
	hf_txn_close(txn);
	return err;
}

static void fill_defaults(struct hf_store_options *options) {
	if (!options->map_size_bytes)
		options->map_size_bytes = HF_DEFAULT_MAP_BYTES;
	if (!options->changes_max)
		options->changes_max = HF_DEFAULT_CHANGES;
	if (!options->changes_age_ms)
		options->changes_age_ms = (int64_t)HF_DEFAULT_CHANGES_HOURS * 3600 * 1000;
	if (!options->remembered_max)
		options->remembered_max = DEFAULT_REMEMBERED;
	if (!options->follow_after_ms)
		options->follow_after_ms = DEFAULT_FOLLOW_AFTER_MS;
	if (!options->clock.now_ms)
		options->clock = HF_SYSTEM_CLOCK;
}

static struct hf_store *new_store(const struct hf_store_options *options) {
	struct hf_store *store = calloc(1, sizeof *store);
	if (store && !(store->ttl = hf_ttl_new())) {
		free(store);
		store = NULL;
	}
	if (store) {
		store->options = *options;
		fill_defaults(&store->options);
		struct hf_clock_reading reading = hf_clock_read(&store->options.clock);
		store->offset_ms = reading.wall_ms - reading.monotonic_ms;
		store->lock_fd = store->file_fd = -1;
		store->checked_ms = -1;
	}
	return store;
}

/* Refuses a backup that was not restored. A backup holds old addresses: addresses assigned since then would be given to other
 * services. */
static enum hf_err refuse_backup(const char *file, const char *dir, struct hf_why *why) {
	if (!hf_backup_is_marked(file))
		return HF_OK;
	return hf_fail(why, HF_E_DATA_DIR,
		       "%.100s is a backup that was put there by hand; move it away, and restore it: holdfast restore FILE "
		       "--data-dir %.80s",
		       file, dir);
}

/* Makes a new store in a directory beside, and puts it in place when it is complete: an incomplete store would be refused for
 * ever. */
static enum hf_err make(struct hf_store *store, const char *dir, struct hf_why *why) {
	char making[PATH_MAX], file[PATH_MAX];
	enum hf_err err = hf_datadir_path(dir, "making", why, making);
	if (!err)
		err = hf_datadir_file(making, why, file);
	if (err)
		return err;
	if (mkdir(making, 0750) != 0)
		return hf_fail(why, hf_space_err(errno), "%.120s cannot be made: %s", making, strerror(errno));
	hf_file_give(making);
	err = hf_env_open(making, store->options.map_size_bytes, why, &store->env);
	if (!err)
		err = load(store, why);
	if (!err)
		err = initialise(store, why);
	hf_env_close(store->env);
	store->env = NULL;
	if (!err)
		err = hf_datadir_install(dir, file, file, why); /* no existing file to keep aside */
	hf_datadir_scrap(making);
	store->is_new = !err;
	return err;
}

/* Removes what a killed process may have left: a store that was about to be put in place. */
static void scrap_leftovers(const char *dir) {
	static const char *const names[] = {"making", "restoring", "importing"};
	char path[PATH_MAX];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (hf_datadir_path(dir, names[i], NULL, path) == HF_OK)
			hf_datadir_scrap(path);
}

static enum hf_err migrate(struct hf_store *store, const char *dir, struct hf_why *why) {
	unsigned found = store->format;
	if (store->options.keep_format)
		return hf_fail(why, HF_E_PRECONDITION_FAILED, "%.120s has format %u; bring it to format %d first: holdfast migrate",
			       dir, found, HF_FORMAT);
	enum hf_err err = hf_migrate(store->env, dir, found, hf_store_now_ms(store), why, store->aside);
	if (!err)
		err = load(store, why);
	store->format = found;
	return err;
}

/* Makes the first store. Refuses to do so if the directory had a store whose file is gone: a new one would give its addresses to
 * others. */
static enum hf_err make_first(struct hf_store *store, const char *dir, const struct hf_lock_file *found, struct hf_why *why) {
	if (!hf_lock_file_is_of_worth(found))
		return make(store, dir, why);
	return hf_fail(
		why, HF_E_CORRUPT,
		"data.mdb is gone from %.100s, where there was a store at revision %llu; restore a backup (holdfast restore), or, "
		"to begin with an empty store, remove holdfast.lock there",
		dir, (unsigned long long)found->revision);
}

/* Checks every page, unless the file is unchanged since it was closed properly. */
static enum hf_err check_pages(struct hf_store *store, const char *dir, const struct hf_lock_file *found, struct hf_why *why) {
	int64_t begin_us = hf_monotonic_us();
	bool is_command = store->options.keep_format;
	if (store->is_new || (!is_command && hf_lock_file_fits(found, store->file)))
		return HF_OK;
	enum hf_err err = hf_env_check(dir, why);
	store->checked_ms = (hf_monotonic_us() - begin_us) / 1000;
	return err;
}

static enum hf_err note_file(struct hf_store *store, struct hf_why *why) {
	struct stat st;
	if (fstat(store->file_fd, &st) != 0)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be looked at: %s", store->file, strerror(errno));
	store->device = st.st_dev;
	store->inode = st.st_ino;
	return HF_OK;
}

/* Opens a directory that the caller has locked. */
static enum hf_err open_locked(struct hf_store *store, const char *dir, const struct hf_lock_file *found, struct hf_why *why) {
	scrap_leftovers(dir);
	enum hf_err err = hf_datadir_file(dir, why, store->file);
	if (err)
		return err;
	err = hf_store_exists(dir, NULL) == HF_OK ? refuse_backup(store->file, dir, why) : make_first(store, dir, found, why);
	if (!err)
		err = check_pages(store, dir, found, why);
	if (!err)
		err = hf_env_open(dir, store->options.map_size_bytes, why, &store->env);
	if (!err)
		err = hf_file_lock(store->file, why, &store->file_fd);
	if (!err)
		err = note_file(store, why);
	if (!err)
		err = load(store, why);
	if (!err && store->format == 0)
		err = hf_fail(why, HF_E_CORRUPT, "data.mdb in %.120s is a database without a store; restore a backup", dir);
	if (!err)
		err = hf_lock_file_check(found, dir, &store->meta, why);
	if (!err && store->format < HF_FORMAT)
		err = migrate(store, dir, why);
	if (!err && !hf_lock_file_store(store->lock_fd, &store->meta))
		err = hf_fail(why, HF_E_DATA_DIR, "holdfast.lock in %.120s cannot be written: %s", dir, strerror(errno));
	return err ? err : hf_follow_start(store, why);
}

enum hf_err hf_store_open(const char *dir, const struct hf_store_options *options, struct hf_why *why, struct hf_store **ret) {
	struct hf_store *store = new_store(options);
	struct hf_lock_file found;
	if (!store)
		return hf_no_memory(why);
	enum hf_err err = hf_datadir_lock(dir, why, &store->lock_fd, &found);
	if (!err)
		err = open_locked(store, dir, &found, why);
	if (err) {
		hf_store_close(store);
		return err;
	}
	store->is_open = true;
	*ret = store;
	return HF_OK;
}

enum hf_err hf_store_exists(const char *dir, struct hf_why *why) {
	char file[PATH_MAX];
	struct stat st;
	enum hf_err err = hf_datadir_file(dir, why, file);
	if (err || stat(file, &st) == 0)
		return err;
	return hf_fail(why, HF_E_DATA_DIR, "%.120s has no database: %s", dir, strerror(errno));
}

enum hf_err hf_store_open_read(const char *path, struct hf_why *why, struct hf_store **ret) {
	struct hf_store *store = new_store(&(struct hf_store_options){0});
	enum hf_backup_kind kind;
	uint64_t bytes;
	struct stat st;
	if (!store)
		return hf_no_memory(why);
	enum hf_err err = HF_OK;
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		err = hf_backup_check(path, why, &kind, &bytes);
	if (!err)
		err = hf_env_open_read(path, why, &store->env);
	if (!err)
		err = load(store, why);
	if (!err && store->format == 0)
		err = hf_fail(why, HF_E_CORRUPT, "%.120s is a database without a store", path);
	if (err) {
		hf_store_close(store);
		return err;
	}
	*ret = store;
	return HF_OK;
}
