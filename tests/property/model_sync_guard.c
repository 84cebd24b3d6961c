/* model_sync_guard.c — whether a sync releases too much, naively: each mesh and kind is looked at in turn. */
#include <string.h>

#include "model_moves.h"
#include "model_sync.h"

/* What the guard looks at: the whole scope (where < 0), or the mesh and kind of one identity. */
struct judged {
	uint64_t active, releases, lately;
	bool empty;
};

static bool is_there(const struct model *m, const struct m_sync *sync, int who, int where) {
	if (!m_sync_is_of_zone(m, sync, who) || !m_sync_in_scope(m, sync, who))
		return false;
	return where < 0 || (m->ids[who].kind == m->ids[where].kind && strcmp(m->ids[who].mesh, m->ids[where].mesh) == 0);
}

/* Marks what counts no more as its lease comes back by this sync: of the same mesh and kind one for each. */
static void mark_back(const struct model *m, const struct m_sync *sync, bool *ret_back) {
	memset(ret_back, 0, sizeof *ret_back * M_WORN_MAX);
	for (int i = 0; i < sync->n; i++) {
		int who = sync->items[i].who, at;
		if (sync->items[i].outcome != HF_SYNC_RESTORED || (at = m_worn_among(m, who, m->leases[who].revision)) < 0)
			continue;
		for (at = 0; at < m->n_worn; at++)
			if (!ret_back[at] && m_counts(m, &m->worn[at]) && m_same_scope(m, m->worn[at].who, who)) {
				ret_back[at] = true;
				break;
			}
	}
}

static struct judged look_at(const struct model *m, const struct m_sync *sync, int where, const bool *back) {
	struct judged j = {.empty = sync->mode == HF_SYNC_FULL};
	for (int who = 0; who < M_IDENTITIES; who++)
		j.active += is_there(m, sync, who, where) && m->leases[who].exists && !m->leases[who].quarantined;
	for (int i = 0; i < sync->n_unlisted; i++)
		j.releases += is_there(m, sync, sync->unlisted[i], where);
	for (int i = 0; i < sync->n; i++) {
		const struct m_item *item = &sync->items[i];
		if (item->who < 0 || !is_there(m, sync, item->who, where))
			continue;
		j.releases += item->outcome == HF_SYNC_RELEASED;
		j.empty = false; /* be the document good or bad */
	}
	for (int i = 0; i < m->n_worn; i++)
		j.lately += !back[i] && m_counts(m, &m->worn[i]) && is_there(m, sync, m->worn[i].who, where);
	return j;
}

static bool is_too_much(const struct m_sync *sync, struct judged j, bool with_lately) {
	uint64_t releases = j.releases + (with_lately ? j.lately : 0), active = j.active + (with_lately ? j.lately : 0);
	double half = (double)active / 2, few = half < 1 ? 1 : half > 10 ? 10 : half;
	if (j.releases == 0 || sync->percent == 100)
		return false;
	return sync->percent == 0 || j.empty || (100 * releases > (uint64_t)sync->percent * active && (double)releases > few);
}

/* The first identity of its mesh and kind stands for all of them. */
static bool is_first(const struct model *m, int who) { return who == 0 || !m_same_scope(m, who - 1, who); }

bool m_sync_is_guarded(const struct model *m, struct m_sync *sync, bool with_lately) {
	static bool back[M_WORN_MAX];
	mark_back(m, sync, back);
	bool whole = is_too_much(sync, look_at(m, sync, -1, back), with_lately), part = false;
	for (int who = 0; who < M_IDENTITIES; who++) {
		struct judged j;
		if (!is_there(m, sync, who, -1) || !is_first(m, who))
			continue;
		j = look_at(m, sync, who, back);
		if (!is_too_much(sync, j, with_lately))
			continue;
		part = true;
		sync->guarded_empty = sync->guarded_empty || j.empty;
	}
	sync->guarded_part = part && !whole;
	return whole || part;
}

/* What is over counts no more, nor does what a sync that may release all finds in its scope. */
void m_sync_end_wear(struct model *m, const struct m_sync *sync) {
	int n = 0;
	for (int i = 0; i < m->n_worn; i++) {
		bool meant = sync->percent == 100 && sync->releases > 0 && is_there(m, sync, m->worn[i].who, -1);
		if (!meant && m->monotonic_ms - m->worn[i].at_ms < M_WORN_MS)
			m->worn[n++] = m->worn[i];
	}
	m->n_worn = n;
}
