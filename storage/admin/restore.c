/* restore.c — raises the store epoch, and puts a backup into the data directory. */
#include "restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "storage/disk/datadir.h"
#include "storage/disk/file.h"
#include "storage/disk/lock_file.h"
#include "storage/disk/space.h"
#include "storage/requests/pool_requests.h"
#include "storage/store/batch.h"
#include "storage/store/open.h"
#include "storage/tables/allocator.h"
#include "storage/tables/lease_table.h"
#include "storage/tables/meta_table.h"

/* Makes zones that had connected wait for their control planes to come back. Anything that these still send from before is fenced
 * off. */
static void freeze_zones(struct hf_batch *batch, uint64_t ahead) {
	struct hf_zone zone = {.name = ""};
	while (hf_zone_next(hf_batch_txn(batch), zone.name, &zone)) {
		if (zone.epoch == 0)
			continue;
		zone.epoch += ahead;
		if (zone.state == HF_ZONE_ONLINE) {
			zone.state = HF_ZONE_OFFLINE;
			zone.changed_ms = hf_batch_now_ms(batch);
		}
		hf_batch_put_zone(batch, &zone);
	}
}

static void move_cursors(struct hf_batch *batch, uint64_t epochs) {
	struct hf_pool *const *pools;
	int n = hf_batch_pools(batch, &pools);
	for (int i = 0; i < n; i++)
		if (pools[i]->config.strategy == HF_SEQUENTIAL) {
			hf_allocator_skip(pools[i], HF_IPV4, epochs);
			hf_allocator_skip(pools[i], HF_IPV6, epochs);
			pools[i]->touched = true;
		}
}

enum hf_err hf_store_raise_epoch(struct hf_store *store, uint64_t at_least, struct hf_why *why) {
	struct hf_batch *batch;
	enum hf_err err = hf_batch_begin(store, why, &batch);
	if (err)
		return err;
	struct hf_meta *meta = hf_batch_meta(batch);
	uint64_t epoch = meta->store_epoch + 1 > at_least ? meta->store_epoch + 1 : at_least;
	if (epoch > HF_STORE_EPOCH_MAX) {
		hf_batch_abort(batch);
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the store epoch would be %llu; at most %llu is possible",
			       (unsigned long long)epoch, (unsigned long long)HF_STORE_EPOCH_MAX);
	}
	uint64_t epochs = epoch - meta->store_epoch, ahead = epochs << HF_BAND_BITS;
	meta->store_epoch = epoch;
	meta->revision += ahead;
	meta->compacted = meta->revision;
	meta->restored_ms = hf_batch_now_ms(batch);
	hf_txn_clear(hf_batch_txn(batch), HF_CHANGES);
	freeze_zones(batch, ahead);
	move_cursors(batch, epochs);
	return hf_batch_commit(batch, why);
}

/* What is read from a store. */
struct content {
	struct hf_meta meta;
	int n_pools;
	struct hf_pool *pools;
	bool is_untouched; /* as a first start creates it */
	bool lost;	   /* a pool is missing: out of memory */
};

static void free_content(struct content *content) {
	for (int i = 0; i < content->n_pools; i++)
		hf_pool_drop(&content->pools[i]);
	free(content->pools);
}

#define CONTENT __attribute__((cleanup(free_content))) struct content

static void add_pool(void *context, const struct hf_pool *pool) {
	struct content *content = context;
	struct hf_pool *pools = realloc(content->pools, sizeof *pools * (size_t)(content->n_pools + 1));
	if (pools) {
		content->pools = pools;
		hf_pool_copy(pool, &pools[content->n_pools++]);
	}
	content->lost = content->lost || !pools;
}

static enum hf_err read_content(struct hf_txn *reader, struct hf_why *why, struct content *ret) {
	ret->meta = hf_meta_read(reader);
	ret->is_untouched = hf_meta_is_untouched(reader);
	enum hf_err err = hf_pools_each(reader, add_pool, ret, why);
	return !err && ret->lost ? hf_no_memory(why) : err;
}

