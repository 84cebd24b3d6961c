/* address_query.c — an address's holder, or its place in a pool. */
#include "address_query.h"

#include "storage/tables/holders.h"
#include "storage/tables/lease_table.h"
#include "storage/tables/pool_table.h"

static const char *const ADDRESS_STATES[] = {
	[HF_ADDRESS_LEASED] = "leased", [HF_ADDRESS_QUARANTINED] = "quarantined", [HF_ADDRESS_RESERVED] = "reserved",
	[HF_ADDRESS_FREE] = "free",	[HF_ADDRESS_UNMANAGED] = "unmanaged",
};

const char *hf_address_state_name(enum hf_address_state state) { return ADDRESS_STATES[state]; }

enum hf_err hf_address_read(struct hf_txn *reader, struct hf_addr a, struct hf_why *why, struct hf_address_info *ret) {
	struct hf_address_info info = {.state = HF_ADDRESS_UNMANAGED};
	struct hf_holder holder;
	struct hf_key key;
	if (!hf_holders_present(reader, a, &holder)) {
		enum hf_place place = hf_pool_place_of(reader, a, info.pool);
		if (place == HF_ALLOCATABLE || place == HF_RESERVED)
			info.state = place == HF_RESERVED ? HF_ADDRESS_RESERVED : HF_ADDRESS_FREE;
		else
			info.pool[0] = '\0'; /* a draining range gets no new leases */
		enum hf_err err = hf_txn_fault(reader, why);
		if (!err)
			*ret = info;
		return err;
	}
	hf_identity_encode(&holder.id, &key);
	info.has_lease = hf_lease_read(reader, &key, &info.lease);
	if (!info.has_lease)
		hf_txn_corrupt(reader, HF_ADDRESSES, "a held address points to no lease");
	if (info.has_lease)
		memcpy(info.pool, info.lease.pool, sizeof info.pool);
	if (info.has_lease && !hf_lease_has(&info.lease, a))
		(void)hf_pool_place_of(reader, a, info.pool); /* a previous address may lie in another pool */
	enum hf_err err = hf_txn_fault(reader, why);
	if (err)
		return err;
	info.state = info.lease.state == HF_ACTIVE ? HF_ADDRESS_LEASED : HF_ADDRESS_QUARANTINED;
	*ret = info;
	return HF_OK;
}
