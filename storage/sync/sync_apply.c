/* sync_apply.c — carries out a sync inside its write transaction. */
#include <inttypes.h>

#include "storage/model/move_rules.h"
#include "storage/model/zone_rules.h"
#include "storage/requests/acquire.h"
#include "storage/requests/release.h"
#include "storage/store/lease_change.h"
#include "storage/store/memory.h"
#include "storage/store/wear.h"
#include "sync_apply.h"
#include "sync_internal.h"

#define SCANNED_MIN 1000

static bool is_of_zone(const struct hf_change *change, const char *zone) {
	return change->has_lease && (strcmp(change->id.zone, zone) == 0 ||
				     (change->type == HF_CHANGE_TRANSFERRED && strcmp(change->from.zone, zone) == 0));
}

/* Looks another zone's service up again, if the sync lists it. */
static void look_up_again(struct hf_sync *sync, struct hf_txn *txn, const struct hf_identity *id) {
	struct hf_key key;
	struct hf_lease lease;
	hf_identity_encode(id, &key);
	struct hf_slice bytes = {key.bytes, key.len};
	uint32_t at = hf_sync_find(sync, bytes);
	struct hf_sync_item *item = at < sync->n_sorted ? sync->sorted[at] : NULL;
	if (!item || item->outcome != HF_SYNC_FOREIGN || hf_slice_compare(hf_sync_key(item), bytes) != 0)
		return;
	hf_sync_set_lease(sync, item, hf_lease_read(txn, &key, &lease) ? &lease : NULL);
}

/* Returns whether a lease of the zone has changed since the sync was decided. If not, looks up those services of other zones again
 * whose leases have changed. Reads the feed; if that would take longer than deciding again, returns true; and so it does where
 * renames are asked for, which depend on the pools and on the addresses of other zones as well. */
static bool is_overtaken(struct hf_sync *sync, struct hf_batch *batch) {
	uint8_t key[HF_CHANGE_KEY_BYTES];
	struct hf_change change;
	const struct hf_meta *meta = hf_batch_meta(batch);
	uint64_t since = meta->revision - sync->decided_at;
	if (since == 0)
		return false;
	if (sync->renames || since > (uint64_t)sync->n_items + SCANNED_MIN || sync->decided_at < meta->compacted)
		return true;
	HF_CURSOR changes;
	hf_cursor_open(hf_batch_txn(batch), HF_CHANGES, &changes);
	for (bool found = hf_cursor_seek(&changes, hf_change_key(sync->decided_at + 1, key)); found;
	     found = hf_cursor_next(&changes)) {
		if (!hf_change_decode(changes.key, changes.value, &change) || is_of_zone(&change, sync->zone))
			return true;
		if (change.has_lease)
			look_up_again(sync, hf_batch_txn(batch), &change.id);
		if (change.type == HF_CHANGE_TRANSFERRED)
			look_up_again(sync, hf_batch_txn(batch), &change.from);
	}
	return false;
}

/* Shared by the passes over the items. */
struct work {
	struct hf_sync *sync;
	struct hf_batch *batch;
	int64_t now_ms;		   /* on the monotonic clock */
	struct hf_acquire request; /* filled again for each item */
};

/* Acquires one item. A refusal that concerns only this service rejects the item. Addresses reserved for the item are free for it
 * to claim. */
static enum hf_err acquire(struct work *work, struct hf_sync_item *item) {
	struct hf_why why = {""};
	hf_sync_fill_acquire(item, &work->request.want);
	if (item->reserved)
		hf_acquire_unreserve(work->batch, &work->request, item->reserved);
	if (item->reserved_memory)
		hf_acquire_unreserve_memory(work->batch, &work->request, item->reserved_memory);
	enum hf_err err = hf_acquire_carry_out(work->batch, &work->request, HF_CAUSE_SYNC, &why);
	item->todo = HF_SYNC_DONE;
	if (err) {
		enum hf_err fault = hf_txn_fault(hf_batch_txn(work->batch), NULL);
		return fault ? fault : hf_sync_reject(work->sync, item, err, why.text);
	}
	hf_sync_set_lease(work->sync, item, &work->request.lease);
	for (int i = 0; i < hf_sync_claims(item); i++)
		item->refused[i] = (uint8_t)work->request.refused[i];
	hf_sync_set_outcome(work->sync, item, (enum hf_sync_outcome)work->request.outcome);
	return HF_OK;
}

static bool read_lease_of(struct hf_txn *txn, const uint8_t *bytes, uint16_t len, struct hf_lease *ret) {
	struct hf_key key = {.len = len};
	memcpy(key.bytes, bytes, len);
	return hf_lease_read(txn, &key, ret);
}

