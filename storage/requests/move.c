/* move.c — moves a lease: judge, choose addresses, store. */
#include "move.h"

#include "acquire.h"
#include "storage/store/lease_change.h"
#include "storage/tables/allocator.h"

static enum hf_err judge(struct hf_txn *txn, struct hf_move *request, struct hf_why *why, bool *ret_moves) {
	struct hf_key key;
	struct hf_zone zone;
	hf_identity_encode(&request->want.id, &key);
	bool exists = hf_lease_read(txn, &key, &request->lease);
	hf_zone_read(txn, request->want.id.zone, &zone);
	enum hf_err err = hf_txn_fault(txn, why);
	return err ? err : hf_rules_move(exists ? &request->lease : NULL, &zone, &request->want, why, ret_moves);
}

enum hf_err hf_move_peek(struct hf_txn *reader, struct hf_move *request, struct hf_why *why, enum hf_peek *ret) {
	bool moves;
	enum hf_err err = judge(reader, request, why, &moves);
	if (!err)
		*ret = moves ? HF_PEEK_WRITE : HF_PEEK_DONE;
	return err;
}

static struct hf_pool *choose_pool(struct hf_batch *batch, const struct hf_move *request, struct hf_why *why) {
	const struct hf_move_request *want = &request->want;
	struct hf_pool *pool = hf_batch_pool(batch, want->pool[0] ? want->pool : request->lease.pool), *other;
	if (!pool)
		hf_fail(why, HF_E_NO_POOL, "pool: \"%s\" does not exist", want->pool);
	if (want->pool[0] || want->n_addresses == 0)
		return pool;
	other = hf_acquire_pool_of(batch, want->addresses[0]);
	return other && hf_pool_match(other, &want->id) >= 0 ? other : pool;
}

/* An address that the lease is to have, and whether the strategy chose it. */
struct choice {
	struct hf_addr address;
	bool is_own;
};

/* Whether the lease stays in its pool and keeps its families: one that the pool got later reaches only new leases. A pool that has
 * none of them any more gives it all of its own, as another pool does. */
static bool keeps_families(const struct hf_pool *pool, const struct hf_move *request) {
	const struct hf_lease *lease = &request->lease;
	bool keeps = request->want.n_addresses > 0;
	for (int i = 0; i < lease->n_vips; i++)
		keeps = keeps || hf_pool_has_family(pool, hf_addr_family(lease->vips[i]));
	return keeps && strcmp(pool->name, lease->pool) == 0;
}

/* Chooses the address of one family. Returns false, and no error, if the lease is to have none. */
static bool choose_address(struct hf_batch *batch, const struct hf_pool *pool, enum hf_family family, const struct hf_move *request,
			   struct hf_why *why, enum hf_err *ret_err, struct choice *ret) {
	const struct hf_move_request *want = &request->want;
	bool keeps = keeps_families(pool, request);
	bool has = hf_lease_vip(&request->lease, family, &ret->address);
	ret->is_own = false;
	for (int i = 0; i < want->n_addresses; i++)
		if (hf_addr_family(want->addresses[i]) == family) {
			ret->address = want->addresses[i];
			if (!hf_lease_binds(&request->lease, ret->address))
				*ret_err = hf_acquire_check_address(batch, pool, ret->address, why);
			return true;
		}
	if (keeps && (!has || want->n_addresses > 0))
		return has;
	if (!hf_pool_has_family(pool, family))
		return false;
	ret->is_own = true;
	struct hf_addr start = hf_allocator_start(pool, family, &want->id);
	if (!hf_allocator_find(hf_batch_txn(batch), pool, family, start, &ret->address))
		*ret_err = hf_fail(why, HF_E_POOL_EXHAUSTED, "pool \"%s\" has no free IPv%d address", pool->name,
				   family == HF_IPV4 ? 4 : 6);
	return true;
}

/* A previous address that is stated must lie in the pool that is chosen, as any other. */
static enum hf_err check_place(struct hf_batch *batch, const struct hf_pool *pool, struct hf_addr a, struct hf_why *why) {
	char text[HF_ADDR_TEXT];
	hf_addr_format(a, text);
	return hf_batch_pool_at(batch, a) == pool
		       ? HF_OK
		       : hf_fail(why, HF_E_ADDRESS_OUTSIDE_POOL, "address: %s is not in pool \"%s\"", text, pool->name);
}

static enum hf_err apply(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_move *request = (struct hf_move *)write;
	struct hf_addr vips[HF_FAMILIES];
	struct choice choice;
	struct hf_lease after;
	bool moves, own[HF_FAMILIES] = {false};
	int n = 0;
	enum hf_err err = judge(hf_batch_txn(batch), request, why, &moves);
	if (err || !moves)
		return err;
	struct hf_pool *pool = choose_pool(batch, request, why);
	if (!pool)
		return HF_E_NO_POOL;
	for (int family = 0; !err && family < HF_FAMILIES; family++)
		if (choose_address(batch, pool, (enum hf_family)family, request, why, &err, &choice) && !err) {
			own[family] = choice.is_own;
			vips[n++] = choice.address;
			err = check_place(batch, pool, choice.address, why);
		}
	if (!err)
		err = hf_rules_moved(&request->lease, pool->name, vips, n, request->want.overlap_seconds, hf_batch_now_ms(batch),
				     why, &after);
	if (err)
		return err;
	for (int i = 0; i < n; i++) {
		enum hf_family family = hf_addr_family(vips[i]);
		if (own[family] && pool->config.strategy == HF_SEQUENTIAL)
			pool->count[family].cursor.n = vips[i].n + 1; /* where the next search begins */
	}
	hf_batch_change(batch, &request->lease, &after, HF_CHANGE_MOVED, HF_CAUSE_ADMIN);
	request->lease = after;
	return HF_OK;
}

void hf_move_begin(struct hf_move *request) { request->write.apply = apply; }
