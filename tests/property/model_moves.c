/* model_moves.c — moves, naively: what is bound to a lease is looked up in its own list. */
#include "model_moves.h"

#include <string.h>

int m_bound(const struct m_lease *lease) { return lease->n_vips + lease->n_previous; }

hf_u128 m_bound_at(const struct m_lease *lease, int i) {
	return i < lease->n_vips ? lease->vips[i] : lease->previous[i - lease->n_vips].a;
}

bool m_binds(const struct m_lease *lease, hf_u128 a) {
	for (int i = 0; i < m_bound(lease); i++)
		if (m_bound_at(lease, i) == a)
			return true;
	return false;
}

int m_pool_at(const struct model *m, hf_u128 a) {
	for (int p = 0; p < M_POOLS; p++) {
		const struct m_pool *pool = &m->pools[p];
		if (pool->exists &&
		    (m_in(pool->config.cidrs, pool->config.n_cidrs, a) || m_in(pool->draining, pool->n_draining, a)))
			return p;
	}
	return -1;
}

void m_wait_for_overlaps(struct model *m, struct m_lease *lease) {
	bool waits = false;
	for (int i = 0; i < lease->n_previous; i++)
		if (lease->previous[i].until_ms > lease->until_ms) {
			lease->until_ms = lease->previous[i].until_ms;
			waits = true;
		}
	m->met.moves.waited += waits;
}

void m_drop_all_drained(struct model *m) {
	for (int p = 0; p < M_POOLS; p++)
		if (m->pools[p].exists && m->pools[p].n_draining > 0)
			m_drop_drained(m, p);
}

static int n_draining(const struct model *m) {
	int n = 0;
	for (int p = 0; p < M_POOLS; p++)
		n += m->pools[p].exists ? m->pools[p].n_draining : 0;
	return n;
}

void m_close_left(struct model *m, const struct m_lease *before, const struct m_lease *after) {
	int n = n_draining(m);
	for (int i = 0; i < m_bound(before); i++)
		if (!m_binds(after, m_bound_at(before, i)))
			m_close_holder(m, m_bound_at(before, i));
	m_drop_all_drained(m);
	m->met.moves.drained += n_draining(m) < n;
}

static bool has(const hf_u128 *list, int n, hf_u128 a) {
	while (n > 0 && list[n - 1] != a)
		n--;
	return n > 0;
}

/* It names a pool or addresses, and they are the lease's. */
static bool is_there(const struct model *m, const struct m_lease *lease, const struct hf_move_request *want) {
	if (want->pool[0] && strcmp(want->pool, m->pools[lease->pool].name) != 0)
		return false;
	for (int i = 0; i < want->n_addresses; i++)
		if (!has(lease->vips, lease->n_vips, want->addresses[i].n))
			return false;
	return want->pool[0] || want->n_addresses > 0;
}

static int choose_pool(const struct model *m, const struct m_lease *lease, const struct hf_move_request *want) {
	if (want->pool[0])
		return m_find_pool(m, want->pool);
	int p = want->n_addresses > 0 ? m_pool_for(m, &want->id, want->addresses[0].n) : -1;
	return p >= 0 ? p : lease->pool;
}

/* What a lease is to have of one family. */
struct choice {
	enum { NONE, STATED, KEPT, CHOSEN } how;
	hf_u128 a;
};

static int at_family(const struct m_lease *lease, enum hf_family family) {
	for (int i = 0; i < lease->n_vips; i++)
		if (m_family(lease->vips[i]) == family)
			return i;
	return -1;
}

/* Whether a lease that is not told where to go has a family that its pool has, too: then it gets no other. */
static bool shares_family(const struct model *m, const struct m_lease *lease) {
	for (int i = 0; i < lease->n_vips; i++)
		if (m_pool_has_family(&m->pools[lease->pool], m_family(lease->vips[i])))
			return true;
	return false;
}

static enum hf_err judge_stated(const struct model *m, int p, const struct m_lease *lease, hf_u128 a) {
	const struct m_config *c = &m->pools[p].config;
	if (m_binds(lease, a)) /* it may lie in a draining range */
		return m_pool_at(m, a) == p ? HF_OK : HF_E_ADDRESS_OUTSIDE_POOL;
	if (!m_in(c->cidrs, c->n_cidrs, a))
		return HF_E_ADDRESS_OUTSIDE_POOL;
	return m_holder_of(m, a) >= 0 || m_in(c->reserved, c->n_reserved, a) ? HF_E_ADDRESS_TAKEN : HF_OK;
}

static enum hf_err choose(const struct model *m, int p, enum hf_family family, const struct m_lease *lease,
			  const struct hf_move_request *want, struct choice *ret) {
	int at = at_family(lease, family);
	ret->how = NONE;
	for (int i = 0; i < want->n_addresses; i++)
		if (m_family(ret->a = want->addresses[i].n) == family) {
			ret->how = STATED;
			return judge_stated(m, p, lease, ret->a);
		}
	if (p == lease->pool && want->n_addresses > 0) { /* only the other family moves */
		if (at >= 0)
			*ret = (struct choice){KEPT, lease->vips[at]};
		return HF_OK;
	}
	if (!m_pool_has_family(&m->pools[p], family) || (p == lease->pool && at < 0 && shares_family(m, lease)))
		return HF_OK;
	ret->how = CHOSEN;
	return m_next(m, p, family, &want->id, &ret->a) ? HF_OK : HF_E_POOL_EXHAUSTED;
}

