/* acquire.c — acquire a lease: judge, choose addresses, store. */
#include "acquire.h"

#include "leases.h"
#include "storage/store/lease_change.h"
#include "storage/store/memory.h"
#include "storage/tables/allocator.h"
#include "storage/tables/holders.h"

static enum hf_err judge(struct hf_txn *txn, const struct hf_acquire *request, struct hf_why *why, struct hf_lease *ret_current,
			 bool *ret_exists, struct hf_decision *ret) {
	struct hf_key key;
	hf_identity_encode(&request->want.id, &key);
	*ret_exists = hf_lease_read(txn, &key, ret_current);
	struct hf_zone zone = {.epoch = 0};
	if (request->want.guard.has_epoch)
		hf_zone_read(txn, request->want.id.zone, &zone);
	enum hf_err err = hf_txn_fault(txn, why);
	return err ? err : hf_rules_acquire(*ret_exists ? ret_current : NULL, &zone, &request->want, why, ret);
}

enum hf_err hf_acquire_peek(struct hf_txn *reader, struct hf_acquire *request, struct hf_why *why, enum hf_peek *ret) {
	struct hf_decision decision;
	bool exists;
	enum hf_err err = judge(reader, request, why, &request->lease, &exists, &decision);
	if (err)
		return err;
	request->outcome = decision.outcome;
	*ret = decision.action == HF_DO_NOTHING	    ? HF_PEEK_DONE
	       : decision.action == HF_DO_READ_BODY ? HF_PEEK_READ_BODY
						    : HF_PEEK_WRITE;
	return HF_OK;
}

static struct hf_pool *best_match(struct hf_batch *batch, const struct hf_identity *id) {
	struct hf_pool *const *pools;
	struct hf_pool *best = NULL;
	int n = hf_batch_pools(batch, &pools), best_match = -1;
	for (int i = 0; i < n; i++) {
		int match = hf_pool_match(pools[i], id);
		if (match > best_match) {
			best_match = match;
			best = pools[i];
		}
	}
	return best;
}

struct hf_pool *hf_acquire_pool_of(struct hf_batch *batch, struct hf_addr a) {
	struct hf_pool *const *pools;
	int n = hf_batch_pools(batch, &pools);
	for (int i = 0; i < n; i++) {
		enum hf_place place = hf_pool_place(pools[i], a, NULL);
		if (place == HF_ALLOCATABLE || place == HF_RESERVED)
			return pools[i];
	}
	return NULL;
}

/* Returns hf_acquire_pool_of() if that pool's selector matches, else NULL. */
static struct hf_pool *matching_pool_of(struct hf_batch *batch, const struct hf_identity *id, struct hf_addr a) {
	struct hf_pool *pool = hf_acquire_pool_of(batch, a);
	return pool && hf_pool_match(pool, id) >= 0 ? pool : NULL;
}

/* Chooses a pool: the one named by the request; else the matching pool that has the first requested address; else the matching
 * pool that has the first claim that is free; else the matching pool in which an address is remembered for the service; else the
 * pool whose selector fits best. Pools are sorted by name, so the first of equals wins. A claim that cannot be granted does not
 * choose a pool: such a service is placed like any new one. Returns NULL and fails with HF_E_NO_POOL if no pool fits. */
static struct hf_pool *choose_pool(struct hf_batch *batch, const struct hf_acquire *request, const struct hf_memory *memory,
				   struct hf_why *why) {
	struct hf_pool *pool = NULL;
	if (request->want.pool[0]) {
		pool = hf_batch_pool(batch, request->want.pool);
		if (!pool)
			hf_fail(why, HF_E_NO_POOL, "pool: \"%s\" does not exist", request->want.pool);
		return pool;
	}
	for (int i = 0; !pool && i < request->want.n_addresses; i++)
		pool = matching_pool_of(batch, &request->want.id, request->want.addresses[i]);
	for (int i = 0; !pool && i < request->want.n_claims; i++) {
		struct hf_pool *holder = matching_pool_of(batch, &request->want.id, request->want.claims[i]);
		if (holder && hf_allocator_is_free(hf_batch_txn(batch), holder, request->want.claims[i]))
			pool = holder;
	}
	if (!pool && memory->n > 0) {
		pool = hf_batch_pool_of_id(batch, memory->pool_id);
		if (pool && hf_pool_match(pool, &request->want.id) < 0)
			pool = NULL;
	}
	if (!pool)
		pool = best_match(batch, &request->want.id);
	if (!pool)
		hf_fail(why, HF_E_NO_POOL, "no pool's selector matches kind %s, mesh \"%s\", zone \"%s\"",
			hf_kind_name(request->want.id.kind), request->want.id.mesh, request->want.id.zone);
	return pool;
}

