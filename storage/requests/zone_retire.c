/* zone_retire.c — ends all leases of a zone, and then the zone. */
#include "zone_retire.h"

#include "release.h"
#include "storage/store/batch.h"
#include "storage/store/lease_change.h"
#include "storage/tables/lease_table.h"

static enum hf_err judge(struct hf_batch *batch, struct hf_zone_retire *request, struct hf_why *why) {
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_zone *zone = &request->info.zone;
	bool exists = hf_zone_read(txn, request->name, zone);
	request->info.sum = hf_batch_zone_sum(batch, request->name);
	enum hf_err err = hf_txn_fault(txn, why);
	bool left = request->purge && request->info.sum.quarantined > 0;
	return err ? err : hf_zone_rules_retire(zone, exists, left, request->has_epoch, request->epoch, why);
}

/* Makes the quarantine end on time, whatever becomes of the zone. */
static void force(struct hf_batch *batch, const struct hf_lease *lease) {
	struct hf_lease forced = *lease;
	forced.forced = true;
	if (!lease->forced)
		hf_batch_relabel(batch, lease, &forced);
}

static void end_lease(struct hf_batch *batch, struct hf_zone_retire *request, struct hf_lease *lease) {
	if (request->purge) {
		hf_batch_change(batch, lease, NULL, HF_CHANGE_PURGED, HF_CAUSE_REQUEST);
		request->purged++;
	} else if (lease->state == HF_ACTIVE) {
		hf_release_quarantine(batch, lease, HF_CAUSE_REQUEST, true);
		request->released++;
	} else {
		force(batch, lease);
	}
}

/* Finds the zone's first lease after `key`, which begins with the zone's name and a NUL. */
static bool next_lease(struct hf_txn *txn, const char *zone, struct hf_key *key, struct hf_lease *ret) {
	struct hf_slice prefix = {zone, strlen(zone) + 1}, at = {key->bytes, key->len};
	HF_CURSOR leases;
	hf_cursor_open(txn, HF_LEASES, &leases);
	bool found = hf_cursor_seek(&leases, at);
	if (found && hf_slice_compare(leases.key, at) == 0)
		found = hf_cursor_next(&leases);
	if (!found || !hf_slice_extends(leases.key, prefix))
		return false;
	if (!hf_lease_at(&leases, true, ret))
		return false;
	hf_identity_encode(&ret->id, key);
	return true;
}

static enum hf_err apply(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_zone_retire *request = (struct hf_zone_retire *)write;
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_lease lease;
	struct hf_key key = {.len = (uint16_t)(strlen(request->name) + 1)};
	request->released = request->purged = 0;
	enum hf_err err = judge(batch, request, why);
	if (err)
		return err;
	memcpy(key.bytes, request->name, key.len);
	while (next_lease(txn, request->name, &key, &lease) && !hf_txn_fault(txn, NULL))
		end_lease(batch, request, &lease);
	struct hf_zone *zone = &request->info.zone;
	if (zone->state != HF_ZONE_RETIRED) {
		zone->state = HF_ZONE_RETIRED;
		zone->changed_ms = hf_batch_now_ms(batch);
		hf_batch_put_zone(batch, zone);
	}
	request->info.sum = hf_batch_zone_sum(batch, request->name);
	request->revision = hf_batch_meta(batch)->revision;
	return hf_txn_fault(txn, why);
}

void hf_zone_retire_begin(struct hf_zone_retire *request) {
	request->write.apply = apply;
	request->write.solo = true;
}
