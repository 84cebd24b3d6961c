/* merge.c — compares a store's pools, zones and leases with another's, and applies the result. */
#include "merge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "derive.h"
#include "storage/store/batch.h"
#include "storage/store/lease_change.h"
#include "storage/tables/allocator.h"
#include "storage/tables/pool_table.h"
#include "storage/verify/verify.h"

#define WHAT_MAX 1024

/* A pool of the imported store, and where its leases go. */
struct target {
	struct hf_pool pool; /* the existing one, or the added one */
	enum { THERE, ADDED, REFUSED } is;
};

struct walk {
	struct hf_merge *merge;
	struct hf_txn *from, *into; /* snapshots */
	struct hf_batch *batch;	    /* NULL: judge, report and count; else apply */
	int n_targets;
	struct target *targets; /* by name */
};

HF_PRINTF(3, 4) static void report(struct walk *w, enum hf_line_sort sort, const char *format, ...) {
	char what[WHAT_MAX];
	va_list args;
	if (w->batch)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	w->merge->counts.conflicts++;
	if (w->merge->conflict)
		w->merge->conflict(w->merge->context, sort, what);
}

static void count(struct walk *w, uint64_t *counter) {
	if (!w->batch)
		(*counter)++;
}

/* Reads the next record of a table into *ret with its decoder; damage sticks to the reader. */
#define NEXT(cursor, decode, ret)                                                                                                  \
	(hf_cursor_next(&(cursor)) && (decode((cursor).key, (cursor).value, (ret)) || hf_txn_damaged((cursor).txn, (cursor).table)))

/* --- pools --- */

/* Compares a pool with one of the existing store. If it is REFUSED then, the two ranges are set. */
static void compare_pools(struct walk *w, const struct hf_pool *pool, const struct hf_pool *other, struct target *ret,
			  struct hf_range *ret_ours, struct hf_range *ret_theirs) {
	if (strcmp(other->name, pool->name) == 0) {
		if (!hf_pool_config_equal(&other->config, &pool->config))
			report(w, HF_LINE_POOL, "pool \"%s\" has another configuration here, and keeps it", pool->name);
		ret->is = THERE;
		hf_pool_drop(&ret->pool);
		hf_pool_copy(other, &ret->pool);
	} else if (ret->is == ADDED && hf_pool_collides(pool, other, ret_ours, ret_theirs)) {
		ret->is = REFUSED;
	}
}

static void judge_pool(struct walk *w, const struct hf_pool *pool, struct target *ret) {
	struct hf_pool other;
	struct hf_range ours, theirs;
	char a[HF_RANGE_TEXT], b[HF_RANGE_TEXT];
	HF_CURSOR pools;
	ret->is = ADDED;
	hf_pool_copy(pool, &ret->pool);
	hf_cursor_open(w->into, HF_POOLS, &pools);
	while (ret->is != THERE && hf_cursor_next(&pools) && hf_pool_at(&pools, &other)) {
		compare_pools(w, pool, &other, ret, &ours, &theirs);
		hf_pool_drop(&other);
	}
	if (ret->is == REFUSED) {
		hf_range_format(ours, a);
		hf_range_format(theirs, b);
		report(w, HF_LINE_POOL, "pool \"%s\" is not added: %s overlaps %s of an existing pool", pool->name, a, b);
		w->merge->counts.unsettled++;
	}
	if (ret->is == ADDED)
		w->merge->counts.pools_added++;
}

static enum hf_err judge_pools(struct walk *w, struct hf_why *why) {
	struct hf_pool pool;
	HF_CURSOR pools;
	w->targets = calloc(hf_txn_count(w->from, HF_POOLS) + 1, sizeof *w->targets);
	if (!w->targets)
		return hf_no_memory(why);
	hf_cursor_open(w->from, HF_POOLS, &pools);
	while (hf_cursor_next(&pools) && hf_pool_at(&pools, &pool)) {
		judge_pool(w, &pool, &w->targets[w->n_targets++]);
		hf_pool_drop(&pool);
	}
	return HF_OK;
}

static void free_targets(struct walk *w) {
	for (int i = 0; i < w->n_targets; i++)
		hf_pool_drop(&w->targets[i].pool);
	free(w->targets);
}

static int by_name(const void *name, const void *target) { return strcmp(name, ((const struct target *)target)->pool.name); }

static const struct target *find_target(const struct walk *w, const char *name) {
	return bsearch(name, w->targets, (size_t)w->n_targets, sizeof *w->targets, by_name);
}

