/* import.h — creates a store from an export, or adds the export's leases to an existing store.
 *
 * The lines are first built into a separate store, beside the data directory's, which is then verified; an error in any line
 * leaves everything unchanged. A directory without a store, or with an unused one, gets that store, atomically. Any other store is
 * merged with it (merge.h).
 */
#ifndef HF_STORAGE_ADMIN_IMPORT_H
#define HF_STORAGE_ADMIN_IMPORT_H

#include <limits.h>

#include "merge.h"

struct hf_import {
	const char *dir; /* the data directory; created if only its last part is missing */
	struct hf_store_options options;
	enum hf_settle settle;
	bool dry_run;	      /* change nothing */
	bool restored;	      /* the export is old: raise the store epoch (restore.h), by 1, or to … */
	uint64_t store_epoch; /* … this, if it is greater; 0: not stated */
	/* Returns the next line, which is valid until the next call. Fails with HF_E_NOT_FOUND after the last line. */
	enum hf_err (*next)(void *context, struct hf_why *why, const struct hf_line **ret);
	/* As in struct hf_merge. */
	void (*conflict)(void *context, enum hf_line_sort sort, const char *what);
	void *context;
	/* The result. */
	uint64_t lines[HF_LINE_SORTS]; /* of each sort in the export */
	bool merged;		       /* the store was in use; else it was replaced by the export's */
	bool applied;		       /* false: nothing has changed */
	struct hf_merge_counts counts; /* if merged */
	char aside[PATH_MAX];	       /* where the replaced store is kept; "": nothing was replaced */
	struct hf_meta meta;	       /* of the store, if applied */
};

/* Imports. After an error nothing has changed, unless the epoch could not be raised after a merge.
 * Fails with HF_E_CORRUPT if a line is invalid, and `why` names it; or if the store breaks an invariant.
 * Fails with HF_E_LOCKED if a server has the directory.
 * Fails with HF_E_PRECONDITION_FAILED if the directory's store has an older format.
 * Fails with HF_E_STORAGE_FULL if the disk has no room.
 * Fails with HF_E_DATA_DIR if the system refuses.
 * Fails with the error that `next` returned. */
enum hf_err hf_import(struct hf_import *import, struct hf_why *why) HF_CHECKED;

#endif
