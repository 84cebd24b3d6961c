/* lease_rules.c — the lease rules. */
#include "lease_rules.h"

#include "zone_rules.h"

static const char *const OUTCOMES[] = {
	[HF_CREATED] = "created", [HF_ADOPTED] = "adopted",   [HF_UNCHANGED] = "unchanged",
	[HF_UPDATED] = "updated", [HF_RESTORED] = "restored",
};

static const char *const REFUSALS[HF_REFUSALS] = {
	[HF_CLAIM_HAD] = "none",
	[HF_CLAIM_TAKEN] = "address-taken",
	[HF_CLAIM_RESERVED] = "reserved",
	[HF_CLAIM_OUTSIDE_POOL] = "outside-pool",
	[HF_CLAIM_SECOND] = "second-of-family",
	[HF_CLAIM_LEASE_EXISTS] = "lease-exists",
	[HF_CLAIM_FOREIGN] = "foreign",
	[HF_CLAIM_NO_ADDRESS] = "not-an-address",
	[HF_CLAIM_TOO_MANY] = "too-many",
};

const char *hf_refusal_name(enum hf_refusal refusal) { return REFUSALS[refusal]; }

const char *hf_outcome_name(enum hf_outcome outcome) { return OUTCOMES[outcome]; }

enum hf_err hf_rules_guard(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_guard *guard,
			   struct hf_why *why) {
	enum hf_err err = hf_zone_rules_fence(zone, guard->has_epoch, guard->epoch, why);
	if (err)
		return err;
	char tag[HF_ETAG_TEXT];
	if (current)
		hf_lease_etag(current, tag);
	err = hf_condition_if_match(&guard->if_match, current ? tag : NULL, "lease", why);
	return err ? err : hf_condition_if_none_match(&guard->if_none_match, current ? tag : NULL, "lease", why);
}

/* A request may name the lease's own pool and addresses, and no others: nothing moves. */
static enum hf_err judge_binding(const struct hf_lease *current, const struct hf_lease_request *request, struct hf_why *why) {
	char want[HF_ADDR_TEXT], have[HF_ADDR_TEXT];
	if (request->pool[0] && strcmp(request->pool, current->pool) != 0)
		return hf_fail(why, HF_E_LEASE_EXISTS, "the service has a lease in pool \"%s\", not in \"%s\"; it is not moved",
			       current->pool, request->pool);
	for (int i = 0; i < request->n_addresses; i++) {
		struct hf_addr vip;
		hf_addr_format(request->addresses[i], want);
		if (!hf_lease_vip(current, hf_addr_family(request->addresses[i]), &vip))
			return hf_fail(why, HF_E_LEASE_EXISTS,
				       "the service has a lease without an address of %s's family; none is added", want);
		hf_addr_format(vip, have);
		if (vip.n != request->addresses[i].n)
			return hf_fail(why, HF_E_LEASE_EXISTS, "the service has a lease on %s, not on %s; it is not moved", have,
				       want);
	}
	return HF_OK;
}

enum comparison { SAME, DIFFERENT, UNKNOWN };

static enum comparison compare(const struct hf_lease *current, const struct hf_lease_request *request) {
	static const struct hf_digest none;
	if (!request->has_config)
		return SAME;
	if (!hf_digest_equal(&current->raw, &none) && hf_digest_equal(&current->raw, &request->raw))
		return SAME;
	if (!request->has_fingerprint)
		return UNKNOWN;
	return current->fingerprint_version == request->fingerprint_version &&
			       hf_digest_equal(&current->fingerprint, &request->fingerprint)
		       ? SAME
		       : DIFFERENT;
}

