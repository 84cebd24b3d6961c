/* tally.c — counting a lease. */
#include "tally.h"

static void tally_address(struct hf_pool *pool, const struct hf_lease *lease, struct hf_addr a, uint64_t n) {
	struct hf_pool_count *count = &pool->count[hf_addr_family(a)];
	*(lease->state == HF_ACTIVE ? &count->leased : &count->quarantined) += n;
}

void hf_tally_lease(struct hf_pool *pool, struct hf_scope *scope, const struct hf_lease *lease, int by) {
	bool active = lease->state == HF_ACTIVE;
	uint64_t n = (uint64_t)by;
	*(active ? &pool->active : &pool->quarantined) += n;
	for (int i = 0; i < lease->n_vips; i++)
		tally_address(pool, lease, lease->vips[i], n);
	*(active ? &scope->active : &scope->quarantined) += n;
	if (active) {
		struct hf_digest digest = hf_lease_digest(lease);
		hf_digest_xor(&scope->digest, &digest);
	}
}

void hf_tally_previous(struct hf_pool *pool, const struct hf_lease *lease, struct hf_addr a, int by) {
	tally_address(pool, lease, a, (uint64_t)by);
	pool->count[hf_addr_family(a)].previous += (uint64_t)by;
}
