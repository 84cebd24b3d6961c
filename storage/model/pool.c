/* pool.c — what a pool is: its ranges, its counts, its selector. */
#include "pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hf_pool_config_copy(const struct hf_pool_config *config, struct hf_pool_config *ret) {
	*ret = *config;
	ret->cidrs = hf_ranges_share(&config->cidrs);
	ret->reserved = hf_ranges_share(&config->reserved);
}

void hf_pool_config_drop(struct hf_pool_config *config) {
	hf_ranges_drop(&config->cidrs);
	hf_ranges_drop(&config->reserved);
}

void hf_pool_copy(const struct hf_pool *pool, struct hf_pool *ret) {
	*ret = *pool;
	hf_pool_config_copy(&pool->config, &ret->config);
	ret->draining = hf_ranges_share(&pool->draining);
}

void hf_pool_drop(struct hf_pool *pool) {
	hf_pool_config_drop(&pool->config);
	hf_ranges_drop(&pool->draining);
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

/* Makes one range of those that overlap. */
static enum hf_err merge(struct hf_ranges *ranges, struct hf_why *why) {
	struct hf_ranges merged;
	int kept = 0;
	struct hf_range *list = malloc(sizeof *list * (size_t)ranges->n);
	for (int i = 0; list && i < ranges->n; i++) {
		struct hf_range *last = kept > 0 ? &list[kept - 1] : NULL, r = ranges->at[i];
		if (!last || !hf_range_overlaps(*last, r))
			list[kept++] = r;
		else if (r.last.n > last->last.n)
			last->last = r.last;
	}
	bool made = list && hf_ranges_make(list, kept, &merged);
	free(list);
	if (!made)
		return hf_no_memory(why);
	hf_ranges_drop(ranges);
	*ranges = merged;
	return HF_OK;
}

/* The first range that overlaps the one before it; NULL: none does. */
static const struct hf_range *first_overlap(const struct hf_ranges *ranges) {
	for (int i = 1; i < ranges->n; i++)
		if (hf_range_overlaps(ranges->at[i - 1], ranges->at[i]))
			return &ranges->at[i];
	return NULL;
}

static enum hf_err check_ranges(const struct hf_pool_config *config, struct hf_why *why) {
	char a[HF_RANGE_TEXT], b[HF_RANGE_TEXT];
	if (config->cidrs.n == 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"cidrs\" is empty; a pool has at least one");
	const struct hf_range *overlap = first_overlap(&config->cidrs);
	if (overlap) {
		hf_range_format(overlap[-1], a);
		hf_range_format(*overlap, b);
		return hf_fail(why, HF_E_POOL_OVERLAP, "\"cidrs\": %s and %s overlap", a, b);
	}
	for (int i = 0; i < config->reserved.n; i++)
		if (!hf_ranges_around(&config->cidrs, config->reserved.at[i])) {
			hf_range_format(config->reserved.at[i], a);
			return hf_fail(why, HF_E_INVALID_PARAMETER, "\"reserved\": %s lies outside the pool's CIDRs", a);
		}
	return HF_OK;
}

enum hf_err hf_pool_config_check(struct hf_pool_config *config, struct hf_why *why) {
	enum hf_err err = check_ranges(config, why);
	if (!err && first_overlap(&config->reserved))
		err = merge(&config->reserved, why);
	if (err)
		return err;
	make_set(&config->meshes);
	make_set(&config->zones);
	return HF_OK;
}

static bool names_equal(const struct hf_names *a, const struct hf_names *b) {
	for (int i = 0; a->n == b->n && i < a->n; i++)
		if (strcmp(a->names[i], b->names[i]) != 0)
			return false;
	return a->n == b->n;
}

bool hf_pool_ranges_equal(const struct hf_pool_config *a, const struct hf_pool_config *b) {
	return hf_ranges_equal(&a->cidrs, &b->cidrs) && hf_ranges_equal(&a->reserved, &b->reserved);
}

bool hf_pool_config_equal(const struct hf_pool_config *a, const struct hf_pool_config *b) {
	return a->strategy == b->strategy && a->quarantine_seconds == b->quarantine_seconds && a->kinds == b->kinds &&
	       hf_pool_ranges_equal(a, b) && names_equal(&a->meshes, &b->meshes) && names_equal(&a->zones, &b->zones);
}

/* Whether a range of the one list overlaps one of the other; which ones, then. */
static bool overlap(const struct hf_ranges *ours, const struct hf_ranges *theirs, struct hf_range *ret_ours,
		    struct hf_range *ret_theirs) {
	for (int i = 0; i < ours->n; i++) {
		const struct hf_range *other = hf_ranges_overlap(theirs, ours->at[i]);
		if (!other)
			continue;
		*ret_ours = ours->at[i];
		*ret_theirs = *other;
		return true;
	}
	return false;
}

bool hf_pool_overlaps(const struct hf_pool_config *config, const struct hf_pool *pool, struct hf_range *ret_ours,
		      struct hf_range *ret_theirs) {
	return overlap(&config->cidrs, &pool->config.cidrs, ret_ours, ret_theirs) ||
	       overlap(&config->cidrs, &pool->draining, ret_ours, ret_theirs);
}

void hf_pool_etag(const struct hf_pool *pool, char ret_text[HF_ETAG_TEXT]) {
	snprintf(ret_text, HF_ETAG_TEXT, "\"%" PRIu64 "\"", pool->revision);
}

enum hf_place hf_pool_place(const struct hf_pool *pool, struct hf_addr a, struct hf_range *ret_cidr) {
	const struct hf_range *cidr = hf_ranges_find(&pool->config.cidrs, a);
	if (!cidr)
		return hf_ranges_find(&pool->draining, a) ? HF_DRAINING : HF_OUTSIDE;
	if (ret_cidr)
		*ret_cidr = *cidr;
	return hf_ranges_find(&pool->config.reserved, a) ? HF_RESERVED : HF_ALLOCATABLE;
}

bool hf_pool_has_family(const struct hf_pool *pool, enum hf_family family) {
	return hf_ranges_total(&pool->config.cidrs, family) > 0;
}

void hf_pool_usage(const struct hf_pool *pool, enum hf_family family, struct hf_pool_usage *ret) {
	const struct hf_pool_count *count = &pool->count[family];
	ret->capacity = hf_ranges_total(&pool->config.cidrs, family);
	ret->reserved = hf_ranges_total(&pool->config.reserved, family) - count->overlaid_reserved;
	ret->previous = count->previous;
	ret->remembered = count->remembered;
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

struct hf_range hf_pool_left_around(struct hf_addr a, struct hf_range range, const struct hf_ranges *cidrs) {
	struct hf_range best = {a, a};
	if (!hf_ranges_overlap(cidrs, range))
		return range;
	for (hf_u128 mask = 1; mask; mask = mask << 1 | 1) {
		struct hf_range wider = {{a.n & ~mask}, {a.n | mask}};
		if (!hf_range_inside(wider, range) || hf_ranges_overlap(cidrs, wider))
			break;
		best = wider;
	}
	return best;
}

bool hf_pool_collides(const struct hf_pool *ours, const struct hf_pool *theirs, struct hf_range *ret_ours,
		      struct hf_range *ret_theirs) {
	return hf_pool_overlaps(&ours->config, theirs, ret_ours, ret_theirs) ||
	       hf_pool_overlaps(&theirs->config, ours, ret_theirs, ret_ours) ||
	       overlap(&ours->draining, &theirs->draining, ret_ours, ret_theirs);
}

bool hf_pool_cursor_is_sound(const struct hf_pool *pool, enum hf_family family) {
	struct hf_addr cursor = pool->count[family].cursor, before = {cursor.n - 1};
	return cursor.n == 0 || hf_addr_family(cursor) == family || hf_addr_family(before) == family;
}
