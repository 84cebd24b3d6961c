/* follow.c — makes the store's time follow the wall clock. */
#include "follow.h"

#include "batch.h"
#include "lease_change.h"
#include "storage/tables/deadline.h"
#include "storage/tables/holders.h"
#include "storage/tables/lease_table.h"
#include "store_internal.h"

/* Sets the store's time to `to_ms`, and moves the times in the store by `shift_ms`. */
struct step {
	struct hf_batch *batch;
	int64_t from_ms, to_ms, shift_ms;
	int64_t longest_ms; /* the longest quarantine time of all pools, and once the leases are moved, overlap of all leases */
};

static int64_t quarantine_ms(const struct hf_pool *pool) { return (int64_t)pool->config.quarantine_seconds * 1000; }

/* Returns the new time of an end, given the longest time that it may be away from now. */
static int64_t moved_end(const struct step *step, int64_t end_ms, int64_t longest_ms) {
	int64_t latest_ms = hf_time_add(step->to_ms, longest_ms), moved_ms = hf_time_add(end_ms, step->shift_ms);
	return moved_ms < latest_ms ? moved_ms : latest_ms;
}

/* Returns the new time of a zone's or the store's return, for which quarantines and overlaps wait: moved if it is recent, and never
 * in the future. */
static int64_t moved_return(const struct step *step, int64_t back_ms) {
	int64_t moved_ms = step->from_ms - back_ms < step->longest_ms ? hf_time_add(back_ms, step->shift_ms) : back_ms;
	return moved_ms < step->to_ms ? moved_ms : step->to_ms;
}

/* Moves what of a lease ends at a deadline. */
static void move_lease(struct step *step, const struct hf_deadline *deadline) {
	struct hf_lease before, after;
	if (!hf_lease_read(hf_batch_txn(step->batch), &deadline->lease, &before)) {
		hf_txn_corrupt(hf_batch_txn(step->batch), HF_DEADLINES, "a deadline's lease does not exist");
		return;
	}
	bool moved = false;
	int64_t length_ms = hf_batch_quarantine_ms(step->batch, &before);
	step->longest_ms = length_ms > step->longest_ms ? length_ms : step->longest_ms;
	after = before;
	if (before.state == HF_QUARANTINED && before.quarantined_until_ms == deadline->at_ms)
		after.quarantined_until_ms = moved_end(step, before.quarantined_until_ms, length_ms);
	for (int i = 0; i < before.n_previous; i++)
		if (before.previous[i].until_ms == deadline->at_ms)
			after.previous[i].until_ms =
				moved_end(step, deadline->at_ms, (int64_t)before.previous[i].overlap_seconds * 1000);
	for (int i = 0; i < before.n_previous; i++)
		moved = moved || after.previous[i].until_ms != before.previous[i].until_ms;
	if (moved || after.quarantined_until_ms != before.quarantined_until_ms)
		hf_batch_relabel(step->batch, &before, &after);
}

/* Walks in the direction opposite to that in which the ends move, so that no end is met twice. An end that is only limited may be
 * met again, and then stays. */
static void move_leases(struct step *step) {
	struct hf_txn *txn = hf_batch_txn(step->batch);
	struct hf_deadline at = {0};
	bool later = step->shift_ms > 0;
	bool found = later ? hf_deadline_last(txn, &at) : hf_deadline_next(txn, &at, false, &at);
	while (found && !hf_txn_fault(txn, NULL)) {
		if (at.is_lease)
			move_lease(step, &at);
		found = hf_deadline_next(txn, &at, later, &at);
	}
}

static void move_zones(const struct step *step) {
	struct hf_txn *txn = hf_batch_txn(step->batch);
	struct hf_zone zone = {.name = ""};
	while (hf_zone_next(txn, zone.name, &zone)) {
		int64_t moved_ms = moved_return(step, zone.changed_ms);
		if (zone.state != HF_ZONE_ONLINE || moved_ms == zone.changed_ms)
			continue;
		zone.changed_ms = moved_ms;
		hf_batch_put_zone(step->batch, &zone);
	}
}

