/* verify_leases.c — checks each lease against everything derived from it, and walks leases and scopes side by side. */
#include "verify_pass.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/model/zone.h"
#include "storage/tables/deadline.h"

static int by_name(const void *name, const void *pool) { return strcmp(name, ((const struct hf_verify_pool *)pool)->pool.name); }

static struct hf_verify_pool *find_pool(struct hf_verify *v, const char *name) {
	return v->n_pools ? bsearch(name, v->pools, (size_t)v->n_pools, sizeof *v->pools, by_name) : NULL;
}

static void check_fields(struct hf_verify *v, const struct hf_lease *lease, const char *id) {
	static const struct hf_digest none;
	if (lease->n_vips == 2 && (hf_addr_family(lease->vips[0]) != HF_IPV4 || hf_addr_family(lease->vips[1]) != HF_IPV6))
		hf_verify_say(v, HF_LEASES, "%s: two addresses are expected to be one IPv4 and then one IPv6 address", id);
	if (lease->generation == 0)
		hf_verify_say(v, HF_LEASES, "%s: the generation is 0; the first is 1", id);
	if (lease->fingerprint_version == 0 && !hf_digest_equal(&lease->fingerprint, &none))
		hf_verify_say(v, HF_LEASES, "%s: it has a fingerprint, but not the version of its rules", id);
	if (lease->state == HF_ACTIVE && lease->quarantined_until_ms != 0)
		hf_verify_say(v, HF_LEASES, "%s: an active lease has an end of quarantine", id);
	for (int i = 0; i < lease->n_previous; i++)
		for (int k = 0; k < lease->n_vips + i; k++)
			if (hf_lease_bound_at(lease, k).n == lease->previous[i].address.n)
				hf_verify_say(v, HF_LEASES, "%s: it has an address twice, once as a previous one", id);
}

/* While the feed keeps the entry of the lease's revision, the entry is of this lease and has its addresses. */
static void check_revision(struct hf_verify *v, const struct hf_lease *lease, const char *id) {
	struct hf_change change;
	if (lease->revision == 0 || lease->revision > v->meta.revision) {
		hf_verify_say(v, HF_LEASES, "%s: revision %" PRIu64 " is not one of the store's, up to %" PRIu64, id,
			      lease->revision, v->meta.revision);
		return;
	}
	if (lease->revision <= v->meta.compacted)
		return;
	if (!hf_verify_change(v, lease->revision, &change))
		hf_verify_say(v, HF_CHANGES, "%s: its revision %" PRIu64 " is not in the feed", id, lease->revision);
	else if (!change.has_lease || !hf_identity_equal(&change.id, &lease->id))
		hf_verify_say(v, HF_CHANGES, "revision %" PRIu64 " is expected to be a change of %s", lease->revision, id);
	else if (change.n_vips != lease->n_vips ||
		 memcmp(change.vips, lease->vips, sizeof change.vips[0] * (size_t)change.n_vips) != 0 ||
		 change.generation != lease->generation || strcmp(change.pool, lease->pool) != 0)
		hf_verify_say(v, HF_CHANGES, "revision %" PRIu64 " has another pool, generation or addresses than %s",
			      lease->revision, id);
}

static void check_address(struct hf_verify *v, const struct hf_lease *lease, struct hf_addr a, const char *id) {
	struct hf_holder holder;
	char text[HF_ADDR_TEXT], other[HF_IDENTITY_WORDS_MAX];
	hf_addr_format(a, text);
	if (!hf_verify_holder(v, a, &holder))
		hf_verify_say(v, HF_ADDRESSES, "%s has no holder; it is expected to be held by %s, whose lease has it", text, id);
	else if (!hf_identity_equal(&holder.id, &lease->id))
		hf_verify_say(v, HF_ADDRESSES, "%s is in two leases: its holder is %s, but %s has it as well", text,
			      hf_identity_words(&holder.id, other, sizeof other), id);
}

