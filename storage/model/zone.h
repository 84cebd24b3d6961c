/* zone.h — what the store keeps of a zone, and of each scope (one kind in one mesh of one zone).
 *
 * A zone appears with its first lease or its first connection and stays, also when it was retired: then it is listed no more, until
 * a lease or a connection brings it back. Its counts and its digest are sums over its scopes: they change with every lease, so they
 * have small records of their own. Times are milliseconds since 1970-01-01 UTC.
 */
#ifndef HF_STORAGE_MODEL_ZONE_H
#define HF_STORAGE_MODEL_ZONE_H

#include "storage/base/bytes.h"
#include "storage/base/digest.h"
#include "storage/base/identity.h"

enum hf_zone_state { HF_ZONE_UNMANAGED = 1, HF_ZONE_ONLINE = 2, HF_ZONE_OFFLINE = 3, HF_ZONE_RETIRED = 4 };
#define HF_ZONE_STATES 5				  /* the first is none */
const char *hf_zone_state_name(enum hf_zone_state state); /* "unmanaged" … */

#define HF_INSTANCE_MAX 128 /* bytes of an instance name */
#define HF_INSTANCES_KEPT 9 /* the current instance and the 8 before it */
#define HF_BAND_BITS 32	    /* of revisions and zone epochs: so far apart are those of two store epochs */

struct hf_zone {
	char name[HF_NAME_MAX + 1];
	enum hf_zone_state state;
	uint64_t epoch; /* 0: never connected; else above those of all earlier store epochs */
	uint64_t reconnects;
	uint64_t store_epoch; /* of the store, at the last connection */
	int64_t created_ms;   /* first seen */
	int64_t changed_ms;   /* the last connection that raised the epoch, the last disconnection or retirement; before any,
				 created_ms */
	int n_instances;      /* newest first */
	char instances[HF_INSTANCES_KEPT][HF_INSTANCE_MAX + 1];
};

/* Kept incrementally; the digest is the XOR of hf_lease_digest() over the scope's active leases. */
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

/* Decodes a scope's key into zone, mesh and kind; false if it is not of the form. The service is anything. */
bool hf_scope_key_decode(struct hf_slice key, struct hf_identity *ret) HF_CHECKED;

#endif
