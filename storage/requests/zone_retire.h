/* zone_retire.h — retires a zone that is gone for good.
 *
 * One transaction puts all its leases into forced quarantine, so that each ends on time, or purges them; the zone is then no
 * longer listed. Its record remains, because of its epoch: later writes that state one are refused, and a new zone of the same
 * name continues above it. Retiring takes about as long as a sync that releases as many leases. The transaction is a batch of its
 * own.
 */
#ifndef HF_STORAGE_REQUESTS_ZONE_RETIRE_H
#define HF_STORAGE_REQUESTS_ZONE_RETIRE_H

#include "zone_requests.h"

/* Retires a zone. The caller fills the request; the store fills the result. */
struct hf_zone_retire {
	struct hf_write write;
	char name[HF_NAME_MAX + 1]; /* the zone's; checked */
	bool has_epoch;		    /* fenced by this zone epoch */
	uint64_t epoch;
	bool purge; /* free the addresses at once, including those in quarantine */
	/* The result. */
	struct hf_zone_info info;
	uint64_t released, purged; /* leases */
	uint64_t revision;
};

/* Prepares the write, which:
 * Fails with HF_E_NOT_FOUND if the zone does not exist, or was retired before and has no addresses to free.
 * Fails with HF_E_INVALID_NAME if the zone is `global`.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_ZONE_ONLINE if its control plane is connected. */
void hf_zone_retire_begin(struct hf_zone_retire *request);

#endif