/* Reads a store's records and, if `counts` is not NULL, checks all its invariants. */
static enum hf_err read_store(const char *path, struct hf_why *why, struct content *ret, struct hf_verify_counts *counts) {
	struct hf_store *store;
	struct hf_txn *reader;
	enum hf_err err = hf_store_open_read(path, why, &store);
	if (err)
		return err;
	err = hf_reader_open(store, why, &reader);
	if (!err) {
		err = hf_reader_begin(reader, why);
		if (!err)
			err = read_content(reader, why, ret);
		if (!err && counts)
			err = hf_verify_sound(reader, path, why, counts);
		hf_reader_close(reader);
	}
	hf_store_close(store);
	return err;
}

/* Reports the pools whose ranges differ between the old data and the backup: a service that presents an address from such a range
 * would not get it. */
static void report_lost_pools(const struct hf_restore *r, const struct content *old, const struct content *backup) {
	for (int i = 0; r->pool_lost && i < old->n_pools; i++) {
		int k = 0;
		while (k < backup->n_pools && (strcmp(backup->pools[k].name, old->pools[i].name) != 0 ||
					       !hf_pool_ranges_equal(&backup->pools[k].config, &old->pools[i].config)))
			k++;
		if (k == backup->n_pools)
			r->pool_lost(r->context, &old->pools[i]);
	}
}

/* Reports the pools whose cursor cannot be moved past everything that may have been assigned. */
static void report_pools_at_risk(const struct hf_restore *r, const struct content *backup) {
	uint64_t epochs = r->meta.store_epoch - r->backup.store_epoch;
	for (int i = 0; r->pool_at_risk && i < backup->n_pools; i++) {
		const struct hf_pool *pool = &backup->pools[i];
		const char *why = pool->config.strategy == HF_HASHED ? "hashed" : NULL;
		for (int family = 0; !why && family < HF_FAMILIES; family++) {
			struct hf_pool_usage usage;
			hf_pool_usage(pool, (enum hf_family)family, &usage);
			if (usage.capacity > 0 && usage.capacity < 2 * HF_SKIP_MIN)
				why = "small";
			else if (!hf_allocator_skips_enough(pool, (enum hf_family)family, epochs))
				why = "the backup is many restores old";
			else if (usage.capacity > 0 && usage.free < usage.capacity / 4)
				why = "nearly full";
		}
		if (why)
			r->pool_at_risk(r->context, pool->name, why);
	}
}

/* Reads the old data: their epoch counts, and they must belong to the same store. */
static enum hf_err read_old(struct hf_restore *r, const char *old_file, const struct content *backup, struct hf_why *why,
			    uint64_t *ret_at_least) {
	CONTENT old = {.n_pools = 0};
	*ret_at_least = r->store_epoch;
	if (access(old_file, F_OK) != 0)
		return HF_OK;
	enum hf_err err = read_store(r->dir, &r->unreadable, &old, NULL);
	if (err && err != HF_E_CORRUPT) /* an error that says nothing about the data */
		return hf_fail(why, err, "the existing data: %.200s", r->unreadable.text);
	if (err && r->store_epoch == 0)
		return hf_fail(why, HF_E_PRECONDITION_FAILED,
			       "the data that are there cannot be read, so their store epoch is not known; state --store-epoch N, "
			       "above the "
			       "highest that was seen (%llu in the backup): %.60s",
			       (unsigned long long)backup->meta.store_epoch, r->unreadable.text);
	if (err)
		return HF_OK;
	if (memcmp(old.meta.store_id, backup->meta.store_id, sizeof old.meta.store_id) != 0) {
		if (r->other_store || old.is_untouched)
			return HF_OK;
		return hf_fail(why, HF_E_PRECONDITION_FAILED,
			       "the backup is of another store than the one in %.100s; --other-store replaces it all the same",
			       r->dir);
	}
	if (old.meta.store_epoch >= *ret_at_least)
		*ret_at_least = old.meta.store_epoch + 1;
	report_lost_pools(r, &old, backup);
	return HF_OK;
}

