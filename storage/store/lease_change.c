/* lease_change.c — the only way to alter a lease: everything else in the store is derived from its record before and after. */
#include "lease_change.h"

#include "memory.h"
#include "storage/model/tally.h"
#include "storage/tables/allocator.h"
#include "storage/tables/deadline.h"
#include "storage/tables/holders.h"
#include "store_internal.h"

static void bind_address(struct hf_batch *batch, struct hf_pool *pool, const struct hf_lease *lease, struct hf_addr a) {
	struct hf_holder holder = {.id = lease->id, .from_revision = lease->revision, .from_ms = hf_batch_now_ms(batch)};
	strncpy(holder.by, hf_batch_by(batch), HF_BY_MAX);
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
		same = hf_lease_has(before, after->vips[i]);
	if (!same)
		hf_batch_count_vip_change(batch, cause);
}

static void put_lease(struct hf_batch *batch, const struct hf_key *key, const struct hf_lease *lease) {
	uint8_t record[HF_LEASE_RECORD_MAX];
	hf_txn_put(hf_batch_txn(batch), HF_LEASES, (struct hf_slice){key->bytes, key->len}, hf_lease_encode(lease, record));
}

/* Sets the deadlines of a lease: those of its record `before` (NULL: none), which has the key `old`, become those of `after`. */
static void move_deadlines(struct hf_batch *batch, const struct hf_key *old, const struct hf_lease *before,
			   const struct hf_key *new, const struct hf_lease *after) {
	struct hf_store *store = hf_batch_store(batch);
	struct hf_deadline deadline = {.is_lease = true};
	int64_t were[HF_LEASE_ENDS_MAX], are[HF_LEASE_ENDS_MAX];
	int n_were = before ? hf_lease_ends(before, were) : 0, n_are = after ? hf_lease_ends(after, are) : 0;
	bool same = old->len == new->len &&memcmp(old->bytes, new->bytes, old->len) == 0;
	/* Not later than any deadline that this change can have added, including a closed history entry's. */
	int64_t next_ms = hf_batch_now_ms(batch) + HF_HISTORY_AGE_MS;
	deadline.lease = *old;
	for (int i = 0; i < n_were; i++) {
		deadline.at_ms = were[i];
		if (!same || !after || !hf_lease_ends_at(after, were[i]))
			hf_deadline_del(hf_batch_txn(batch), &deadline);
	}
	deadline.lease = *new;
	for (int i = 0; i < n_are; i++) {
		deadline.at_ms = are[i];
		if (!same || !before || !hf_lease_ends_at(before, are[i]))
			hf_deadline_put(hf_batch_txn(batch), &deadline);
		next_ms = are[i] < next_ms ? are[i] : next_ms;
	}
	if (next_ms < store->next_deadline_ms)
		store->next_deadline_ms = next_ms;
}

uint64_t hf_batch_record(struct hf_batch *batch, struct hf_change *change) {
	uint8_t key[HF_CHANGE_KEY_BYTES], record[HF_CHANGE_RECORD_MAX];
	change->revision = ++hf_batch_meta(batch)->revision;
	change->at_ms = hf_batch_now_ms(batch);
	strncpy(change->by, hf_batch_by(batch), HF_BY_MAX);
	hf_txn_put(hf_batch_txn(batch), HF_CHANGES, hf_change_key(change->revision, key), hf_change_encode(change, record));
	return change->revision;
}

/* Records a change under the lease as it is after it, or if it has gone, before. */
static uint64_t record_lease(struct hf_batch *batch, const struct hf_lease *before, const struct hf_lease *after,
			     enum hf_change_type type, enum hf_cause cause) {
	const struct hf_lease *lease = after ? after : before;
	struct hf_change change = {.type = type,
				   .cause = cause,
				   .has_lease = true,
				   .id = lease->id,
				   .generation = lease->generation,
				   .n_vips = lease->n_vips};
	memcpy(change.pool, lease->pool, sizeof change.pool);
	memcpy(change.vips, lease->vips, sizeof change.vips);
	change.n_previous = lease->n_previous;
	memcpy(change.previous, lease->previous, sizeof *lease->previous * (size_t)lease->n_previous);
	if (type == HF_CHANGE_TRANSFERRED)
		change.from = before->id;
	return hf_batch_record(batch, &change);
}

/* A lease before or after a change, and what it counts in. */
struct side {
	const struct hf_lease *lease; /* NULL: no lease */
	struct hf_key key;
	struct hf_pool *pool;
	struct hf_scope *scope;
};

static struct side side_of(struct hf_batch *batch, const struct hf_lease *lease) {
	struct side side = {.lease = lease};
	hf_identity_encode(&lease->id, &side.key);
	side.pool = hf_batch_pool(batch, lease->pool);
	side.scope = hf_batch_scope(batch, &side.key);
	if (!side.pool)
		hf_txn_corrupt(hf_batch_txn(batch), HF_POOLS, "a lease's pool is missing");
	return side;
}

/* Returns the pool of an address that is bound to a lease: a current one's is the lease's. NULL after a fault. */
static struct hf_pool *pool_of(struct hf_batch *batch, const struct side *side, int i) {
	if (i < side->lease->n_vips)
		return side->pool;
	struct hf_pool *pool = hf_batch_pool_at(batch, hf_lease_bound_at(side->lease, i));
	if (!pool)
		hf_txn_corrupt(hf_batch_txn(batch), HF_POOLS, "a previous address lies outside every pool");
	return pool;
}

