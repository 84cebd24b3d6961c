/* lease_change.c — the only way to alter a lease: everything else in the store is derived from its record before and after. */
#include "lease_change.h"

#include "storage/model/tally.h"
#include "storage/tables/allocator.h"
#include "storage/tables/deadline.h"
#include "storage/tables/holders.h"
#include "store_internal.h"

static bool has_vip(const struct hf_lease *lease, struct hf_addr a) {
	for (int i = 0; lease && i < lease->n_vips; i++)
		if (lease->vips[i].n == a.n)
			return true;
	return false;
}

static void bind_address(struct hf_batch *batch, struct hf_pool *pool, const struct hf_lease *lease, struct hf_addr a) {
	struct hf_holder holder = {.id = lease->id, .from_revision = lease->revision, .from_ms = hf_batch_now_ms(batch)};
	struct hf_pool_count *count = &pool->count[hf_addr_family(a)];
	switch (hf_pool_place(pool, a, NULL)) {
	case HF_ALLOCATABLE:
		hf_allocator_take(hf_batch_txn(batch), pool, a);
		break;
	case HF_RESERVED:
		count->overlaid_reserved++;
		break;
	case HF_DRAINING:
		count->overlaid_draining++;
		break;
	case HF_OUTSIDE:
		hf_txn_corrupt(hf_batch_txn(batch), HF_POOLS, "an address to hold lies outside every range of its pool");
	}
	hf_holders_open(hf_batch_txn(batch), a, &holder);
}

static void free_address(struct hf_batch *batch, struct hf_pool *pool, struct hf_addr a) {
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_pool_count *count = &pool->count[hf_addr_family(a)];
	struct hf_range cidr;
	hf_holders_close(txn, a, hf_batch_now_ms(batch));
	switch (hf_pool_place(pool, a, &cidr)) {
	case HF_ALLOCATABLE:
		hf_allocator_give(txn, pool, cidr, a);
		break;
	case HF_RESERVED:
		count->overlaid_reserved--;
		break;
	case HF_DRAINING:
		count->overlaid_draining--;
		hf_allocator_drop_drained(txn, pool, &a);
		break;
	case HF_OUTSIDE:
		hf_txn_corrupt(txn, HF_POOLS, "a held address lies outside every range of its pool");
	}
}

static void count_vip_change(struct hf_batch *batch, const struct hf_lease *before, const struct hf_lease *after,
			     enum hf_cause cause) {
	bool same = before->n_vips == after->n_vips;
	for (int i = 0; same && i < after->n_vips; i++)
		same = has_vip(before, after->vips[i]);
	if (!same)
		hf_batch_count_vip_change(batch, cause);
}

static void put_lease(struct hf_batch *batch, const struct hf_key *key, const struct hf_lease *lease) {
	uint8_t record[HF_LEASE_RECORD_MAX];
	hf_txn_put(hf_batch_txn(batch), HF_LEASES, (struct hf_slice){key->bytes, key->len}, hf_lease_encode(lease, record));
}

static void move_deadline(struct hf_batch *batch, const struct hf_key *key, const struct hf_lease *before,
			  const struct hf_lease *after) {
	struct hf_store *store = hf_batch_store(batch);
	struct hf_deadline deadline = {.is_lease = true, .lease = *key};
	if (before && before->state == HF_QUARANTINED) {
		deadline.at_ms = before->quarantined_until_ms;
		hf_deadline_del(hf_batch_txn(batch), &deadline);
	}
	if (after && after->state == HF_QUARANTINED) {
		deadline.at_ms = after->quarantined_until_ms;
		hf_deadline_put(hf_batch_txn(batch), &deadline);
	}
	/* no later than any deadline that this change can have added, including that of a closed history entry */
	int64_t next_ms = after && after->state == HF_QUARANTINED ? deadline.at_ms : hf_batch_now_ms(batch) + HF_HISTORY_AGE_MS;
	if (next_ms < store->next_deadline_ms)
		store->next_deadline_ms = next_ms;
}

