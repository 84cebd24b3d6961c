/* lease.h — the lease: one identity's binding to one address per family of its pool, and its record on disk.
 *
 * A lease moves to another address only by an administrator's act. With an overlap, the address that it had stays bound to it until
 * a time: a previous address, which callers can still serve.
 *
 * A lease is a plain value, copied freely. Times are milliseconds since 1970-01-01 UTC. Pure and thread-safe.
 */
#ifndef HF_STORAGE_MODEL_LEASE_H
#define HF_STORAGE_MODEL_LEASE_H

#include "condition.h"
#include "storage/base/address.h"
#include "storage/base/bytes.h"
#include "storage/base/digest.h"
#include "storage/base/identity.h"

#define HF_FINGERPRINT_VERSION 1 /* the newest fingerprint rules (api/kuma/canonical.h) */
#define HF_VERSION_MAX 64	 /* bytes of a caller's version string */

enum hf_lease_state { HF_ACTIVE = 1, HF_QUARANTINED = 2 };

#define HF_PREVIOUS_MAX 8			     /* previous addresses of one lease */
#define HF_BOUND_MAX (HF_FAMILIES + HF_PREVIOUS_MAX) /* addresses that are bound to one lease */
#define HF_OVERLAP_MAX_SECONDS (366u * 24 * 3600)

/* An address that the lease moved from, and that is still bound to it. */
struct hf_previous {
	struct hf_addr address;
	int64_t until_ms;	  /* the earliest end */
	uint32_t overlap_seconds; /* as stated: the zone has so long to follow after it was away; at most HF_OVERLAP_MAX_SECONDS */
};

struct hf_lease {
	struct hf_identity id;
	char pool[HF_NAME_MAX + 1];
	enum hf_lease_state state;
	int n_vips; /* 1 to HF_FAMILIES, IPv4 first */
	struct hf_addr vips[HF_FAMILIES];
	uint64_t generation;	      /* from 1; +1 when the fingerprint changes */
	uint64_t revision;	      /* of the store, at the lease's last change */
	uint8_t fingerprint_version;  /* the rules that made the fingerprint, up to HF_FINGERPRINT_VERSION; 0: no fingerprint */
	struct hf_digest fingerprint; /* zeros if none */
	struct hf_digest
		raw; /* digest of the last stored body, as its writer computes it (lease_rules.h, known.h); zeros if none */
	char version[HF_VERSION_MAX + 1]; /* the caller's; "" if none */
	int64_t created_ms, modified_ms;
	int64_t quarantined_until_ms; /* the earliest end; 0 while active */
	bool forced;		      /* quarantined by force: the quarantine ends on time even if the zone is offline */
	int n_previous;		      /* in the order of their moves */
	struct hf_previous previous[HF_PREVIOUS_MAX];
};

#define HF_LEASE_RECORD_MAX 640 /* bytes */

/* Encodes everything except the identity, which is the key. The returned slice points into `buffer`. */
struct hf_slice hf_lease_encode(const struct hf_lease *lease, uint8_t buffer[HF_LEASE_RECORD_MAX]);

/* Decodes a key and its value. Returns false if either is damaged or of another version. */
bool hf_lease_decode(struct hf_slice key, struct hf_slice value, struct hf_lease *ret) HF_CHECKED;

/* Returns a lease's contribution to the digests: SHA-256(identity bytes, 0x00, fingerprint). */
struct hf_digest hf_lease_digest(const struct hf_lease *lease);

/* Writes the entity tag, quotes included: "REVISION", or "REVISION-h" if the lease has a version, where h is the first 8 hex
 * digits of SHA-256(version). */
void hf_lease_etag(const struct hf_lease *lease, char ret_text[HF_ETAG_TEXT]);

/* Finds the lease's address of a family. Returns false if it has none. */
bool hf_lease_vip(const struct hf_lease *lease, enum hf_family family, struct hf_addr *ret);

/* Whether the address is one of the lease's current ones. */
bool hf_lease_has(const struct hf_lease *lease, struct hf_addr a);

/* Every address that is bound to a lease: the current ones, then the previous ones. `i` is below hf_lease_bound(). */
static inline int hf_lease_bound(const struct hf_lease *lease) { return lease->n_vips + lease->n_previous; }
static inline struct hf_addr hf_lease_bound_at(const struct hf_lease *lease, int i) {
	return i < lease->n_vips ? lease->vips[i] : lease->previous[i - lease->n_vips].address;
}

/* Whether the address is bound to the lease. */
bool hf_lease_binds(const struct hf_lease *lease, struct hf_addr a);

/* Sets the times at which something of the lease ends, each once: its quarantine, and each overlap. Returns how many. */
#define HF_LEASE_ENDS_MAX (1 + HF_PREVIOUS_MAX)
int hf_lease_ends(const struct hf_lease *lease, int64_t ret_ms[HF_LEASE_ENDS_MAX]);

/* Whether one of them is at `ms`. */
bool hf_lease_ends_at(const struct hf_lease *lease, int64_t ms);

/* Returns HF_E_NOT_FOUND, with words that name the identity. */
enum hf_err hf_lease_not_found(const struct hf_identity *id, struct hf_why *why);

#endif
