/* returns.c — control planes that come back after a restore, with what they hold. */
#include "returns.h"

#include <string.h>

#include "seen.h"
#include "syncs.h"
#include "words.h"
#include "writes.h"

/* What the services use, whatever the store knows. */
static struct held {
	bool is;
	int pool, n_vips;
	hf_u128 vips[2];
} HELD[M_IDENTITIES];

/* What a service must get back: those of its addresses that are free, of the pool where the first of them lies. */
struct due {
	int who, n;
	hf_u128 vips[2];
	bool all; /* the pool has no family besides */
};

void returns_note(const struct model *m) {
	for (int who = 0; who < M_IDENTITIES; who++) {
		const struct m_lease *lease = &m->leases[who];
		HELD[who] = (struct held){.is = lease->exists && !lease->quarantined, .pool = lease->pool, .n_vips = lease->n_vips};
		memcpy(HELD[who].vips, lease->vips, sizeof lease->vips);
	}
}

/* The pool that has the first of a service's addresses that is free there, whatever other pools there are; -1: none does. */
static int pool_of_its_own(const struct model *m, int who) {
	for (int v = 0; v < HELD[who].n_vips; v++) {
		int p = m_pool_for(m, &m->ids[who], HELD[who].vips[v]);
		if (p >= 0 && m_free(m, p, HELD[who].vips[v]))
			return p;
	}
	return -1;
}

static struct due due_to(const struct model *m, int who, int p) {
	const struct held *held = &HELD[who];
	struct due due = {.who = who, .all = true};
	if (m->leases[who].exists || p < 0)
		return (struct due){.who = who};
	for (int family = HF_IPV4; family <= HF_IPV6; family++) {
		bool found = false;
		for (int v = 0; v < held->n_vips; v++)
			if ((int)m_family(held->vips[v]) == family && m_free(m, p, held->vips[v])) {
				due.vips[due.n++] = held->vips[v];
				found = true;
			}
		due.all = due.all && (found || !m_pool_has_family(&m->pools[p], (enum hf_family)family));
	}
	return due;
}

/* The service has come back. Of a part of its addresses nothing follows if the pool has no others. */
static void check_due(struct run *run, const struct due *due) {
	const struct m_lease *lease = &run->model.leases[due->who];
	if (!lease->exists && due->n > 0 && due->all)
		c_fail(run, "\"%s\" has no lease, but its addresses were free", run->world.ids[due->who].service);
	for (int i = 0; lease->exists && i < due->n; i++) {
		bool has = false;
		for (int v = 0; v < lease->n_vips; v++)
			has = has || lease->vips[v] == due->vips[i];
		if (!has)
			c_fail(run, "\"%s\" has another address; its own was free", run->world.ids[due->who].service);
	}
	seen.adopted_back += lease->exists && due->n > 0;
}

static int claims_of(int who, struct hf_addr *ret) {
	for (int v = 0; v < HELD[who].n_vips; v++)
		ret[v].n = HELD[who].vips[v];
	return HELD[who].n_vips;
}

static struct hf_acquire request_of(struct world *w, int who) {
	struct hf_acquire request = {
		.want.id = w->ids[who], .want.has_config = true, .want.has_fingerprint = true, .want.fingerprint_version = 1};
	w_config(w, who, 5, &request.want.fingerprint, &request.want.raw);
	return request;
}

static void new_service(struct run *run) {
	int who = w_identity(&run->world);
	if (HELD[who].is || run->model.leases[who].exists)
		return;
	struct hf_acquire request = request_of(&run->world, who);
	say(run, "; new: ");
	do_acquire(run, &request);
	seen.new_first += run->model.n_lost > 0;
}

static void return_one(struct run *run, int who) {
	struct hf_acquire request = request_of(&run->world, who);
	int p = pool_of_its_own(&run->model, who);
	if (p < 0 && run->model.pools[HELD[who].pool].exists) { /* perhaps it named the pool, and does so again */
		p = HELD[who].pool;
		strcpy(request.want.pool, run->model.pools[p].name);
	}
	struct due due = due_to(&run->model, who, p);
	request.want.n_claims = claims_of(who, request.want.claims);
	say(run, "; back: ");
	do_acquire(run, &request);
	check_due(run, &due);
}

/* All at once. */
static void return_by_sync(struct run *run, const char *zone) {
	static struct m_sync sync;
	struct due due[M_IDENTITIES];
	struct world *w = &run->world;
	sync.mode = w_chance(w, 50) ? HF_SYNC_FULL : HF_SYNC_DELTA;
	sync.zone = zone;
	sync.kind = sync.mode == HF_SYNC_FULL ? 1 + w_below(w, HF_KINDS) : 0;
	sync.mesh = "";
	sync.percent = 100;
	sync.renames = w_chance(w, 50);
	sync.n = 0;
	for (int who = 0; who < M_IDENTITIES; who++) {
		const struct hf_identity *id = &w->ids[who];
		if (!HELD[who].is || strcmp(id->zone, zone) != 0 || (sync.kind && (int)id->kind != sync.kind))
			continue;
		struct m_item *item = &sync.items[sync.n];
		*item = (struct m_item){.role = HF_SYNC_SERVICE, .who = who};
		w_config(w, who, 5, &item->fingerprint, &item->raw);
		item->n_claims = claims_of(who, item->claims);
		due[sync.n++] = due_to(&run->model, who, pool_of_its_own(&run->model, who));
	}
	say(run, "; back: ");
	if (sync.n == 0 || !do_this_sync(run, &sync))
		return;
	for (int i = 0; i < sync.n; i++)
		if (sync.items[i].outcome == HF_SYNC_TRANSFERRED) /* its other addresses have gone with the lease */
			seen.renamed_back++;
		else
			check_due(run, &due[i]);
}

void do_returns(struct run *run) {
	struct world *w = &run->world;
	for (int n = w_chance(w, 60) ? 1 + w_below(w, 10) : 0; n > 0; n--)
		new_service(run);
	for (int i = 0, first = w_below(w, M_ZONES); i < M_ZONES; i++) {
		const char *zone = W_ZONES[(first + i) % M_ZONES];
		if (w_chance(w, 25))
			continue; /* it comes later */
		say(run, "; ");
		if (w_chance(w, 70))
			do_connect(run, zone);
		if (w_chance(w, 60)) {
			return_by_sync(run, zone);
			continue;
		}
		for (int who = 0; who < M_IDENTITIES; who++)
			if (HELD[who].is && strcmp(w->ids[who].zone, zone) == 0 && w_chance(w, 90))
				return_one(run, who);
	}
}
