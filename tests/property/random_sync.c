/* random_sync.c — random syncs and manifests. */
#include "random_sync.h"

#include <string.h>

#include "model_moves.h"

/* How likely things are in one sync; percent. */
struct mood {
	int listed, fresh;	     /* active leases that are listed; services that are not active */
	int changed;		     /* configurations that are new */
	int own_claim, other_claim;  /* services that bring their lease's address; that bring others */
	int foreign, outside, twice; /* items of other zones; out of the scope; once more */
	int broken;		     /* items that are refused by the reader */
	int removed;		     /* of a delta's items */
	int renamed;		     /* new services that show an address of a lease of the zone */
};

static struct mood random_mood(struct world *w) {
	static const int LISTED[] = {100, 100, 100, 95, 80, 40, 5, 0}, FRESH[] = {0, 0, 10, 40, 100};
	static const int CLAIMS[] = {0, 20, 100};
	struct mood mood = {.listed = LISTED[w_below(w, 8)], .fresh = FRESH[w_below(w, 5)]};
	mood.changed = w_chance(w, 50) ? 0 : 20;
	mood.own_claim = CLAIMS[w_below(w, 3)];
	mood.other_claim = CLAIMS[w_below(w, 3)] / 2;
	mood.foreign = w_chance(w, 40) ? 30 : 0;
	mood.outside = w_chance(w, 20) ? 10 : 0;
	mood.twice = w_chance(w, 15) ? 10 : 0;
	mood.broken = w_chance(w, 20) ? 5 : 0;
	mood.removed = w_chance(w, 60) ? 50 : 0;
	mood.renamed = w_chance(w, 50) ? 60 : 0;
	return mood;
}

/* Whose removal the sync rejects; -1: nobody's, or another is to be chosen. */
static int refused_removal(struct world *w, const struct model *m, const struct m_sync *sync) {
	for (int i = w_chance(w, 60) ? sync->n - 1 : -1; i >= 0; i--) {
		const struct m_item *item = &sync->items[i];
		if (item->role == HF_SYNC_REMOVED && m->leases[item->who].exists &&
		    (item->refused || !m_sync_in_scope(m, sync, item->who)))
			return item->who;
	}
	return -1;
}

/* The addresses of a lease of the zone; mostly one that is not named otherwise. */
static void add_old_name(struct world *w, const struct model *m, const struct m_sync *sync, struct m_item *item) {
	int who = refused_removal(w, m, sync);
	for (int i = 0; i < 12 && who < 0; i++) {
		who = w_below(w, w->profile->identities);
		bool fits = m->leases[who].exists && strcmp(m->ids[who].zone, sync->zone) == 0 &&
			    (!sync->kind || (int)m->ids[who].kind == sync->kind) &&
			    (!sync->mesh[0] || strcmp(m->ids[who].mesh, sync->mesh) == 0);
		bool named = false;
		for (int k = 0; k < sync->n; k++)
			named = named || (sync->items[k].who == who && sync->items[k].role == HF_SYNC_SERVICE);
		if (i < 11 && !(fits && !named))
			who = -1;
	}
	const struct m_lease *lease = &m->leases[who];
	for (int i = 0; lease->exists && i < m_bound(lease) && item->n_claims < 4; i++)
		if (w_chance(w, 70))
			item->claims[item->n_claims++].n = m_bound_at(lease, i);
}

static void add_claims(struct world *w, const struct model *m, const struct mood *mood, const struct m_sync *sync,
		       struct m_item *item) {
	const struct m_lease *lease = &m->leases[item->who];
	for (int v = 0; lease->exists && v < lease->n_vips; v++)
		if (w_chance(w, mood->own_claim))
			item->claims[item->n_claims++].n = lease->vips[v];
	if (!lease->exists)
		item->n_claims = w_lost(w, m, item->who, item->claims);
	if (!lease->exists && w_chance(w, mood->renamed))
		add_old_name(w, m, sync, item);
	for (int n = w_chance(w, mood->other_claim) ? 1 + w_below(w, 3) : 0; n > 0; n--)
		item->claims[item->n_claims++] = w_address(w, m);
}

static enum hf_err random_refusal(struct world *w, const struct mood *mood) {
	static const enum hf_err ERRORS[] = {HF_E_INVALID_JSON, HF_E_INVALID_NAME, HF_E_INVALID_PARAMETER};
	return w_chance(w, mood->broken) ? ERRORS[w_below(w, 3)] : HF_OK;
}

