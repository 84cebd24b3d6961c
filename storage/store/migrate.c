/* migrate.c — the steps from one format to the next; storage/FORMAT.md lists the changes. */
#include "migrate.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "storage/disk/datadir.h"
#include "storage/disk/file.h"
#include "storage/tables/pool_table.h"
#include "store_internal.h"

/* Format 2 added the time of the last restore to the store's record. */
static void to_format_2(struct hf_txn *txn) {
	struct hf_meta meta = hf_meta_read(txn);
	hf_meta_write(txn, &meta);
}

/* Format 3 added states to leases and zones, and two keys to meta; existing records stay as they are. */
static void to_format_3(struct hf_txn *txn) { (void)txn; }

/* Moves the counters of pools to the table "usage". */
static void split_pools(struct hf_txn *txn) {
	char name[HF_NAME_MAX + 1] = "";
	for (;;) {
		HF_POOL pool = {.id = 0};
		HF_CURSOR pools;
		hf_cursor_open(txn, HF_POOLS, &pools);
		if (!hf_cursor_seek_after(&pools, (struct hf_slice){name, strlen(name)}) || !hf_pool_at(&pools, &pool))
			return;
		hf_cursor_close(&pools); /* a write makes it invalid */
		memcpy(name, pool.name, sizeof name);
		hf_pool_store(txn, &pool);
		hf_usage_store(txn, &pool);
	}
}

/* Format 4 added the tables "usage", "affinity" and "remembered", and record versions; records of older versions are read as
 * before, except those of pools. */
static void to_format_4(struct hf_txn *txn) {
	hf_txn_add_tables(txn);
	split_pools(txn);
}

/* The steps, by the format that they start from, counted from 1. */
static void (*const STEPS[HF_FORMAT - 1])(struct hf_txn *txn) = {to_format_2, to_format_3, to_format_4};

static enum hf_err run_steps(struct hf_env *env, unsigned from, struct hf_why *why) {
	struct hf_txn *txn;
	enum hf_err err = hf_txn_begin(env, why, &txn);
	if (err)
		return err;
	for (unsigned format = from; format < HF_FORMAT; format++)
		STEPS[format - 1](txn);
	hf_format_write(txn);
	return hf_txn_commit(txn, why);
}

enum hf_err hf_migrate(struct hf_env *env, const char *dir, unsigned from, int64_t now_ms, struct hf_why *why, char *ret_aside) {
	char what[32], file[PATH_MAX];
	snprintf(what, sizeof what, "format%u", from);
	enum hf_err err = hf_datadir_file(dir, why, file);
	if (!err)
		err = hf_datadir_aside(dir, what, now_ms, why, ret_aside);
	if (!err)
		err = hf_file_copy(file, ret_aside, 0, why);
	if (err)
		return err;
	err = hf_datadir_sync(dir, why);
	if (!err)
		err = run_steps(env, from, why);
	if (err)
		unlink(ret_aside); /* otherwise each start would leave one more */
	return err;
}
