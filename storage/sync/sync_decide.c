/* sync_decide.c — decides what a sync's items mean for the existing leases. */
#include <inttypes.h>
#include <stdlib.h>

#include "storage/model/zone_rules.h"
#include "storage/tables/lease_table.h"
#include "sync_internal.h"

/* Fills in a request for an item except its identity, which no rule reads. */
static void fill_config(const struct hf_sync_item *item, struct hf_lease_request *ret) {
	ret->has_config = ret->has_fingerprint = true;
	ret->raw = item->raw;
	ret->fingerprint = item->fingerprint;
	ret->fingerprint_version = item->fingerprint_version;
	ret->n_claims = item->n_claims;
	memcpy(ret->claims, item->claims, sizeof *item->claims * item->n_claims);
}

void hf_sync_fill_acquire(const struct hf_sync_item *item, struct hf_lease_request *ret) {
	if (!hf_identity_decode(item->key, item->key_len, &ret->id))
		abort(); /* it was encoded from one */
	fill_config(item, ret);
}

static bool claims(const struct hf_sync_item *item, struct hf_addr a) {
	for (int i = 0; i < item->n_claims; i++)
		if (item->claims[i].n == a.n)
			return true;
	return false;
}

/* Compares the zone at the start of the key, including its NUL. */
static bool is_foreign(const struct hf_sync *sync, const struct hf_sync_item *item) {
	return strcmp((const char *)item->key, sync->zone) != 0;
}

/* Copies the previous addresses, which few leases have. */
static void set_previous(struct hf_sync *sync, struct hf_sync_item *item, const struct hf_lease *lease) {
	size_t size = sizeof *lease->previous * (size_t)lease->n_previous;
	struct hf_previous *previous = hf_arena_alloc(&sync->arena, size);
	if (!previous) {
		sync->starved = true;
		return;
	}
	memcpy(previous, lease->previous, size);
	item->previous = previous;
	item->n_previous = (uint8_t)lease->n_previous;
}

void hf_sync_set_lease(struct hf_sync *sync, struct hf_sync_item *item, const struct hf_lease *lease) {
	item->n_vips = lease ? (uint8_t)lease->n_vips : 0;
	item->n_previous = 0;
	if (lease)
		memcpy(item->vips, lease->vips, sizeof item->vips);
	if (lease && lease->n_previous)
		set_previous(sync, item, lease);
	for (int i = 0; i < hf_sync_claims(item); i++)
		item->refused[i] = lease && hf_lease_binds(lease, item->claims[i]) ? HF_CLAIM_HAD
				   : lease					   ? HF_CLAIM_LEASE_EXISTS
				   : is_foreign(sync, item)			   ? HF_CLAIM_FOREIGN
										   : HF_CLAIM_HAD;
}

/* Returns whether an allocator without memory would have given the service another address: the service sends none, and keeps its
 * address. */
static bool forgets(const struct hf_sync_item *item) {
	for (int i = 0; i < item->n_vips; i++)
		if (!claims(item, item->vips[i]))
			return true;
	return false;
}

static enum hf_err decide_service(struct hf_sync *sync, const struct hf_zone *zone, struct hf_sync_item *item,
				  const struct hf_lease *current, struct hf_lease_request *request, struct hf_why *why) {
	struct hf_decision decision;
	fill_config(item, request);
	enum hf_err err = hf_rules_acquire(current, zone, request, why, &decision);
	if (err)
		return err;
	if (decision.action == HF_DO_CREATE && item->claims_unread)
		return hf_fail(why, HF_E_OVERLOADED, "the zone's leases changed while its list was read; send it again");
	if (current && !item->claims_unread && !item->in_cluster)
		sync->reallocations_avoided += forgets(item);
	item->todo = decision.action == HF_DO_NOTHING  ? HF_SYNC_DONE
		     : decision.action == HF_DO_CREATE ? HF_SYNC_CREATE
						       : HF_SYNC_CHANGE;
	hf_sync_set_outcome(sync, item, (enum hf_sync_outcome)decision.outcome);
	return HF_OK;
}

/* Returns whether the store already has a manifest's entry: its lease is active and has the same version or fingerprint. */
static bool is_known(const struct hf_sync_item *item, const struct hf_lease *current) {
	if (!current || current->state != HF_ACTIVE)
		return false;
	return item->version ? strcmp(item->version, current->version) == 0
			     : current->fingerprint_version && hf_digest_equal(&item->fingerprint, &current->fingerprint);
}