/* Gives an address that stays held to another identity. */
static void rename_holder(struct hf_batch *batch, const struct hf_lease *after, struct hf_addr a) {
	struct hf_holder holder = {.id = after->id, .from_revision = after->revision, .from_ms = hf_batch_now_ms(batch)};
	strncpy(holder.by, hf_batch_by(batch), HF_BY_MAX);
	hf_holders_close(hf_batch_txn(batch), a, hf_batch_now_ms(batch));
	hf_holders_open(hf_batch_txn(batch), a, &holder);
}

static void tally(struct hf_batch *batch, struct side *side, int by) {
	hf_tally_lease(side->pool, side->scope, side->lease, by);
	side->pool->touched = true;
	for (int i = side->lease->n_vips; i < hf_lease_bound(side->lease); i++) {
		struct hf_pool *pool = pool_of(batch, side, i);
		if (!pool)
			return;
		hf_tally_previous(pool, side->lease, hf_lease_bound_at(side->lease, i), by);
		pool->touched = true;
	}
}

/* Frees, binds and counts the differences. A lease may move to another pool, and to another identity. Counts are taken back while
 * the ranges are as they were: what is freed may end a draining range. */
static void move_addresses(struct hf_batch *batch, struct side *from, struct side *to) {
	bool renamed = from->lease && to->lease && !hf_identity_equal(&from->lease->id, &to->lease->id);
	if (from->lease)
		tally(batch, from, -1);
	for (int i = 0; from->lease && i < hf_lease_bound(from->lease); i++) {
		struct hf_addr a = hf_lease_bound_at(from->lease, i);
		struct hf_pool *pool = pool_of(batch, from, i);
		if (to->lease && hf_lease_binds(to->lease, a)) {
			if (renamed)
				rename_holder(batch, to->lease, a);
		} else if (pool) {
			free_address(batch, pool, a);
		}
	}
	for (int i = 0; to->lease && i < hf_lease_bound(to->lease); i++) {
		struct hf_addr a = hf_lease_bound_at(to->lease, i);
		struct hf_pool *pool = pool_of(batch, to, i);
		if (pool && !(from->lease && hf_lease_binds(from->lease, a)))
			bind_address(batch, pool, to->lease, a);
	}
	if (to->lease)
		tally(batch, to, 1);
}

/* A lease restored from quarantine no longer counts as released. */
static void undo_wear(struct hf_batch *batch, const struct hf_key *key, const struct hf_lease *before,
		      const struct hf_lease *after) {
	if (before->state == HF_QUARANTINED && after->state == HF_ACTIVE)
		hf_wear_undo(hf_batch_store(batch)->wear, (struct hf_slice){key->bytes, key->scope_len}, before->revision);
}

void hf_batch_change(struct hf_batch *batch, const struct hf_lease *before, struct hf_lease *after, enum hf_change_type type,
		     enum hf_cause cause) {
	struct hf_txn *txn = hf_batch_txn(batch);
	struct side from = {0}, to = {0}; /* large, and only partly used: encoded below where there is a lease */
	if (before)
		from = side_of(batch, before);
	if (after)
		to = side_of(batch, after);
	if (hf_txn_fault(txn, NULL))
		return;
	if (!before)
		from.key = to.key;
	if (!after)
		to.key = from.key;
	if (after && after->state == HF_ACTIVE && to.scope->active == 0)
		hf_batch_revive_zone(batch, after->id.zone);
	uint64_t revision = record_lease(batch, before, after, type, cause);
	if (after)
		after->revision = revision;
	move_addresses(batch, &from, &to);
	if (before && after) {
		count_vip_change(batch, before, after, cause);
		undo_wear(batch, &from.key, before, after);
	}
	move_deadlines(batch, &from.key, before, &to.key, after);
	if (after)
		put_lease(batch, &to.key, after);
	if (before && !(after && hf_identity_equal(&before->id, &after->id)))
		hf_txn_del(txn, HF_LEASES, (struct hf_slice){from.key.bytes, from.key.len});
	if (after && !(before && hf_identity_equal(&before->id, &after->id)))
		hf_batch_forget(batch, &to.key);
	if (type == HF_CHANGE_EXPIRED)
		hf_batch_remember(batch, before);
}

void hf_batch_relabel(struct hf_batch *batch, const struct hf_lease *before, const struct hf_lease *after) {
	struct hf_key key;
	hf_identity_encode(&after->id, &key);
	move_deadlines(batch, &key, before, &key, after);
	put_lease(batch, &key, after);
}

int64_t hf_batch_quarantine_ms(struct hf_batch *batch, const struct hf_lease *lease) {
	const struct hf_pool *pool = hf_batch_pool(batch, lease->pool);
	int64_t longest_ms = pool ? (int64_t)pool->config.quarantine_seconds * 1000 : 0;
	for (int i = 0; i < lease->n_previous; i++)
		if ((int64_t)lease->previous[i].overlap_seconds * 1000 > longest_ms)
			longest_ms = (int64_t)lease->previous[i].overlap_seconds * 1000;
	return longest_ms;
}