static void add_pool(struct walk *w, const struct hf_pool *pool) {
	struct hf_pool *added;
	if (hf_batch_add_pool(w->batch, pool->name, &added)) {
		hf_txn_no_memory(hf_batch_txn(w->batch));
		return;
	}
	hf_pool_config_copy(&pool->config, &added->config);
	added->draining = hf_ranges_share(&pool->draining);
	for (int family = 0; family < HF_FAMILIES; family++)
		added->count[family].cursor = pool->count[family].cursor;
	added->created_ms = added->modified_ms = hf_batch_now_ms(w->batch);
	hf_allocator_rebuild(hf_batch_txn(w->batch), added);
	struct hf_change change = {.type = HF_CHANGE_POOL_WRITTEN, .cause = HF_CAUSE_ADMIN};
	memcpy(change.pool, added->name, sizeof change.pool);
	added->revision = hf_batch_record(w->batch, &change);
}

/* Drops the draining ranges of new pools whose leases were all left out. */
static void drop_drained(struct walk *w) {
	for (int i = 0; i < w->n_targets; i++) {
		struct hf_pool *pool = hf_batch_pool(w->batch, w->targets[i].pool.name);
		if (w->targets[i].is == ADDED && pool)
			hf_allocator_drop_drained(hf_batch_txn(w->batch), pool, NULL);
	}
}

/* --- zones --- */

static bool same_zone(const struct hf_zone *a, const struct hf_zone *b) {
	if (a->state != b->state || a->epoch != b->epoch || a->reconnects != b->reconnects || a->n_instances != b->n_instances)
		return false;
	for (int i = 0; i < a->n_instances; i++)
		if (strcmp(a->instances[i], b->instances[i]) != 0)
			return false;
	return true;
}

/* Adds a zone, which has no control plane connected here. Its epoch must not belong to an earlier store epoch: the zone may have
 * had that epoch here, before a restore whose backup did not contain the zone. */
static void add_zone(struct walk *w, struct hf_zone zone) {
	uint64_t store_epoch = hf_batch_meta(w->batch)->store_epoch, band = (store_epoch - 1) << HF_BAND_BITS;
	if (zone.epoch > 0 && zone.epoch <= band)
		zone.epoch = band + (uint32_t)zone.epoch;
	if (zone.state == HF_ZONE_ONLINE) {
		zone.state = HF_ZONE_OFFLINE;
		zone.changed_ms = hf_batch_now_ms(w->batch);
	}
	if (zone.store_epoch > store_epoch)
		zone.store_epoch = store_epoch;
	hf_batch_put_zone(w->batch, &zone);
}

static void walk_zones(struct walk *w) {
	struct hf_zone zone, here;
	HF_CURSOR zones;
	hf_cursor_open(w->from, HF_ZONES, &zones);
	while (NEXT(zones, hf_zone_decode, &zone)) {
		if (!hf_zone_read(w->into, zone.name, &here)) {
			count(w, &w->merge->counts.zones_added);
			if (w->batch)
				add_zone(w, zone);
		} else if (!same_zone(&zone, &here)) {
			report(w, HF_LINE_ZONE, "zone \"%s\" has another state or epoch, or other instances here, and keeps them",
			       zone.name);
		}
	}
}

/* --- leases --- */

static const char *name_vips(const struct hf_lease *lease, char ret[2 * HF_ADDR_TEXT + 8]) {
	char *at = ret;
	for (int i = 0; i < lease->n_vips; i++) {
		if (i > 0)
			at = stpcpy(at, " and ");
		hf_addr_format(lease->vips[i], at);
		at += strlen(at);
	}
	return ret;
}

static bool same_place(const struct hf_lease *a, const struct hf_lease *b) {
	bool same = a->n_vips == b->n_vips && strcmp(a->pool, b->pool) == 0;
	for (int i = 0; same && i < a->n_vips; i++)
		same = a->vips[i].n == b->vips[i].n;
	return same;
}

static bool same_overlaps(const struct hf_lease *a, const struct hf_lease *b) {
	bool same = a->n_previous == b->n_previous;
	for (int i = 0; same && i < a->n_previous; i++)
		same = a->previous[i].address.n == b->previous[i].address.n && a->previous[i].until_ms == b->previous[i].until_ms;
	return same;
}

