/* model_restore.c — a restore, naively: the store becomes what it was, in a new store epoch; and whose addresses that loses. */
#include "model_moves.h"

#include <string.h>

#define AHEAD_MIN 4096
#define AHEAD_SHARE 16
#define HIGHEST_IPV4 ((hf_u128)0xffff << 32 | 0xffffffff)

/* How far a cursor moves in a restore that adds one epoch: past what can have been handed out in it. */
static hf_u128 step(hf_u128 capacity) {
	hf_u128 share = capacity / AHEAD_SHARE;
	return share > AHEAD_MIN ? share : AHEAD_MIN;
}

/* As far as that for each epoch; but at most over half of what is left. */
static hf_u128 ahead(hf_u128 capacity, uint64_t epochs) {
	hf_u128 most = 0;
	for (uint64_t i = 0; i < epochs; i++)
		most += (capacity - most) / 2;
	return step(capacity) * epochs < most ? step(capacity) * epochs : most;
}

/* The number of a family's addresses that lie before `a`, in the pool's CIDRs. */
static hf_u128 place_of(const struct m_pool *pool, enum hf_family family, hf_u128 a) {
	hf_u128 n = 0;
	for (int i = 0; i < pool->config.n_cidrs; i++) {
		struct hf_range cidr = pool->config.cidrs[i];
		if (m_family(cidr.first.n) != family || cidr.first.n >= a)
			continue;
		n += (cidr.last.n < a ? cidr.last.n + 1 : a) - cidr.first.n;
	}
	return n;
}

static hf_u128 cursor_place(const struct m_pool *pool, enum hf_family family) {
	return pool->has_cursor[family] ? place_of(pool, family, pool->cursor[family]) : 0;
}

/* How many places it is from one to another, round the end. */
static hf_u128 distance(hf_u128 from, hf_u128 to, hf_u128 capacity) { return (to + capacity - from % capacity) % capacity; }

void m_move_cursor(struct model *m, int p, hf_u128 a, int who) {
	struct m_pool *pool = &m->pools[p];
	enum hf_family family = m_family(a);
	hf_u128 capacity = m_capacity(pool, family);
	pool->travelled[family] += distance(cursor_place(pool, family), place_of(pool, family, a), capacity) + 1;
	pool->has_cursor[family] = a != (family == HF_IPV4 ? HIGHEST_IPV4 : ~(hf_u128)0);
	pool->cursor[family] = a + 1;
	for (int i = 0; i < m->n_lost; i++) {
		const struct m_lost *lost = &m->lost[i];
		if (lost->a != a || lost->who == who)
			continue;
		m->met.lost_given++;
		m->met.broken += pool->revision == lost->pool_revision && pool->travelled[family] - lost->travelled <= lost->safe;
	}
}

void m_end_loss(struct model *m, hf_u128 a, int who) {
	int kept = 0;
	for (int i = 0; i < m->n_lost; i++)
		if (m->lost[i].a == a)
			m->met.found += m->lost[i].who == who;
		else
			m->lost[kept++] = m->lost[i];
	m->n_lost = kept;
}

static void lose(struct model *m, struct m_lost lost) {
	if (!m->pools[lost.pool].exists || !m_free(m, lost.pool, lost.a)) /* such as if a lease of the backup has it */
		return;
	m_check(m->n_lost < M_LOST_MAX, "lost addresses");
	m->lost[m->n_lost++] = lost;
}

/* Who held an address, and those who have not come back since an earlier restore. */
static void lose_all(struct model *m, const struct m_lease *leases, const struct m_pool *pools, const struct m_lost *lost,
		     int n_lost) {
	m->n_lost = 0;
	for (int i = 0; i < n_lost; i++)
		lose(m, lost[i]);
	int before = m->n_lost;
	for (int who = 0; who < M_IDENTITIES; who++)
		for (int i = 0; leases[who].exists && i < leases[who].n_vips; i++) {
			int p = leases[who].pool;
			lose(m, (struct m_lost){.who = who,
						.pool = p,
						.a = leases[who].vips[i],
						.given = leases[who].given[i],
						.pool_revision = pools[p].revision});
		}
	for (int who = 0; who < M_IDENTITIES; who++)
		for (int i = 0; leases[who].exists && i < leases[who].n_previous; i++) {
			const struct m_previous *previous = &leases[who].previous[i];
			int p = m_pool_at(m, previous->a);
			if (p >= 0)
				lose(m, (struct m_lost){.who = who,
							.pool = p,
							.a = previous->a,
							.given = previous->given,
							.pool_revision = pools[p].revision});
		}
	m->met.lost += (uint64_t)(m->n_lost - before);
}