/* The store epoch in which the strategy gave an address that was bound to the lease. */
static uint64_t given(const struct m_lease *lease, hf_u128 a) {
	for (int i = 0; i < lease->n_vips; i++)
		if (lease->vips[i] == a)
			return lease->given[i];
	for (int i = 0; i < lease->n_previous; i++)
		if (lease->previous[i].a == a)
			return lease->previous[i].given;
	return 0;
}

/* The lease with other addresses; false: it would have too many previous ones. */
static bool moved(const struct model *m, const struct m_lease *lease, const struct hf_move_request *want, int p,
		  const struct choice *choices, struct m_lease *ret) {
	*ret = *lease;
	ret->pool = p;
	ret->n_vips = ret->n_previous = 0;
	for (int family = HF_IPV4; family <= HF_IPV6; family++)
		if (choices[family].how != NONE) {
			ret->given[ret->n_vips] = given(lease, choices[family].a);
			ret->vips[ret->n_vips++] = choices[family].a;
		}
	for (int i = 0; i < lease->n_previous; i++)
		if (!has(ret->vips, ret->n_vips, lease->previous[i].a))
			ret->previous[ret->n_previous++] = lease->previous[i];
	for (int i = 0; i < lease->n_vips && want->overlap_seconds; i++) {
		if (has(ret->vips, ret->n_vips, lease->vips[i]))
			continue;
		if (ret->n_previous == M_PREVIOUS)
			return false;
		ret->previous[ret->n_previous++] = (struct m_previous){
			lease->vips[i], lease->given[i], m->now_ms + (int64_t)want->overlap_seconds * 1000, want->overlap_seconds};
	}
	ret->modified_ms = m->now_ms;
	return true;
}

static void settle(struct model *m, int who, const struct m_lease *before, const struct choice *choices) {
	struct m_lease *lease = &m->leases[who];
	bool same = lease->n_vips == before->n_vips;
	for (int i = 0; i < lease->n_vips; i++) {
		same = same && has(before->vips, before->n_vips, lease->vips[i]);
		if (choices[m_family(lease->vips[i])].how == CHOSEN && m->pools[lease->pool].config.strategy == HF_SEQUENTIAL) {
			lease->given[i] = m->store_epoch;
			m_move_cursor(m, lease->pool, lease->vips[i], who);
		}
	}
	m->vip_changes[HF_CAUSE_ADMIN] += !same;
	lease->revision = m_record(m, HF_CHANGE_MOVED, HF_CAUSE_ADMIN, lease->pool, who);
	for (int i = 0; i < m_bound(before); i++)
		if (!m_binds(lease, m_bound_at(before, i)))
			m_close_holder(m, m_bound_at(before, i));
	for (int i = 0; i < lease->n_vips; i++)
		if (!m_binds(before, lease->vips[i])) {
			m_forget_address(m, lease->vips[i]);
			m_open_holder(m, lease->vips[i], who);
			m_end_loss(m, lease->vips[i], who);
		}
	m_drop_all_drained(m);
	for (int i = 0; i < lease->n_previous; i++)
		m_due_at(m, lease->previous[i].until_ms);
}

static struct m_answer move(struct model *m, int who, const struct hf_move_request *want) {
	struct m_lease *lease = &m->leases[who], before = *lease, after;
	struct choice choices[HF_FAMILIES];
	int p = choose_pool(m, lease, want);
	enum hf_err err = p < 0 ? HF_E_NO_POOL : HF_OK;
	for (int family = HF_IPV4; !err && family <= HF_IPV6; family++)
		err = choose(m, p, (enum hf_family)family, lease, want, &choices[family]);
	if (!err && !moved(m, lease, want, p, choices, &after))
		err = HF_E_LEASE_EXISTS;
	if (err)
		return (struct m_answer){.err = err};
	*lease = after;
	settle(m, who, &before, choices);
	return (struct m_answer){.writes = true, .lease = *lease};
}

struct m_answer m_move(struct model *m, const struct hf_move *request, bool write) {
	const struct hf_move_request *want = &request->want;
	int who = m_find_identity(m, &want->id);
	const struct m_lease *lease = m->leases[who].exists ? &m->leases[who] : NULL;
	struct m_answer answer = {.err = m_judge_guard(m, &want->id, lease, &want->guard)};
	if (!answer.err && !lease)
		answer.err = HF_E_NOT_FOUND;
	if (!answer.err && lease->quarantined)
		answer.err = HF_E_LEASE_EXISTS;
	if (answer.err)
		return answer;
	answer.writes = !is_there(m, lease, want);
	answer.peek = answer.writes ? HF_PEEK_WRITE : HF_PEEK_DONE;
	answer.lease = *lease;
	if (answer.writes && !want->force && m->zones[m_find_zone(m, want->id.zone)].state == HF_ZONE_OFFLINE)
		answer.err = HF_E_ZONE_OFFLINE; /* it cannot follow */
	return answer.err || !answer.writes || !write ? answer : move(m, who, want);
}
