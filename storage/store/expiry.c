/* expiry.c — processes deadlines that are due. */
#include "expiry.h"

#include "lease_change.h"
#include "memory.h"
#include "storage/model/zone_rules.h"
#include "storage/tables/deadline.h"
#include "storage/tables/holders.h"
#include "store_internal.h"

#define ZONES_MAX 64 /* taken offline in one batch */

static void end_connection(struct hf_batch *batch, const char *name) {
	struct hf_zone zone;
	if (!hf_zone_read(hf_batch_txn(batch), name, &zone) || zone.state != HF_ZONE_ONLINE || !zone.ttl_ms)
		return;
	hf_ttl_note_lapse(hf_batch_store(batch)->ttl, name);
	zone.state = HF_ZONE_OFFLINE;
	zone.changed_ms = hf_batch_now_ms(batch);
	hf_batch_put_zone(batch, &zone);
}

void hf_expiry_zones(struct hf_batch *batch) {
	struct hf_store *store = hf_batch_store(batch);
	int64_t now_ms = hf_store_monotonic_ms(store);
	char names[ZONES_MAX][HF_NAME_MAX + 1];
	if (now_ms < hf_ttl_next_ms(store->ttl))
		return;
	store->zones_put = true; /* what is marked as over is read again if the batch fails */
	int n = hf_ttl_take_due(store->ttl, now_ms, ZONES_MAX, names);
	for (int i = 0; i < n; i++)
		end_connection(batch, names[i]);
}

/* Returns when something of a lease really ends that was due at `until_ms`, given the state of its zone. `length_ms`: how long it
 * lasts after the zone came back. */
static int64_t real_end(struct hf_batch *batch, const struct hf_lease *lease, int64_t until_ms, int64_t length_ms) {
	struct hf_zone zone;
	hf_zone_read(hf_batch_txn(batch), lease->id.zone, &zone);
	return hf_zone_rules_quarantine_end(&zone, lease->forced, hf_batch_meta(batch)->restored_ms, until_ms, length_ms,
					    hf_batch_now_ms(batch));
}

/* Ends a quarantine that is due; or, if its zone holds it back, gives it a later deadline, so that it is not examined before.
 * Returns whether it ended. */
static bool end_quarantine(struct hf_batch *batch, struct hf_lease *lease) {
	struct hf_lease due = *lease;
	lease->quarantined_until_ms = real_end(batch, lease, lease->quarantined_until_ms, hf_batch_quarantine_ms(batch, lease));
	bool ends = lease->quarantined_until_ms <= hf_batch_now_ms(batch);
	if (ends)
		hf_batch_change(batch, &due, NULL, HF_CHANGE_EXPIRED, HF_CAUSE_DEADLINE);
	else
		hf_batch_relabel(batch, &due, lease);
	return ends;
}

/* Frees the previous addresses whose overlap is due at a time, unless the zone holds them back, as for a quarantine. Returns
 * whether any was due. */
static bool end_overlaps(struct hf_batch *batch, const struct hf_lease *lease, int64_t at_ms) {
	struct hf_lease after = *lease;
	bool due = false;
	after.n_previous = 0;
	for (int i = 0; i < lease->n_previous; i++) {
		struct hf_previous previous = lease->previous[i];
		bool ends = previous.until_ms == at_ms;
		if (ends)
			previous.until_ms = real_end(batch, lease, at_ms, (int64_t)previous.overlap_seconds * 1000);
		if (!ends || previous.until_ms > hf_batch_now_ms(batch))
			after.previous[after.n_previous++] = previous;
		due = due || ends;
	}
	if (due && after.n_previous < lease->n_previous) {
		after.modified_ms = hf_batch_now_ms(batch);
		hf_batch_change(batch, lease, &after, HF_CHANGE_UPDATED, HF_CAUSE_DEADLINE);
	} else if (due) {
		hf_batch_relabel(batch, lease, &after);
	}
	return due;
}

/* Ends what is due of a lease: its quarantine, and what that leaves, as both may end at one time. */
static void end_of_lease(struct hf_batch *batch, const struct hf_deadline *deadline) {
	struct hf_lease lease;
	if (!hf_lease_read(hf_batch_txn(batch), &deadline->lease, &lease)) {
		hf_txn_corrupt(hf_batch_txn(batch), HF_DEADLINES, "a deadline's lease does not exist");
		return;
	}
	bool due = lease.state == HF_QUARANTINED && lease.quarantined_until_ms == deadline->at_ms;
	if (due && end_quarantine(batch, &lease))
		return;
	if (!end_overlaps(batch, &lease, deadline->at_ms) && !due)
		hf_txn_corrupt(hf_batch_txn(batch), HF_DEADLINES, "nothing of a deadline's lease ends then");
}

static void end_history(struct hf_batch *batch, const struct hf_deadline *deadline) {
	hf_deadline_del(hf_batch_txn(batch), deadline);
	hf_batch_forget_address(batch, deadline->address, deadline->from_revision);
	hf_holders_drop(hf_batch_txn(batch), deadline->address, deadline->from_revision);
}

static void carry_out(struct hf_batch *batch, const struct hf_deadline *deadline) {
	if (deadline->is_lease)
		end_of_lease(batch, deadline);
	else
		end_history(batch, deadline);
}

/* Processes the quarantines due between the patient time, up to which everything has been processed, and the store's own time.
 * Skips history entries there, and remembers where it stopped, because nothing new is added before that. Returns when the next one
 * is due. */
static int64_t sweep_held(struct hf_batch *batch, int budget) {
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_store *store = hf_batch_store(batch);
	struct hf_deadline at = store->passed_over, next = {0};
	while (hf_deadline_next(txn, &at, false, &next) && !hf_txn_fault(txn, NULL)) {
		if (next.at_ms > hf_batch_now_ms(batch) || budget-- <= 0)
			return next.at_ms;
		if (next.is_lease)
			end_of_lease(batch, &next);
		else
			store->passed_over = next;
		at = next;
	}
	return INT64_MAX;
}

void hf_expiry_sweep(struct hf_batch *batch, int budget) {
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_store *store = hf_batch_store(batch);
	struct hf_deadline deadline;
	int64_t patient_ms = hf_store_patient_ms(store), lag_ms = hf_batch_now_ms(batch) - patient_ms, next_ms = INT64_MAX;
	while (hf_deadline_first(txn, &deadline) && !hf_txn_fault(txn, NULL)) {
		if (deadline.at_ms > patient_ms || budget-- == 0) {
			next_ms = hf_time_add(deadline.at_ms, lag_ms);
			break;
		}
		carry_out(batch, &deadline);
	}
	if (lag_ms > 0) {
		int64_t held_ms = sweep_held(batch, budget);
		next_ms = held_ms < next_ms ? held_ms : next_ms;
	}
	store->next_deadline_ms = next_ms;
}