/* Counts an address of a lease into the pool in which it lies. */
static void count_address(struct hf_verify_pool *p, const struct hf_lease *lease, int i) {
	struct hf_addr a = hf_lease_bound_at(lease, i);
	struct hf_pool_count *count = &p->count[hf_addr_family(a)];
	enum hf_place place = hf_pool_place(&p->pool, a, NULL);
	(*(lease->state == HF_ACTIVE ? &count->leased : &count->quarantined))++;
	count->previous += i >= lease->n_vips;
	count->overlaid_reserved += place == HF_RESERVED;
	count->overlaid_draining += place == HF_DRAINING;
}

/* Counts the previous addresses of a lease, which may lie in any pool. */
static void count_previous(struct hf_verify *v, const struct hf_lease *lease, const char *id) {
	for (int i = lease->n_vips; i < hf_lease_bound(lease); i++) {
		struct hf_addr a = hf_lease_bound_at(lease, i);
		char text[HF_ADDR_TEXT];
		int p = 0;
		while (p < v->n_pools && hf_pool_place(&v->pools[p].pool, a, NULL) == HF_OUTSIDE)
			p++;
		if (p < v->n_pools) {
			count_address(&v->pools[p], lease, i);
			continue;
		}
		hf_addr_format(a, text);
		hf_verify_say(v, HF_LEASES, "%s: its previous address %s lies in no range of any pool", id, text);
	}
}

/* Counts the lease into its pool, where its current addresses must lie. */
static void count_lease(struct hf_verify *v, const struct hf_lease *lease, const char *id) {
	struct hf_verify_pool *p = find_pool(v, lease->pool);
	if (!p) {
		hf_verify_say(v, HF_LEASES, "%s: its pool \"%s\" does not exist", id, lease->pool);
		return;
	}
	(*(lease->state == HF_ACTIVE ? &p->active : &p->quarantined))++;
	for (int i = 0; i < lease->n_vips; i++) {
		count_address(p, lease, i);
		if (hf_pool_place(&p->pool, lease->vips[i], NULL) == HF_OUTSIDE) {
			char text[HF_ADDR_TEXT];
			hf_addr_format(lease->vips[i], text);
			hf_verify_say(v, HF_LEASES, "%s: %s lies in no range of its pool \"%s\"", id, text, lease->pool);
		}
	}
}

static void check_lease(struct hf_verify *v, const struct hf_lease *lease, const struct hf_key *key) {
	char id[HF_IDENTITY_WORDS_MAX];
	hf_identity_words(&lease->id, id, sizeof id);
	check_fields(v, lease, id);
	check_revision(v, lease, id);
	for (int i = 0; i < hf_lease_bound(lease); i++)
		check_address(v, lease, hf_lease_bound_at(lease, i), id);
	count_lease(v, lease, id);
	count_previous(v, lease, id);
	struct hf_deadline deadline = {.is_lease = true, .lease = *key};
	int64_t ends[HF_LEASE_ENDS_MAX];
	for (int n = hf_lease_ends(lease, ends), i = 0; i < n; i++) {
		deadline.at_ms = ends[i];
		if (!hf_deadline_has(v->txn, &deadline))
			hf_verify_say(v, HF_DEADLINES,
				      "%s: its quarantine or an overlap ends at %" PRId64 " ms, but no deadline ends it", id,
				      ends[i]);
	}
}

/* The sum of the leases of one scope. */
struct scope_sum {
	uint8_t key[HF_SCOPE_MAX];
	size_t key_len; /* 0: before the first lease */
	struct hf_scope scope;
};

/* The scope records, walked beside the leases. */
struct scope_walk {
	struct hf_cursor cursor;
	bool at; /* the cursor is at a record that is not judged yet */
};

#define SCOPE_WORDS_MAX 180

static const char *scope_words(const struct hf_identity *scope, char ret[SCOPE_WORDS_MAX]) {
	snprintf(ret, SCOPE_WORDS_MAX, "%s in zone \"%s\", mesh \"%s\"", hf_kind_name(scope->kind), scope->zone, scope->mesh);
	return ret;
}

