/* model_wear.c — releases and departures that still count for the guard, naively: a list. */
#include <string.h>

#include "model_moves.h"

bool m_same_scope(const struct model *m, int a, int b) {
	return m->ids[a].kind == m->ids[b].kind && strcmp(m->ids[a].zone, m->ids[b].zone) == 0 &&
	       strcmp(m->ids[a].mesh, m->ids[b].mesh) == 0;
}

bool m_counts(const struct model *m, const struct m_worn *worn) { return m->monotonic_ms - worn->at_ms < M_WORN_MS; }

/* Those of one commit are told apart by nothing but their number: each has all of their revisions. */
void m_wear(struct model *m, int who, uint64_t revision) {
	struct m_worn worn = {who, revision, revision, m->monotonic_ms};
	for (int i = 0; i < m->n_worn; i++)
		if (m->worn[i].at_ms == m->monotonic_ms && m_same_scope(m, m->worn[i].who, who)) {
			worn.first = m->worn[i].first;
			m->worn[i].last = revision;
		}
	m_check(m->n_worn < M_WORN_MAX, "releases of syncs");
	m->worn[m->n_worn++] = worn;
}

static bool is_among(const struct model *m, const struct m_worn *worn, int who, uint64_t revision) {
	return worn->first <= revision && revision <= worn->last && m_same_scope(m, worn->who, who);
}

int m_worn_among(const struct model *m, int who, uint64_t revision) {
	for (int i = 0; i < m->n_worn; i++)
		if (is_among(m, &m->worn[i], who, revision) && m_counts(m, &m->worn[i]))
			return i;
	return -1;
}

void m_end_wear(struct model *m, int who) {
	for (int i = 0; i < m->n_worn; i++)
		if (is_among(m, &m->worn[i], who, m->leases[who].revision)) {
			m->worn[i] = m->worn[--m->n_worn];
			return;
		}
}
