/* verify_free.c — checks that the held, reserved, free and remembered addresses fill every CIDR exactly. */
#include "verify_pass.h"

#include <inttypes.h>

#include "storage/tables/allocator.h"

/* A walk through the addresses of one family of a pool, piece by piece. */
struct tiling {
	struct hf_verify *v;
	const struct hf_pool *pool;
	bool has_counts;
	enum hf_family family;
	struct hf_cursor extents, held;
	bool at_extent, at_held; /* the cursors are at an extent of the pool, at an address; then: */
	struct hf_range extent;
	struct hf_addr a;
	hf_u128 free; /* addresses in the extents so far, and remembered ones */
};

static void read_extent(struct tiling *t, bool found) {
	uint32_t pool_id = 0;
	while (found && !hf_allocator_decode(t->extents.key, t->extents.value, &pool_id, &t->extent))
		found = hf_cursor_next(&t->extents); /* damaged; check_extents() reports it */
	t->at_extent = found && pool_id == t->pool->id;
}

static bool has_extent(const struct tiling *t) { return t->at_extent && hf_addr_family(t->extent.first) == t->family; }

/* Reports and skips extents that begin before `end`, where nothing is free. */
static void refuse_extents(struct tiling *t, hf_u128 end, bool all) {
	char text[HF_RANGE_TEXT];
	for (; has_extent(t) && (all || t->extent.first.n < end); read_extent(t, hf_cursor_next(&t->extents))) {
		hf_range_format(t->extent, text);
		hf_verify_say(t->v, HF_FREE,
			      "pool \"%s\": %s is not free: it overlaps another extent or a reserved range, or "
			      "lies outside every CIDR",
			      t->pool->name, text);
	}
}

static void read_held(struct tiling *t, bool found) {
	t->at_held = found && t->held.key.len == HF_ADDR_BYTES;
	if (t->at_held)
		t->a = hf_addr_read(t->held.key.data);
}

/* Judges the current extent, whose first address is valid. */
static void judge_extent(struct tiling *t, struct hf_range cidr, const struct hf_range *reserved, bool after_extent) {
	const char *wrong = NULL;
	char text[HF_RANGE_TEXT], a[HF_ADDR_TEXT];
	hf_range_format(t->extent, text);
	if (after_extent)
		wrong = "is not joined with the one before it";
	else if (t->extent.last.n > cidr.last.n)
		wrong = "reaches beyond its CIDR";
	else if (reserved && hf_range_overlaps(t->extent, *reserved))
		wrong = "overlaps a reserved range";
	if (wrong)
		hf_verify_say(t->v, HF_FREE, "pool \"%s\": the extent %s %s", t->pool->name, text, wrong);
	for (; t->at_held && t->a.n <= t->extent.last.n; read_held(t, hf_cursor_next(&t->held))) {
		hf_addr_format(t->a, a);
		hf_verify_say(t->v, HF_FREE, "pool \"%s\": the extent %s has %s, which is held", t->pool->name, text, a);
	}
	t->free += hf_range_size(t->extent);
}

/* Reports the addresses from `at` on that are neither free, held nor reserved. Returns the last of them. */
static hf_u128 judge_gap(struct tiling *t, hf_u128 at, struct hf_range cidr, const struct hf_range *reserved) {
	char text[HF_RANGE_TEXT];
	struct hf_addr remembered;
	hf_u128 last = cidr.last.n;
	if (has_extent(t) && t->extent.first.n <= last)
		last = t->extent.first.n - 1;
	if (t->at_held && t->a.n <= last)
		last = t->a.n - 1;
	if (reserved && reserved->first.n <= last)
		last = reserved->first.n - 1;
	if (hf_verify_next_remembered(t->v, t->pool, (struct hf_range){{at}, {last}}, &remembered))
		last = remembered.n - 1;
	hf_range_format((struct hf_range){{at}, {last}}, text);
	hf_verify_say(t->v, HF_FREE, "pool \"%s\": %s is neither held nor reserved nor free nor remembered", t->pool->name, text);
	return last;
}

/* Returns the first reserved range that ends at or after an address, if it begins in the CIDR. */
static const struct hf_range *reserved_from(const struct hf_pool *pool, struct hf_range cidr, hf_u128 at, int *i) {
	const struct hf_pool_config *c = &pool->config;
	while (*i < c->reserved.n && c->reserved.at[*i].last.n < at)
		(*i)++;
	return *i < c->reserved.n && c->reserved.at[*i].first.n <= cidr.last.n ? &c->reserved.at[*i] : NULL;
}