enum hf_err hf_acquire_check_address(struct hf_batch *batch, const struct hf_pool *pool, struct hf_addr a, struct hf_why *why) {
	char text[HF_ADDR_TEXT], id[HF_IDENTITY_WORDS_MIN];
	struct hf_holder holder;
	hf_addr_format(a, text);
	const struct hf_pool *other = hf_acquire_pool_of(batch, a);
	if (other && other != pool)
		return hf_fail(why, HF_E_ADDRESS_OUTSIDE_POOL,
			       "address: %s is not in pool \"%s\", but in \"%s\", which pool=%s names", text, pool->name,
			       other->name, other->name);
	if (!hf_pool_has_family(pool, hf_addr_family(a)))
		return hf_fail(why, HF_E_ADDRESS_OUTSIDE_POOL, "address: pool \"%s\" has no IPv%d addresses, so not %s", pool->name,
			       hf_addr_family(a) == HF_IPV4 ? 4 : 6, text);
	enum hf_place place = hf_pool_place(pool, a, NULL);
	if (place == HF_OUTSIDE || place == HF_DRAINING)
		return hf_fail(why, HF_E_ADDRESS_OUTSIDE_POOL, "address: %s is not in pool \"%s\"", text, pool->name);
	if (hf_holders_present(hf_batch_txn(batch), a, &holder))
		return hf_fail(why, HF_E_ADDRESS_TAKEN, "address: %s is bound to %s", text,
			       hf_identity_words(&holder.id, id, sizeof id));
	if (place == HF_RESERVED)
		return hf_fail(why, HF_E_ADDRESS_TAKEN, "address: %s is reserved in pool \"%s\"", text, pool->name);
	return HF_OK;
}

/* Finds the first address of a family in a list. */
static bool of_family(const struct hf_addr *list, int n, enum hf_family family, int *at) {
	while (*at < n && hf_addr_family(list[*at]) != family)
		(*at)++;
	return *at < n;
}

/* An address chosen for a new lease. */
struct choice {
	struct hf_addr address;
	bool is_own; /* chosen by the strategy: neither requested nor claimed nor remembered for the service */
};

/* Finds the first free claim of a family; returns false if no claim is free. */
static bool free_claim(struct hf_txn *txn, const struct hf_pool *pool, enum hf_family family, const struct hf_acquire *request,
		       struct hf_addr *ret) {
	for (int at = 0; of_family(request->want.claims, request->want.n_claims, family, &at); at++)
		if (hf_allocator_is_free(txn, pool, request->want.claims[at])) {
			*ret = request->want.claims[at];
			return true;
		}
	return false;
}

/* The address of a family that is remembered for the request's identity in a pool; false if none is. */
static bool own_memory(const struct hf_memory *memory, const struct hf_pool *pool, enum hf_family family, struct hf_addr *ret) {
	int at = 0;
	if (memory->n == 0 || memory->pool_id != pool->id || !of_family(memory->addresses, memory->n, family, &at))
		return false;
	*ret = memory->addresses[at];
	return true;
}

/* Chooses the new lease's address of one family: the requested one, else a claimed one that is free, else the remembered one, else
 * the strategy's. */
static enum hf_err choose_address(struct hf_batch *batch, const struct hf_pool *pool, enum hf_family family,
				  const struct hf_memory *memory, struct hf_acquire *request, struct hf_why *why,
				  struct choice *ret) {
	struct hf_txn *txn = hf_batch_txn(batch);
	int at = 0;
	ret->is_own = false;
	if (of_family(request->want.addresses, request->want.n_addresses, family, &at)) {
		ret->address = request->want.addresses[at]; /* checked earlier */
		return HF_OK;
	}
	if (free_claim(txn, pool, family, request, &ret->address)) {
		request->outcome = HF_ADOPTED;
		return HF_OK;
	}
	if (own_memory(memory, pool, family, &ret->address))
		return HF_OK;
	ret->is_own = true;
	if (!hf_allocator_find(txn, pool, family, hf_allocator_start(pool, family, &request->want.id), &ret->address))
		return hf_fail(why, HF_E_POOL_EXHAUSTED, "pool \"%s\" has no free IPv%d address", pool->name,
			       family == HF_IPV4 ? 4 : 6);
	return HF_OK;
}

/* Chooses one address for each family of the pool, IPv4 first: all of them or none. */
static enum hf_err choose_addresses(struct hf_batch *batch, const struct hf_pool *pool, const struct hf_memory *memory,
				    struct hf_acquire *request, struct hf_why *why, struct choice ret[HF_FAMILIES], int *ret_n) {
	enum hf_err err = HF_OK;
	int n = 0;
	for (int i = 0; !err && i < request->want.n_addresses; i++)
		err = hf_acquire_check_address(batch, pool, request->want.addresses[i], why);
	for (int family = 0; !err && family < HF_FAMILIES; family++)
		if (hf_pool_has_family(pool, (enum hf_family)family))
			err = choose_address(batch, pool, (enum hf_family)family, memory, request, why, &ret[n++]);
	if (!err)
		*ret_n = n;
	return err;
}

