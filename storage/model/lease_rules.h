/* lease_rules.h — the lease rules, pure: what a request means for the current lease.
 *
 * decide(current lease, request, zone) → decision. The rules read neither a clock nor the store, and write nothing. The same rules
 * judge a request on a reader's snapshot and again inside the write transaction. Thread-safe.
 */
#ifndef HF_STORAGE_MODEL_LEASE_RULES_H
#define HF_STORAGE_MODEL_LEASE_RULES_H

#include "lease.h"
#include "zone.h"

#define HF_CLAIMS_MAX 8

/* Preconditions that any write of a lease can carry. */
struct hf_guard {
	struct hf_condition if_match, if_none_match;
	bool has_epoch; /* fenced by this zone epoch */
	uint64_t epoch;
};

enum hf_outcome { HF_CREATED, HF_ADOPTED, HF_UNCHANGED, HF_UPDATED, HF_RESTORED };
#define HF_OUTCOMES 5
const char *hf_outcome_name(enum hf_outcome outcome); /* "created" … */

/* Why the lease does not have a claimed address. */
enum hf_refusal {
	HF_CLAIM_HAD,	       /* the claim was granted */
	HF_CLAIM_TAKEN,	       /* bound to another service, or about to be */
	HF_CLAIM_RESERVED,     /* in a reserved range of its pool */
	HF_CLAIM_OUTSIDE_POOL, /* not in the lease's pool: in no pool, in a draining range, or in another pool */
	HF_CLAIM_SECOND,       /* another claim of the same family was granted */
	HF_CLAIM_LEASE_EXISTS, /* the service already has a lease on other addresses, and nothing moves */
	HF_CLAIM_FOREIGN,      /* the service lives in another zone and has no lease */
	HF_CLAIM_NO_ADDRESS,   /* not an IP address */
	HF_CLAIM_TOO_MANY      /* beyond HF_CLAIMS_MAX */
};
#define HF_REFUSALS (HF_CLAIM_TOO_MANY + 1)
const char *hf_refusal_name(enum hf_refusal refusal); /* "address-taken" … */

/* Claims that can never be granted, whatever the store holds. */
#define HF_WRONG_CLAIMS_MAX 4
#define HF_CLAIM_TEXT 64 /* bytes kept of each, including its NUL */
struct hf_wrong_claims {
	int n;
	uint32_t more; /* further ones that did not fit */
	struct hf_wrong_claim {
		enum hf_refusal reason; /* HF_CLAIM_NO_ADDRESS or HF_CLAIM_TOO_MANY */
		char text[HF_CLAIM_TEXT];
	} of[HF_WRONG_CLAIMS_MAX];
};

/* What an acquire asks for. */
struct hf_lease_request {
	struct hf_identity id; /* names checked */
	struct hf_guard guard;
	char pool[HF_NAME_MAX + 1]; /* "" if no pool is named */
	bool selected_only;	    /* the pool or address may be only of a pool whose selector matches */
	bool has_version;
	char version[HF_VERSION_MAX + 1];
	int n_addresses; /* requested; at most one per family */
	struct hf_addr addresses[HF_FAMILIES];
	bool has_config;      /* false: the body was empty and states nothing */
	struct hf_digest raw; /* of the body, if has_config */
	bool has_fingerprint; /* the body was read, and the next two members are set */
	uint8_t fingerprint_version;
	struct hf_digest fingerprint;
	int n_claims; /* addresses that the caller says it already uses */
	struct hf_addr claims[HF_CLAIMS_MAX];
};

/* What a release asks for: put the lease into quarantine or, with `purge`, free its addresses at once. */
struct hf_release_request {
	struct hf_identity id;
	struct hf_guard guard;
	bool purge;
	bool force; /* even if the zone is offline */
};

/* Returns whether releasing so many of a scope's active leases suggests that the zone has lost its list. That is so if more than
 * `percent` of them would go, and more than 10 or half of them, whichever is less (one is always few); if any would go and
 * `percent` is 0; or if the list names nothing in the scope and `percent` is below 100. `releases` and `active` both include
 * recent releases. */
bool hf_rules_mass_release(uint64_t releases, uint64_t active, int percent, bool snapshot_is_empty);

struct hf_decision {
	enum {
		HF_DO_NOTHING,	  /* the lease is as the request wants it */
		HF_DO_RELABEL,	  /* store only the caller's version: no new revision */
		HF_DO_CREATE,	  /* choose addresses and store a new lease */
		HF_DO_CHANGE,	  /* store hf_rules_changed() */
		HF_DO_QUARANTINE, /* release */
		HF_DO_FORCE,	  /* record that the quarantine ends even if the zone is offline: no new revision */
		HF_DO_PURGE,
		HF_DO_READ_BODY /* the decision needs the fingerprint */
	} action;
	enum hf_outcome outcome; /* for an acquire; HF_DO_CREATE may still become HF_ADOPTED */
};

/* Judges an acquire in this order: epoch, conditions, pool, addresses, then configuration (raw digest, then fingerprint) and
 * version. `current` is NULL if no lease exists; only the epoch of `zone` is read, and only if the request states one.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_PRECONDITION_FAILED if a condition does not hold.
 * Fails with HF_E_LEASE_EXISTS if the request names another pool or address than the lease has. */
enum hf_err hf_rules_acquire(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_lease_request *request,
			     struct hf_why *why, struct hf_decision *ret) HF_CHECKED;

/* Sets the result of each of a request's claims for a service that already has a lease: nothing moves to a claim. */
void hf_rules_refuse_claims(const struct hf_lease *current, const struct hf_lease_request *request,
			    enum hf_refusal ret[HF_CLAIMS_MAX]);

/* Returns the lease after HF_DO_CHANGE or HF_DO_RELABEL. The caller sets its revision. */
struct hf_lease hf_rules_changed(const struct hf_lease *current, const struct hf_lease_request *request,
				 struct hf_decision decision, int64_t now_ms);

/* Judges a release in this order: epoch, conditions, existence of the lease, state of its zone. A release that changes nothing
 * succeeds even if the zone is offline. With `force`, the quarantine of an offline zone's lease ends on time.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_PRECONDITION_FAILED if a condition does not hold.
 * Fails with HF_E_NOT_FOUND if no lease exists.
 * Fails with HF_E_ZONE_OFFLINE if the zone is offline and `force` is not set. */
enum hf_err hf_rules_release(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_release_request *request,
			     struct hf_why *why, struct hf_decision *ret) HF_CHECKED;

/* Judges what every write of a lease can carry: the epoch, then the conditions. `current` is NULL if no lease exists.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_PRECONDITION_FAILED if a condition does not hold. */
enum hf_err hf_rules_guard(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_guard *guard,
			   struct hf_why *why) HF_CHECKED;

#endif