static void check_cidr(struct tiling *t, struct hf_range cidr) {
	uint8_t key[HF_ADDR_BYTES];
	bool after_extent = false;
	int r = hf_ranges_from(&t->pool->config.reserved, cidr.first);
	hf_u128 at = cidr.first.n, last;
	hf_addr_put(cidr.first, key);
	read_held(t, hf_cursor_seek(&t->held, (struct hf_slice){key, sizeof key}));
	for (;; at = last + 1) {
		refuse_extents(t, at, false);
		while (t->at_held && t->a.n < at)
			read_held(t, hf_cursor_next(&t->held));
		const struct hf_range *reserved = reserved_from(t->pool, cidr, at, &r);
		bool is_extent = has_extent(t) && t->extent.first.n == at;
		if (reserved && reserved->first.n <= at) {
			last = reserved->last.n; /* held or not */
			is_extent = false;
		} else if (is_extent) {
			judge_extent(t, cidr, reserved, after_extent);
			last = t->extent.last.n;
			read_extent(t, hf_cursor_next(&t->extents));
		} else if (t->at_held && t->a.n == at) {
			last = at;
		} else if (hf_verify_is_remembered(t->v, t->pool, (struct hf_addr){at})) {
			last = at;
			t->free++;
		} else {
			last = judge_gap(t, at, cidr, reserved);
		}
		after_extent = is_extent;
		if (last >= cidr.last.n)
			return;
	}
}

static void check_family(struct tiling *t) {
	char stored[HF_COUNT_TEXT], counted[HF_COUNT_TEXT];
	const struct hf_pool_config *c = &t->pool->config;
	struct hf_pool_usage usage;
	t->free = 0;
	for (int i = 0; i < c->cidrs.n; i++)
		if (hf_addr_family(c->cidrs.at[i].first) == t->family && c->cidrs.at[i].first.n <= c->cidrs.at[i].last.n)
			check_cidr(t, c->cidrs.at[i]);
	refuse_extents(t, 0, true);
	hf_pool_usage(t->pool, t->family, &usage);
	if (t->has_counts && usage.free != t->free)
		hf_verify_say(t->v, HF_FREE,
			      "pool \"%s\": its counters make %s free IPv%d addresses; its extents and what it remembers have %s",
			      t->pool->name, hf_count_format(usage.free, stored), t->family == HF_IPV4 ? 4 : 6,
			      hf_count_format(t->free, counted));
}

static void check_pool(struct hf_verify *v, const struct hf_verify_pool *p) {
	const struct hf_pool *pool = &p->pool;
	struct tiling t = {.v = v, .pool = pool, .has_counts = p->has_counts};
	uint8_t prefix[4];
	struct hf_writer w = hf_writer_begin(prefix);
	hf_put_uint(&w, pool->id, sizeof prefix);
	hf_cursor_open(v->txn, HF_FREE, &t.extents);
	hf_cursor_open(v->txn, HF_ADDRESSES, &t.held);
	read_extent(&t, hf_cursor_seek(&t.extents, hf_writer_end(&w)));
	for (int family = 0; family < HF_FAMILIES; family++) {
		t.family = (enum hf_family)family;
		check_family(&t);
	}
	hf_cursor_close(&t.held);
	hf_cursor_close(&t.extents);
}

/* Every extent can be decoded, and belongs to a pool. */
static void check_extents(struct hf_verify *v) {
	struct hf_range extent;
	uint32_t pool_id;
	char text[HF_RANGE_TEXT];
	HF_CURSOR extents;
	hf_cursor_open(v->txn, HF_FREE, &extents);
	for (; hf_cursor_next(&extents); v->counts.extents++) {
		int p = 0;
		if (!hf_allocator_decode(extents.key, extents.value, &pool_id, &extent)) {
			hf_verify_damaged(v, HF_FREE, extents.key);
			continue;
		}
		while (p < v->n_pools && v->pools[p].pool.id != pool_id)
			p++;
		if (p == v->n_pools) {
			hf_range_format(extent, text);
			hf_verify_say(v, HF_FREE, "%s is free in a pool of id %" PRIu32 ", which does not exist", text, pool_id);
		}
	}
}

void hf_verify_free(struct hf_verify *v) {
	check_extents(v);
	for (int p = 0; p < v->n_pools; p++)
		check_pool(v, &v->pools[p]);
}