/* Compares everything except current addresses, revision, and the digest of the document as sent. */
static bool same_state(const struct hf_lease *a, const struct hf_lease *b) {
	return a->state == b->state && a->generation == b->generation && a->fingerprint_version == b->fingerprint_version &&
	       hf_digest_equal(&a->fingerprint, &b->fingerprint) && strcmp(a->version, b->version) == 0 &&
	       a->created_ms == b->created_ms && a->modified_ms == b->modified_ms &&
	       a->quarantined_until_ms == b->quarantined_until_ms && a->forced == b->forced && same_overlaps(a, b);
}

/* Returns the pool of an address that is bound to a lease: a current one's is the lease's, a previous one's any. NULL: none has it.
 */
static const struct target *target_of(const struct walk *w, const struct target *own, const struct hf_lease *lease, int i) {
	if (i < lease->n_vips)
		return own;
	for (int p = 0; p < w->n_targets; p++)
		if (w->targets[p].is != REFUSED &&
		    hf_pool_place(&w->targets[p].pool, hf_lease_bound_at(lease, i), NULL) != HF_OUTSIDE)
			return &w->targets[p];
	return NULL;
}

/* Whether the lease could have an address that is bound to it here; `current` (may be NULL) is its existing lease. */
static bool fits(struct walk *w, const struct target *own, const struct hf_lease *lease, int i, const struct hf_lease *current) {
	static const char *const places[] = {
		[HF_OUTSIDE] = "outside every range", [HF_RESERVED] = "in a reserved range", [HF_DRAINING] = "in a draining range"};
	char id[HF_IDENTITY_WORDS_MAX], other[HF_IDENTITY_WORDS_MIN], text[HF_ADDR_TEXT];
	struct hf_holder holder;
	struct hf_addr a = hf_lease_bound_at(lease, i);
	const struct target *target = target_of(w, own, lease, i);
	hf_identity_words(&lease->id, id, sizeof id);
	hf_addr_format(a, text);
	if (!target) {
		report(w, HF_LINE_LEASE, "%s: its previous address %s lies in no pool here", id, text);
		return false;
	}
	bool held = hf_holders_present(w->into, a, &holder);
	if (held && !hf_identity_equal(&holder.id, &lease->id)) {
		report(w, HF_LINE_LEASE, "%s: %s is held here by %s", id, text, hf_identity_words(&holder.id, other, sizeof other));
		return false;
	}
	bool stays = held && current && (i >= lease->n_vips || strcmp(current->pool, lease->pool) == 0);
	enum hf_place place = stays || target->is == ADDED ? HF_ALLOCATABLE : hf_pool_place(&target->pool, a, NULL);
	if (place != HF_ALLOCATABLE)
		report(w, HF_LINE_LEASE, "%s: %s lies %s of pool \"%s\" here", id, text, places[place], target->pool.name);
	return place == HF_ALLOCATABLE;
}

/* Returns whether the lease can have all of its addresses here; if not, reports why. */
static bool can_have(struct walk *w, const struct hf_lease *lease, const struct hf_lease *current) {
	const struct target *target = find_target(w, lease->pool);
	char id[HF_IDENTITY_WORDS_MAX];
	if (!target || target->is == REFUSED) {
		report(w, HF_LINE_LEASE, "%s: its pool \"%s\" does not exist here", hf_identity_words(&lease->id, id, sizeof id),
		       lease->pool);
		return false;
	}
	for (int i = 0; i < hf_lease_bound(lease); i++)
		if (!fits(w, target, lease, i, current))
			return false;
	return true;
}

static void report_difference(struct walk *w, const struct hf_lease *lease, const struct hf_lease *current) {
	char id[HF_IDENTITY_WORDS_MAX], here[2 * HF_ADDR_TEXT + 8], there[2 * HF_ADDR_TEXT + 8];
	hf_identity_words(&lease->id, id, sizeof id);
	if (same_place(lease, current))
		report(w, HF_LINE_LEASE,
		       "%s: it has the same addresses, but another generation, configuration, version, state, overlap or time", id);
	else
		report(w, HF_LINE_LEASE, "%s: it has %s of pool \"%s\" here, and %s of pool \"%s\" in the import", id,
		       name_vips(current, here), current->pool, name_vips(lease, there), lease->pool);
}

static enum hf_change_type replaced_by(const struct hf_lease *before, const struct hf_lease *after) {
	if (!same_place(before, after))
		return HF_CHANGE_MOVED;
	if (before->state == after->state)
		return HF_CHANGE_UPDATED;
	return after->state == HF_ACTIVE ? HF_CHANGE_RESTORED : HF_CHANGE_RELEASED;
}

