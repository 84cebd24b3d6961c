/* release.c — releases a lease into quarantine, or purges it. */
#include "release.h"

#include "leases.h"
#include "storage/store/batch.h"
#include "storage/store/lease_change.h"

static enum hf_err judge(struct hf_txn *txn, struct hf_release *request, struct hf_why *why, struct hf_decision *ret,
			 bool *ret_forced) {
	struct hf_key key;
	hf_identity_encode(&request->want.id, &key);
	bool exists = hf_lease_read(txn, &key, &request->lease);
	struct hf_zone zone;
	hf_zone_read(txn, request->want.id.zone, &zone);
	*ret_forced = request->want.force && zone.state == HF_ZONE_OFFLINE;
	enum hf_err err = hf_txn_fault(txn, why);
	return err ? err : hf_rules_release(exists ? &request->lease : NULL, &zone, &request->want, why, ret);
}

enum hf_err hf_release_peek(struct hf_txn *reader, struct hf_release *request, struct hf_why *why, enum hf_peek *ret) {
	struct hf_decision decision;
	bool forced;
	enum hf_err err = judge(reader, request, why, &decision, &forced);
	if (!err)
		*ret = decision.action == HF_DO_NOTHING ? HF_PEEK_DONE : HF_PEEK_WRITE;
	return err;
}

void hf_release_quarantine(struct hf_batch *batch, struct hf_lease *lease, enum hf_cause cause, bool forced) {
	struct hf_lease before = *lease;
	struct hf_pool *pool = hf_batch_pool(batch, lease->pool);
	int64_t now_ms = hf_batch_now_ms(batch);
	lease->state = HF_QUARANTINED;
	lease->forced = forced;
	lease->modified_ms = now_ms;
	lease->quarantined_until_ms = hf_time_add(now_ms, pool ? (int64_t)pool->config.quarantine_seconds * 1000 : 0);
	for (int i = 0; i < lease->n_previous; i++) /* all addresses are freed when it ends */
		if (lease->previous[i].until_ms > lease->quarantined_until_ms)
			lease->quarantined_until_ms = lease->previous[i].until_ms;
	hf_batch_change(batch, &before, lease, HF_CHANGE_RELEASED, cause);
}

static void force(struct hf_batch *batch, struct hf_lease *lease) {
	struct hf_lease before = *lease;
	lease->forced = true;
	hf_batch_relabel(batch, &before, lease);
}

static enum hf_err apply(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_release *request = (struct hf_release *)write;
	struct hf_decision decision;
	bool forced;
	enum hf_err err = judge(hf_batch_txn(batch), request, why, &decision, &forced);
	if (err || decision.action == HF_DO_NOTHING)
		return err;
	if (decision.action == HF_DO_PURGE) {
		hf_batch_change(batch, &request->lease, NULL, HF_CHANGE_PURGED, HF_CAUSE_REQUEST);
		return HF_OK;
	}
	if (decision.action == HF_DO_FORCE)
		force(batch, &request->lease);
	else
		hf_release_quarantine(batch, &request->lease, HF_CAUSE_REQUEST, forced);
	return HF_OK;
}

void hf_release_begin(struct hf_release *request) { request->write.apply = apply; }
