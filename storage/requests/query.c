/* query.c — reading leases and addresses. */
#include "query.h"

#include <pthread.h>
#include <stdlib.h>

#include "pool_requests.h"
#include "storage/tables/lease_table.h"
#include "zone_requests.h"

enum hf_err hf_lease_get(struct hf_txn *reader, const struct hf_identity *id, struct hf_why *why, struct hf_lease *ret) {
	struct hf_key key;
	hf_identity_encode(id, &key);
	bool found = hf_lease_read(reader, &key, ret);
	enum hf_err err = hf_txn_fault(reader, why);
	if (!err && !found)
		err = hf_fail(why, HF_E_NOT_FOUND, "there is no lease of %s \"%.120s\" in zone \"%s\", mesh \"%s\"",
			      hf_kind_name(id->kind), id->service, id->zone, id->mesh);
	return err;
}

/* The bytes that every key begins with that can pass the filter: as much of zone, mesh, kind, service as is stated without a gap.
 */
static void filter_prefix(const struct hf_filter *filter, struct hf_key *ret) {
	struct hf_identity id = {.kind = filter->has_kind ? filter->kind : HF_MESH_SERVICE};
	memcpy(id.zone, filter->zone, sizeof id.zone);
	memcpy(id.mesh, filter->mesh, sizeof id.mesh);
	memcpy(id.service, filter->service, sizeof id.service);
	hf_identity_encode(&id, ret);
	if (!filter->zone[0])
		ret->len = 0;
	else if (!filter->mesh[0])
		ret->len = (uint16_t)(strlen(filter->zone) + 1);
	else if (!filter->has_kind)
		ret->len = ret->scope_len - 1;
}

static bool passes(const struct hf_filter *filter, const struct hf_lease *lease) {
	const struct hf_identity *id = &lease->id;
	if (filter->service[0] || filter->service_is_prefix) {
		bool same = filter->service_is_prefix ? strncmp(id->service, filter->service, strlen(filter->service)) == 0
						      : strcmp(id->service, filter->service) == 0;
		if (!same)
			return false;
	}
	return (!filter->has_kind || id->kind == filter->kind) && (!filter->zone[0] || strcmp(id->zone, filter->zone) == 0) &&
	       (!filter->mesh[0] || strcmp(id->mesh, filter->mesh) == 0) &&
	       (!filter->pool[0] || strcmp(lease->pool, filter->pool) == 0) && (!filter->state || lease->state == filter->state);
}

/* A walk over the leases that can pass a filter. */
struct walk {
	struct hf_cursor cursor;
	struct hf_key prefix;
	bool at_entry; /* the cursor stands on an entry that begins with the prefix */
};

static void walk_check(struct walk *walk, bool found) {
	const struct hf_slice *key = &walk->cursor.key;
	walk->at_entry = found && key->len >= walk->prefix.len && memcmp(key->data, walk->prefix.bytes, walk->prefix.len) == 0;
}

static void walk_begin(struct walk *walk, struct hf_txn *txn, const struct hf_filter *filter, const struct hf_key *after) {
	filter_prefix(filter, &walk->prefix);
	hf_cursor_open(txn, HF_LEASES, &walk->cursor);
	struct hf_slice start = {walk->prefix.bytes, walk->prefix.len},
			last = {after ? after->bytes : NULL, after ? after->len : 0};
	bool behind = false; /* `after` lies behind the prefix's first key */
	if (after) {
		size_t shorter = last.len < start.len ? last.len : start.len;
		int order = memcmp(last.data, start.data, shorter);
		behind = order > 0 || (order == 0 && last.len >= start.len);
	}
	if (behind)
		start = last;
	bool found = start.len ? hf_cursor_seek(&walk->cursor, start) : hf_cursor_first(&walk->cursor);
	if (found && behind && walk->cursor.key.len == last.len && memcmp(walk->cursor.key.data, last.data, last.len) == 0)
		found = hf_cursor_next(&walk->cursor);
	walk_check(walk, found);
}