/* Builds the restored store in a separate directory. */
static enum hf_err build(struct hf_restore *r, const char *dir, const char *file, uint64_t at_least, struct hf_why *why) {
	struct hf_store_options options = {.clock = r->clock};
	enum hf_backup_kind kind;
	struct hf_store *store;
	uint64_t bytes;
	enum hf_err err = hf_backup_check(r->file, why, &kind, &bytes);
	if (!err && mkdir(dir, 0750) != 0)
		err = hf_fail(why, hf_space_err(errno), "%.120s cannot be made: %s", dir, strerror(errno));
	if (!err) {
		hf_file_give(dir);
		err = hf_file_copy(r->file, file, bytes, why);
	}
	if (!err && kind == HF_BACKUP_WHOLE)
		err = hf_backup_unmark(file, why);
	if (!err)
		err = hf_store_open(dir, &options, why, &store);
	if (err)
		return err;
	err = hf_store_raise_epoch(store, at_least, why);
	r->meta = *hf_store_meta(store);
	hf_store_close(store);
	if (err)
		return err;
	/* The data read before were the backup's; these replace the old data. */
	CONTENT built = {.n_pools = 0};
	struct hf_verify_counts counts;
	return read_store(file, why, &built, &counts);
}

/* Restores into a directory that the caller has locked. */
static enum hf_err restore_locked(struct hf_restore *r, struct hf_why *why) {
	char old_file[PATH_MAX], dir[PATH_MAX], file[PATH_MAX], aside[PATH_MAX];
	uint64_t at_least;
	enum hf_err err = hf_datadir_file(r->dir, why, old_file);
	if (!err)
		err = hf_datadir_path(r->dir, "restoring", why, dir);
	if (!err)
		err = hf_datadir_file(dir, why, file);
	if (err)
		return err;
	CONTENT backup = {.n_pools = 0};
	err = read_store(r->file, why, &backup, &r->counts);
	r->backup = backup.meta;
	if (!err)
		err = read_old(r, old_file, &backup, why, &at_least);
	if (!err)
		err = hf_datadir_aside(r->dir, "before-restore", r->clock.now_ms(r->clock.context), why, aside);
	if (err)
		return err;
	hf_datadir_scrap(dir);
	err = build(r, dir, file, at_least, why);
	bool had_old = access(old_file, F_OK) == 0;
	if (!err)
		err = hf_datadir_install(r->dir, file, aside, why);
	if (!err && had_old)
		memcpy(r->aside, aside, sizeof aside);
	if (!err)
		report_pools_at_risk(r, &backup);
	hf_datadir_scrap(dir);
	return err;
}

enum hf_err hf_restore(struct hf_restore *r, struct hf_why *why) {
	struct stat st;
	int lock, source;
	r->aside[0] = r->unreadable.text[0] = '\0';
	if (!r->clock.now_ms)
		r->clock = HF_SYSTEM_CLOCK;
	bool exists = stat(r->file, &st) == 0;
	if (exists && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is not a file", r->file);
	if (exists && S_ISDIR(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is a directory; name the backup file, such as the data.mdb in it",
			       r->file);
	enum hf_err err = hf_file_share(r->file, why, &source); /* until the backup is copied */
	if (err)
		return err;
	err = hf_datadir_claim(r->dir, why, &lock, NULL);
	if (!err) {
		err = restore_locked(r, why);
		if (!err && !hf_lock_file_store(lock, &r->meta))
			err = hf_fail(why, HF_E_DATA_DIR, "%.100s is restored, but its holdfast.lock cannot be written: %s", r->dir,
				      strerror(errno));
		close(lock);
	}
	close(source);
	return err;
}
