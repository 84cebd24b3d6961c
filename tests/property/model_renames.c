/* model_renames.c — services that were renamed, naively: for each new one, whose addresses it shows. */
#include <string.h>

#include "model_moves.h"
#include "model_sync.h"

/* The lease that holds all of an item's claims that are held at all; -1: there is none, -2: they are of several. */
static int shown(const struct model *m, const struct m_item *item) {
	int found = -1;
	for (int c = 0; c < item->n_claims; c++) {
		int who = m_holder_of(m, item->claims[c].n);
		if (who >= 0 && found >= 0 && who != found)
			return -2;
		found = who >= 0 ? who : found;
	}
	return found;
}

static bool is_named(const struct m_sync *sync, int who) {
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].who == who)
			return true;
	return false;
}

static bool is_removed(const struct m_sync *sync, int who) {
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].who == who && sync->items[i].role == HF_SYNC_REMOVED && !sync->items[i].err)
			return true;
	return false;
}

static bool is_removed_in_vain(const struct m_sync *sync, int who) {
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].who == who && sync->items[i].role == HF_SYNC_REMOVED)
			return true;
	return false;
}

/* Why an item is not renamed from a lease of the zone; M_NOT_RENAMED: it is, if no other shows it. */
static enum m_not_renamed judge(const struct model *m, const struct m_sync *sync, const struct m_item *item, int from) {
	if (!sync->renames)
		return M_RENAMES_OFF;
	if (sync->mode == HF_SYNC_FULL && m_sync_has_unreadable(sync))
		return M_UNREADABLE;
	if (sync->mode == HF_SYNC_DELTA && !is_removed(sync, from))
		return is_removed_in_vain(sync, from) ? M_NOT_REMOVED : M_STILL_NAMED;
	if (sync->mode == HF_SYNC_FULL && is_named(sync, from))
		return M_STILL_NAMED;
	if (!m_sync_in_scope(m, sync, from))
		return M_OTHER_SCOPE;
	int p = m->leases[from].pool;
	return m_pool_serves(m, p, from) && !m_pool_serves(m, p, item->who) ? M_NOT_SERVED : M_NOT_RENAMED;
}

void m_find_renamed(const struct model *m, struct m_sync *sync) {
	int n[M_IDENTITIES] = {0};
	memset(sync->not_renamed, 0, sizeof sync->not_renamed);
	if (sync->mode == HF_SYNC_MANIFEST)
		return;
	for (int i = 0; i < sync->n; i++) {
		struct m_item *item = &sync->items[i];
		int from = item->todo == M_CREATE ? shown(m, item) : -1;
		if (from == -2)
			sync->not_renamed[M_OTHER_HOLDERS]++;
		if (from < 0 || !m_sync_is_of_zone(m, sync, from))
			continue;
		enum m_not_renamed why = judge(m, sync, item, from);
		if (why != M_NOT_RENAMED) {
			sync->not_renamed[why]++;
			continue;
		}
		item->from = from;
		n[from]++;
	}
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].from >= 0 && n[sync->items[i].from] > 1) {
			sync->items[i].from = -1;
			sync->not_renamed[M_SECOND]++;
		}
}
