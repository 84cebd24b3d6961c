/* upkeep.c — processes deadlines and limits the feed. */
#include "upkeep.h"

#include "expiry.h"
#include "storage/base/monotonic.h"
#include "storage/tables/change_table.h"
#include "store_internal.h"

#define SWEEP_BUDGET 256   /* deadlines processed before a batch's own writes */
#define COMPACT_MINIMUM 64 /* changes dropped with a batch, beyond twice what it added */
#define RUN_BUDGET 1000	   /* of each, by upkeep alone */

static struct hf_feed_limits feed_limits(const struct hf_store *store) {
	return (struct hf_feed_limits){store->options.changes_max, hf_store_patient_ms(store) - store->options.changes_age_ms};
}

void hf_upkeep_compact(struct hf_batch *batch, int budget) {
	struct hf_feed_limits limits = feed_limits(hf_batch_store(batch));
	hf_feed_compact(hf_batch_txn(batch), hf_batch_meta(batch), &limits, budget);
}

enum hf_err hf_upkeep_begin(struct hf_store *store, struct hf_why *why, struct hf_batch **ret) {
	enum hf_err err = hf_batch_begin(store, why, ret);
	if (err)
		return err;
	hf_expiry_zones(*ret); /* first, so that nothing ends that an absent zone holds back */
	if (hf_batch_now_ms(*ret) >= store->next_deadline_ms)
		hf_expiry_sweep(*ret, SWEEP_BUDGET);
	return HF_OK;
}

enum hf_err hf_upkeep_commit(struct hf_batch *batch, struct hf_why *why) {
	const struct hf_store *store = hf_batch_store(batch);
	const struct hf_meta *meta = hf_batch_meta(batch);
	if (meta->revision - meta->compacted > store->options.changes_max)
		hf_upkeep_compact(batch, (int)(2 * (meta->revision - store->meta.revision)) + COMPACT_MINIMUM);
	return hf_batch_commit(batch, why);
}

static void note_oldest_reader(struct hf_store *store) {
	uint64_t oldest, last;
	hf_env_oldest_reader(store->env, &oldest, &last);
	if (oldest >= last)
		store->oldest_since_us = 0;
	else if (oldest != store->oldest_txn || !store->oldest_since_us)
		store->oldest_since_us = hf_monotonic_us();
	store->oldest_txn = oldest;
}

enum hf_err hf_upkeep_is_due(struct hf_store *store, struct hf_txn *reader, struct hf_why *why, bool *ret) {
	int64_t now_ms = hf_store_now_ms(store);
	hf_env_drop_dead_readers(store->env);
	note_oldest_reader(store);
	enum hf_err err = hf_reader_begin(reader, why);
	if (err)
		return err;
	struct hf_meta meta = hf_meta_read(reader);
	struct hf_feed_limits limits = feed_limits(store);
	*ret = now_ms >= store->next_deadline_ms || store->ttl_stale ||
	       hf_store_monotonic_ms(store) >= hf_ttl_next_ms(store->ttl) || hf_feed_overdue(reader, &meta, &limits);
	err = hf_txn_fault(reader, why);
	hf_reader_end(reader);
	return err;
}

enum hf_err hf_upkeep_run(struct hf_store *store, struct hf_why *why) {
	struct hf_batch *batch;
	enum hf_err err = hf_batch_begin(store, why, &batch);
	if (err)
		return err;
	hf_expiry_zones(batch);
	hf_expiry_sweep(batch, RUN_BUDGET);
	hf_upkeep_compact(batch, RUN_BUDGET);
	return hf_batch_commit(batch, why);
}
