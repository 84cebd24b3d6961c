/* change_table.h — the change feed: what really changed since a revision. */
#ifndef HF_STORAGE_TABLES_CHANGE_TABLE_H
#define HF_STORAGE_TABLES_CHANGE_TABLE_H

#include "storage/store/batch.h"

#define HF_FEED_EXAMINED_MAX 10000

struct hf_feed_query {
	uint64_t since; /* changes behind this revision */
	int limit;	/* at least 1 */
	bool has_kind;
	enum hf_kind kind;
	char zone[HF_NAME_MAX + 1], mesh[HF_NAME_MAX + 1]; /* "": any. With any filter, changes of pools are left out */
};

struct hf_feed_page {
	uint64_t examined; /* the last revision that was looked at: where to go on */
	uint64_t store_epoch;
	bool more; /* the page ended before the snapshot's last revision */
};

/* Calls `each` for every change asked for, in order. Looks at HF_FEED_EXAMINED_MAX changes at most.
 * HF_E_REVISION_COMPACTED: `since` lies before the oldest change that is kept. HF_E_INVALID_PARAMETER: it lies ahead of the store.
 */
enum hf_err hf_feed_read(struct hf_txn *reader, const struct hf_feed_query *query,
			 void (*each)(void *context, const struct hf_change *change), void *context, struct hf_why *why,
			 struct hf_feed_page *ret) HF_CHECKED;

/* Whether the feed is longer or older than the store's options keep. */
bool hf_feed_overdue(struct hf_store *store, struct hf_txn *txn, const struct hf_meta *meta);

/* Drops changes beyond the options' count and age, at most `budget` of them. Inside storage/ only. */
void hf_feed_compact(struct hf_batch *batch, int budget);

#endif
