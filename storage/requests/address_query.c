/* address_query.c — an address's holder, or its place in a pool. */
#include "address_query.h"

#include "pool_requests.h"
#include "storage/tables/holders.h"
#include "storage/tables/lease_table.h"

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
	if (place == HF_OUTSIDE || place == HF_DRAINING) /* a draining range gets no new leases */
		return;
	placing->info->state = place == HF_RESERVED ? HF_ADDRESS_RESERVED : HF_ADDRESS_FREE;
	memcpy(placing->info->pool, pool->name, sizeof pool->name);
}

enum hf_err hf_address_read(struct hf_txn *reader, struct hf_addr a, struct hf_why *why, struct hf_address_info *ret) {
	struct hf_address_info info = {.state = HF_ADDRESS_UNMANAGED};
	struct hf_holder holder;
	struct hf_key key;
	if (!hf_holders_present(reader, a, &holder)) {
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
