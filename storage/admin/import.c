/* import.c — builds the store of an export, and puts it in place. */
#include "import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build.h"
#include "restore.h"
#include "storage/disk/datadir.h"
#include "storage/disk/file.h"
#include "storage/disk/lock_file.h"
#include "storage/store/open.h"
#include "storage/store/store.h"
#include "storage/tables/meta_table.h"

static enum hf_err load_lines(struct hf_import *im, struct hf_load *load, struct hf_why *why) {
	const struct hf_line *line;
	struct hf_why said = {""};
	uint64_t number = 1;
	enum hf_err err = im->next(im->context, &said, &line);
	for (; !err; number++) {
		err = hf_load_line(load, line, &said);
		if (!err)
			err = im->next(im->context, &said, &line);
		else
			number--;
	}
	if (err == HF_E_STORAGE_FULL || err == HF_E_STORAGE || err == HF_E_DATA_DIR ||
	    err == HF_E_OVERLOADED) /* the line is not at fault */
		return hf_fail(why, err, "%s", said.text);
	if (err != HF_E_NOT_FOUND)
		return hf_fail(why, err, "line %" PRIu64 ": %.220s", number, said.text);
	if (!hf_load_is_whole(load))
		return hf_fail(why, HF_E_CORRUPT, "line %" PRIu64 ": the export was cut off: its end is missing", number);
	memcpy(im->lines, hf_load_counts(load), sizeof im->lines);
	return HF_OK;
}

static enum hf_err check_store(struct hf_store *store, struct hf_why *why) {
	struct hf_verify_counts counts = {0};
	struct hf_txn *reader;
	enum hf_err err = hf_reader_open(store, why, &reader);
	if (err)
		return err;
	err = hf_reader_begin(reader, why);
	if (!err)
		err = hf_verify_sound(reader, "the export", why, &counts);
	hf_reader_close(reader);
	return err;
}

/* Builds the export's store in a separate directory, and opens it. */
static enum hf_err build(struct hf_import *im, const char *dir, struct hf_why *why, struct hf_store **ret) {
	struct hf_load *load;
	hf_datadir_scrap(dir);
	if (mkdir(dir, 0750) != 0)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be made: %s", dir, strerror(errno));
	hf_file_give(dir);
	enum hf_err err = hf_load_begin(dir, why, &load);
	if (err)
		return err;
	err = load_lines(im, load, why);
	hf_load_close(load);
	if (!err)
		err = hf_store_open(dir, &im->options, why, ret);
	if (err)
		return err;
	err = check_store(*ret, why);
	if (err)
		hf_store_close(*ret);
	return err;
}

static enum hf_err is_untouched(struct hf_store *store, struct hf_why *why, bool *ret) {
	struct hf_txn *reader;
	enum hf_err err = hf_reader_open(store, why, &reader);
	if (err)
		return err;
	err = hf_reader_begin(reader, why);
	if (!err) {
		*ret = hf_meta_is_untouched(reader);
		err = hf_txn_fault(reader, why);
	}
	hf_reader_close(reader);
	return err;
}

static enum hf_err raise_epoch(const struct hf_import *im, struct hf_store *store, struct hf_why *why) {
	return im->restored ? hf_store_raise_epoch(store, im->store_epoch, why) : HF_OK;
}

/* Puts the built store in place of the directory's. The caller has closed it. */
static enum hf_err install(struct hf_import *im, const char *dir, struct hf_store *built, struct hf_why *why) {
	char file[PATH_MAX], old[PATH_MAX], aside[PATH_MAX];
	enum hf_err err = hf_datadir_file(im->dir, why, old);
	if (!err)
		err = hf_datadir_file(dir, why, file);
	if (!err)
		err = raise_epoch(im, built, why);
	im->meta = *hf_store_meta(built);
	int64_t now_ms = hf_store_now_ms(built);
	hf_store_close(built);
	if (!err)
		err = hf_datadir_aside(im->dir, "before-import", now_ms, why, aside);
	if (err)
		return err;
	bool had_old = access(old, F_OK) == 0;
	err = hf_datadir_install(im->dir, file, aside, why);
	im->applied = !err;
	if (!err && had_old)
		memcpy(im->aside, aside, sizeof aside);
	return err;
}

static enum hf_err merge(struct hf_import *im, struct hf_store *store, struct hf_store *built, struct hf_why *why) {
	struct hf_merge m = {.into = store,
			     .from = built,
			     .settle = im->settle,
			     .dry_run = im->dry_run,
			     .conflict = im->conflict,
			     .context = im->context};
	enum hf_err err = hf_merge(&m, why);
	im->merged = true;
	im->counts = m.counts;
	im->applied = m.applied;
	if (!err && m.applied)
		err = raise_epoch(im, store, why);
	im->meta = *hf_store_meta(store);
	return err;
}

/* `store` is the existing store, which is closed before it is replaced; NULL: none exists. The caller keeps the directory
 * locked. */
static enum hf_err import_locked(struct hf_import *im, struct hf_store *store, struct hf_why *why) {
	char dir[PATH_MAX];
	struct hf_store *built;
	bool replace = true;
	enum hf_err err = hf_datadir_path(im->dir, "importing", why, dir);
	if (!err && store)
		err = is_untouched(store, why, &replace);
	if (!err)
		err = build(im, dir, why, &built);
	if (!err && !replace) {
		err = merge(im, store, built, why);
		hf_store_close(built);
	}
	hf_store_close(store);
	if (!err && replace && im->dry_run)
		hf_store_close(built);
	else if (!err && replace)
		err = install(im, dir, built, why);
	hf_datadir_scrap(dir);
	return err;
}

enum hf_err hf_import(struct hf_import *im, struct hf_why *why) {
	struct hf_store_options options = im->options;
	struct hf_store *store = NULL;
	int lock;
	options.keep_format = true;
	im->merged = im->applied = false;
	im->aside[0] = '\0';
	enum hf_err err;
	if (hf_store_exists(im->dir, NULL) == HF_OK) {
		err = hf_store_open(im->dir, &options, why, &store);
		/* Keep the lock longer than the store: it is released only after the new store is in place. */
		if (!err && (lock = hf_store_share_lock(store)) < 0) {
			hf_store_close(store);
			err = hf_fail(why, HF_E_STORAGE, "the lock cannot be kept: %s", strerror(errno));
		}
	} else {
		err = hf_datadir_claim(im->dir, why, &lock, NULL);
	}
	if (err)
		return err;
	err = import_locked(im, store, why);
	if (!err && im->applied && !im->merged && !hf_lock_file_store(lock, &im->meta))
		err = hf_fail(why, HF_E_DATA_DIR, "the import is in place, but holdfast.lock in %.100s cannot be written: %s",
			      im->dir, strerror(errno));
	close(lock);
	return err;
}