/* Gives an item the lease that it is renamed from, with the item's configuration. */
static void rename_lease(struct work *work, struct hf_sync_item *item) {
	struct hf_lease before;
	int64_t now_ms = hf_batch_now_ms(work->batch);
	struct hf_lease_request *want = &work->request.want;
	item->todo = HF_SYNC_DONE;
	if (!read_lease_of(hf_batch_txn(work->batch), item->from, item->from_len, &before)) {
		hf_txn_corrupt(hf_batch_txn(work->batch), HF_LEASES, "a lease to rename is missing");
		return;
	}
	hf_sync_fill_acquire(item, want);
	struct hf_lease renamed = hf_rules_transferred(&before, &want->id, now_ms);
	struct hf_lease after = hf_rules_changed(&renamed, want, (struct hf_decision){HF_DO_CHANGE, HF_UPDATED}, now_ms);
	hf_batch_change(work->batch, &before, &after, HF_CHANGE_TRANSFERRED, HF_CAUSE_SYNC);
	hf_sync_set_lease(work->sync, item, &after);
}

static void rename_all(struct work *work) {
	for (uint32_t i = 0; i < work->sync->n_renamed; i++)
		rename_lease(work, work->sync->renamed[i]);
}

/* Selects the items of a pass. */
typedef bool choice(struct work *work, const struct hf_sync_item *item);

static bool exists(struct work *work, const struct hf_sync_item *item) {
	(void)work;
	return item->todo == HF_SYNC_CHANGE;
}

static bool is_new(struct work *work, const struct hf_sync_item *item) {
	(void)work;
	return item->todo == HF_SYNC_CREATE;
}

static enum hf_claimed claimed(struct work *work, const struct hf_sync_item *item) {
	if (item->todo != HF_SYNC_CREATE || item->n_claims == 0)
		return HF_CLAIMED_NONE;
	hf_sync_fill_acquire(item, &work->request.want);
	return hf_acquire_claimed(work->batch, &work->request);
}

static bool is_claimed(struct work *work, const struct hf_sync_item *item) { return claimed(work, item) == HF_CLAIMED_ALL; }

static bool is_reserved(struct work *work, const struct hf_sync_item *item) {
	(void)work;
	return item->todo == HF_SYNC_CREATE && item->reserved;
}

static bool is_remembered(struct work *work, const struct hf_sync_item *item) {
	(void)work;
	return item->todo == HF_SYNC_CREATE && item->reserved_memory;
}

static enum hf_err acquire_where(struct work *work, choice *chosen) {
	struct hf_sync *sync = work->sync;
	enum hf_err err = HF_OK;
	for (uint32_t i = 0; !err && i < sync->n_sorted; i++)
		if (chosen(work, sync->sorted[i]))
			err = acquire(work, sync->sorted[i]);
	return err;
}

/* Reserves the claims of services whose other addresses come from the strategy, so that no such address is another service's
 * claim. */
static void reserve_claims(struct work *work) {
	for (uint32_t i = 0; i < work->sync->n_sorted; i++) {
		struct hf_sync_item *item = work->sync->sorted[i];
		item->reserved = 0;
		if (claimed(work, item) !=
		    HF_CLAIMED_NONE) /* reserve every claim, even if the pool of the first one cannot grant it */
			item->reserved = (uint8_t)hf_acquire_reserve(work->batch, &work->request);
	}
}

/* The same for what is remembered for each service, after the claims of all. */
static void reserve_memory(struct work *work) {
	bool any = hf_batch_remembers(work->batch);
	for (uint32_t i = 0; i < work->sync->n_sorted; i++) {
		struct hf_sync_item *item = work->sync->sorted[i];
		item->reserved_memory = 0;
		if (!any || item->todo != HF_SYNC_CREATE)
			continue;
		hf_sync_fill_acquire(item, &work->request.want);
		item->reserved_memory = (uint8_t)hf_acquire_reserve_memory(work->batch, &work->request, item->reserved);
	}
}

/* Acquires in this order: items that already have an address, items that claim all of their addresses, items that claim some, items
 * for which the store remembers an address, and the rest. So no service gets an address that a later item holds. */
static enum hf_err acquire_all(struct work *work) {
	enum hf_err err = acquire_where(work, exists);
	if (!err)
		err = acquire_where(work, is_claimed);
	if (!err) {
		reserve_claims(work);
		reserve_memory(work);
		err = acquire_where(work, is_reserved);
	}
	if (!err)
		err = acquire_where(work, is_remembered);
	return err ? err : acquire_where(work, is_new);
}