static void move_all(struct step *step) {
	struct hf_pool *const *pools;
	struct hf_meta *meta = hf_batch_meta(step->batch);
	int n = hf_batch_pools(step->batch, &pools);
	for (int i = 0; i < n; i++)
		if (quarantine_ms(pools[i]) > step->longest_ms)
			step->longest_ms = quarantine_ms(pools[i]);
	move_leases(step);
	move_zones(step);
	if (meta->restored_ms)
		meta->restored_ms = moved_return(step, meta->restored_ms);
}

/* Sets the store's time at the reading to `to_ms`, and the lag of the time for history and feed to `lag_ms`. */
static void set_time(struct hf_store *store, const struct hf_clock_reading *reading, int64_t to_ms, int64_t lag_ms) {
	store->offset_ms = to_ms - reading->monotonic_ms;
	store->away_ms = 0;
	store->lag_ms = lag_ms;
	store->lag_from_ms = lag_ms ? to_ms : 0;
	store->passed_over = (struct hf_deadline){0};
	store->next_deadline_ms = 0;
}

static int64_t time_at(const struct hf_store *store, const struct hf_clock_reading *reading) {
	return hf_time_add(store->offset_ms, reading->monotonic_ms);
}

/* Moves the store's time, and the times in the store, by `by_ms`, and records it as of the reading. */
static enum hf_err follow(struct hf_store *store, const struct hf_clock_reading *reading, int64_t by_ms, struct hf_why *why) {
	struct step step = {.from_ms = time_at(store, reading), .shift_ms = by_ms};
	enum hf_err err = hf_batch_begin(store, why, &step.batch);
	if (err)
		return err;
	step.to_ms = hf_time_add(step.from_ms, by_ms);
	struct hf_clock_record record = {
		.at_ms = step.to_ms,
		.monotonic_ms = reading->monotonic_ms,
		.revision = hf_batch_meta(step.batch)->revision,
		.lag_ms = hf_clock_lag(store->lag_ms, store->lag_from_ms, by_ms, step.from_ms, hf_store_longest_kept_ms(store))};
	memcpy(record.boot, reading->boot, sizeof record.boot);
	record.lag_from_ms = record.lag_ms ? step.to_ms : 0;
	move_all(&step);
	hf_clock_record_write(hf_batch_txn(step.batch), &record);
	err = hf_batch_commit(step.batch, why);
	if (err)
		return err;
	set_time(store, reading, step.to_ms, record.lag_ms);
	store->booting = false;
	return HF_OK;
}

/* Follows the wall clock, which differs by `by_ms`. If it is earlier at the first comparison after a boot, no step was seen: the
 * ends may be right, and the time of the newest change wrong. Then no end moves, and the store's time goes back at once, before
 * anything ends by it; the transaction may fail on a full disk, and is then tried again from this new time. */
static enum hf_err follow_by(struct hf_store *store, const struct hf_clock_reading *reading, int64_t by_ms, struct hf_why *why) {
	if (!store->booting || by_ms >= 0)
		return follow(store, reading, by_ms, why);
	int64_t from_ms = time_at(store, reading);
	set_time(store, reading, hf_time_add(from_ms, by_ms),
		 hf_clock_lag(store->lag_ms, store->lag_from_ms, by_ms, from_ms, hf_store_longest_kept_ms(store)));
	return follow(store, reading, 0, why);
}

/* Records the difference from the wall clock, and returns whether it is new: a step that cannot be followed at once counts only
 * once. */
static bool note_away(struct hf_store *store, int64_t by_ms, int64_t monotonic_ms) {
	int64_t more_ms = by_ms - store->away_ms;
	if (more_ms <= HF_CLOCK_TOLERANCE_MS && more_ms >= -HF_CLOCK_TOLERANCE_MS)
		return false;
	store->away_ms = by_ms;
	store->away_since_ms = monotonic_ms;
	return true;
}

static void count_step(struct hf_store *store, struct hf_clock_news *news, int64_t by_ms) {
	*news = (struct hf_clock_news){HF_CLOCK_STEPPED, by_ms};
	store->clock_steps[by_ms > 0]++;
}