static void move_cursors(struct m_pool *pool, uint64_t epochs) {
	for (int family = HF_IPV4; family <= HF_IPV6; family++) {
		hf_u128 capacity = m_capacity(pool, (enum hf_family)family);
		if (pool->config.strategy != HF_SEQUENTIAL || capacity == 0)
			continue;
		hf_u128 place = cursor_place(pool, (enum hf_family)family) + ahead(capacity, epochs);
		pool->has_cursor[family] = true;
		pool->cursor[family] = m_address_at(pool, (enum hf_family)family, place % capacity);
	}
}

/* How far the cursors went before the restore: `old` are the pools that it replaces. A cursor that a restore cannot move past all
 * of its epochs may be anywhere afterwards. */
static void keep_travels(struct m_pool *pool, const struct m_pool *old, uint64_t epochs) {
	for (int family = HF_IPV4; family <= HF_IPV6; family++) {
		hf_u128 capacity = m_capacity(pool, (enum hf_family)family);
		bool same = old->exists && old->revision == pool->revision && step(capacity) * epochs <= capacity / 2;
		hf_u128 farthest = old->farthest[family] > old->travelled[family] ? old->farthest[family] : old->travelled[family];
		pool->farthest[family] = same ? farthest : ~(hf_u128)0;
	}
}

/* How far a cursor must be able to go after a restore without coming to a lost address, if no more than a restore moves it was
 * handed out: since the backup, if that is of the epoch before; or, in a pool with room, in all epochs since the address was given.
 */
static hf_u128 promise(const struct m_pool *pool, const struct m_pool *old, const struct m_lost *lost, uint64_t from, uint64_t to) {
	enum hf_family family = m_family(lost->a);
	hf_u128 capacity = m_capacity(pool, family), span = ahead(capacity, 1);
	if (!pool->exists || pool->revision != lost->pool_revision || pool->config.strategy != HF_SEQUENTIAL || !lost->given)
		return 0;
	if (lost->given == from && to == from + 1)
		return old->travelled[family] - pool->travelled[family] <= span ? capacity - span : 0;
	span = step(capacity) * (to - lost->given + 1);
	return span <= capacity / 2 && pool->farthest[family] <= step(capacity) ? capacity - span : 0;
}

static void judge_losses(struct model *m, const struct m_pool *old, uint64_t from) {
	for (int i = 0; i < m->n_lost; i++) {
		struct m_lost *lost = &m->lost[i];
		const struct m_pool *pool = &m->pools[lost->pool];
		enum hf_family family = m_family(lost->a);
		lost->travelled = pool->travelled[family];
		lost->safe = promise(pool, &old[lost->pool], lost, from, m->store_epoch);
		if (m_remembered_for(m, lost->a) >=
		    0) /* in the backup: the cursor does not come to it, but it is handed out last */
			lost->safe = 0;
		if (lost->safe == 0)
			continue;
		hf_u128 way = distance(cursor_place(pool, family), place_of(pool, family, lost->a), m_capacity(pool, family));
		m->met.promised++;
		m->met.broken += way < lost->safe;
	}
}

static void freeze(struct m_zone *zone, uint64_t epochs, int64_t now_ms) {
	if (zone->epoch == 0)
		return;
	zone->epoch += epochs << M_BAND_BITS;
	if (zone->state != HF_ZONE_ONLINE)
		return;
	zone->state = HF_ZONE_OFFLINE;
	zone->changed_ms = now_ms;
}

void m_restore(struct model *m, const struct model *backup, uint64_t at_least, int64_t now_ms) {
	static struct m_lease leases[M_IDENTITIES];
	static struct m_pool pools[M_POOLS];
	static struct m_lost lost[M_LOST_MAX];
	struct m_met met = m->met;
	int n_lost = m->n_lost;
	uint64_t epoch = backup->store_epoch + 1, epochs;
	memcpy(leases, m->leases, sizeof leases);
	memcpy(pools, m->pools, sizeof pools);
	memcpy(lost, m->lost, sizeof lost);
	if (epoch < m->store_epoch + 1)
		epoch = m->store_epoch + 1;
	if (epoch < at_least)
		epoch = at_least;
	m_copy(m, backup);
	epochs = epoch - m->store_epoch;
	m->store_epoch = epoch;
	m->revision += epochs << M_BAND_BITS;
	m->compacted = m->changes_base = m->revision;
	m->restored_ms = m->now_ms = now_ms;
	m->met = met;
	for (int z = 0; z < M_ZONES; z++)
		freeze(&m->zones[z], epochs, now_ms);
	for (int p = 0; p < M_POOLS; p++)
		if (m->pools[p].exists)
			move_cursors(&m->pools[p], epochs);
	for (int p = 0; p < M_POOLS; p++)
		keep_travels(&m->pools[p], &pools[p], epochs);
	lose_all(m, leases, pools, lost, n_lost);
	judge_losses(m, pools, backup->store_epoch);
}