/* Counts a release, unless the sync allows releasing everything: then its releases are intended. */
static void note_wear(struct work *work, const struct hf_sync_item *item, uint64_t revision) {
	struct hf_identity id;
	struct hf_key key;
	if (work->sync->max_release_percent == 100 || !hf_identity_decode(item->key, item->key_len, &id))
		return;
	hf_identity_encode(&id, &key);
	if (!hf_wear_add(hf_batch_wear(work->batch), (struct hf_slice){key.bytes, key.scope_len}, revision, work->now_ms))
		hf_txn_no_memory(hf_batch_txn(work->batch));
}

static void forget_wear(void *context, struct hf_slice scope, uint64_t releases) {
	struct work *work = context;
	(void)releases;
	if (hf_sync_in_scope(work->sync, scope))
		hf_wear_forget(*hf_batch_wear(work->batch), scope);
}

static void release(struct work *work, struct hf_sync_item *item) {
	struct hf_lease lease;
	item->todo = HF_SYNC_DONE;
	if (!read_lease_of(hf_batch_txn(work->batch), item->key, item->key_len, &lease)) {
		hf_txn_corrupt(hf_batch_txn(work->batch), HF_LEASES, "a lease to release is missing");
		return;
	}
	hf_release_quarantine(work->batch, &lease, HF_CAUSE_SYNC, work->sync->zone_offline);
	hf_sync_set_lease(work->sync, item, &lease);
	note_wear(work, item, lease.revision);
}

static void release_all(struct work *work) {
	struct hf_sync *sync = work->sync;
	struct hf_slice zone = {sync->zone, strlen(sync->zone) + 1};
	if (sync->max_release_percent == 100 && sync->releases > 0) /* then earlier releases were intended too */
		hf_wear_each(*hf_batch_wear(work->batch), zone, work->now_ms, forget_wear, work);
	for (uint32_t i = 0; i < work->sync->n_sorted; i++)
		if (work->sync->sorted[i]->todo == HF_SYNC_RELEASE)
			release(work, work->sync->sorted[i]);
	for (struct hf_sync_item *item = work->sync->released; item; item = item->next)
		release(work, item);
}

/* Keeps the decision made on the snapshot, or decides again. Reads the current state of the zone, which changes without a
 * revision. */
static enum hf_err decide_again(struct hf_sync *sync, struct hf_batch *batch, struct hf_why *why) {
	struct hf_zone zone;
	if (is_overtaken(sync, batch))
		return hf_sync_decide(sync, hf_batch_txn(batch), why);
	hf_zone_read(hf_batch_txn(batch), sync->zone, &zone);
	sync->zone_epoch = zone.epoch;
	sync->zone_offline = zone.state == HF_ZONE_OFFLINE;
	return hf_zone_rules_fence(&zone, sync->has_epoch, sync->epoch, why);
}

/* A refused sync still acquires, because its summary is reported; its batch is then rolled back. */
static enum hf_err apply(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_sync *sync = (struct hf_sync *)write;
	struct hf_zone zone;
	struct work *work = hf_arena_alloc(&sync->arena, sizeof *work);
	if (!work)
		return hf_sync_no_memory(sync, why);
	*work = (struct work){.sync = sync, .batch = batch, .now_ms = hf_store_monotonic_ms(hf_batch_store(batch))};
	enum hf_err err = decide_again(sync, batch, why);
	if (err)
		return err;
	enum hf_err refusal = hf_sync_judge(sync, *hf_batch_wear(batch), work->now_ms, why);
	if (refusal == HF_E_ZONE_OFFLINE)
		return refusal;
	rename_all(work);
	err = acquire_all(work);
	if (sync->starved)
		err = HF_E_OVERLOADED;
	if (err == HF_E_OVERLOADED)
		return hf_sync_no_memory(sync, why);
	if (err || refusal)
		return err ? err : refusal;
	release_all(work);
	sync->revision = hf_batch_meta(batch)->revision;
	if (!sync->dry_run)
		sync->zone_known = hf_zone_read(hf_batch_txn(batch), sync->zone, &zone);
	sync->digest = hf_batch_zone_sum(batch, sync->zone).digest;
	/* Discards a batch without a change: it would write addresses that were reserved and given back. */
	write->discard = sync->dry_run || sync->revision == hf_store_meta(hf_batch_store(batch))->revision;
	return HF_OK;
}

void hf_sync_begin(struct hf_sync *sync) {
	sync->write.apply = apply;
	sync->write.solo = true;
}
