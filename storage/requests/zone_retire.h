/* zone_retire.h — the end of a zone that is gone for good.
 *
 * In one transaction all its leases go into quarantine, forced, so that each ends on time, or are purged; and the zone is listed no
 * more. Its record stays, for its epoch: writes that state one are refused, and a zone of that name goes on above it. It takes no
 * longer than a sync that releases as many leases, and a purge about as long; the transaction is a batch of its own.
 */
#ifndef HF_STORAGE_REQUESTS_ZONE_RETIRE_H
#define HF_STORAGE_REQUESTS_ZONE_RETIRE_H

#include "zone_requests.h"

/* Retire a zone. The caller fills the request; the store fills the result. */
struct hf_zone_retire {
	struct hf_write write;
	char name[HF_NAME_MAX + 1]; /* the zone's; checked */
	bool has_epoch;		    /* fenced by this zone epoch */
	uint64_t epoch;
	bool purge; /* free the addresses at once, those in quarantine too */
	/* The result. */
	struct hf_zone_info info;
	uint64_t released, purged; /* leases */
	uint64_t revision;
};

/* Makes it a write. HF_E_NOT_FOUND: there is no such zone, or it was retired before and has nothing that is to be freed.
 * HF_E_INVALID_NAME: the zone is `global`. HF_E_STALE_EPOCH. HF_E_ZONE_ONLINE: its control plane is connected. Or a storage fault.
 */
void hf_zone_retire_begin(struct hf_zone_retire *request);

#endif
