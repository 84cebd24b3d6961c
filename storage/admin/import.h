/* import.h — making the store of an export, or adding its leases to a store that has some.
 *
 * The lines are first made a store of its own, beside the data directory's, and verified; an error in any of them leaves everything
 * as it was. A directory without a store, or with one that nobody used yet, gets that very store, atomically. Any other is merged
 * with it (merge.h).
 */
#ifndef HF_STORAGE_ADMIN_IMPORT_H
#define HF_STORAGE_ADMIN_IMPORT_H

#include <limits.h>

#include "merge.h"

struct hf_import {
	const char *dir; /* the data directory; made if only its last part is missing */
	struct hf_store_options options;
	enum hf_settle settle;
	bool dry_run;	      /* nothing is changed */
	bool restored;	      /* the export is of the past: the store epoch is raised (restore.h), by 1, or to */
	uint64_t store_epoch; /* … this if it is more; 0: not stated */
	/* Gives the next line, which is its own until it is called again. HF_E_NOT_FOUND: there are no more. */
	enum hf_err (*next)(void *context, struct hf_why *why, const struct hf_line **ret);
	/* As in struct hf_merge. */
	void (*conflict)(void *context, enum hf_line_sort sort, const char *what);
	void *context;
	/* The result. */
	uint64_t lines[HF_LINE_SORTS]; /* of each sort in the export */
	bool merged;		       /* the store was in use; else it is the export's now */
	bool applied;		       /* false: nothing was changed */
	struct hf_merge_counts counts; /* if merged */
	char aside[PATH_MAX];	       /* where the store that was replaced is kept; "": there was none */
	struct hf_meta meta;	       /* of the store, if applied */
};

/* On any error nothing was changed, but for an epoch that could not be raised after a merge. HF_E_CORRUPT: a line is wrong, or the
 * store breaks an invariant; `why` names the line. HF_E_LOCKED: a server has the directory. HF_E_PRECONDITION_FAILED: the
 * directory's store has an older format. HF_E_STORAGE_FULL, HF_E_DATA_DIR, or what `next` answered. */
enum hf_err hf_import(struct hf_import *import, struct hf_why *why) HF_CHECKED;

#endif