static void put_lease(struct walk *w, const struct hf_lease *lease, const struct hf_lease *current) {
	struct hf_merge_counts *counts = &w->merge->counts;
	struct hf_lease after = *lease;
	enum hf_change_type type = lease->state == HF_ACTIVE ? HF_CHANGE_ACQUIRED : HF_CHANGE_RELEASED;
	if (current)
		type = replaced_by(current, lease);
	count(w, current ? &counts->replaced : &counts->added);
	if (type == HF_CHANGE_MOVED)
		count(w, &counts->moved);
	if (w->batch)
		hf_batch_change(w->batch, current, &after, type, HF_CAUSE_ADMIN);
}

static void walk_lease(struct walk *w, const struct hf_lease *lease) {
	struct hf_merge_counts *counts = &w->merge->counts;
	struct hf_lease here, *current;
	struct hf_key key;
	hf_identity_encode(&lease->id, &key);
	current = hf_lease_read(w->into, &key, &here) ? &here : NULL;
	if (current && same_place(lease, current) && same_state(lease, current)) {
		count(w, &counts->unchanged);
	} else if (!can_have(w, lease, current)) {
		count(w, &counts->left_out);
		count(w, &counts->unsettled);
	} else {
		if (current)
			report_difference(w, lease, current);
		if (!current || w->merge->settle == HF_SETTLE_REPLACE)
			put_lease(w, lease, current);
		else
			count(w, &counts->left_out);
	}
}

static enum hf_err walk_all(struct walk *w, struct hf_why *why) {
	struct hf_lease lease;
	HF_CURSOR leases;
	walk_zones(w);
	hf_cursor_open(w->from, HF_LEASES, &leases);
	while (NEXT(leases, hf_lease_decode, &lease) && !hf_txn_fault(w->into, NULL) &&
	       !(w->batch && hf_txn_fault(hf_batch_txn(w->batch), NULL)))
		walk_lease(w, &lease);
	enum hf_err err = hf_txn_fault(w->from, why);
	return err ? err : hf_txn_fault(w->into, why);
}

/* Checks that the import would leave a sound store, before it is committed. */
static enum hf_err check_result(struct walk *w, struct hf_why *why) {
	struct hf_verify_counts counts = {0}, existing = {0};
	hf_batch_write(w->batch);
	if (hf_txn_writes(hf_batch_txn(w->batch)) == 0)
		return HF_OK;
	enum hf_err err = hf_verify_sound(hf_batch_txn(w->batch), "the store with the import", why, &counts);
	if (counts.violations == 0)
		return err;
	struct hf_why other = {""};
	enum hf_err failed = hf_verify(w->into, NULL, NULL, &other, &existing);
	if (failed)
		return hf_fail(why, failed, "%s", other.text);
	if (existing.violations > 0)
		return hf_fail(why, HF_E_CORRUPT, "the existing store already breaks %llu invariants; see holdfast verify",
			       (unsigned long long)existing.violations);
	return err;
}

static enum hf_err carry_out(struct walk *w, struct hf_why *why) {
	enum hf_err err = hf_batch_begin(w->merge->into, why, &w->batch);
	if (err)
		return err;
	hf_batch_set_by(w->batch, HF_BY_OFFLINE);
	for (int i = 0; i < w->n_targets; i++)
		if (w->targets[i].is == ADDED)
			add_pool(w, &w->targets[i].pool);
	err = walk_all(w, why);
	if (!err) {
		drop_drained(w);
		err = check_result(w, why);
	}
	if (err) {
		hf_batch_abort(w->batch);
		return err;
	}
	err = hf_batch_commit(w->batch, why);
	w->merge->applied = !err;
	return err;
}

static enum hf_err run(struct walk *w, struct hf_why *why) {
	enum hf_err err = judge_pools(w, why);
	if (!err)
		err = walk_all(w, why);
	if (err || w->merge->dry_run || (w->merge->settle == HF_SETTLE_REFUSE && w->merge->counts.conflicts > 0))
		return err;
	return carry_out(w, why);
}

enum hf_err hf_merge(struct hf_merge *merge, struct hf_why *why) {
	struct walk w = {.merge = merge};
	merge->counts = (struct hf_merge_counts){0};
	merge->applied = false;
	enum hf_err err = hf_reader_open(merge->from, why, &w.from);
	if (!err)
		err = hf_reader_open(merge->into, why, &w.into);
	if (!err)
		err = hf_reader_begin(w.from, why);
	if (!err)
		err = hf_reader_begin(w.into, why);
	if (!err)
		err = run(&w, why);
	hf_reader_close(w.from);
	hf_reader_close(w.into);
	free_targets(&w);
	return err;
}
