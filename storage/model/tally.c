/* tally.c — counting a lease. */
#include "tally.h"

void hf_tally_lease(struct hf_pool *pool, struct hf_scope *scope, const struct hf_lease *lease, int by) {
	bool active = lease->state == HF_ACTIVE;
	uint64_t n = (uint64_t)by;
	*(active ? &pool->active : &pool->quarantined) += n;
	for (int i = 0; i < lease->n_vips; i++) {
		struct hf_pool_count *count = &pool->count[hf_addr_family(lease->vips[i])];
		*(active ? &count->leased : &count->quarantined) += n;
	}
	*(active ? &scope->active : &scope->quarantined) += n;
	if (active) {
		struct hf_digest digest = hf_lease_digest(lease);
		hf_digest_xor(&scope->digest, &digest);
	}
}
