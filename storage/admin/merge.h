/* merge.h — the leases of one store into another that has some already. Its verb is import.h's to call.
 *
 * Everything is judged on snapshots of both, before anything is written; so what is told is what is done, in whatever order. A pool
 * that is missing is made, one that is there stays as it is; so do zones, and one that is new is offline if it had connected. No
 * address that another identity holds is ever taken. History and changes stay behind: what is added is new here, by cause `admin`.
 */
#ifndef HF_STORAGE_ADMIN_MERGE_H
#define HF_STORAGE_ADMIN_MERGE_H

#include "export.h"

enum hf_settle {
	HF_SETTLE_REFUSE,  /* one conflict, and nothing is changed */
	HF_SETTLE_KEEP,	   /* what is there stays */
	HF_SETTLE_REPLACE, /* a lease takes the place of its identity's, unless another has its address */
};

struct hf_merge_counts {
	uint64_t pools_added, zones_added;
	uint64_t added;	    /* leases that are new */
	uint64_t unchanged; /* that are there already, but for revisions, and the digest of the document as sent */
	uint64_t replaced;  /* that took the place of another, by HF_SETTLE_REPLACE; of these: */
	uint64_t moved;	    /* … with other addresses */
	uint64_t left_out;  /* leases that conflict, and are not there now */
	uint64_t conflicts; /* everything that was told */
	uint64_t unsettled; /* of these, what HF_SETTLE_REPLACE cannot settle */
};

struct hf_merge {
	struct hf_store *into, *from;
	enum hf_settle settle;
	bool dry_run; /* judge, tell and count alone */
	/* Called for each conflict: what it is about, and a sentence; the text is the callee's only during the call. May be NULL.
	 */
	void (*conflict)(void *context, enum hf_line_sort sort, const char *what);
	void *context;
	/* The result. */
	struct hf_merge_counts counts; /* what was done, or would be */
	bool applied;		       /* false: nothing was changed */
};

/* In one transaction. Conflicts are no error. HF_E_CORRUPT, HF_E_STORAGE_FULL, or another fault: nothing was changed. */
enum hf_err hf_merge(struct hf_merge *merge, struct hf_why *why) HF_CHECKED;

#endif
