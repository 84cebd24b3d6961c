/* memory.c — remembering and forgetting whose free addresses were. */
#include "memory.h"

#include "storage/tables/allocator.h"
#include "store_internal.h"

#define FORGET_BUDGET 16 /* addresses forgotten at once because there are too many, as after a lowered limit */

bool hf_batch_remembers(struct hf_batch *batch) {
	struct hf_pool *const *pools;
	int n = hf_batch_pools(batch, &pools);
	for (int i = 0; i < n; i++)
		if (pools[i]->count[HF_IPV4].remembered + pools[i]->count[HF_IPV6].remembered > 0)
			return true;
	return false;
}

struct hf_pool *hf_batch_pool_of_id(struct hf_batch *batch, uint32_t id) {
	struct hf_pool *const *pools;
	int n = hf_batch_pools(batch, &pools);
	for (int i = 0; i < n; i++)
		if (pools[i]->id == id)
			return pools[i];
	return NULL;
}

/* Forgets an address, which becomes plain free space unless it is set apart for somebody. */
static void forget(struct hf_batch *batch, struct hf_pool *pool, const struct hf_key *id, struct hf_addr a) {
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_range cidr;
	if (!hf_affinity_drop(txn, pool, id, a))
		return;
	if (hf_pool_place(pool, a, &cidr) == HF_ALLOCATABLE)
		hf_allocator_give(txn, pool, cidr, a);
	else
		hf_txn_corrupt(txn, HF_REMEMBERED, "a remembered address cannot be handed out by its pool");
}

static void forget_excess(struct hf_batch *batch, struct hf_pool *pool, enum hf_family family) {
	uint64_t max = hf_batch_store(batch)->options.remembered_max;
	struct hf_addr oldest;
	struct hf_key id;
	for (int i = 0; i < FORGET_BUDGET && pool->count[family].remembered > max; i++)
		if (hf_affinity_oldest(hf_batch_txn(batch), pool, family, &oldest, &id))
			forget(batch, pool, &id, oldest);
}

struct hf_memory hf_batch_recall(struct hf_batch *batch, const struct hf_identity *id) {
	struct hf_memory memory = {.n = 0};
	struct hf_key key;
	if (!hf_batch_remembers(batch))
		return memory;
	hf_identity_encode(id, &key);
	if (hf_affinity_read(hf_batch_txn(batch), &key, &memory))
		hf_affinity_leave_apart(hf_batch_txn(batch), &memory);
	else
		*hf_batch_blank(batch) = key;
	return memory;
}

void hf_batch_remember(struct hf_batch *batch, const struct hf_lease *lease) {
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_pool *pool = hf_batch_pool(batch, lease->pool);
	struct hf_key id;
	hf_identity_encode(&lease->id, &id);
	hf_batch_blank(batch)->len = 0;
	for (int i = 0; pool && i < lease->n_vips; i++) {
		if (hf_pool_place(pool, lease->vips[i], NULL) != HF_ALLOCATABLE)
			continue;
		hf_allocator_take(txn, pool, lease->vips[i]);
		if (!hf_affinity_add(txn, pool, &id, hf_batch_now_ms(batch), lease->vips[i]))
			hf_txn_corrupt(txn, HF_AFFINITY, "something is remembered of an identity that had a lease");
		forget_excess(batch, pool, hf_addr_family(lease->vips[i]));
	}
}

void hf_batch_forget(struct hf_batch *batch, const struct hf_key *id) {
	const struct hf_key *blank = hf_batch_blank(batch);
	struct hf_memory memory;
	if (!hf_batch_remembers(batch) || (blank->len == id->len && memcmp(blank->bytes, id->bytes, id->len) == 0) ||
	    !hf_affinity_read(hf_batch_txn(batch), id, &memory))
		return;
	struct hf_pool *pool = hf_batch_pool_of_id(batch, memory.pool_id);
	if (!pool)
		hf_txn_corrupt(hf_batch_txn(batch), HF_AFFINITY, "a remembered address's pool is missing");
	for (int i = 0; pool && i < memory.n; i++)
		forget(batch, pool, id, memory.addresses[i]);
}

void hf_batch_forget_address(struct hf_batch *batch, struct hf_addr a, uint64_t from_revision) {
	struct hf_txn *txn = hf_batch_txn(batch);
	struct hf_memory memory;
	struct hf_holder last;
	struct hf_key id;
	if (!hf_batch_remembers(batch) || !hf_holders_last_past(txn, a, &last) || last.from_revision != from_revision)
		return;
	hf_identity_encode(&last.id, &id);
	if (!hf_affinity_read(txn, &id, &memory) || !hf_memory_has(&memory, a))
		return;
	struct hf_pool *pool = hf_batch_pool_of_id(batch, memory.pool_id);
	if (pool)
		forget(batch, pool, &id, a);
	else
		hf_txn_corrupt(txn, HF_AFFINITY, "a remembered address's pool is missing");
}
