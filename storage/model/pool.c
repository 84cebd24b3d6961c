/* pool.c — what a pool is: its record, its ranges, its selector. The layout is storage/FORMAT.md's table "pools". */
#include "pool.h"

#include <stdlib.h>

#define RECORD_VERSION 1

static void put_ranges(struct hf_writer *w, const struct hf_range *ranges, int n) {
	hf_put_uint(w, (uint64_t)n, 1);
	for (int i = 0; i < n; i++) {
		hf_put_addr(w, ranges[i].first);
		hf_put_addr(w, ranges[i].last);
	}
}

static int take_ranges(struct hf_parser *p, struct hf_range *ret, int max) {
	int n = (int)hf_take_uint(p, 1);
	if (n > max)
		p->bad = true;
	for (int i = 0; i < n && !p->bad; i++) {
		ret[i].first = hf_take_addr(p);
		ret[i].last = hf_take_addr(p);
	}
	return p->bad ? 0 : n;
}

static void put_names(struct hf_writer *w, const struct hf_names *names) {
	hf_put_uint(w, (uint64_t)names->n, 1);
	for (int i = 0; i < names->n; i++)
		hf_put_text(w, names->names[i]);
}

static void take_names(struct hf_parser *p, struct hf_names *ret) {
	ret->n = (int)hf_take_uint(p, 1);
	if (ret->n > HF_POOL_SELECTOR_MAX) {
		p->bad = true;
		ret->n = 0;
	}
	for (int i = 0; i < ret->n; i++)
		hf_take_text(p, HF_NAME_MAX, ret->names[i]);
}

struct hf_slice hf_pool_encode(const struct hf_pool *pool, uint8_t buffer[HF_POOL_RECORD_MAX]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, RECORD_VERSION, 1);
	hf_put_uint(&w, pool->id, 4);
	hf_put_uint(&w, pool->config.strategy, 1);
	hf_put_uint(&w, pool->config.quarantine_seconds, 4);
	hf_put_uint(&w, pool->config.kinds, 1);
	hf_put_uint(&w, pool->revision, 8);
	hf_put_uint(&w, (uint64_t)pool->created_ms, 8);
	hf_put_uint(&w, (uint64_t)pool->modified_ms, 8);
	hf_put_uint(&w, pool->active, 8);
	hf_put_uint(&w, pool->quarantined, 8);
	for (int family = 0; family < HF_FAMILIES; family++) {
		const struct hf_pool_count *count = &pool->count[family];
		hf_put_uint(&w, count->leased, 8);
		hf_put_uint(&w, count->quarantined, 8);
		hf_put_uint(&w, count->overlaid_reserved, 8);
		hf_put_uint(&w, count->overlaid_draining, 8);
		hf_put_addr(&w, count->cursor);
	}
	put_ranges(&w, pool->config.cidrs, pool->config.n_cidrs);
	put_ranges(&w, pool->draining, pool->n_draining);
	put_ranges(&w, pool->config.reserved, pool->config.n_reserved);
	put_names(&w, &pool->config.meshes);
	put_names(&w, &pool->config.zones);
	return hf_writer_end(&w);
}

bool hf_pool_decode(struct hf_slice key, struct hf_slice value, struct hf_pool *ret) {
	struct hf_parser p = hf_parser_begin(value);
	if (key.len == 0 || key.len > HF_NAME_MAX || hf_take_uint(&p, 1) != RECORD_VERSION)
		return false;
	memset(ret, 0, sizeof *ret);
	memcpy(ret->name, key.data, key.len);
	ret->id = (uint32_t)hf_take_uint(&p, 4);
	ret->config.strategy = (enum hf_strategy)hf_take_uint(&p, 1);
	ret->config.quarantine_seconds = (uint32_t)hf_take_uint(&p, 4);
	ret->config.kinds = (unsigned)hf_take_uint(&p, 1);
	ret->revision = hf_take_uint(&p, 8);
	ret->created_ms = (int64_t)hf_take_uint(&p, 8);
	ret->modified_ms = (int64_t)hf_take_uint(&p, 8);
	ret->active = hf_take_uint(&p, 8);
	ret->quarantined = hf_take_uint(&p, 8);
	for (int family = 0; family < HF_FAMILIES; family++) {
		struct hf_pool_count *count = &ret->count[family];
		count->leased = hf_take_uint(&p, 8);
		count->quarantined = hf_take_uint(&p, 8);
		count->overlaid_reserved = hf_take_uint(&p, 8);
		count->overlaid_draining = hf_take_uint(&p, 8);
		count->cursor = hf_take_addr(&p);
	}
	ret->config.n_cidrs = take_ranges(&p, ret->config.cidrs, HF_POOL_CIDRS_MAX);
	ret->n_draining = take_ranges(&p, ret->draining, HF_POOL_DRAINING_MAX);
	ret->config.n_reserved = take_ranges(&p, ret->config.reserved, HF_POOL_RESERVED_MAX);
	take_names(&p, &ret->config.meshes);
	take_names(&p, &ret->config.zones);
	return hf_parser_end(&p) && (ret->config.strategy == HF_SEQUENTIAL || ret->config.strategy == HF_HASHED);
}

