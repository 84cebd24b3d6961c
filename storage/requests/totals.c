/* totals.c — sums over pools and zones. */
#include "totals.h"

#include "storage/tables/pool_table.h"
#include "zone_requests.h"

/* From the counters alone: the configurations may be large. */
static void count_leases(struct hf_txn *reader, struct hf_totals *totals) {
	struct hf_pool pool;
	HF_CURSOR usage;
	hf_cursor_open(reader, HF_USAGE, &usage);
	for (; hf_cursor_next(&usage); totals->pools++) {
		if (!hf_usage_decode(usage.value, &pool)) {
			hf_txn_damaged(reader, HF_USAGE);
			return;
		}
		totals->active += pool.active;
		totals->quarantined += pool.quarantined;
	}
}

enum hf_err hf_totals_read(struct hf_txn *reader, struct hf_why *why, struct hf_totals *ret) {
	struct hf_totals totals = {.changes = hf_txn_count(reader, HF_CHANGES)};
	uint64_t zones[HF_ZONE_STATES];
	enum hf_err err = hf_zones_count(reader, why, zones);
	if (err)
		return err;
	totals.zones = zones[HF_ZONE_UNMANAGED] + zones[HF_ZONE_ONLINE] + zones[HF_ZONE_OFFLINE];
	count_leases(reader, &totals);
	err = hf_txn_fault(reader, why);
	if (!err)
		*ret = totals;
	return err;
}