enum hf_err hf_rules_acquire(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_lease_request *request,
			     struct hf_why *why, struct hf_decision *ret) {
	enum hf_err err = hf_rules_guard(current, zone, &request->guard, why);
	if (!err && current)
		err = judge_binding(current, request, why);
	if (err)
		return err;
	bool unread = request->has_config && !request->has_fingerprint;
	struct hf_decision d = {HF_DO_CHANGE, HF_UPDATED};
	if (!current) {
		d.outcome = HF_CREATED;
		d.action = unread ? HF_DO_READ_BODY : HF_DO_CREATE;
	} else if (current->state == HF_QUARANTINED) {
		d.outcome = HF_RESTORED;
		if (unread)
			d.action = HF_DO_READ_BODY;
	} else {
		enum comparison comparison = compare(current, request);
		if (comparison == UNKNOWN) {
			d.action = HF_DO_READ_BODY;
		} else if (comparison == SAME) {
			d.outcome = HF_UNCHANGED;
			bool relabel = request->has_version && strcmp(request->version, current->version) != 0;
			d.action = relabel ? HF_DO_RELABEL : HF_DO_NOTHING;
		}
	}
	*ret = d;
	return HF_OK;
}

void hf_rules_refuse_claims(const struct hf_lease *current, const struct hf_lease_request *request,
			    enum hf_refusal ret[HF_CLAIMS_MAX]) {
	for (int i = 0; i < request->n_claims; i++)
		ret[i] = hf_lease_binds(current, request->claims[i]) ? HF_CLAIM_HAD : HF_CLAIM_LEASE_EXISTS;
}

struct hf_lease hf_rules_changed(const struct hf_lease *current, const struct hf_lease_request *request,
				 struct hf_decision decision, int64_t now_ms) {
	struct hf_lease lease = *current;
	bool different = compare(current, request) == DIFFERENT;
	if (request->has_config)
		lease.raw = request->raw;
	if (different) {
		lease.generation++;
		lease.fingerprint_version = request->fingerprint_version;
		lease.fingerprint = request->fingerprint;
		lease.version[0] = '\0'; /* it belonged to the previous configuration */
	}
	if (request->has_version)
		memcpy(lease.version, request->version, sizeof lease.version);
	if (decision.action == HF_DO_CHANGE) {
		lease.state = HF_ACTIVE;
		lease.quarantined_until_ms = 0;
		lease.forced = false;
		lease.modified_ms = now_ms;
	}
	return lease;
}

enum hf_err hf_rules_release(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_release_request *request,
			     struct hf_why *why, struct hf_decision *ret) {
	enum hf_err err = hf_rules_guard(current, zone, &request->guard, why);
	if (err)
		return err;
	if (!current)
		return hf_lease_not_found(&request->id, why);
	struct hf_decision d = {HF_DO_NOTHING, HF_UNCHANGED};
	if (request->purge)
		d.action = HF_DO_PURGE;
	else if (current->state == HF_ACTIVE)
		d.action = HF_DO_QUARANTINE;
	else if (zone->state == HF_ZONE_OFFLINE && request->force && !current->forced)
		d.action = HF_DO_FORCE;
	if (d.action != HF_DO_NOTHING && zone->state == HF_ZONE_OFFLINE && !request->force)
		return hf_fail(why, HF_E_ZONE_OFFLINE, "zone \"%s\" is offline, so nothing of it is released without force=true",
			       request->id.zone);
	*ret = d;
	return HF_OK;
}

#define FEW_RELEASES 10

/* Returns how many releases are too few to be judged by percentage: up to 10, but at most half of the active leases, and at least
 * one. */
static uint64_t few_releases(uint64_t active) {
	uint64_t half = active / 2 > 0 ? active / 2 : 1;
	return half < FEW_RELEASES ? half : FEW_RELEASES;
}

bool hf_rules_mass_release(uint64_t releases, uint64_t active, int percent, bool snapshot_is_empty) {
	if (releases == 0 || percent >= 100)
		return false;
	if (snapshot_is_empty || percent == 0)
		return true;
	return releases > few_releases(active) && 100 * releases > (uint64_t)percent * active;
}