/* Returns whether to move the store's time now. */
static bool judge(struct hf_store *store, int64_t by_ms, bool unset, int64_t monotonic_ms, struct hf_clock_news *ret) {
	int64_t was_away_ms = store->away_ms;
	if (by_ms == 0)
		store->away_ms = 0;
	if (unset && !store->clock_unset)
		ret->what = HF_CLOCK_UNSET;
	else if (by_ms && note_away(store, by_ms, monotonic_ms))
		count_step(store, ret, by_ms);
	else if (by_ms == 0 && was_away_ms && !unset)
		*ret = (struct hf_clock_news){HF_CLOCK_RETURNED, -was_away_ms};
	store->clock_unset = unset;
	if (by_ms == 0)
		return store->booting && !unset;
	return by_ms < 0 || monotonic_ms - store->away_since_ms >= store->options.follow_after_ms;
}

enum hf_err hf_follow_clock(struct hf_store *store, struct hf_why *why, struct hf_clock_news *ret) {
	*ret = (struct hf_clock_news){HF_CLOCK_CONTINUES, 0};
	if (!store->options.follow_clock)
		return HF_OK;
	struct hf_clock_reading reading = hf_clock_read(&store->options.clock);
	int64_t now_ms = time_at(store, &reading);
	int64_t by_ms = hf_clock_step(reading.wall_ms, now_ms);
	bool unset = hf_clock_is_unset(reading.wall_ms, now_ms);
	if (!judge(store, by_ms, unset, reading.monotonic_ms, ret))
		return HF_OK;
	return follow_by(store, &reading, by_ms, why);
}

/* Reads the newest time in the store, and the record of an earlier run. */
static enum hf_err read_known(struct hf_store *store, struct hf_why *why, struct hf_clock_record *ret_record, bool *ret_has_record,
			      int64_t *ret_known_ms) {
	struct hf_txn *txn;
	struct hf_change newest;
	enum hf_err err = hf_txn_open_read(store->env, why, &txn);
	if (err)
		return err;
	err = hf_txn_renew(txn, why);
	*ret_has_record = !err && hf_clock_record_read(txn, ret_record);
	HF_CURSOR changes;
	hf_cursor_open(txn, HF_CHANGES, &changes);
	int64_t known_ms = *ret_has_record ? ret_record->at_ms : store->meta.created_ms;
	if (hf_cursor_last(&changes) && hf_change_decode(changes.key, changes.value, &newest) &&
	    (!*ret_has_record || newest.revision > ret_record->revision))
		known_ms = newest.at_ms;
	*ret_known_ms = hf_time_add(known_ms > store->meta.restored_ms ? known_ms : store->meta.restored_ms, 0);
	hf_cursor_close(&changes);
	if (!err)
		err = hf_txn_fault(txn, why);
	hf_txn_close(txn);
	return err;
}

enum hf_err hf_follow_start(struct hf_store *store, struct hf_why *why) {
	struct hf_clock_reading reading = hf_clock_read(&store->options.clock);
	struct hf_clock_record record = {.at_ms = 0};
	int64_t known_ms = 0;
	bool has_record = false;
	if (!store->options.follow_clock)
		return HF_OK;
	enum hf_err err = read_known(store, why, &record, &has_record, &known_ms);
	if (err)
		return err;
	bool same_boot = has_record && hf_clock_same_boot(&record, &reading);
	int64_t now_ms = hf_clock_resume(has_record ? &record : NULL, known_ms, &reading);
	int64_t by_ms = hf_clock_step(reading.wall_ms, now_ms);
	store->offset_ms = now_ms - reading.monotonic_ms;
	store->lag_ms = record.lag_ms;
	store->lag_from_ms = record.lag_from_ms;
	store->clock_unset = hf_clock_is_unset(reading.wall_ms, now_ms);
	store->clock_start.by_ms = by_ms;
	store->clock_start.what = store->clock_unset ? HF_CLOCK_UNSET
				  : !by_ms	     ? HF_CLOCK_CONTINUES
				  : same_boot	     ? HF_CLOCK_STEPPED
						     : HF_CLOCK_BOOTED;
	store->booting = !same_boot;
	if (store->clock_unset || (same_boot && !by_ms))
		return HF_OK;
	store->away_ms = by_ms;
	store->away_since_ms = reading.monotonic_ms;
	if (by_ms && same_boot)
		store->clock_steps[by_ms > 0]++;
	(void)!follow_by(store, &reading, by_ms, NULL); /* a store on a full disk can still be read; tried again later */
	return HF_OK;
}
