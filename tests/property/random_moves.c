/* random_moves.c — random moves and transfers. */
#include "random_moves.h"

#include <string.h>

/* The addresses of leases in use are few, so most moves name none. */
static void random_target(struct world *w, const struct model *m, int who, struct hf_move_request *ret) {
	const struct m_lease *lease = &m->leases[who];
	int how = w_below(w, 100);
	struct hf_addr a = w_address(w, m);
	if (how < 20 && lease->exists && lease->n_previous > 0) /* back */
		a.n = lease->previous[w_below(w, lease->n_previous)].a;
	else if (how < 25 && lease->exists)
		a.n = m_bound_at(lease, w_below(w, m_bound(lease)));
	else if (how >= 45)
		return;
	ret->addresses[ret->n_addresses++] = a;
	a = w_address(w, m);
	if (w_chance(w, 25) && m_family(a.n) != m_family(ret->addresses[0].n))
		ret->addresses[ret->n_addresses++] = a;
}

static int most_moved(struct world *w, const struct model *m, int most) {
	for (int who = 0; who < w->profile->identities; who++)
		if (m->leases[who].exists && !m->leases[who].quarantined && m->leases[who].n_previous > m->leases[most].n_previous)
			most = who;
	return most;
}

void w_move(struct world *w, const struct model *m, struct hf_move *ret) {
	static const uint32_t OVERLAPS[] = {0, 1, 10, 60, 600, 3600, 3600, 90000, HF_OVERLAP_MAX_SECONDS};
	int who = w_identity(w);
	for (int i = 0; i < 6 && !(m->leases[who].exists && !m->leases[who].quarantined); i++)
		who = w_identity(w);
	if (w_chance(w, 12)) /* it goes on and on */
		who = most_moved(w, m, who);
	*ret = (struct hf_move){.want.id = w->ids[who], .want.force = w_chance(w, 20)};
	ret->want.overlap_seconds = OVERLAPS[w_below(w, w_chance(w, 3) ? 9 : 8)];
	random_target(w, m, who, &ret->want);
	if (w_chance(w, 15))
		strcpy(ret->want.pool, w_chance(w, 95) ? M_POOL_NAMES[w_below(w, M_POOLS)] : "nowhere");
	if (w_chance(w, 50))
		w_guard(w, m, who, &ret->want.guard);
	hf_move_begin(ret);
}

static bool has_leases(const struct model *m, int p) {
	for (int who = 0; who < M_IDENTITIES; who++)
		if (m->leases[who].exists && m->leases[who].pool == p)
			return true;
	return false;
}

int w_pool_to_delete(struct world *w, const struct model *m) {
	for (int p = 0; p < M_POOLS; p++) {
		struct hf_pool_usage four, six;
		if (!m->pools[p].exists || has_leases(m, p))
			continue;
		m_usage(m, p, HF_IPV4, &four);
		m_usage(m, p, HF_IPV6, &six);
		if (four.previous + six.previous > 0)
			return p;
	}
	return w_below(w, M_POOLS);
}

/* One that has no lease and that the lease's pool serves, if it is found soon. */
static int new_name(struct world *w, const struct model *m, int from, bool same_zone) {
	int to = w_below(w, w->profile->identities);
	for (int i = 0; i < 30; i++) {
		bool fits = !m->leases[to].exists && m_pool_serves(m, m->leases[from].pool, to);
		if (fits && (!same_zone || strcmp(m->ids[from].zone, m->ids[to].zone) == 0))
			break;
		to = w_below(w, w->profile->identities);
	}
	return to;
}

static bool is_in(const struct m_transfer *t, int from, int to) {
	for (int i = 0; i < t->n; i++)
		if (t->items[i].from == from || t->items[i].to == to)
			return true;
	return false;
}

static void add(struct world *w, const struct model *m, int from, bool same_zone, struct m_transfer *t) {
	int to = w_chance(w, 2) ? from : w_chance(w, 3) ? w_below(w, w->profile->identities) : new_name(w, m, from, same_zone);
	bool odd = w_chance(w, 2); /* one that has none, one that is there twice */
	if (t->n == M_TRANSFERS || (!odd && (!m->leases[from].exists || is_in(t, from, to))))
		return;
	t->items[t->n].from = from;
	t->items[t->n++].to = to;
}

static bool is_first_of_scope(const struct model *m, int from, const struct m_transfer *t) {
	for (int i = 0; i < t->n; i++)
		if (m_same_scope(m, t->items[i].from, from))
			return false;
	return true;
}

void w_transfer(struct world *w, const struct model *m, struct m_transfer *ret) {
	static const int PERCENTS[] = {0, 20, 20, 50, 99, 100, 100, 100};
	int z = w_zone(w), first = w_below(w, w->profile->identities), most = w_chance(w, 25) ? M_TRANSFERS : 1 + w_below(w, 6);
	bool same_zone = w_chance(w, 60), one_zone = w_chance(w, 60);
	bool spread = w_chance(w, 20); /* one of each mesh and kind, so that only the zone loses much */
	ret->n = 0;
	ret->dry_run = w_chance(w, 12);
	ret->force = w_chance(w, 25);
	ret->has_epoch = (same_zone && one_zone && w_chance(w, 40)) || w_chance(w, 3);
	ret->epoch = w_epoch(w, &m->zones[z], 15);
	ret->percent = PERCENTS[w_below(w, 8)];
	if (spread) {
		same_zone = ret->has_epoch = ret->dry_run = false;
		one_zone = ret->force = true;
		ret->percent = 20;
		most = M_TRANSFERS;
	}
	for (int i = 0; i < w->profile->identities && ret->n < most; i++) {
		int from = (first + i) % w->profile->identities;
		if (spread && (m->leases[from].quarantined || !is_first_of_scope(m, from, ret)))
			continue;
		if (!one_zone || strcmp(m->ids[from].zone, W_ZONES[z]) == 0)
			add(w, m, from, same_zone, ret);
	}
}