static int by_first(const void *a, const void *b) {
	hf_u128 x = ((const struct hf_range *)a)->first.n, y = ((const struct hf_range *)b)->first.n;
	return x < y ? -1 : x > y;
}

static const struct hf_range *range_around(const struct hf_range *ranges, int n, struct hf_range inner) {
	for (int i = 0; i < n; i++)
		if (hf_range_inside(inner, ranges[i]))
			return &ranges[i];
	return NULL;
}

static const struct hf_range *range_of(const struct hf_range *ranges, int n, struct hf_addr a) {
	return range_around(ranges, n, (struct hf_range){a, a});
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

/* Makes a selector a set: sorted, each name once. */
static void make_set(struct hf_names *names) {
	int kept = 0;
	qsort(names->names, (size_t)names->n, sizeof names->names[0], by_name);
	for (int i = 0; i < names->n; i++)
		if (i == 0 || strcmp(names->names[i], names->names[kept - 1]) != 0)
			memmove(names->names[kept++], names->names[i], sizeof names->names[0]);
	names->n = kept;
}

enum hf_err hf_pool_config_check(struct hf_pool_config *config, struct hf_why *why) {
	char a[HF_RANGE_TEXT], b[HF_RANGE_TEXT];
	if (config->n_cidrs == 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"cidrs\" is empty; a pool has at least one");
	qsort(config->cidrs, (size_t)config->n_cidrs, sizeof *config->cidrs, by_first);
	for (int i = 1; i < config->n_cidrs; i++)
		if (hf_range_overlaps(config->cidrs[i - 1], config->cidrs[i])) {
			hf_range_format(config->cidrs[i - 1], a);
			hf_range_format(config->cidrs[i], b);
			return hf_fail(why, HF_E_POOL_OVERLAP, "\"cidrs\": %s and %s overlap", a, b);
		}
	qsort(config->reserved, (size_t)config->n_reserved, sizeof *config->reserved, by_first);
	int kept = 0;
	for (int i = 0; i < config->n_reserved; i++) {
		struct hf_range r = config->reserved[i], *last = kept > 0 ? &config->reserved[kept - 1] : NULL;
		if (!range_around(config->cidrs, config->n_cidrs, r)) {
			hf_range_format(r, a);
			return hf_fail(why, HF_E_INVALID_PARAMETER, "\"reserved\": %s lies outside the pool's CIDRs", a);
		}
		if (last && hf_range_overlaps(*last, r)) {
			if (r.last.n > last->last.n)
				last->last = r.last;
		} else {
			config->reserved[kept++] = r;
		}
	}
	config->n_reserved = kept;
	make_set(&config->meshes);
	make_set(&config->zones);
	return HF_OK;
}

static bool ranges_equal(const struct hf_range *a, int n_a, const struct hf_range *b, int n_b) {
	for (int i = 0; n_a == n_b && i < n_a; i++)
		if (a[i].first.n != b[i].first.n || a[i].last.n != b[i].last.n)
			return false;
	return n_a == n_b;
}

static bool names_equal(const struct hf_names *a, const struct hf_names *b) {
	for (int i = 0; a->n == b->n && i < a->n; i++)
		if (strcmp(a->names[i], b->names[i]) != 0)
			return false;
	return a->n == b->n;
}

bool hf_pool_ranges_equal(const struct hf_pool_config *a, const struct hf_pool_config *b) {
	return ranges_equal(a->cidrs, a->n_cidrs, b->cidrs, b->n_cidrs) &&
	       ranges_equal(a->reserved, a->n_reserved, b->reserved, b->n_reserved);
}

bool hf_pool_config_equal(const struct hf_pool_config *a, const struct hf_pool_config *b) {
	return a->strategy == b->strategy && a->quarantine_seconds == b->quarantine_seconds && a->kinds == b->kinds &&
	       hf_pool_ranges_equal(a, b) && names_equal(&a->meshes, &b->meshes) && names_equal(&a->zones, &b->zones);
}

static const struct hf_range *overlapping(const struct hf_range *ranges, int n, struct hf_range with) {
	for (int i = 0; i < n; i++)
		if (hf_range_overlaps(ranges[i], with))
			return &ranges[i];
	return NULL;
}

bool hf_pool_overlaps(const struct hf_pool_config *config, const struct hf_pool *pool, struct hf_range *ret_ours,
		      struct hf_range *ret_theirs) {
	for (int i = 0; i < config->n_cidrs; i++) {
		const struct hf_range *theirs = overlapping(pool->config.cidrs, pool->config.n_cidrs, config->cidrs[i]);
		if (!theirs)
			theirs = overlapping(pool->draining, pool->n_draining, config->cidrs[i]);
		if (!theirs)
			continue;
		*ret_ours = config->cidrs[i];
		*ret_theirs = *theirs;
		return true;
	}
	return false;
}

enum hf_place hf_pool_place(const struct hf_pool *pool, struct hf_addr a, struct hf_range *ret_cidr) {
	const struct hf_range *cidr = range_of(pool->config.cidrs, pool->config.n_cidrs, a);
	if (!cidr)
		return range_of(pool->draining, pool->n_draining, a) ? HF_DRAINING : HF_OUTSIDE;
	if (ret_cidr)
		*ret_cidr = *cidr;
	return range_of(pool->config.reserved, pool->config.n_reserved, a) ? HF_RESERVED : HF_ALLOCATABLE;
}

bool hf_pool_has_family(const struct hf_pool *pool, enum hf_family family) {
	for (int i = 0; i < pool->config.n_cidrs; i++)
		if (hf_addr_family(pool->config.cidrs[i].first) == family)
			return true;
	return false;
}

static hf_u128 total(const struct hf_range *ranges, int n, enum hf_family family) {
	hf_u128 sum = 0;
	for (int i = 0; i < n; i++)
		if (hf_addr_family(ranges[i].first) == family)
			sum += hf_range_size(ranges[i]);
	return sum;
}

void hf_pool_usage(const struct hf_pool *pool, enum hf_family family, struct hf_pool_usage *ret) {
	const struct hf_pool_count *count = &pool->count[family];
	ret->capacity = total(pool->config.cidrs, pool->config.n_cidrs, family);
	ret->reserved = total(pool->config.reserved, pool->config.n_reserved, family) - count->overlaid_reserved;
	ret->draining = count->overlaid_draining;
	ret->leased = count->leased;
	ret->quarantined = count->quarantined;
	ret->free = ret->capacity - ret->reserved - (ret->leased + ret->quarantined - ret->draining);
}

static bool states(const struct hf_names *names, const char *name) {
	for (int i = 0; i < names->n; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

int hf_pool_match(const struct hf_pool *pool, const struct hf_identity *id) {
	const struct hf_pool_config *c = &pool->config;
	if ((c->kinds && !(c->kinds & 1u << id->kind)) || (c->meshes.n && !states(&c->meshes, id->mesh)) ||
	    (c->zones.n && !states(&c->zones, id->zone)))
		return -1;
	return (c->kinds != 0) + (c->meshes.n != 0) + (c->zones.n != 0);
}

bool hf_range_subtract(struct hf_range range, const struct hf_range *cidrs, int n, struct hf_range *ret, int max, int *ret_n) {
	bool touched = false;
	for (int i = 0; i < n; i++) {
		if (hf_range_inside(range, cidrs[i]))
			return true;
		touched = touched || hf_range_overlaps(range, cidrs[i]);
	}
	if (!touched) {
		if (*ret_n == max)
			return false;
		ret[(*ret_n)++] = range;
		return true;
	}
	/* CIDRs are nested or apart: what overlaps lies in one half or in both. */
	hf_u128 half = (range.last.n - range.first.n) >> 1;
	struct hf_range low = {range.first, {range.first.n + half}}, high = {{range.first.n + half + 1}, range.last};
	return hf_range_subtract(low, cidrs, n, ret, max, ret_n) && hf_range_subtract(high, cidrs, n, ret, max, ret_n);
}

bool hf_pool_collides(const struct hf_pool *ours, const struct hf_pool *theirs, struct hf_range *ret_ours,
		      struct hf_range *ret_theirs) {
	if (hf_pool_overlaps(&ours->config, theirs, ret_ours, ret_theirs) ||
	    hf_pool_overlaps(&theirs->config, ours, ret_theirs, ret_ours))
		return true;
	for (int i = 0; i < ours->n_draining; i++)
		for (int k = 0; k < theirs->n_draining; k++)
			if (hf_range_overlaps(ours->draining[i], theirs->draining[k])) {
				*ret_ours = ours->draining[i];
				*ret_theirs = theirs->draining[k];
				return true;
			}
	return false;
}

bool hf_pool_cursor_is_sound(const struct hf_pool *pool, enum hf_family family) {
	struct hf_addr cursor = pool->count[family].cursor, before = {cursor.n - 1};
	return cursor.n == 0 || hf_addr_family(cursor) == family || hf_addr_family(before) == family;
}