uint64_t hf_batch_record(struct hf_batch *batch, struct hf_change *change) {
	uint8_t key[HF_CHANGE_KEY_BYTES], record[HF_CHANGE_RECORD_MAX];
	change->revision = ++hf_batch_meta(batch)->revision;
	change->at_ms = hf_batch_now_ms(batch);
	hf_txn_put(hf_batch_txn(batch), HF_CHANGES, hf_change_key(change->revision, key), hf_change_encode(change, record));
	return change->revision;
}

static uint64_t record_lease(struct hf_batch *batch, const struct hf_lease *lease, enum hf_change_type type, enum hf_cause cause) {
	struct hf_change change = {.type = type,
				   .cause = cause,
				   .has_lease = true,
				   .id = lease->id,
				   .generation = lease->generation,
				   .n_vips = lease->n_vips};
	memcpy(change.pool, lease->pool, sizeof change.pool);
	memcpy(change.vips, lease->vips, sizeof change.vips);
	return hf_batch_record(batch, &change);
}

/* Frees, binds and counts the differences. A lease may move to another pool. */
static void move_lease(struct hf_batch *batch, struct hf_pool *from, struct hf_pool *to, struct hf_scope *scope,
		       const struct hf_lease *before, const struct hf_lease *after) {
	for (int i = 0; before && i < before->n_vips; i++)
		if (!has_vip(after, before->vips[i]))
			free_address(batch, from, before->vips[i]);
	for (int i = 0; after && i < after->n_vips; i++)
		if (!has_vip(before, after->vips[i]))
			bind_address(batch, to, after, after->vips[i]);
	if (before) {
		hf_tally_lease(from, scope, before, -1);
		from->touched = true;
	}
	if (after) {
		hf_tally_lease(to, scope, after, 1);
		to->touched = true;
	}
}

/* A lease restored from quarantine no longer counts as released. */
static void undo_wear(struct hf_batch *batch, const struct hf_key *key, const struct hf_lease *before,
		      const struct hf_lease *after) {
	if (before && after && before->state == HF_QUARANTINED && after->state == HF_ACTIVE)
		hf_wear_undo(hf_batch_store(batch)->wear, (struct hf_slice){key->bytes, key->scope_len}, before->revision);
}

void hf_batch_change(struct hf_batch *batch, const struct hf_lease *before, struct hf_lease *after, enum hf_change_type type,
		     enum hf_cause cause) {
	const struct hf_lease *known = after ? after : before;
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_key key;
	hf_identity_encode(&known->id, &key);
	struct hf_pool *to = hf_batch_pool(batch, known->pool), *from = before ? hf_batch_pool(batch, before->pool) : to;
	struct hf_scope *scope = hf_batch_scope(batch, &key);
	if (!from || !to)
		hf_txn_corrupt(txn, HF_POOLS, "a lease's pool is missing");
	if (!from || !to || !scope)
		return;
	if (after && after->state == HF_ACTIVE && scope->active == 0)
		hf_batch_revive_zone(batch, known->id.zone);
	uint64_t revision = record_lease(batch, known, type, cause);
	if (after)
		after->revision = revision;
	move_lease(batch, from, to, scope, before, after);
	if (before && after)
		count_vip_change(batch, before, after, cause);
	move_deadline(batch, &key, before, after);
	undo_wear(batch, &key, before, after);
	if (after)
		put_lease(batch, &key, after);
	else
		hf_txn_del(txn, HF_LEASES, (struct hf_slice){key.bytes, key.len});
}

void hf_batch_relabel(struct hf_batch *batch, const struct hf_lease *before, const struct hf_lease *after) {
	struct hf_key key;
	hf_identity_encode(&after->id, &key);
	if (before->quarantined_until_ms != after->quarantined_until_ms)
		move_deadline(batch, &key, before, after);
	put_lease(batch, &key, after);
}
