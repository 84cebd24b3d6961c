/* model_affinity.c — whose free addresses were, naively: what each identity had when its quarantine ended. */
#include "model.h"

#include <string.h>

int m_remembered_for(const struct model *m, hf_u128 a) {
	for (int who = 0; who < M_IDENTITIES; who++)
		for (int i = 0; i < m->memories[who].n; i++)
			if (m->memories[who].vips[i] == a)
				return who;
	return -1;
}

static void forget_place(struct m_memory *memory, int i) {
	memory->n--;
	for (; i < memory->n; i++)
		memory->vips[i] = memory->vips[i + 1];
}

void m_forget_address(struct model *m, hf_u128 a) {
	int who = m_remembered_for(m, a);
	for (int i = 0; who >= 0 && i < m->memories[who].n; i++)
		if (m->memories[who].vips[i] == a) {
			forget_place(&m->memories[who], i);
			return;
		}
}

uint64_t m_count_remembered(const struct model *m, int p, enum hf_family family) {
	uint64_t n = 0;
	for (int who = 0; who < M_IDENTITIES; who++)
		for (int i = 0; i < m->memories[who].n; i++)
			n += m->memories[who].pool == p && m_family(m->memories[who].vips[i]) == family;
	return n;
}

static bool is_avoided(const struct model *m, hf_u128 a) {
	for (int i = 0; i < m->n_avoid; i++)
		if (m->avoid[i] == a)
			return true;
	return false;
}

/* The first that was freed; of those freed at one moment the lowest. */
static bool oldest(const struct model *m, int p, enum hf_family family, bool any, hf_u128 *ret) {
	const struct m_memory *first = NULL;
	for (int who = 0; who < M_IDENTITIES; who++) {
		const struct m_memory *memory = &m->memories[who];
		for (int i = 0; i < memory->n; i++) {
			if (memory->pool != p || m_family(memory->vips[i]) != family || (!any && is_avoided(m, memory->vips[i])))
				continue;
			if (first &&
			    (memory->freed_ms > first->freed_ms || (memory->freed_ms == first->freed_ms && memory->vips[i] > *ret)))
				continue;
			first = memory;
			*ret = memory->vips[i];
		}
	}
	return first != NULL;
}

bool m_oldest_remembered(const struct model *m, int p, enum hf_family family, hf_u128 *ret) {
	return oldest(m, p, family, false, ret);
}

void m_remember(struct model *m, int who) {
	const struct m_lease *lease = &m->leases[who];
	struct m_memory *memory = &m->memories[who];
	const struct m_config *c = &m->pools[lease->pool].config;
	hf_u128 a;
	*memory = (struct m_memory){.pool = lease->pool, .freed_ms = m->now_ms};
	for (int i = 0; i < lease->n_vips; i++) {
		enum hf_family family = m_family(lease->vips[i]);
		if (!m_in(c->cidrs, c->n_cidrs, lease->vips[i]) || m_in(c->reserved, c->n_reserved, lease->vips[i]))
			continue;
		memory->vips[memory->n++] = lease->vips[i];
		m->met.remembered++;
		while (m_count_remembered(m, lease->pool, family) > m->remembered_max && oldest(m, lease->pool, family, true, &a)) {
			m->met.crowded_out++;
			m_forget_address(m, a);
		}
	}
}

/* What is remembered of an identity, and not avoided now. */
static struct m_memory recall(const struct model *m, int who) {
	struct m_memory memory = m->memories[who];
	for (int i = memory.n - 1; i >= 0; i--)
		if (is_avoided(m, memory.vips[i]))
			forget_place(&memory, i);
	return memory;
}

int m_pool_of_memory(const struct model *m, int who) { return recall(m, who).n > 0 ? m->memories[who].pool : -1; }

bool m_recall(const struct model *m, int who, int p, enum hf_family family, hf_u128 *ret) {
	struct m_memory memory = recall(m, who);
	for (int i = 0; i < memory.n; i++)
		if (memory.pool == p && m_family(memory.vips[i]) == family) {
			*ret = memory.vips[i];
			return true;
		}
	return false;
}

bool m_is_back(const struct model *m, int who, const struct m_lease *lease) {
	struct m_memory memory = recall(m, who);
	for (int i = 0; i < lease->n_vips; i++) {
		bool had = false;
		for (int k = 0; k < memory.n; k++)
			had = had || memory.vips[k] == lease->vips[i];
		if (!had || memory.pool != lease->pool)
			return false;
	}
	return true;
}

void m_forget_by_pool(struct model *m, int p) {
	const struct m_pool *pool = &m->pools[p];
	for (int who = 0; who < M_IDENTITIES; who++) {
		struct m_memory *memory = &m->memories[who];
		for (int i = memory->n - 1; i >= 0; i--)
			if (memory->pool == p && (!pool->exists || !m_free(m, p, memory->vips[i]))) {
				m->met.cut_off++;
				forget_place(memory, i);
			}
	}
}