static void walk_next(struct walk *walk) { walk_check(walk, hf_cursor_next(&walk->cursor)); }

static bool walk_read(struct walk *walk, struct hf_lease *ret) {
	if (hf_lease_decode(walk->cursor.key, walk->cursor.value, ret))
		return true;
	hf_txn_corrupt(walk->cursor.txn, HF_LEASES, "a record is damaged");
	return false;
}

enum hf_err hf_lease_list(struct hf_txn *reader, const struct hf_filter *filter, const struct hf_key *after, int limit,
			  void (*each)(void *context, const struct hf_lease *lease), void *context, struct hf_why *why,
			  struct hf_list_page *ret) {
	struct walk walk;
	struct hf_lease lease;
	struct hf_list_page page = {.revision = hf_meta_read(reader).revision};
	int n = 0, examined = 0;
	for (walk_begin(&walk, reader, filter, after); walk.at_entry; walk_next(&walk)) {
		if (n == limit || examined == HF_LIST_EXAMINED_MAX) {
			page.more = true;
			break;
		}
		if (!walk_read(&walk, &lease))
			break;
		examined++;
		hf_identity_encode(&lease.id, &page.last);
		if (passes(filter, &lease)) {
			each(context, &lease);
			n++;
		}
	}
	hf_cursor_close(&walk.cursor);
	enum hf_err err = hf_txn_fault(reader, why);
	if (!err)
		*ret = page;
	return err;
}

struct hf_snapshot {
	_Atomic bool expired;
	pthread_mutex_t lock; /* whoever reads, or lets go of the transaction */
	struct hf_txn *txn;   /* NULL once it is gone */
	struct walk walk;
	struct hf_filter filter;
	uint64_t revision;
};

enum hf_err hf_snapshot_open(struct hf_store *store, const struct hf_filter *filter, struct hf_why *why, struct hf_snapshot **ret) {
	struct hf_snapshot *snapshot = calloc(1, sizeof *snapshot);
	if (!snapshot)
		return hf_fail(why, HF_E_OVERLOADED, "out of memory");
	enum hf_err err = hf_reader_open(store, &snapshot->txn);
	if (!err)
		err = hf_reader_begin(snapshot->txn, NULL);
	if (err) {
		hf_reader_close(snapshot->txn);
		free(snapshot);
		return hf_fail(why, HF_E_OVERLOADED, "no further snapshot can be opened");
	}
	pthread_mutex_init(&snapshot->lock, NULL);
	snapshot->filter = *filter;
	snapshot->revision = hf_meta_read(snapshot->txn).revision;
	walk_begin(&snapshot->walk, snapshot->txn, filter, NULL);
	*ret = snapshot;
	return HF_OK;
}

uint64_t hf_snapshot_revision(const struct hf_snapshot *snapshot) { return snapshot->revision; }

/* The lock is held. */
static void let_go(struct hf_snapshot *snapshot) {
	if (snapshot->txn) {
		hf_cursor_close(&snapshot->walk.cursor);
		hf_reader_close(snapshot->txn);
	}
	snapshot->txn = NULL;
}

static enum hf_err next_lease(struct hf_snapshot *snapshot, struct hf_lease *ret) {
	while (!snapshot->expired && snapshot->txn) {
		if (!snapshot->walk.at_entry || !walk_read(&snapshot->walk, ret)) {
			enum hf_err err = hf_txn_fault(snapshot->txn, NULL);
			return err ? err : HF_E_NOT_FOUND;
		}
		walk_next(&snapshot->walk);
		if (passes(&snapshot->filter, ret))
			return HF_OK;
	}
	let_go(snapshot);
	return HF_E_OVERLOADED;
}

