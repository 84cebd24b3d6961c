/* zone.h — what the store keeps about a zone, and about each scope (one kind in one mesh of one zone).
 *
 * A zone's record is created by its first lease or connection and is never removed: a retired zone is no longer listed, until a
 * lease or a connection brings it back. A zone's counts and digest are sums over its scopes, which have small records of their own
 * because they change with every lease. Times are milliseconds since 1970-01-01 UTC.
 */
#ifndef HF_STORAGE_MODEL_ZONE_H
#define HF_STORAGE_MODEL_ZONE_H

#include "storage/base/bytes.h"
#include "storage/base/digest.h"
#include "storage/base/identity.h"

enum hf_zone_state { HF_ZONE_UNMANAGED = 1, HF_ZONE_ONLINE = 2, HF_ZONE_OFFLINE = 3, HF_ZONE_RETIRED = 4 };
#define HF_ZONE_STATES 5				  /* including 0, which is not a state */
const char *hf_zone_state_name(enum hf_zone_state state); /* "unmanaged" … */

#define HF_INSTANCE_MAX 128 /* bytes of an instance name */
#define HF_TTL_MIN_SECONDS 5
#define HF_TTL_MAX_SECONDS 3600
#define HF_INSTANCES_KEPT 9 /* the current instance and the 8 before it */
#define HF_BAND_BITS 32	    /* the distance between the revisions and zone epochs of two store epochs, as a power of two */

struct hf_zone {
	char name[HF_NAME_MAX + 1];
	enum hf_zone_state state;
	uint64_t epoch; /* 0: never connected; else higher than any from earlier store epochs */
	uint64_t reconnects;
	uint64_t store_epoch; /* the store epoch at the last connection */
	int64_t created_ms;   /* first seen */
	int64_t changed_ms;   /* the last connection that raised the epoch, disconnection or retirement; else created_ms */
	int64_t ttl_ms;	      /* how long the last connection lasts without a refresh; 0: until it is ended */
	int n_instances;      /* newest first */
	char instances[HF_INSTANCES_KEPT][HF_INSTANCE_MAX + 1];
};

/* Sums over the leases of one scope, updated with each change. The digest is the XOR of hf_lease_digest() over the active
 * leases. */
struct hf_scope {
	uint64_t active, quarantined;
	struct hf_digest digest;
};

/* Adds one scope's counts and digest to a sum of scopes. */
static inline void hf_scope_add(struct hf_scope *sum, const struct hf_scope *scope) {
	sum->active += scope->active;
	sum->quarantined += scope->quarantined;
	hf_digest_xor(&sum->digest, &scope->digest);
}

#define HF_ZONE_RECORD_MAX (64 + HF_INSTANCES_KEPT * (HF_INSTANCE_MAX + 1)) /* bytes */
#define HF_SCOPE_RECORD_MAX 64						    /* bytes */

struct hf_slice hf_zone_encode(const struct hf_zone *zone, uint8_t buffer[HF_ZONE_RECORD_MAX]);
bool hf_zone_decode(struct hf_slice key, struct hf_slice value, struct hf_zone *ret) HF_CHECKED;

struct hf_slice hf_scope_encode(const struct hf_scope *scope, uint8_t buffer[HF_SCOPE_RECORD_MAX]);
bool hf_scope_decode(struct hf_slice value, struct hf_scope *ret) HF_CHECKED;

/* Decodes a scope's key into zone, mesh and kind. Returns false if it is malformed. Leaves an arbitrary service in *ret. */
bool hf_scope_key_decode(struct hf_slice key, struct hf_identity *ret) HF_CHECKED;

#endif