static enum hf_err decide_item(struct hf_sync *sync, struct hf_cursor *leases, const struct hf_zone *zone,
			       struct hf_sync_item *item, struct hf_lease_request *request, struct hf_why *why) {
	struct hf_lease lease, *current = hf_lease_seek(leases, hf_sync_key(item), &lease) ? &lease : NULL;
	hf_sync_set_lease(sync, item, current);
	item->lease_revision = current ? current->revision : 0;
	if (item->role == HF_SYNC_ENTRY) {
		hf_sync_set_outcome(sync, item, is_known(item, current) ? HF_SYNC_UNCHANGED : HF_SYNC_NEEDED);
	} else if (item->role == HF_SYNC_REMOVED) {
		bool release = current && current->state == HF_ACTIVE;
		item->todo = release ? HF_SYNC_RELEASE : HF_SYNC_DONE;
		hf_sync_set_outcome(sync, item, release ? HF_SYNC_RELEASED : HF_SYNC_UNCHANGED);
		sync->releases += release;
	} else if (is_foreign(sync, item)) {
		hf_sync_set_outcome(sync, item, HF_SYNC_FOREIGN);
	} else {
		return decide_service(sync, zone, item, current, request, why);
	}
	return HF_OK;
}

/* A walk over the leases of the sync's scope, beside its sorted items. */
struct unlisted {
	struct hf_sync *sync;
	struct hf_txn *txn;
	uint32_t at; /* the first item at or after the current lease */
};

static bool is_listed(struct unlisted *walk, struct hf_slice key) {
	for (; walk->at < walk->sync->n_sorted; walk->at++) {
		int order = hf_slice_compare(hf_sync_key(walk->sync->sorted[walk->at]), key);
		if (order >= 0)
			return order == 0;
	}
	return false;
}

static bool add_unlisted(struct unlisted *walk, const struct hf_lease *lease, struct hf_slice key) {
	struct hf_sync *sync = walk->sync;
	struct hf_sync_item *item = hf_sync_new_item(sync, HF_SYNC_UNLISTED, key.data, key.len);
	if (!item)
		return false;
	item->todo = HF_SYNC_RELEASE;
	hf_sync_set_lease(sync, item, lease);
	hf_sync_set_outcome(sync, item, HF_SYNC_RELEASED);
	*sync->last_released = item;
	sync->last_released = &item->next;
	return true;
}

/* Finds the active leases of one scope (zone, mesh, kind) that are not listed. */
static enum hf_err find_in_scope(struct unlisted *walk, struct hf_slice scope, struct hf_why *why) {
	struct hf_lease lease;
	HF_CURSOR leases;
	hf_cursor_open(walk->txn, HF_LEASES, &leases);
	for (bool found = hf_cursor_seek(&leases, scope); found && hf_slice_extends(leases.key, scope);
	     found = hf_cursor_next(&leases)) {
		if (is_listed(walk, leases.key) || hf_sync_is_renamed(walk->sync, leases.key))
			continue;
		if (!hf_lease_decode(leases.key, leases.value, &lease)) {
			hf_txn_damaged(walk->txn, HF_LEASES);
			break;
		}
		if (lease.state != HF_ACTIVE)
			continue;
		if (walk->sync->n_unreadable > 0 && walk->sync->mode == HF_SYNC_FULL)
			walk->sync->summary.release_skipped++; /* the unreadable item may be this one */
		else if (!add_unlisted(walk, &lease, leases.key))
			return hf_sync_no_memory(walk->sync, why);
		else
			walk->sync->releases++;
	}
	return HF_OK;
}

bool hf_sync_in_scope(const struct hf_sync *sync, struct hf_slice scope) {
	const char *mesh = (const char *)scope.data + strlen(sync->zone) + 1;
	return (!sync->kind || ((const uint8_t *)scope.data)[scope.len - 1] == sync->kind) &&
	       (!sync->mesh[0] || strcmp(mesh, sync->mesh) == 0);
}

static bool has_items_of(const struct hf_sync *sync, struct hf_slice scope) {
	uint32_t at = hf_sync_find(sync, scope);
	return at < sync->n_sorted && hf_slice_extends(hf_sync_key(sync->sorted[at]), scope);
}

/* Returns how many leases of a scope a delta releases by name. */
static uint64_t removed_of(const struct hf_sync *sync, struct hf_slice scope) {
	uint64_t n = 0;
	for (uint32_t i = hf_sync_find(sync, scope); i < sync->n_sorted; i++) {
		if (!hf_slice_extends(hf_sync_key(sync->sorted[i]), scope))
			break;
		n += sync->sorted[i]->todo == HF_SYNC_RELEASE;
	}
	return n;
}