enum hf_err hf_snapshot_next(struct hf_snapshot *snapshot, struct hf_lease *ret) {
	pthread_mutex_lock(&snapshot->lock);
	enum hf_err err = next_lease(snapshot, ret);
	pthread_mutex_unlock(&snapshot->lock);
	if (snapshot->expired) /* perhaps since it was looked at, by somebody who did not get the lock */
		hf_snapshot_expire(snapshot);
	return err;
}

void hf_snapshot_expire(struct hf_snapshot *snapshot) {
	snapshot->expired = true;
	if (pthread_mutex_trylock(&snapshot->lock) != 0)
		return; /* the reader has it, and will see */
	let_go(snapshot);
	pthread_mutex_unlock(&snapshot->lock);
}

void hf_snapshot_close(struct hf_snapshot *snapshot) {
	hf_snapshot_expire(snapshot);
	pthread_mutex_destroy(&snapshot->lock);
	free(snapshot);
}

static const char *const ADDRESS_STATES[] = {
	[HF_ADDRESS_LEASED] = "leased", [HF_ADDRESS_QUARANTINED] = "quarantined", [HF_ADDRESS_RESERVED] = "reserved",
	[HF_ADDRESS_FREE] = "free",	[HF_ADDRESS_UNMANAGED] = "unmanaged",
};

const char *hf_address_state_name(enum hf_address_state state) { return ADDRESS_STATES[state]; }

struct placing {
	struct hf_addr a;
	struct hf_address_info *info;
};

static void place_in(void *context, const struct hf_pool *pool) {
	struct placing *placing = context;
	enum hf_place place = hf_pool_place(pool, placing->a, NULL);
	if (place == HF_OUTSIDE || place == HF_DRAINING) /* nothing new goes to a draining range */
		return;
	placing->info->state = place == HF_RESERVED ? HF_ADDRESS_RESERVED : HF_ADDRESS_FREE;
	memcpy(placing->info->pool, pool->name, sizeof pool->name);
}

enum hf_err hf_address_read(struct hf_txn *reader, struct hf_addr a, struct hf_why *why, struct hf_address_info *ret) {
	struct hf_address_info info = {.state = HF_ADDRESS_UNMANAGED};
	struct hf_holder holder;
	struct hf_key key;
	if (!hf_history_present(reader, a, &holder)) {
		struct placing placing = {a, &info};
		enum hf_err err = hf_txn_fault(reader, why);
		if (!err)
			err = hf_pools_each(reader, place_in, &placing, why);
		if (!err)
			*ret = info;
		return err;
	}
	hf_identity_encode(&holder.id, &key);
	info.has_lease = hf_lease_read(reader, &key, &info.lease);
	if (!info.has_lease)
		hf_txn_corrupt(reader, HF_ADDRESSES, "a held address points to no lease");
	enum hf_err err = hf_txn_fault(reader, why);
	if (err)
		return err;
	info.state = info.lease.state == HF_ACTIVE ? HF_ADDRESS_LEASED : HF_ADDRESS_QUARANTINED;
	memcpy(info.pool, info.lease.pool, sizeof info.pool);
	*ret = info;
	return HF_OK;
}

static void count_leases(void *context, const struct hf_pool *pool) {
	struct hf_totals *totals = context;
	totals->active += pool->active;
	totals->quarantined += pool->quarantined;
	totals->pools++;
}

enum hf_err hf_totals_read(struct hf_txn *reader, struct hf_why *why, struct hf_totals *ret) {
	struct hf_totals totals = {.changes = hf_txn_count(reader, HF_CHANGES)};
	uint64_t zones[HF_ZONE_STATES];
	enum hf_err err = hf_zones_count(reader, why, zones);
	if (err)
		return err;
	totals.zones = zones[HF_ZONE_UNMANAGED] + zones[HF_ZONE_ONLINE] + zones[HF_ZONE_OFFLINE];
	err = hf_pools_each(reader, count_leases, &totals, why);
	if (!err)
		*ret = totals;
	return err;
}