/* Returns why the new lease did not get a claim. Call it before the lease is stored. */
static enum hf_refusal refusal_of(struct hf_batch *batch, const struct hf_pool *pool, struct hf_addr claim) {
	struct hf_holder holder;
	if (hf_holders_present(hf_batch_txn(batch), claim, &holder))
		return HF_CLAIM_TAKEN;
	if (hf_acquire_pool_of(batch, claim) != pool)
		return HF_CLAIM_OUTSIDE_POOL;
	if (hf_pool_place(pool, claim, NULL) == HF_RESERVED)
		return HF_CLAIM_RESERVED;
	return hf_allocator_is_free(hf_batch_txn(batch), pool, claim) ? HF_CLAIM_SECOND : HF_CLAIM_TAKEN;
}

static struct hf_lease new_lease(const struct hf_acquire *request, const struct hf_pool *pool, int64_t now_ms) {
	struct hf_lease lease = {
		.id = request->want.id, .state = HF_ACTIVE, .generation = 1, .created_ms = now_ms, .modified_ms = now_ms};
	memcpy(lease.pool, pool->name, sizeof lease.pool);
	if (request->want.has_version)
		memcpy(lease.version, request->want.version, sizeof lease.version);
	if (request->want.has_config) {
		lease.fingerprint_version = request->want.fingerprint_version;
		lease.fingerprint = request->want.fingerprint;
		lease.raw = request->want.raw;
	}
	return lease;
}

/* Whether a new lease has the very addresses that are remembered for its identity, however they were chosen. */
static bool is_back(const struct hf_memory *memory, const struct hf_pool *pool, const struct hf_lease *lease) {
	bool back = memory->n > 0 && memory->pool_id == pool->id;
	for (int i = 0; back && i < lease->n_vips; i++)
		back = hf_memory_has(memory, lease->vips[i]);
	return back;
}

static enum hf_err create(struct hf_batch *batch, struct hf_acquire *request, enum hf_cause cause, struct hf_why *why) {
	struct choice choices[HF_FAMILIES];
	int n;
	struct hf_memory memory = hf_batch_recall(batch, &request->want.id);
	struct hf_pool *pool = choose_pool(batch, request, &memory, why);
	bool chosen = request->want.pool[0] || request->want.n_addresses > 0; /* by the request */
	if (pool && chosen && request->want.selected_only && hf_pool_match(pool, &request->want.id) < 0)
		return hf_fail(
			why, HF_E_FORBIDDEN,
			"pool: the selector of \"%s\" does not match this service, and only an administrator may name it then",
			pool->name);
	enum hf_err err = pool ? choose_addresses(batch, pool, &memory, request, why, choices, &n) : HF_E_NO_POOL;
	if (err)
		return err;
	struct hf_lease lease = new_lease(request, pool, hf_batch_now_ms(batch));
	for (int i = 0; i < n; i++) {
		struct hf_addr a = lease.vips[lease.n_vips++] = choices[i].address;
		if (choices[i].is_own && pool->config.strategy == HF_SEQUENTIAL)
			pool->count[hf_addr_family(a)].cursor.n = a.n + 1; /* where the next search begins */
	}
	for (int i = 0; i < request->want.n_claims; i++)
		request->refused[i] = hf_lease_has(&lease, request->want.claims[i])
					      ? HF_CLAIM_HAD
					      : refusal_of(batch, pool, request->want.claims[i]);
	if (is_back(&memory, pool, &lease))
		request->outcome = HF_RESTORED;
	hf_batch_change(batch, NULL, &lease, request->outcome == HF_RESTORED ? HF_CHANGE_RESTORED : HF_CHANGE_ACQUIRED, cause);
	request->lease = lease;
	return HF_OK;
}

enum hf_claimed hf_acquire_claimed(struct hf_batch *batch, const struct hf_acquire *request) {
	struct hf_memory memory = hf_batch_recall(batch, &request->want.id);
	const struct hf_pool *pool = choose_pool(batch, request, &memory, NULL);
	int families = 0, claimed = 0;
	struct hf_addr a;
	for (int family = 0; pool && family < HF_FAMILIES; family++)
		if (hf_pool_has_family(pool, (enum hf_family)family)) {
			families++;
			claimed += free_claim(hf_batch_txn(batch), pool, (enum hf_family)family, request, &a);
		}
	return claimed == 0 ? HF_CLAIMED_NONE : claimed < families ? HF_CLAIMED_SOME : HF_CLAIMED_ALL;
}

