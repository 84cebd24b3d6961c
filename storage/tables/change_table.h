/* change_table.h — the change feed: what really changed since a revision. */
#ifndef HF_STORAGE_TABLES_CHANGE_TABLE_H
#define HF_STORAGE_TABLES_CHANGE_TABLE_H

#include "storage/lmdb/txn.h"
#include "storage/model/change.h"
#include "storage/model/meta.h"

#define HF_FEED_EXAMINED_MAX 10000

struct hf_feed_query {
	uint64_t since; /* changes after this revision */
	int limit;	/* at least 1 */
	bool has_kind;
	enum hf_kind kind;
	char zone[HF_NAME_MAX + 1], mesh[HF_NAME_MAX + 1]; /* "": any. With any filter, changes of pools are left
							      out, and a transfer is of both its identities */
};

struct hf_feed_page {
	uint64_t examined; /* the last examined revision: where to continue */
	uint64_t store_epoch;
	bool more; /* the page ended before the snapshot's last revision */
};

/* Calls `each` for every matching change, in order. Examines at most HF_FEED_EXAMINED_MAX changes.
 * Fails with HF_E_REVISION_COMPACTED if `since` lies before the oldest change that is kept.
 * Fails with HF_E_INVALID_PARAMETER if `since` exceeds the store's revision. */
enum hf_err hf_feed_read(struct hf_txn *reader, const struct hf_feed_query *query,
			 void (*each)(void *context, const struct hf_change *change), void *context, struct hf_why *why,
			 struct hf_feed_page *ret) HF_CHECKED;

/* How much of the feed is kept. */
struct hf_feed_limits {
	uint64_t changes_max;
	int64_t oldest_ms; /* changes at this time or earlier are too old */
};

/* Returns true if the feed is longer or older than the limits. */
bool hf_feed_overdue(struct hf_txn *txn, const struct hf_meta *meta, const struct hf_feed_limits *limits);

/* Drops changes beyond the limits, at most `budget` of them, and updates *meta, which the caller writes. Inside storage/ only. */
void hf_feed_compact(struct hf_txn *txn, struct hf_meta *meta, const struct hf_feed_limits *limits, int budget);

#endif
