/* change_table.c — reading and compacting the table "changes". */
#include "change_table.h"

#include <inttypes.h>

#include "meta_table.h"

static bool read_change(struct hf_cursor *cursor, bool found, struct hf_change *ret) {
	return found && (hf_change_decode(cursor->key, cursor->value, ret) || hf_txn_damaged(cursor->txn, HF_CHANGES));
}

static bool is_of(const struct hf_feed_query *query, const struct hf_identity *id) {
	return (!query->has_kind || query->kind == id->kind) && (!query->zone[0] || strcmp(query->zone, id->zone) == 0) &&
	       (!query->mesh[0] || strcmp(query->mesh, id->mesh) == 0);
}

static bool asked(const struct hf_feed_query *query, const struct hf_change *change) {
	if (!query->has_kind && !query->zone[0] && !query->mesh[0])
		return true;
	return change->has_lease &&
	       (is_of(query, &change->id) || (change->type == HF_CHANGE_TRANSFERRED && is_of(query, &change->from)));
}

enum hf_err hf_feed_read(struct hf_txn *reader, const struct hf_feed_query *query,
			 void (*each)(void *context, const struct hf_change *change), void *context, struct hf_why *why,
			 struct hf_feed_page *ret) {
	struct hf_meta meta = hf_meta_read(reader);
	enum hf_err err = hf_txn_fault(reader, why);
	if (err)
		return err;
	if (query->since > meta.revision)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "since: %" PRIu64 " is ahead of this store, whose revision is %" PRIu64,
			       query->since, meta.revision);
	if (query->since < meta.compacted)
		return hf_fail(why, HF_E_REVISION_COMPACTED,
			       "since: changes up to %" PRIu64 " are gone; list the leases, then watch from that list's revision",
			       meta.compacted);
	struct hf_feed_page page = {.examined = query->since, .store_epoch = meta.store_epoch};
	struct hf_change change;
	uint8_t key[HF_CHANGE_KEY_BYTES];
	HF_CURSOR cursor;
	hf_cursor_open(reader, HF_CHANGES, &cursor);
	int n = 0, examined = 0;
	for (bool found = read_change(&cursor, hf_cursor_seek(&cursor, hf_change_key(query->since + 1, key)), &change);
	     found && n < query->limit && examined < HF_FEED_EXAMINED_MAX;
	     found = read_change(&cursor, hf_cursor_next(&cursor), &change), examined++) {
		page.examined = change.revision;
		if (!asked(query, &change))
			continue;
		each(context, &change);
		n++;
	}
	page.more = page.examined < meta.revision;
	err = hf_txn_fault(reader, why);
	if (!err)
		*ret = page;
	return err;
}

static bool oldest_change(struct hf_txn *txn, struct hf_change *ret) {
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_CHANGES, &cursor);
	return read_change(&cursor, hf_cursor_first(&cursor), ret);
}

static bool is_beyond(const struct hf_meta *meta, const struct hf_change *change, const struct hf_feed_limits *limits) {
	return meta->revision - meta->compacted > limits->changes_max || change->at_ms <= limits->oldest_ms;
}

bool hf_feed_overdue(struct hf_txn *txn, const struct hf_meta *meta, const struct hf_feed_limits *limits) {
	struct hf_change oldest;
	return oldest_change(txn, &oldest) && is_beyond(meta, &oldest, limits);
}

void hf_feed_compact(struct hf_txn *txn, struct hf_meta *meta, const struct hf_feed_limits *limits, int budget) {
	struct hf_change change;
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_CHANGES, &cursor);
	for (bool found = read_change(&cursor, hf_cursor_first(&cursor), &change);
	     found && budget-- > 0 && is_beyond(meta, &change, limits);
	     found = read_change(&cursor, hf_cursor_next(&cursor), &change)) {
		hf_cursor_del(&cursor);
		meta->compacted = change.revision;
	}
}