unsigned hf_acquire_reserve(struct hf_batch *batch, const struct hf_acquire *request) {
	struct hf_memory memory = hf_batch_recall(batch, &request->want.id);
	struct hf_pool *pool = choose_pool(batch, request, &memory, NULL);
	bool has[HF_FAMILIES] = {false};
	unsigned claims = 0;
	for (int i = 0; pool && i < request->want.n_claims; i++) {
		enum hf_family family = hf_addr_family(request->want.claims[i]);
		if (!has[family] && hf_allocator_is_free(hf_batch_txn(batch), pool, request->want.claims[i])) {
			hf_allocator_reserve(hf_batch_txn(batch), pool, request->want.claims[i]);
			has[family] = true;
			claims |= 1u << i;
		}
	}
	return claims;
}

static void unreserve(struct hf_batch *batch, struct hf_pool *pool, struct hf_addr a) {
	struct hf_range cidr;
	if (pool && hf_pool_place(pool, a, &cidr) == HF_ALLOCATABLE)
		hf_allocator_unreserve(hf_batch_txn(batch), pool, cidr, a);
}

void hf_acquire_unreserve(struct hf_batch *batch, const struct hf_acquire *request, unsigned claims) {
	for (int i = 0; i < request->want.n_claims; i++)
		if (claims & 1u << i)
			unreserve(batch, hf_acquire_pool_of(batch, request->want.claims[i]), request->want.claims[i]);
}

/* Whether one of the claims that are set apart for the request is of a family. */
static bool claims_family(const struct hf_acquire *request, unsigned claims, enum hf_family family) {
	for (int i = 0; i < request->want.n_claims; i++)
		if (claims & 1u << i && hf_addr_family(request->want.claims[i]) == family)
			return true;
	return false;
}

unsigned hf_acquire_reserve_memory(struct hf_batch *batch, const struct hf_acquire *request, unsigned claims) {
	struct hf_memory memory = hf_batch_recall(batch, &request->want.id);
	struct hf_pool *pool = NULL;
	unsigned families = 0;
	if (memory.n == 0)
		return 0;
	for (int i = 0; !pool && i < request->want.n_claims; i++) /* all that is set apart is of the pool of the first */
		if (claims & 1u << i)
			pool = hf_acquire_pool_of(batch, request->want.claims[i]);
	if (!pool)
		pool = choose_pool(batch, request, &memory, NULL);
	for (int i = 0; pool && pool->id == memory.pool_id && i < memory.n; i++) {
		enum hf_family family = hf_addr_family(memory.addresses[i]);
		if (!hf_pool_has_family(pool, family) || claims_family(request, claims, family))
			continue;
		hf_affinity_hide(hf_batch_txn(batch), pool, memory.addresses[i]);
		families |= 1u << family;
	}
	return families;
}

void hf_acquire_unreserve_memory(struct hf_batch *batch, const struct hf_acquire *request, unsigned families) {
	struct hf_memory memory;
	struct hf_key key;
	hf_identity_encode(&request->want.id, &key);
	if (families == 0 || !hf_affinity_read(hf_batch_txn(batch), &key, &memory))
		return;
	struct hf_pool *pool = hf_batch_pool_of_id(batch, memory.pool_id);
	for (int i = 0; i < memory.n; i++)
		if (families & 1u << hf_addr_family(memory.addresses[i]))
			unreserve(batch, pool, memory.addresses[i]);
}

enum hf_err hf_acquire_carry_out(struct hf_batch *batch, struct hf_acquire *request, enum hf_cause cause, struct hf_why *why) {
	struct hf_decision decision;
	struct hf_lease current;
	bool exists;
	enum hf_err err = judge(hf_batch_txn(batch), request, why, &current, &exists, &decision);
	if (err)
		return err;
	request->outcome = decision.outcome;
	if (decision.action == HF_DO_CREATE)
		return create(batch, request, cause, why);
	request->lease = current;
	hf_rules_refuse_claims(&current, &request->want, request->refused);
	if (decision.action == HF_DO_NOTHING)
		return HF_OK;
	request->lease = hf_rules_changed(&current, &request->want, decision, hf_batch_now_ms(batch));
	if (decision.action == HF_DO_RELABEL)
		hf_batch_relabel(batch, &current, &request->lease);
	else
		hf_batch_change(batch, &current, &request->lease,
				decision.outcome == HF_RESTORED ? HF_CHANGE_RESTORED : HF_CHANGE_UPDATED, cause);
	return HF_OK;
}

static enum hf_err apply(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	return hf_acquire_carry_out(batch, (struct hf_acquire *)write, HF_CAUSE_REQUEST, why);
}

void hf_acquire_begin(struct hf_acquire *request) { request->write.apply = apply; }
