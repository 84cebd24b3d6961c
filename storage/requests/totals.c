/* totals.c — sums over pools and zones. */
#include "totals.h"

#include "pool_requests.h"
#include "zone_requests.h"

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