static void check_zone(struct hf_verify *v, const struct hf_identity *scope) {
	struct hf_slice value;
	if (!hf_txn_get(v->txn, HF_ZONES, (struct hf_slice){scope->zone, strlen(scope->zone)}, &value))
		hf_verify_say(v, HF_ZONES, "zone \"%s\" has leases or scopes, but no record", scope->zone);
}

/* Compares the current record with the sum of its leases, which is empty if it has none, and moves to the next. */
static void judge_scope(struct hf_verify *v, struct scope_walk *walk, const struct hf_scope *sum) {
	struct hf_identity id;
	struct hf_scope scope;
	char words[SCOPE_WORDS_MAX];
	struct hf_slice key = walk->cursor.key;
	v->counts.scopes++;
	if (!hf_scope_key_decode(key, &id) || !hf_scope_decode(walk->cursor.value, &scope)) {
		hf_verify_damaged(v, HF_SCOPES, key);
	} else {
		check_zone(v, &id);
		if (scope.active != sum->active || scope.quarantined != sum->quarantined)
			hf_verify_say(v, HF_SCOPES,
				      "%s: the record counts %" PRIu64 " active and %" PRIu64
				      " quarantined leases; the leases are %" PRIu64 " and %" PRIu64,
				      scope_words(&id, words), scope.active, scope.quarantined, sum->active, sum->quarantined);
		if (!hf_digest_equal(&scope.digest, &sum->digest))
			hf_verify_say(v, HF_SCOPES, "%s: the digest is not that of its active leases", scope_words(&id, words));
	}
	walk->at = hf_cursor_next(&walk->cursor);
}

/* Judges the records up to the scope's own, once all of its leases are summed up. */
static void end_scope(struct hf_verify *v, struct scope_walk *walk, const struct scope_sum *sum) {
	static const struct hf_scope empty;
	struct hf_slice key = {sum->key, sum->key_len};
	struct hf_identity id;
	char words[SCOPE_WORDS_MAX];
	if (key.len == 0)
		return;
	while (walk->at && hf_slice_compare(walk->cursor.key, key) < 0)
		judge_scope(v, walk, &empty);
	if (walk->at && hf_slice_compare(walk->cursor.key, key) == 0) {
		judge_scope(v, walk, &sum->scope);
	} else if (hf_scope_key_decode(key, &id)) {
		hf_verify_say(v, HF_SCOPES, "%s has leases, but no record", scope_words(&id, words));
		check_zone(v, &id);
	}
}

static void add_to_scope(struct scope_sum *sum, const struct hf_lease *lease) {
	(*(lease->state == HF_ACTIVE ? &sum->scope.active : &sum->scope.quarantined))++;
	if (lease->state == HF_ACTIVE) {
		struct hf_digest digest = hf_lease_digest(lease);
		hf_digest_xor(&sum->scope.digest, &digest);
	}
}

void hf_verify_leases(struct hf_verify *v) {
	static const struct hf_scope empty;
	struct scope_sum sum = {.key_len = 0};
	struct scope_walk walk;
	struct hf_lease lease;
	struct hf_key key;
	HF_CURSOR leases;
	hf_cursor_open(v->txn, HF_LEASES, &leases);
	hf_cursor_open(v->txn, HF_SCOPES, &walk.cursor);
	walk.at = hf_cursor_first(&walk.cursor);
	for (; hf_cursor_next(&leases); v->counts.leases++) {
		if (!hf_lease_decode(leases.key, leases.value, &lease)) {
			hf_verify_damaged(v, HF_LEASES, leases.key);
			continue;
		}
		hf_identity_encode(&lease.id, &key);
		if (key.scope_len != sum.key_len || memcmp(key.bytes, sum.key, key.scope_len) != 0) {
			end_scope(v, &walk, &sum);
			sum = (struct scope_sum){.key_len = key.scope_len};
			memcpy(sum.key, key.bytes, key.scope_len);
		}
		add_to_scope(&sum, &lease);
		check_lease(v, &lease, &key);
	}
	end_scope(v, &walk, &sum);
	while (walk.at)
		judge_scope(v, &walk, &empty);
	hf_cursor_close(&walk.cursor);
}
