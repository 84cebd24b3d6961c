/* derive.c — writes the tables that follow from others. */
#include "derive.h"

#include <stdlib.h>

#include "storage/model/tally.h"
#include "storage/tables/allocator.h"
#include "storage/tables/deadline.h"
#include "storage/tables/lease_table.h"
#include "storage/tables/pool_table.h"

enum hf_err hf_derive_pool(struct hf_derive *d, const struct hf_pool *pool, struct hf_why *why) {
	struct hf_pool **pools = realloc(d->pools, sizeof *pools * (size_t)(d->n_pools + 1));
	struct hf_pool *copy = pools ? malloc(sizeof *copy) : NULL;
	if (pools)
		d->pools = pools;
	if (!copy)
		return hf_no_memory(why);
	hf_pool_copy(pool, copy);
	copy->active = copy->quarantined = 0;
	for (int family = 0; family < HF_FAMILIES; family++)
		copy->count[family] = (struct hf_pool_count){.cursor = pool->count[family].cursor};
	d->pools[d->n_pools++] = copy;
	return HF_OK;
}

static int by_name(const void *name, const void *pool) { return strcmp(name, (*(struct hf_pool *const *)pool)->name); }

struct hf_pool *hf_derive_find_pool(const struct hf_derive *d, const char *name) {
	struct hf_pool **found = d->n_pools ? bsearch(name, d->pools, (size_t)d->n_pools, sizeof *d->pools, by_name) : NULL;
	return found ? *found : NULL;
}

struct hf_pool *hf_derive_pool_of_id(const struct hf_derive *d, uint32_t id) {
	for (int i = 0; i < d->n_pools; i++)
		if (d->pools[i]->id == id)
			return d->pools[i];
	return NULL;
}

/* Returns the pool in whose ranges an address lies; NULL: no pool has it. */
static struct hf_pool *pool_at(const struct hf_derive *d, struct hf_addr a) {
	for (int i = 0; i < d->n_pools; i++)
		if (hf_pool_place(d->pools[i], a, NULL) != HF_OUTSIDE)
			return d->pools[i];
	return NULL;
}

static enum hf_err check_address(const struct hf_derive *d, struct hf_txn *txn, const struct hf_pool *pool,
				 const struct hf_lease *lease, int i, struct hf_why *why) {
	char text[HF_ADDR_TEXT], other[HF_IDENTITY_WORDS_MIN];
	struct hf_holder holder;
	struct hf_addr a = hf_lease_bound_at(lease, i);
	hf_addr_format(a, text);
	if (i < lease->n_vips && hf_pool_place(pool, a, NULL) == HF_OUTSIDE)
		return hf_fail(why, HF_E_CORRUPT, "%s lies in no range of pool \"%s\"", text, pool->name);
	if (i >= lease->n_vips && !pool_at(d, a))
		return hf_fail(why, HF_E_CORRUPT, "its previous address %s lies in no range of any pool", text);
	if (hf_holders_present(txn, a, &holder))
		return hf_fail(why, HF_E_CORRUPT, "%s is in two leases: %s has it already", text,
			       hf_identity_words(&holder.id, other, sizeof other));
	return HF_OK;
}

static enum hf_err check(const struct hf_derive *d, struct hf_txn *txn, const struct hf_pool *pool, const struct hf_lease *lease,
			 struct hf_why *why) {
	struct hf_slice value;
	if (!pool)
		return hf_fail(why, HF_E_CORRUPT, "pool \"%s\" does not exist", lease->pool);
	if (!hf_txn_get(txn, HF_ZONES, (struct hf_slice){lease->id.zone, strlen(lease->id.zone)}, &value))
		return hf_fail(why, HF_E_CORRUPT, "zone \"%s\" does not exist", lease->id.zone);
	enum hf_err err = HF_OK;
	for (int i = 0; !err && i < hf_lease_bound(lease); i++) {
		for (int k = 0; k < i; k++)
			if (hf_lease_bound_at(lease, k).n == hf_lease_bound_at(lease, i).n)
				return hf_fail(why, HF_E_CORRUPT, "it has one address twice");
		err = check_address(d, txn, pool, lease, i, why);
	}
	return err;
}

static void end_scope(struct hf_derive *d, struct hf_txn *txn) {
	uint8_t record[HF_SCOPE_RECORD_MAX];
	if (d->scope_len)
		hf_txn_put(txn, HF_SCOPES, (struct hf_slice){d->scope_key, d->scope_len}, hf_scope_encode(&d->scope, record));
}