/* Records the releases in one scope, which are also judged separately. */
static enum hf_err add_part(struct hf_sync *sync, struct hf_slice scope, uint64_t active, uint64_t releases, struct hf_why *why) {
	struct hf_sync_part *part = releases > 0 ? hf_arena_alloc(&sync->arena, sizeof *part + scope.len) : NULL;
	if (releases == 0)
		return HF_OK;
	if (!part)
		return hf_sync_no_memory(sync, why);
	memcpy(part + 1, scope.data, scope.len);
	*part = (struct hf_sync_part){.next = sync->parts,
				      .scope = {part + 1, scope.len},
				      .active = active,
				      .releases = releases,
				      .empty = sync->mode == HF_SYNC_FULL && !has_items_of(sync, scope)};
	sync->parts = part;
	return HF_OK;
}

/* Counts the leases of one scope and, unless the sync is a delta, finds those that are not listed. */
static enum hf_err walk_scope(struct unlisted *walk, struct hf_slice key, const struct hf_scope *scope, struct hf_why *why) {
	struct hf_sync *sync = walk->sync;
	uint64_t before = sync->releases, removed = 0;
	enum hf_err err = HF_OK;
	sync->active += scope->active;
	if (sync->mode != HF_SYNC_DELTA)
		err = find_in_scope(walk, key, why);
	else if (sync->releases > 0)
		removed = removed_of(sync, key);
	return err ? err : add_part(sync, key, scope->active, removed + sync->releases - before, why);
}

/* Walks over the sync's scope. */
static enum hf_err walk_scopes(struct hf_sync *sync, struct hf_txn *txn, struct hf_why *why) {
	struct unlisted walk = {sync, txn, 0};
	struct hf_slice zone = {sync->zone, strlen(sync->zone) + 1};
	enum hf_err err = HF_OK;
	HF_CURSOR scopes;
	hf_cursor_open(txn, HF_SCOPES, &scopes);
	for (bool found = hf_cursor_seek(&scopes, zone); !err && found && hf_slice_extends(scopes.key, zone);
	     found = hf_cursor_next(&scopes)) {
		struct hf_scope scope;
		if (!hf_scope_decode(scopes.value, &scope)) {
			hf_txn_damaged(txn, HF_SCOPES);
			break;
		}
		if (hf_sync_in_scope(sync, scopes.key))
			err = walk_scope(&walk, scopes.key, &scope, why);
	}
	return err;
}

/* Forgets an earlier decision. Items that were rejected when the list was read stay rejected. */
static void start_over(struct hf_sync *sync) {
	for (struct hf_sync_item *item = sync->first; item; item = item->next) {
		if (item->in_error)
			continue;
		hf_sync_set_outcome(sync, item, HF_SYNC_UNCHANGED);
		item->todo = HF_SYNC_DONE;
		item->from = NULL;
		item->n_vips = 0;
	}
	for (struct hf_sync_item *item = sync->released; item; item = item->next)
		sync->answers_spare++;
	sync->summary.of[HF_SYNC_RELEASED] = 0;
	sync->summary.release_skipped = 0;
	sync->released = NULL;
	sync->last_released = &sync->released;
	sync->reallocations_avoided = sync->active = sync->releases = 0;
	sync->parts = NULL;
}

enum hf_err hf_sync_decide(struct hf_sync *sync, struct hf_txn *txn, struct hf_why *why) {
	struct hf_lease_request request = {.n_claims = 0};
	struct hf_zone zone;
	start_over(sync);
	sync->zone_known = hf_zone_read(txn, sync->zone, &zone);
	sync->zone_epoch = zone.epoch;
	sync->zone_offline = zone.state == HF_ZONE_OFFLINE;
	enum hf_err err = hf_zone_rules_fence(&zone, sync->has_epoch, sync->epoch, why);
	HF_CURSOR leases;
	hf_cursor_open(txn, HF_LEASES, &leases);
	for (uint32_t i = 0; !err && i < sync->n_sorted; i++)
		if (!sync->sorted[i]->in_error)
			err = decide_item(sync, &leases, &zone, sync->sorted[i], &request, why);
	if (!err)
		err = hf_sync_find_renamed(sync, txn, why);
	if (!err)
		err = walk_scopes(sync, txn, why);
	if (!err && sync->starved)
		err = hf_sync_no_memory(sync, why);
	enum hf_err fault = hf_txn_fault(txn, why);
	return fault ? fault : err;
}
