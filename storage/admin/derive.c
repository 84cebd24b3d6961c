/* derive.c — writes the tables that follow from others. */
#include "derive.h"

#include <stdlib.h>

#include "storage/model/tally.h"
#include "storage/tables/allocator.h"
#include "storage/tables/deadline.h"

enum hf_err hf_derive_pool(struct hf_derive *d, const struct hf_pool *pool, struct hf_why *why) {
	struct hf_pool **pools = realloc(d->pools, sizeof *pools * (size_t)(d->n_pools + 1));
	struct hf_pool *copy = pools ? malloc(sizeof *copy) : NULL;
	if (pools)
		d->pools = pools;
	if (!copy)
		return hf_no_memory(why);
	*copy = *pool;
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

static enum hf_err check_address(struct hf_txn *txn, const struct hf_pool *pool, struct hf_addr a, struct hf_why *why) {
	char text[HF_ADDR_TEXT], other[HF_IDENTITY_WORDS_MIN];
	struct hf_holder holder;
	hf_addr_format(a, text);
	if (hf_pool_place(pool, a, NULL) == HF_OUTSIDE)
		return hf_fail(why, HF_E_CORRUPT, "%s lies in no range of pool \"%s\"", text, pool->name);
	if (hf_holders_present(txn, a, &holder))
		return hf_fail(why, HF_E_CORRUPT, "%s is in two leases: %s has it already", text,
			       hf_identity_words(&holder.id, other, sizeof other));
	return HF_OK;
}

static enum hf_err check(struct hf_txn *txn, const struct hf_pool *pool, const struct hf_lease *lease, struct hf_why *why) {
	struct hf_slice value;
	if (!pool)
		return hf_fail(why, HF_E_CORRUPT, "pool \"%s\" does not exist", lease->pool);
	if (!hf_txn_get(txn, HF_ZONES, (struct hf_slice){lease->id.zone, strlen(lease->id.zone)}, &value))
		return hf_fail(why, HF_E_CORRUPT, "zone \"%s\" does not exist", lease->id.zone);
	if (lease->n_vips == 2 && lease->vips[0].n == lease->vips[1].n)
		return hf_fail(why, HF_E_CORRUPT, "it has one address twice");
	enum hf_err err = HF_OK;
	for (int i = 0; !err && i < lease->n_vips; i++)
		err = check_address(txn, pool, lease->vips[i], why);
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
			    const struct hf_bound bound[HF_FAMILIES], struct hf_why *why) {
	struct hf_pool *pool = hf_derive_find_pool(d, lease->pool);
	struct hf_deadline deadline = {.at_ms = lease->quarantined_until_ms, .is_lease = true};
	enum hf_err err = check(txn, pool, lease, why), fault = hf_txn_fault(txn, why);
	if (err || fault)
		return fault ? fault : err;
	hf_identity_encode(&lease->id, &deadline.lease);
	enter_scope(d, txn, &deadline.lease);
	hf_tally_lease(pool, &d->scope, lease, 1);
	for (int i = 0; i < lease->n_vips; i++) {
		struct hf_holder holder = {lease->id, bound[i].from_revision, bound[i].from_ms, 0};
		hf_holders_open(txn, lease->vips[i], &holder);
	}
	if (lease->state == HF_QUARANTINED)
		hf_deadline_put(txn, &deadline);
	return hf_txn_fault(txn, why);
}

void hf_derive_past(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder) {
	struct hf_deadline deadline = hf_holders_deadline(a, holder);
	hf_deadline_put(txn, &deadline);
}

void hf_derive_empty_scope(struct hf_txn *txn, const struct hf_identity *scope) {
	static const struct hf_scope empty;
	uint8_t record[HF_SCOPE_RECORD_MAX];
	struct hf_key key;
	hf_identity_encode(scope, &key);
	hf_txn_put(txn, HF_SCOPES, (struct hf_slice){key.bytes, key.scope_len}, hf_scope_encode(&empty, record));
}

void hf_derive_end(struct hf_derive *d, struct hf_txn *txn) {
	uint8_t record[HF_POOL_RECORD_MAX];
	end_scope(d, txn);
	for (int i = 0; i < d->n_pools && !hf_txn_fault(txn, NULL); i++) {
		struct hf_pool *pool = d->pools[i];
		hf_allocator_drop_drained(txn, pool, NULL);
		hf_allocator_rebuild(txn, pool);
		hf_txn_put(txn, HF_POOLS, (struct hf_slice){pool->name, strlen(pool->name)}, hf_pool_encode(pool, record));
	}
}

void hf_derive_free(struct hf_derive *d) {
	for (int i = 0; i < d->n_pools; i++)
		free(d->pools[i]);
	free(d->pools);
	*d = (struct hf_derive){0};
}
