/* move_rules.c — the rules for moves and transfers. */
#include "move_rules.h"

#include "storage/base/clock.h"

/* Returns whether the lease already is where the request wants it. A request that names neither pool nor address always moves. */
static bool is_there(const struct hf_lease *current, const struct hf_move_request *request) {
	bool there = request->pool[0] || request->n_addresses > 0;
	if (request->pool[0])
		there = strcmp(request->pool, current->pool) == 0;
	for (int i = 0; there && i < request->n_addresses; i++)
		there = hf_lease_has(current, request->addresses[i]);
	return there;
}

enum hf_err hf_rules_move(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_move_request *request,
			  struct hf_why *why, bool *ret_moves) {
	char words[HF_IDENTITY_WORDS_MIN];
	enum hf_err err = hf_rules_guard(current, zone, &request->guard, why);
	if (err)
		return err;
	if (!current)
		return hf_lease_not_found(&request->id, why);
	if (current->state != HF_ACTIVE)
		return hf_fail(why, HF_E_LEASE_EXISTS, "%s is in quarantine; acquire it before it is moved",
			       hf_identity_words(&request->id, words, sizeof words));
	bool moves = !is_there(current, request);
	if (moves && zone->state == HF_ZONE_OFFLINE && !request->force)
		return hf_fail(why, HF_E_ZONE_OFFLINE,
			       "zone \"%s\" is offline, so it cannot follow; force=true moves its lease anyway", request->id.zone);
	*ret_moves = moves;
	return HF_OK;
}

static bool is_one_of(const struct hf_addr *vips, int n, struct hf_addr a) {
	for (int i = 0; i < n; i++)
		if (vips[i].n == a.n)
			return true;
	return false;
}

enum hf_err hf_rules_moved(const struct hf_lease *current, const char *pool, const struct hf_addr *vips, int n,
			   uint32_t overlap_seconds, int64_t now_ms, struct hf_why *why, struct hf_lease *ret) {
	struct hf_lease after = *current;
	after.n_previous = 0;
	for (int i = 0; i < current->n_previous; i++)
		if (!is_one_of(vips, n, current->previous[i].address))
			after.previous[after.n_previous++] = current->previous[i];
	for (int i = 0; overlap_seconds > 0 && i < current->n_vips; i++) {
		if (is_one_of(vips, n, current->vips[i]))
			continue;
		if (after.n_previous == HF_PREVIOUS_MAX)
			return hf_fail(
				why, HF_E_LEASE_EXISTS,
				"the lease still has %d previous addresses, which is the limit; move it after an overlap ends",
				current->n_previous);
		after.previous[after.n_previous++] = (struct hf_previous){
			current->vips[i], hf_time_add(now_ms, (int64_t)overlap_seconds * 1000), overlap_seconds};
	}
	memset(after.pool, 0, sizeof after.pool);
	strncpy(after.pool, pool, HF_NAME_MAX);
	memcpy(after.vips, vips, sizeof *vips * (size_t)n);
	after.n_vips = n;
	after.modified_ms = now_ms;
	*ret = after;
	return HF_OK;
}

enum hf_err hf_rules_transfer(const struct hf_identity *from_id, const struct hf_lease *from, const struct hf_identity *to,
			      const struct hf_lease *target, const struct hf_pool *pool, struct hf_why *why) {
	char words[HF_IDENTITY_WORDS_MIN];
	if (hf_identity_equal(from_id, to))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "%s is transferred to itself",
			       hf_identity_words(to, words, sizeof words));
	if (!from)
		return hf_fail(why, HF_E_NOT_FOUND, "%s has no lease%s", hf_identity_words(from_id, words, sizeof words),
			       target ? ", and the target has one: it may have been transferred before" : "");
	if (target)
		return hf_fail(why, HF_E_LEASE_EXISTS, "%s already has a lease", hf_identity_words(to, words, sizeof words));
	if (hf_pool_match(pool, from_id) >= 0 && hf_pool_match(pool, to) < 0)
		return hf_fail(why, HF_E_ADDRESS_OUTSIDE_POOL, "pool \"%s\", which has the address, does not serve %s", pool->name,
			       hf_identity_words(to, words, sizeof words));
	return HF_OK;
}

struct hf_lease hf_rules_transferred(const struct hf_lease *from, const struct hf_identity *to, int64_t now_ms) {
	struct hf_lease after = *from;
	after.id = *to;
	memset(&after.raw, 0, sizeof after.raw);
	after.modified_ms = now_ms;
	return after;
}