static void enter_scope(struct hf_derive *d, struct hf_txn *txn, const struct hf_key *key) {
	if (key->scope_len == d->scope_len && memcmp(key->bytes, d->scope_key, d->scope_len) == 0)
		return;
	end_scope(d, txn);
	d->scope = (struct hf_scope){0};
	d->scope_len = key->scope_len;
	memcpy(d->scope_key, key->bytes, key->scope_len);
}

enum hf_err hf_derive_lease(struct hf_derive *d, struct hf_txn *txn, const struct hf_lease *lease,
			    const struct hf_bound bound[HF_BOUND_MAX], struct hf_why *why) {
	struct hf_pool *pool = hf_derive_find_pool(d, lease->pool);
	struct hf_deadline deadline = {.is_lease = true};
	int64_t ends[HF_LEASE_ENDS_MAX];
	enum hf_err err = check(d, txn, pool, lease, why), fault = hf_txn_fault(txn, why);
	if (err || fault)
		return fault ? fault : err;
	hf_identity_encode(&lease->id, &deadline.lease);
	enter_scope(d, txn, &deadline.lease);
	hf_tally_lease(pool, &d->scope, lease, 1);
	for (int i = lease->n_vips; i < hf_lease_bound(lease); i++) {
		struct hf_addr a = hf_lease_bound_at(lease, i);
		hf_tally_previous(pool_at(d, a), lease, a, 1);
	}
	for (int i = 0; i < hf_lease_bound(lease); i++) {
		struct hf_holder holder = {.id = lease->id, .from_revision = bound[i].from_revision, .from_ms = bound[i].from_ms};
		memcpy(holder.by, bound[i].by, sizeof holder.by);
		hf_holders_open(txn, hf_lease_bound_at(lease, i), &holder);
	}
	for (int n = hf_lease_ends(lease, ends), i = 0; i < n; i++) {
		deadline.at_ms = ends[i];
		hf_deadline_put(txn, &deadline);
	}
	return hf_txn_fault(txn, why);
}

void hf_derive_past(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder) {
	struct hf_deadline deadline = hf_holders_deadline(a, holder);
	hf_deadline_put(txn, &deadline);
}

enum hf_err hf_derive_memory(struct hf_derive *d, struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder,
			     struct hf_why *why) {
	struct hf_pool *pool = pool_at(d, a);
	struct hf_holder present;
	struct hf_lease lease;
	struct hf_key id;
	char text[HF_ADDR_TEXT];
	hf_addr_format(a, text);
	hf_identity_encode(&holder->id, &id);
	if (!pool || hf_pool_place(pool, a, NULL) != HF_ALLOCATABLE)
		return hf_fail(why, HF_E_CORRUPT, "%s is remembered, but no pool can hand it out", text);
	if (hf_holders_present(txn, a, &present))
		return hf_fail(why, HF_E_CORRUPT, "%s is remembered, but a lease has it", text);
	if (hf_lease_read(txn, &id, &lease))
		return hf_fail(why, HF_E_CORRUPT, "%s is remembered for a service that has a lease", text);
	if (!hf_affinity_add(txn, pool, &id, holder->to_ms, a))
		return hf_fail(why, HF_E_CORRUPT, "%s is remembered for a service that another address is remembered for", text);
	return hf_txn_fault(txn, why);
}

void hf_derive_empty_scope(struct hf_txn *txn, const struct hf_identity *scope) {
	static const struct hf_scope empty;
	uint8_t record[HF_SCOPE_RECORD_MAX];
	struct hf_key key;
	hf_identity_encode(scope, &key);
	hf_txn_put(txn, HF_SCOPES, (struct hf_slice){key.bytes, key.scope_len}, hf_scope_encode(&empty, record));
}

void hf_derive_end(struct hf_derive *d, struct hf_txn *txn) {
	end_scope(d, txn);
	for (int i = 0; i < d->n_pools && !hf_txn_fault(txn, NULL); i++) {
		struct hf_pool *pool = d->pools[i];
		hf_allocator_drop_drained(txn, pool, NULL);
		hf_allocator_rebuild(txn, pool);
		hf_pool_store(txn, pool);
		hf_usage_store(txn, pool);
	}
}

void hf_derive_free(struct hf_derive *d) {
	for (int i = 0; i < d->n_pools; i++) {
		hf_pool_drop(d->pools[i]);
		free(d->pools[i]);
	}
	free(d->pools);
	*d = (struct hf_derive){0};
}
