/* model_transfers.c — transfers, naively: everything is judged as it was before, then given away one by one. */
#include <string.h>

#include "model_moves.h"

void m_hand_over(struct model *m, int from, int to, enum hf_cause cause) {
	struct m_lease *lease = &m->leases[to];
	*lease = m->leases[from];
	m->leases[from].exists = false;
	m->memories[to].n = 0;
	lease->modified_ms = m->now_ms;
	m_see_zone(m, &m->zones[m_find_zone(m, m->ids[to].zone)]);
	lease->revision = m_record(m, HF_CHANGE_TRANSFERRED, cause, lease->pool, to);
	m_change(m, lease->revision)->from = from;
	for (int i = 0; i < m_bound(lease); i++) {
		m_close_holder(m, m_bound_at(lease, i));
		m_open_holder(m, m_bound_at(lease, i), to);
	}
}

static bool is_of(const struct model *m, int who, const char *zone) { return strcmp(m->ids[who].zone, zone) == 0; }

enum hf_err m_transfer_list(const struct model *m, struct m_transfer *t) {
	t->failed = t->n;
	if (t->n == 0)
		return HF_E_INVALID_PARAMETER;
	for (int i = 0; i < t->n; i++) {
		const char *zone = m->ids[t->items[0].from].zone;
		if (t->has_epoch && !(is_of(m, t->items[i].from, zone) && is_of(m, t->items[i].to, zone))) {
			t->failed = i;
			return HF_E_INVALID_PARAMETER;
		}
	}
	for (int i = 0; i < t->n; i++) /* which of those that are twice is named is open */
		for (int k = 0; k < i; k++)
			if (t->items[i].from == t->items[k].from || t->items[i].to == t->items[k].to)
				return HF_E_INVALID_PARAMETER;
	return HF_OK;
}

static enum hf_err judge_item(const struct model *m, const struct m_transfer *t, int from, int to) {
	const struct m_lease *lease = &m->leases[from];
	const struct m_zone *zone = &m->zones[m_find_zone(m, m->ids[from].zone)];
	if (from == to)
		return HF_E_INVALID_PARAMETER;
	if (!lease->exists)
		return HF_E_NOT_FOUND;
	if (m->leases[to].exists)
		return HF_E_LEASE_EXISTS;
	if (m_pool_serves(m, lease->pool, from) && !m_pool_serves(m, lease->pool, to))
		return HF_E_ADDRESS_OUTSIDE_POOL;
	if (t->has_epoch && t->epoch != zone->epoch)
		return HF_E_STALE_EPOCH;
	bool leaves = !is_of(m, to, zone->name);
	return leaves && zone->state == HF_ZONE_OFFLINE && !t->force ? HF_E_ZONE_OFFLINE : HF_OK;
}

/* Whether an identity is of the zone, or of the mesh and kind, that is looked at. */
static bool is_there(const struct model *m, int who, int where, bool whole_zone) {
	return whole_zone ? is_of(m, who, m->ids[where].zone) : m_same_scope(m, who, where);
}

static bool is_too_much(const struct model *m, const struct m_transfer *t, int where, bool whole_zone, bool with_lately) {
	uint64_t active = 0, leave = 0, lately = 0;
	for (int who = 0; who < M_IDENTITIES; who++)
		active += is_there(m, who, where, whole_zone) && m->leases[who].exists && !m->leases[who].quarantined;
	for (int i = 0; i < t->n; i++)
		leave += !m->leases[t->items[i].from].quarantined && is_there(m, t->items[i].from, where, whole_zone) &&
			 !is_there(m, t->items[i].to, where, whole_zone);
	for (int i = 0; i < m->n_worn; i++)
		lately += m_counts(m, &m->worn[i]) && is_there(m, m->worn[i].who, where, whole_zone);
	if (!with_lately)
		lately = 0;
	double half = (double)(active + lately) / 2, few = half < 1 ? 1 : half > 10 ? 10 : half;
	if (leave == 0 || t->percent == 100)
		return false;
	leave += lately;
	return t->percent == 0 || (100 * leave > (uint64_t)t->percent * (active + lately) && (double)leave > few);
}

static bool is_guarded(const struct model *m, struct m_transfer *t, bool with_lately) {
	bool zone = false, part = false;
	for (int i = 0; i < t->n; i++) {
		zone = zone || is_too_much(m, t, t->items[i].from, true, with_lately);
		part = part || is_too_much(m, t, t->items[i].from, false, with_lately);
	}
	t->guarded_zone = zone && !part;
	t->guarded_part = part && !zone;
	return zone || part;
}

enum hf_err m_transfer(struct model *m, struct m_transfer *t) {
	t->guarded_zone = t->guarded_part = t->guarded_worn = false;
	for (int i = 0; i < t->n; i++) {
		enum hf_err err = judge_item(m, t, t->items[i].from, t->items[i].to);
		if (err) {
			t->failed = i;
			return err;
		}
	}
	t->failed = t->n;
	if (is_guarded(m, t, false))
		return HF_E_MASS_RELEASE_GUARD;
	t->guarded_worn = is_guarded(m, t, true);
	if (t->guarded_worn)
		return HF_E_MASS_RELEASE_GUARD;
	for (int i = 0; i < t->n; i++) {
		int from = t->items[i].from, to = t->items[i].to;
		memset(&m->leases[from].raw, 0, sizeof m->leases[from].raw); /* that document names the old identity */
		m_hand_over(m, from, to, HF_CAUSE_REQUEST);
		if (t->percent < 100 && !m->leases[to].quarantined && !m_same_scope(m, from, to))
			m_wear(m, from, m->leases[to].revision);
	}
	return HF_OK;
}