static void add(struct world *w, const struct model *m, const struct mood *mood, int who, struct m_sync *sync) {
	static const char *const VERSIONS[] = {"v0", "v1", "v2", ""};
	bool own = strcmp(w->ids[who].zone, sync->zone) == 0;
	if (sync->n == M_ITEMS)
		return;
	struct m_item *item = &sync->items[sync->n++];
	*item = (struct m_item){.who = who, .refused = random_refusal(w, mood)};
	w_config(w, who, mood->changed, &item->fingerprint, &item->raw);
	if (sync->mode == HF_SYNC_MANIFEST) {
		item->role = HF_SYNC_ENTRY;
		item->version = w_chance(w, 40) ? VERSIONS[w_below(w, 4)] : NULL;
		if (w_chance(w, 5)) /* what a lease without a configuration has */
			memset(&item->fingerprint, 0, sizeof item->fingerprint);
	} else if (sync->mode == HF_SYNC_DELTA && own && w_chance(w, mood->removed)) {
		item->role = HF_SYNC_REMOVED;
	} else {
		item->role = HF_SYNC_SERVICE;
		add_claims(w, m, mood, sync, item);
	}
	if (item->refused && sync->mode != HF_SYNC_MANIFEST && w_chance(w, 60)) {
		item->role = w_chance(w, 50) ? HF_SYNC_UNREADABLE : HF_SYNC_NOBODYS;
		item->who = -1;
	}
}

static void shuffle(struct world *w, struct m_sync *sync) {
	for (int i = sync->n - 1; i > 0; i--) {
		int k = w_below(w, i + 1);
		struct m_item swap = sync->items[i];
		sync->items[i] = sync->items[k];
		sync->items[k] = swap;
	}
}

static void add_all(struct world *w, const struct model *m, const struct mood *mood, struct m_sync *sync) {
	int vanished = w_chance(w, 15) ? w_below(w, 3) : -1;
	for (int who = 0; who < w->profile->identities; who++) {
		const struct hf_identity *id = &w->ids[who];
		const struct m_lease *lease = &m->leases[who];
		bool own = strcmp(id->zone, sync->zone) == 0;
		bool inside = (!sync->kind || (int)id->kind == sync->kind) && (!sync->mesh[0] || strcmp(id->mesh, sync->mesh) == 0);
		int chance = !inside ? mood->outside : lease->exists && !lease->quarantined ? mood->listed : mood->fresh;
		if (vanished >= 0 && strcmp(id->mesh, W_MESHES[vanished]) == 0)
			chance = 0; /* a mesh that the control plane does not see */
		if (!own)
			chance = sync->mode == HF_SYNC_MANIFEST ? 0 : chance * mood->foreign / 100;
		if (!w_chance(w, chance))
			continue;
		add(w, m, mood, who, sync);
		if (w_chance(w, mood->twice))
			add(w, m, mood, who, sync);
	}
	shuffle(w, sync);
}

/* Both of an empty and of a complete list, and what lies between. */
void w_sync(struct world *w, const struct model *m, struct m_sync *ret) {
	static const int PERCENTS[] = {0, 20, 20, 20, 50, 99, 100, 100};
	struct mood mood = random_mood(w);
	int mode = w_below(w, 10);
	ret->mode = mode < 6 ? HF_SYNC_FULL : mode < 9 ? HF_SYNC_DELTA : HF_SYNC_MANIFEST;
	ret->zone = W_ZONES[w_zone(w)];
	ret->kind = ret->mode != HF_SYNC_FULL && w_chance(w, 40) ? 0 : w_chance(w, 60) ? HF_MESH_SERVICE : 1 + w_below(w, HF_KINDS);
	ret->mesh = w_chance(w, 50) ? "" : W_MESHES[w_below(w, 3)];
	ret->has_epoch = w_chance(w, 30);
	ret->epoch = w_epoch(w, &m->zones[m_find_zone(m, ret->zone)], 20);
	ret->dry_run = w_chance(w, 12);
	ret->force = w_chance(w, 20);
	ret->percent = PERCENTS[w_below(w, 8)];
	ret->renames = w_chance(w, 70);
	ret->n = 0;
	add_all(w, m, &mood, ret);
}
