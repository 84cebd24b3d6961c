/* model_pools.c — pools, naively: addresses are tried one after the other. */
#include "model_moves.h"

#include <string.h>

const char *const M_POOL_NAMES[M_POOLS] = {"meshservice", "meshexternalservice", "meshmultizoneservice", "alpha", "beta", "z-last"};

enum hf_family m_family(hf_u128 a) {
	return a >= (hf_u128)0xffff << 32 && a <= ((hf_u128)0xffff << 32 | 0xffffffff) ? HF_IPV4 : HF_IPV6;
}

int m_find_pool(const struct model *m, const char *name) {
	for (int p = 0; p < M_POOLS; p++)
		if (m->pools[p].exists && strcmp(m->pools[p].name, name) == 0)
			return p;
	return -1;
}

static bool states(const struct hf_names *names, const char *name) {
	for (int i = 0; i < names->n; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

/* The number of selectors, all of which must match; -1 if one does not. */
static int selectors(const struct m_config *c, const struct hf_identity *id) {
	int n = 0;
	if (c->kinds) {
		if (!(c->kinds >> id->kind & 1))
			return -1;
		n++;
	}
	if (c->meshes.n) {
		if (!states(&c->meshes, id->mesh))
			return -1;
		n++;
	}
	if (c->zones.n) {
		if (!states(&c->zones, id->zone))
			return -1;
		n++;
	}
	return n;
}

bool m_pool_serves(const struct model *m, int p, int who) { return selectors(&m->pools[p].config, &m->ids[who]) >= 0; }

int m_pool_for(const struct model *m, const struct hf_identity *id, hf_u128 a) {
	for (int p = 0; p < M_POOLS; p++)
		if (m->pools[p].exists && m_in(m->pools[p].config.cidrs, m->pools[p].config.n_cidrs, a))
			return selectors(&m->pools[p].config, id) >= 0 ? p : -1;
	return -1;
}

int m_choose_pool(const struct model *m, const struct hf_acquire *request) {
	const struct hf_identity *id = &request->want.id;
	int best = -1, most = -1;
	if (request->want.pool[0])
		return m_find_pool(m, request->want.pool);
	for (int i = 0; i < request->want.n_addresses; i++)
		if ((best = m_pool_for(m, id, request->want.addresses[i].n)) >= 0)
			return best;
	for (int i = 0; i < request->want.n_claims; i++)
		if ((best = m_pool_for(m, id, request->want.claims[i].n)) >= 0 && m_may_have(m, best, request->want.claims[i].n))
			return best;
	best = m_pool_of_memory(m, m_find_identity(m, id));
	if (best >= 0 && m_matches(m, best, id))
		return best;
	best = -1;
	for (int p = 0; p < M_POOLS; p++) {
		int n = m->pools[p].exists ? selectors(&m->pools[p].config, id) : -1;
		if (n > most || (n >= 0 && n == most && strcmp(m->pools[p].name, m->pools[best].name) < 0)) {
			best = p;
			most = n;
		}
	}
	return best;
}

bool m_matches(const struct model *m, int p, const struct hf_identity *id) { return selectors(&m->pools[p].config, id) >= 0; }

bool m_in(const struct hf_range *ranges, int n, hf_u128 a) {
	for (int i = 0; i < n; i++)
		if (a >= ranges[i].first.n && a <= ranges[i].last.n)
			return true;
	return false;
}

bool m_pool_has_family(const struct m_pool *pool, enum hf_family family) {
	for (int i = 0; i < pool->config.n_cidrs; i++)
		if (m_family(pool->config.cidrs[i].first.n) == family)
			return true;
	return false;
}

bool m_free(const struct model *m, int pool, hf_u128 a) {
	const struct m_config *c = &m->pools[pool].config;
	return m_in(c->cidrs, c->n_cidrs, a) && !m_in(c->reserved, c->n_reserved, a) && m_holder_of(m, a) < 0;
}

bool m_may_have(const struct model *m, int pool, hf_u128 a) {
	for (int i = 0; i < m->n_avoid; i++)
		if (m->avoid[i] == a)
			return false;
	return m_free(m, pool, a);
}

/* Whether it is free, not to be avoided now, and remembered for nobody. */
static bool is_plain(const struct model *m, int pool, hf_u128 a) { return m_may_have(m, pool, a) && m_remembered_for(m, a) < 0; }

/* The first such address at or behind `from`, trying each. */
static bool first_free(const struct model *m, int pool, enum hf_family family, hf_u128 from, hf_u128 *ret) {
	const struct m_config *c = &m->pools[pool].config;
	for (int i = 0; i < c->n_cidrs; i++) {
		if (m_family(c->cidrs[i].first.n) != family || c->cidrs[i].last.n < from)
			continue;
		hf_u128 a = from > c->cidrs[i].first.n ? from : c->cidrs[i].first.n;
		while (!is_plain(m, pool, a)) {
			for (int r = 0; r < c->n_reserved; r++) /* but not through a reserved /64 */
				if (a >= c->reserved[r].first.n && a < c->reserved[r].last.n)
					a = c->reserved[r].last.n;
			if (a == c->cidrs[i].last.n)
				break;
			a++;
		}
		if (is_plain(m, pool, a)) {
			*ret = a;
			return true;
		}
	}
	return false;
}

static hf_u128 count(const struct hf_range *ranges, int n, enum hf_family family) {
	hf_u128 sum = 0;
	for (int i = 0; i < n; i++)
		if (m_family(ranges[i].first.n) == family)
			sum += ranges[i].last.n - ranges[i].first.n + 1;
	return sum;
}

/* The address that the hash of an identity names: a place in the pool's CIDRs, one behind the other. */
static hf_u128 hashed(const struct m_pool *pool, enum hf_family family, const struct hf_identity *id) {
	uint8_t bytes[HF_KEY_MAX + 1];
	struct hf_digest digest = hf_digest_of(bytes, m_identity_bytes(id, bytes));
	hf_u128 place = 0;
	for (int i = 0; i < 16; i++)
		place = place * 256 + digest.bytes[i];
	return m_address_at(pool, family, place % m_capacity(pool, family));
}

hf_u128 m_capacity(const struct m_pool *pool, enum hf_family family) {
	return count(pool->config.cidrs, pool->config.n_cidrs, family);
}

hf_u128 m_address_at(const struct m_pool *pool, enum hf_family family, hf_u128 place) {
	for (int i = 0;; i++) {
		struct hf_range cidr = pool->config.cidrs[i];
		if (m_family(cidr.first.n) != family)
			continue;
		if (place <= cidr.last.n - cidr.first.n)
			return cidr.first.n + place;
		place -= cidr.last.n - cidr.first.n + 1;
	}
}

bool m_next(const struct model *m, int p, enum hf_family family, const struct hf_identity *id, hf_u128 *ret) {
	const struct m_pool *pool = &m->pools[p];
	if (pool->config.strategy == HF_HASHED && first_free(m, p, family, hashed(pool, family, id), ret))
		return true;
	bool behind = pool->config.strategy == HF_SEQUENTIAL && pool->has_cursor[family];
	return (behind && first_free(m, p, family, pool->cursor[family], ret)) || first_free(m, p, family, 0, ret) ||
	       m_oldest_remembered(m, p, family, ret);
}

static bool held_in(const struct model *m, struct hf_range range) {
	for (int who = 0; who < M_IDENTITIES; who++)
		for (int i = 0; m->leases[who].exists && i < m_bound(&m->leases[who]); i++)
			if (m_in(&range, 1, m_bound_at(&m->leases[who], i)))
				return true;
	return false;
}

void m_drop_drained(struct model *m, int p) {
	struct m_pool *pool = &m->pools[p];
	int kept = 0;
	for (int i = 0; i < pool->n_draining; i++)
		if (held_in(m, pool->draining[i]))
			pool->draining[kept++] = pool->draining[i];
	pool->n_draining = kept;
}

void m_usage(const struct model *m, int p, enum hf_family family, struct hf_pool_usage *ret) {
	const struct m_pool *pool = &m->pools[p];
	const struct m_config *c = &pool->config;
	hf_u128 held_inside = 0, held_reserved = 0;
	*ret = (struct hf_pool_usage){.capacity = count(c->cidrs, c->n_cidrs, family)};
	for (int who = 0; who < M_IDENTITIES; who++) {
		const struct m_lease *lease = &m->leases[who];
		for (int i = 0; lease->exists && i < m_bound(lease); i++) {
			hf_u128 a = m_bound_at(lease, i);
			if (m_family(a) != family || m_pool_at(m, a) != p)
				continue;
			(*(lease->quarantined ? &ret->quarantined : &ret->leased))++;
			ret->previous += i >= lease->n_vips;
			held_inside += m_in(c->cidrs, c->n_cidrs, a);
			held_reserved += m_in(c->reserved, c->n_reserved, a);
		}
	}
	ret->reserved = count(c->reserved, c->n_reserved, family) - held_reserved;
	ret->free = ret->capacity - ret->reserved - held_inside;
	ret->remembered = m_count_remembered(m, p, family);
	ret->draining = ret->leased + ret->quarantined - held_inside;
}

static bool overlaps(struct hf_range a, const struct hf_range *ranges, int n) {
	for (int i = 0; i < n; i++)
		if (a.first.n <= ranges[i].last.n && ranges[i].first.n <= a.last.n)
			return true;
	return false;
}

/* All of `old` if it touches none of the new CIDRs; else the largest CIDR around an address that lies in `old` and touches none. */
static struct hf_range left_around(hf_u128 a, struct hf_range old, const struct m_config *c) {
	struct hf_range best = {{a}, {a}};
	if (!overlaps(old, c->cidrs, c->n_cidrs))
		return old;
	for (hf_u128 size = 2; size; size *= 2) {
		hf_u128 first = a - a % size;
		struct hf_range wider = {{first}, {first + (size - 1)}};
		if (wider.first.n < old.first.n || wider.last.n > old.last.n || overlaps(wider, c->cidrs, c->n_cidrs))
			break;
		best = wider;
	}
	return best;
}

/* What of the old ranges is held and not in the new CIDRs, each address in the largest CIDR that is left around it. */
static int leave_behind(const struct model *m, const struct hf_range *old, int n_old, const struct m_config *c,
			struct hf_range *ret, int n) {
	for (int o = 0; o < n_old; o++) {
		for (;;) { /* the lowest held address that is not covered yet, so that ranges come in order */
			bool found = false;
			hf_u128 lowest = 0;
			for (int who = 0; who < M_IDENTITIES; who++)
				for (int i = 0; m->leases[who].exists && i < m_bound(&m->leases[who]); i++) {
					hf_u128 a = m_bound_at(&m->leases[who], i);
					if (m_in(&old[o], 1, a) && !m_in(c->cidrs, c->n_cidrs, a) && !m_in(ret, n, a) &&
					    (!found || a < lowest)) {
						lowest = a;
						found = true;
					}
				}
			if (!found)
				break;
			m_check(n < M_DRAINING, "draining ranges");
			ret[n++] = left_around(lowest, old[o], c);
		}
	}
	return n;
}

static bool config_equal(const struct m_config *a, const struct m_config *b) {
	bool same = a->strategy == b->strategy && a->quarantine_seconds == b->quarantine_seconds && a->kinds == b->kinds &&
		    a->n_cidrs == b->n_cidrs && a->n_reserved == b->n_reserved && a->meshes.n == b->meshes.n &&
		    a->zones.n == b->zones.n;
	for (int i = 0; same && i < a->n_cidrs; i++)
		same = a->cidrs[i].first.n == b->cidrs[i].first.n && a->cidrs[i].last.n == b->cidrs[i].last.n;
	for (int i = 0; same && i < a->n_reserved; i++)
		same = a->reserved[i].first.n == b->reserved[i].first.n && a->reserved[i].last.n == b->reserved[i].last.n;
	for (int i = 0; same && i < a->meshes.n; i++)
		same = strcmp(a->meshes.names[i], b->meshes.names[i]) == 0;
	for (int i = 0; same && i < a->zones.n; i++)
		same = strcmp(a->zones.names[i], b->zones.names[i]) == 0;
	return same;
}

static void sort(struct hf_range *ranges, int n) {
	for (int i = 1; i < n; i++)
		for (int k = i; k > 0 && ranges[k].first.n < ranges[k - 1].first.n; k--) {
			struct hf_range swap = ranges[k];
			ranges[k] = ranges[k - 1];
			ranges[k - 1] = swap;
		}
}

/* In order, and each once: by taking the smallest that is larger than the last. */
static void make_set(struct hf_names *names) {
	struct hf_names set = {.n = 0};
	for (;;) {
		const char *next = NULL;
		for (int i = 0; i < names->n; i++) {
			bool larger = set.n == 0 || strcmp(names->names[i], set.names[set.n - 1]) > 0;
			if (larger && (!next || strcmp(names->names[i], next) < 0))
				next = names->names[i];
		}
		if (!next)
			break;
		strcpy(set.names[set.n++], next);
	}
	*names = set;
}

enum hf_err m_pool_config(struct m_config *c) {
	int kept = 0;
	if (c->n_cidrs == 0)
		return HF_E_INVALID_PARAMETER;
	sort(c->cidrs, c->n_cidrs);
	for (int i = 1; i < c->n_cidrs; i++)
		if (overlaps(c->cidrs[i], c->cidrs, i))
			return HF_E_POOL_OVERLAP;
	for (int i = 0; i < c->n_reserved; i++) {
		bool inside = false;
		for (int k = 0; k < c->n_cidrs; k++)
			inside = inside ||
				 (m_in(&c->cidrs[k], 1, c->reserved[i].first.n) && m_in(&c->cidrs[k], 1, c->reserved[i].last.n));
		if (!inside)
			return HF_E_INVALID_PARAMETER;
	}
	sort(c->reserved, c->n_reserved);
	for (int i = 0; i < c->n_reserved; i++)
		if (kept > 0 && overlaps(c->reserved[i], &c->reserved[kept - 1], 1)) {
			if (c->reserved[i].last.n > c->reserved[kept - 1].last.n)
				c->reserved[kept - 1].last = c->reserved[i].last;
		} else {
			c->reserved[kept++] = c->reserved[i];
		}
	c->n_reserved = kept;
	make_set(&c->meshes);
	make_set(&c->zones);
	return HF_OK;
}

static bool overlaps_others(const struct model *m, const char *name, const struct m_config *c) {
	for (int p = 0; p < M_POOLS; p++) {
		const struct m_pool *other = &m->pools[p];
		if (!other->exists || strcmp(other->name, name) == 0)
			continue;
		for (int i = 0; i < c->n_cidrs; i++)
			if (overlaps(c->cidrs[i], other->config.cidrs, other->config.n_cidrs) ||
			    overlaps(c->cidrs[i], other->draining, other->n_draining))
				return true;
	}
	return false;
}

/* Every name that is used has a place of its own, so that changes can tell of pools that are gone. */
static int place_of(const struct model *m, const char *name) {
	int p = 0;
	while (strcmp(m->pools[p].name, name) != 0)
		p++;
	return p;
}

struct m_answer m_pool_put(struct model *m, const struct m_pool_put *request, int *ret_outcome) {
	struct hf_range draining[M_DRAINING];
	int p = m_find_pool(m, request->name), n = 0;
	*ret_outcome = p < 0 ? HF_POOL_CREATED : HF_POOL_UPDATED;
	if (p >= 0 && config_equal(&m->pools[p].config, &request->config)) {
		*ret_outcome = HF_POOL_UNCHANGED;
		return (struct m_answer){.err = HF_OK};
	}
	if (overlaps_others(m, request->name, &request->config))
		return (struct m_answer){.err = HF_E_POOL_OVERLAP};
	if (p >= 0) {
		const struct m_pool *old = &m->pools[p];
		n = leave_behind(m, old->config.cidrs, old->config.n_cidrs, &request->config, draining, n);
		if (n > 0 && !request->drain)
			return (struct m_answer){.err = HF_E_POOL_IN_USE};
		n = leave_behind(m, old->draining, old->n_draining, &request->config, draining, n);
		sort(draining, n);
	}
	if (p < 0) {
		p = place_of(m, request->name);
		m->pools[p] = (struct m_pool){.exists = true, .created_ms = m->now_ms};
		memcpy(m->pools[p].name, request->name, sizeof request->name);
	}
	struct m_pool *pool = &m->pools[p];
	pool->config = request->config;
	pool->n_draining = n;
	memcpy(pool->draining, draining, sizeof draining[0] * (size_t)n);
	m_forget_by_pool(m, p);
	memset(pool->travelled, 0, sizeof pool->travelled);
	memset(pool->farthest, 0, sizeof pool->farthest);
	pool->modified_ms = m->now_ms;
	pool->revision = m_record(m, HF_CHANGE_POOL_WRITTEN, HF_CAUSE_REQUEST, p, -1);
	return (struct m_answer){.err = HF_OK, .writes = true};
}

struct m_answer m_pool_delete(struct model *m, const struct hf_pool_delete *request) {
	int p = m_find_pool(m, request->name);
	if (p < 0)
		return (struct m_answer){.err = HF_E_NOT_FOUND};
	for (int who = 0; who < M_IDENTITIES; who++)
		if (m->leases[who].exists && m->leases[who].pool == p)
			return (struct m_answer){.err = HF_E_POOL_IN_USE};
	for (int who = 0; who < M_IDENTITIES; who++)
		for (int i = 0; m->leases[who].exists && i < m->leases[who].n_previous; i++)
			if (m_pool_at(m, m->leases[who].previous[i].a) == p)
				return (struct m_answer){.err = HF_E_POOL_IN_USE, .held_by_previous = true};
	m_record(m, HF_CHANGE_POOL_DELETED, HF_CAUSE_REQUEST, p, -1);
	m->pools[p].exists = false;
	m_forget_by_pool(m, p);
	return (struct m_answer){.err = HF_OK, .writes = true};
}
