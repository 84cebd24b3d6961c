/* lease_rules.h — the lease rules, pure: what a request means for the current lease.
 *
 * decide(current lease, request, zone) → decision. No rule reads a clock or the store, and none writes; the same rules judge a
 * request on a reader's snapshot and again inside the write transaction. Thread-safe.
 */
#ifndef HF_STORAGE_MODEL_LEASE_RULES_H
#define HF_STORAGE_MODEL_LEASE_RULES_H

#include "lease.h"
#include "zone.h"

#define HF_CLAIMS_MAX 8
#define HF_CONDITION_TAGS_MAX 8

/* If-Match or If-None-Match (RFC 9110, 13.1), tags as hf_lease_etag() writes them. */
struct hf_condition {
	bool stated, any; /* any: "*" */
	bool weak;	  /* If-Match alone: there was a weak tag, which matches nothing */
	int n;
	char tags[HF_CONDITION_TAGS_MAX][HF_ETAG_TEXT];
};

/* What every write of a lease can carry. */
struct hf_guard {
	struct hf_condition if_match, if_none_match;
	bool has_epoch; /* fenced by this zone epoch */
	uint64_t epoch;
};

enum hf_outcome { HF_CREATED, HF_ADOPTED, HF_UNCHANGED, HF_UPDATED, HF_RESTORED };
#define HF_OUTCOMES 5
const char *hf_outcome_name(enum hf_outcome outcome); /* "created" … */

/* Why a claim is not an address of the lease. */
enum hf_refusal {
	HF_CLAIM_HAD,	       /* it is */
	HF_CLAIM_TAKEN,	       /* bound to another service, or about to be */
	HF_CLAIM_RESERVED,     /* … in its pool */
	HF_CLAIM_OUTSIDE_POOL, /* not in the lease's pool: in no pool, in a range that is drained, or in another pool */
	HF_CLAIM_SECOND,       /* another claim of its family was had */
	HF_CLAIM_LEASE_EXISTS, /* the service has a lease on other addresses, and nothing moves */
	HF_CLAIM_FOREIGN,      /* the service lives in another zone, and has no lease */
	HF_CLAIM_NO_ADDRESS,   /* it is no IP address */
	HF_CLAIM_TOO_MANY      /* beyond HF_CLAIMS_MAX */
};
#define HF_REFUSALS (HF_CLAIM_TOO_MANY + 1)
const char *hf_refusal_name(enum hf_refusal refusal); /* "address-taken" … */

/* Claims that cannot be had whatever the store holds. */
#define HF_WRONG_CLAIMS_MAX 4
#define HF_CLAIM_TEXT 64 /* bytes that are kept of one, its NUL included */
struct hf_wrong_claims {
	int n;
	uint32_t more; /* that there was no place for */
	struct hf_wrong_claim {
		enum hf_refusal reason; /* HF_CLAIM_NO_ADDRESS or HF_CLAIM_TOO_MANY */
		char text[HF_CLAIM_TEXT];
	} of[HF_WRONG_CLAIMS_MAX];
};

/* What an acquire asks for. */
struct hf_lease_request {
	struct hf_identity id; /* names checked */
	struct hf_guard guard;
	char pool[HF_NAME_MAX + 1]; /* "" if none is named */
	bool has_version;
	char version[HF_VERSION_MAX + 1];
	int n_addresses; /* requested; at most one per family */
	struct hf_addr addresses[HF_FAMILIES];
	bool has_config;      /* false: the body was empty and states nothing */
	struct hf_digest raw; /* of the body, if has_config */
	bool has_fingerprint; /* the body was read: the next members are set */
	uint8_t fingerprint_version;
	struct hf_digest fingerprint;
	int n_claims; /* addresses that the caller says it uses already */
	struct hf_addr claims[HF_CLAIMS_MAX];
};

/* What a release asks for: to put the lease into quarantine, or to free its addresses at once. */
struct hf_release_request {
	struct hf_identity id;
	struct hf_guard guard;
	bool purge;
	bool force; /* although the zone is offline */
};

/* Whether releasing so many of a scope's active leases looks like a zone that lost its mind: more than `percent` of them and more
 * than half of them or 10, one being few; or any at all where nothing is allowed, or by a list that has nothing of the scope unless
 * all is allowed. `releases` and `active` both count what was released lately. */
bool hf_rules_mass_release(uint64_t releases, uint64_t active, int percent, bool snapshot_is_empty);

struct hf_decision {
	enum {
		HF_DO_NOTHING,	  /* the lease is as the request wants it */
		HF_DO_RELABEL,	  /* store the caller's version alone: no revision */
		HF_DO_CREATE,	  /* choose addresses and store a new lease */
		HF_DO_CHANGE,	  /* store hf_rules_changed() */
		HF_DO_QUARANTINE, /* release */
		HF_DO_FORCE,	  /* note that the quarantine ends although the zone is away: no revision */
		HF_DO_PURGE,
		HF_DO_READ_BODY /* the decision needs the fingerprint */
	} action;
	enum hf_outcome outcome; /* for an acquire; HF_DO_CREATE may still become HF_ADOPTED */
};

/* Judges an acquire in the order: epoch, conditions, pool, address, then the configuration (raw digest, then fingerprint) and the
 * version. `current` is NULL if there is no lease; of `zone` only the epoch counts, and only if the request states one.
 * HF_E_STALE_EPOCH, HF_E_PRECONDITION_FAILED, HF_E_LEASE_EXISTS. */
enum hf_err hf_rules_acquire(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_lease_request *request,
			     struct hf_why *why, struct hf_decision *ret) HF_CHECKED;

/* Sets what became of a request's claims if the service has a lease already: nothing moves to a claim. */
void hf_rules_refuse_claims(const struct hf_lease *current, const struct hf_lease_request *request,
			    enum hf_refusal ret[HF_CLAIMS_MAX]);

/* The lease that HF_DO_CHANGE or HF_DO_RELABEL makes of `current`; the revision is the store's to set. */
struct hf_lease hf_rules_changed(const struct hf_lease *current, const struct hf_lease_request *request,
				 struct hf_decision decision, int64_t now_ms);

/* Judges a release in the order: epoch, conditions, whether there is a lease, whether its zone is frozen. A release that changes
 * nothing succeeds, wherever the zone is. Force, where the zone is offline, also lets a quarantine end that the zone holds.
 * HF_E_STALE_EPOCH, HF_E_PRECONDITION_FAILED, HF_E_NOT_FOUND, HF_E_ZONE_OFFLINE. */
enum hf_err hf_rules_release(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_release_request *request,
			     struct hf_why *why, struct hf_decision *ret) HF_CHECKED;

/* Whether a condition holds for a lease (NULL: no lease exists); pure halves of the above, for GET's If-None-Match. */
bool hf_condition_matches(const struct hf_condition *condition, const struct hf_lease *current);

/* Says that the condition of a header does not hold, and what the current entity tag is. HF_E_PRECONDITION_FAILED. */
enum hf_err hf_condition_refuse(const struct hf_condition *condition, const char *header, const char *current,
				struct hf_why *why) HF_CHECKED;

#endif
