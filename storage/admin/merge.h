/* merge.h — adds the leases of one store to another that already has leases; called by import.h.
 *
 * Everything is judged on snapshots of both stores before anything is written, so the outcome matches the report and does not
 * depend on the order. A missing pool or zone is added, an existing one stays unchanged; an added zone that had connected is
 * offline. An address that another identity holds is never taken. History and changes are not copied: everything added counts as
 * new, with cause `admin`, by `offline`.
 */
#ifndef HF_STORAGE_ADMIN_MERGE_H
#define HF_STORAGE_ADMIN_MERGE_H

#include "export.h"

enum hf_settle {
	HF_SETTLE_REFUSE,  /* change nothing if there is a conflict */
	HF_SETTLE_KEEP,	   /* keep the existing records */
	HF_SETTLE_REPLACE, /* replace the existing lease of an identity, unless another identity holds its address */
};

struct hf_merge_counts {
	uint64_t pools_added, zones_added;
	uint64_t added;	    /* new leases */
	uint64_t unchanged; /* leases that already exist, ignoring revisions and the digest of the document as sent */
	uint64_t replaced;  /* leases that replaced an existing one (HF_SETTLE_REPLACE); of these: */
	uint64_t moved;	    /* … with other addresses */
	uint64_t left_out;  /* leases that conflict, and were not added */
	uint64_t conflicts; /* all conflicts reported */
	uint64_t unsettled; /* of these, the ones that HF_SETTLE_REPLACE cannot settle */
};

struct hf_merge {
	struct hf_store *into, *from;
	enum hf_settle settle;
	bool dry_run; /* only judge, report and count */
	/* Called for each conflict with its subject and a sentence; the text is valid only during the call. May be NULL. */
	void (*conflict)(void *context, enum hf_line_sort sort, const char *what);
	void *context;
	/* The result. */
	struct hf_merge_counts counts; /* what was done or, in a dry run, would be */
	bool applied;		       /* false: nothing has changed */
};

/* Merges in one transaction. Conflicts are not an error. After an error nothing has changed.
 * Fails with HF_E_CORRUPT if one of the stores breaks an invariant, or would after the merge.
 * Fails with HF_E_STORAGE_FULL if the disk or the map is full.
 * Fails with the transaction's fault. */
enum hf_err hf_merge(struct hf_merge *merge, struct hf_why *why) HF_CHECKED;

#endif
