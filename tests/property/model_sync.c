/* model_sync.c — syncs, naively: who is listed is found by looking at every item, and every pass looks at all of them. */
#include "model_sync.h"

#include <string.h>

#include "model_moves.h"

bool m_sync_is_of_zone(const struct model *m, const struct m_sync *sync, int who) {
	return strcmp(m->ids[who].zone, sync->zone) == 0;
}

bool m_sync_in_scope(const struct model *m, const struct m_sync *sync, int who) {
	return (!sync->kind || (int)m->ids[who].kind == sync->kind) &&
	       (!sync->mesh[0] || strcmp(m->ids[who].mesh, sync->mesh) == 0);
}

static bool is_active(const struct model *m, int who) { return m->leases[who].exists && !m->leases[who].quarantined; }

static bool is_listed(const struct m_sync *sync, int who, int before) {
	for (int i = 0; i < before; i++)
		if (sync->items[i].who == who)
			return true;
	return false;
}

bool m_sync_has_unreadable(const struct m_sync *sync) {
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].who < 0 && sync->items[i].role != HF_SYNC_NOBODYS)
			return true;
	return false;
}

/* Whether an item is in vain: another of its identity goes before. What is listed goes before what is removed. */
static bool is_repeated(const struct m_sync *sync, int at) {
	bool removed = sync->items[at].role == HF_SYNC_REMOVED;
	for (int i = 0; i < sync->n; i++) {
		bool other_removed = sync->items[i].role == HF_SYNC_REMOVED;
		if (sync->items[i].who == sync->items[at].who && (removed == other_removed ? i < at : removed))
			return true;
	}
	return false;
}

/* Why an item is rejected, whatever the store holds. */
static enum hf_err judge_item(const struct model *m, const struct m_sync *sync, int i) {
	const struct m_item *item = &sync->items[i];
	if (item->refused)
		return item->refused;
	return !m_sync_in_scope(m, sync, item->who) || is_repeated(sync, i) ? HF_E_INVALID_PARAMETER : HF_OK;
}

static void set_lease_of(const struct model *m, const struct m_sync *sync, struct m_item *item, int who) {
	item->has_lease = m->leases[who].exists;
	item->lease = m->leases[who];
	item->claim_refused = false;
	for (int c = 0; c < item->n_claims && (item->has_lease || !m_sync_is_of_zone(m, sync, item->who)); c++) {
		bool has = item->has_lease && m_binds(&item->lease, item->claims[c].n);
		item->claim_refused = item->claim_refused || !has;
	}
}

static void set_lease(const struct model *m, const struct m_sync *sync, struct m_item *item) {
	set_lease_of(m, sync, item, item->who);
}

/* Whether a service came without an address that it has. */
static bool forgets(const struct m_item *item) {
	for (int v = 0; v < item->lease.n_vips; v++) {
		bool brings = false;
		for (int c = 0; c < item->n_claims; c++)
			brings = brings || item->claims[c].n == item->lease.vips[v];
		if (!brings)
			return true;
	}
	return false;
}

static struct hf_acquire request_of(const struct model *m, const struct m_item *item) {
	struct hf_acquire request = {.want.id = m->ids[item->who],
				     .want.has_config = true,
				     .want.has_fingerprint = true,
				     .want.fingerprint_version = 1,
				     .want.fingerprint = item->fingerprint,
				     .want.raw = item->raw,
				     .want.n_claims = item->n_claims};
	memcpy(request.want.claims, item->claims, sizeof item->claims);
	return request;
}

static bool is_needed(const struct model *m, const struct m_item *item) {
	const struct m_lease *lease = &m->leases[item->who];
	if (!is_active(m, item->who))
		return true;
	if (item->version)
		return strcmp(lease->version, item->version) != 0;
	return lease->fingerprint_version == 0 || memcmp(&lease->fingerprint, &item->fingerprint, sizeof lease->fingerprint) != 0;
}

static void decide_service(struct model *m, struct m_sync *sync, struct m_item *item) {
	struct hf_acquire request = request_of(m, item);
	const struct m_lease *lease = &m->leases[item->who];
	struct m_answer answer = m_acquire_as(m, &request, false, HF_CAUSE_SYNC);
	sync->avoided += item->has_lease && forgets(item);
	if (!lease->exists) {
		item->todo = M_CREATE;
		item->outcome = HF_SYNC_CREATED;
	} else if (answer.peek == HF_PEEK_DONE) {
		item->outcome = HF_SYNC_UNCHANGED;
	} else {
		item->todo = M_KEEP;
		item->outcome = lease->quarantined ? HF_SYNC_RESTORED : HF_SYNC_UPDATED;
	}
}

static void decide_item(struct model *m, struct m_sync *sync, int i) {
	struct m_item *item = &sync->items[i];
	item->todo = M_NOTHING;
	item->has_lease = item->claim_refused = false;
	item->from = -1;
	item->err = judge_item(m, sync, i);
	item->outcome = HF_SYNC_REJECTED;
	if (item->err)
		return;
	set_lease(m, sync, item);
	if (item->role == HF_SYNC_ENTRY) {
		item->outcome = is_needed(m, item) ? HF_SYNC_NEEDED : HF_SYNC_UNCHANGED;
	} else if (item->role == HF_SYNC_REMOVED) {
		bool release = is_active(m, item->who);
		item->todo = release ? M_RELEASE : M_NOTHING;
		item->outcome = release ? HF_SYNC_RELEASED : HF_SYNC_UNCHANGED;
		sync->releases += release;
	} else if (!m_sync_is_of_zone(m, sync, item->who)) {
		item->outcome = HF_SYNC_FOREIGN;
	} else {
		decide_service(m, sync, item);
	}
}

static bool is_renamed(const struct m_sync *sync, int who) {
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].todo == M_RENAME && sync->items[i].from == who)
			return true;
	return false;
}

/* Items that are renamed; what a delta removes by another name is not released. */
static void decide_renames(const struct model *m, struct m_sync *sync) {
	m_find_renamed(m, sync);
	for (int i = 0; i < sync->n; i++) {
		struct m_item *item = &sync->items[i];
		if (item->from < 0)
			continue;
		item->todo = M_RENAME;
		item->outcome = HF_SYNC_TRANSFERRED;
		set_lease_of(m, sync, item, item->from);
	}
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].todo == M_RELEASE && is_renamed(sync, sync->items[i].who)) {
			sync->items[i].todo = M_NOTHING;
			sync->items[i].outcome = HF_SYNC_UNCHANGED;
			sync->releases--;
		}
}

/* The active leases of the scope, and those of them that a complete list does not have. */
static void decide_unlisted(const struct model *m, struct m_sync *sync) {
	for (int who = 0; who < M_IDENTITIES; who++) {
		if (!is_active(m, who) || !m_sync_is_of_zone(m, sync, who) || !m_sync_in_scope(m, sync, who))
			continue;
		sync->active++;
		if (sync->mode == HF_SYNC_DELTA || is_listed(sync, who, sync->n) || is_renamed(sync, who))
			continue;
		if (sync->mode == HF_SYNC_FULL && m_sync_has_unreadable(sync)) {
			sync->summary.release_skipped++;
			continue;
		}
		sync->unlisted[sync->n_unlisted++] = who;
		sync->releases++;
	}
}

/* The state is not altered. */
static enum hf_err decide(struct model *m, struct m_sync *sync) {
	const struct m_zone *zone = &m->zones[m_find_zone(m, sync->zone)];
	if (sync->has_epoch && sync->epoch != zone->epoch)
		return HF_E_STALE_EPOCH;
	sync->summary = (struct hf_sync_summary){.release_skipped = 0};
	sync->active = sync->releases = sync->avoided = 0;
	sync->n_unlisted = 0;
	for (int i = 0; i < sync->n; i++)
		decide_item(m, sync, i);
	decide_renames(m, sync);
	decide_unlisted(m, sync);
	return HF_OK;
}

static void conclude(const struct model *m, struct m_sync *sync) {
	const struct m_zone *zone = &m->zones[m_find_zone(m, sync->zone)];
	struct hf_scope sum;
	for (int i = 0; i < sync->n; i++)
		sync->summary.of[sync->items[i].outcome]++;
	sync->summary.of[HF_SYNC_RELEASED] += (uint64_t)sync->n_unlisted;
	m_zone_sum(m, sync->zone, &sum);
	sync->digest = sum.digest;
	sync->revision = m->revision;
	sync->zone_epoch = zone->epoch;
	sync->zone_known = zone->seen;
}

/* What went before is known inside the write alone. */
static enum hf_err judge_releases(const struct model *m, struct m_sync *sync, bool in_write) {
	if (sync->releases == 0)
		return HF_OK;
	if (m->zones[m_find_zone(m, sync->zone)].state == HF_ZONE_OFFLINE && !sync->force)
		return HF_E_ZONE_OFFLINE;
	sync->guarded_empty = sync->guarded_part = sync->guarded_worn = false;
	if (m_sync_is_guarded(m, sync, false))
		return HF_E_MASS_RELEASE_GUARD;
	sync->guarded_worn = in_write && m_sync_is_guarded(m, sync, true);
	return sync->guarded_worn ? HF_E_MASS_RELEASE_GUARD : HF_OK;
}

/* Only a commit can tell what new services would get: a refusal's summary needs it. */
static bool creates(const struct m_sync *sync) {
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].todo == M_CREATE)
			return true;
	return false;
}

enum hf_err m_sync_peek(const struct model *m, struct m_sync *sync, bool *ret_write) {
	enum hf_err err = decide((struct model *)m, sync);
	if (err)
		return err;
	conclude(m, sync);
	if (sync->mode != HF_SYNC_MANIFEST)
		err = judge_releases(m, sync, false);
	if (err == HF_E_ZONE_OFFLINE || (err && !creates(sync)))
		return err;
	*ret_write = sync->mode != HF_SYNC_MANIFEST && sync->n_unlisted > 0;
	for (int i = 0; i < sync->n; i++)
		if (sync->mode != HF_SYNC_MANIFEST && sync->items[i].todo != M_NOTHING)
			*ret_write = true;
	return HF_OK;
}

/* The lease with all that it has and the document's configuration; whatever it was, it is active. */
static void rename_all(struct model *m, struct m_sync *sync) {
	for (int from = 0; from < M_IDENTITIES; from++)
		for (int i = 0; i < sync->n; i++) {
			struct m_item *item = &sync->items[i];
			if (item->todo != M_RENAME || item->from != from)
				continue;
			struct m_lease *lease = &m->leases[from];
			if (lease->quarantined)
				m_end_wear(m, from);
			if (memcmp(&lease->fingerprint, &item->fingerprint, sizeof lease->fingerprint) != 0) {
				lease->generation++;
				lease->version[0] = '\0';
			}
			lease->fingerprint_version = 1;
			lease->fingerprint = item->fingerprint;
			lease->raw = item->raw;
			lease->quarantined = lease->forced = false;
			lease->until_ms = 0;
			m_hand_over(m, from, item->who, HF_CAUSE_SYNC);
			item->todo = M_NOTHING;
			set_lease(m, sync, item);
		}
}

static void acquire(struct model *m, const struct m_sync *sync, struct m_item *item) {
	struct hf_acquire request = request_of(m, item);
	struct m_answer answer = m_acquire_as(m, &request, true, HF_CAUSE_SYNC);
	item->todo = M_NOTHING;
	item->err = answer.err;
	item->outcome = answer.err ? HF_SYNC_REJECTED : (enum hf_sync_outcome)answer.outcome;
	set_lease(m, sync, item);
}

/* How much of what a new service needs its claims would give it now: 0 nothing, 1 a part, 2 everything. */
static int claimed(const struct model *m, const struct m_item *item) {
	struct hf_acquire request = request_of(m, item);
	int p = m_choose_pool(m, &request), needed = 0, had = 0;
	for (int family = HF_IPV4; p >= 0 && family <= HF_IPV6; family++) {
		bool has = false;
		if (!m_pool_has_family(&m->pools[p], (enum hf_family)family))
			continue;
		for (int c = 0; c < item->n_claims; c++)
			has = has || ((int)m_family(item->claims[c].n) == family && m_may_have(m, p, item->claims[c].n));
		needed++;
		had += has;
	}
	return had == 0 ? 0 : had < needed ? 1 : 2;
}

/* The item of an identity that is to be created, at least so much of it being claimed; NULL if there is none. */
static struct m_item *to_create(const struct model *m, struct m_sync *sync, int who, int least) {
	for (int i = 0; i < sync->n; i++)
		if (sync->items[i].who == who && sync->items[i].todo == M_CREATE && claimed(m, &sync->items[i]) >= least)
			return &sync->items[i];
	return NULL;
}

static bool has(const hf_u128 *list, int n, hf_u128 a) {
	while (n > 0 && list[n - 1] != a)
		n--;
	return n > 0;
}

/* What is set apart in a sync, each address for one identity. */
struct apart {
	int n;
	hf_u128 vips[M_ITEMS * HF_CLAIMS_MAX];
	int whose[M_ITEMS * HF_CLAIMS_MAX];
	bool claimed[M_ITEMS * HF_CLAIMS_MAX];
};

/* What is set apart for others is to be avoided. */
static void avoid_others(struct model *m, const struct apart *apart, int who) {
	static hf_u128 avoid[M_ITEMS * HF_CLAIMS_MAX];
	m->avoid = avoid;
	m->n_avoid = 0;
	for (int i = 0; i < apart->n; i++)
		if (apart->whose[i] != who)
			avoid[m->n_avoid++] = apart->vips[i];
}

static bool is_apart_for(const struct apart *apart, int who, bool claimed) {
	for (int i = 0; i < apart->n; i++)
		if (apart->whose[i] == who && apart->claimed[i] == claimed)
			return true;
	return false;
}

/* One claim of a family; the first who claims an address has it. */
static void set_claims_apart(struct model *m, const struct m_item *item, struct apart *apart) {
	bool served[HF_FAMILIES] = {false};
	struct hf_acquire request = request_of(m, item);
	int p = m_choose_pool(m, &request);
	for (int c = 0; c < item->n_claims; c++) {
		hf_u128 a = item->claims[c].n;
		if (served[m_family(a)] || !m_free(m, p, a) || has(apart->vips, apart->n, a))
			continue;
		served[m_family(a)] = true;
		apart->whose[apart->n] = item->who;
		apart->claimed[apart->n] = true;
		apart->vips[apart->n++] = a;
	}
}

/* What an identity had, where it claims nothing that it can have. */
static void set_memory_apart(struct model *m, const struct m_item *item, struct apart *apart) {
	struct hf_acquire request = request_of(m, item);
	int p = m_choose_pool(m, &request), n = apart->n;
	for (int family = HF_IPV4; p >= 0 && family <= HF_IPV6; family++) {
		hf_u128 a;
		bool served = false;
		for (int i = 0; i < n; i++)
			served = served || (apart->whose[i] == item->who && (int)m_family(apart->vips[i]) == family);
		if (served || !m_pool_has_family(&m->pools[p], (enum hf_family)family) ||
		    !m_recall(m, item->who, p, (enum hf_family)family, &a))
			continue;
		apart->whose[apart->n] = item->who;
		apart->claimed[apart->n] = false;
		apart->vips[apart->n++] = a;
	}
}

static void give_back(struct apart *apart, int who) {
	int kept = 0;
	for (int i = 0; i < apart->n; i++)
		if (apart->whose[i] != who) {
			apart->whose[kept] = apart->whose[i];
			apart->claimed[kept] = apart->claimed[i];
			apart->vips[kept++] = apart->vips[i];
		}
	apart->n = kept;
}

/* Acquires those for whom something is set apart: what they do not get of it is anybody's from then on. */
static void acquire_apart(struct model *m, struct m_sync *sync, struct apart *apart, bool claimed) {
	struct m_item *item;
	for (int who = 0; who < M_IDENTITIES; who++) {
		if (!is_apart_for(apart, who, claimed) || !(item = to_create(m, sync, who, 0)))
			continue;
		avoid_others(m, apart, who);
		acquire(m, sync, item);
		give_back(apart, who);
	}
	m->n_avoid = 0;
}

/* Restores and updates; whose addresses are all claimed; whose addresses are claimed in part; of whom something is remembered; the
 * rest. In each by identity. */
static void acquire_all(struct model *m, struct m_sync *sync) {
	static struct apart apart;
	struct m_item *item;
	apart.n = 0;
	for (int who = 0; who < M_IDENTITIES; who++)
		for (int i = 0; i < sync->n; i++)
			if (sync->items[i].who == who && sync->items[i].todo == M_KEEP)
				acquire(m, sync, &sync->items[i]);
	for (int who = 0; who < M_IDENTITIES; who++)
		if ((item = to_create(m, sync, who, 2)))
			acquire(m, sync, item);
	for (int who = 0; who < M_IDENTITIES; who++) {
		avoid_others(m, &apart, -1);
		if ((item = to_create(m, sync, who, 1)))
			set_claims_apart(m, item, &apart);
	}
	sync->claimed_in_part = (uint64_t)apart.n;
	for (int who = 0; who < M_IDENTITIES; who++) {
		avoid_others(m, &apart, who);
		if ((item = to_create(m, sync, who, 0)))
			set_memory_apart(m, item, &apart);
	}
	acquire_apart(m, sync, &apart, true);
	acquire_apart(m, sync, &apart, false);
	for (int who = 0; who < M_IDENTITIES; who++)
		if ((item = to_create(m, sync, who, 0)))
			acquire(m, sync, item);
}

static void release(struct model *m, const struct m_sync *sync, int who) {
	m_quarantine(m, who, HF_CAUSE_SYNC);
	if (sync->percent < 100)
		m_wear(m, who, m->leases[who].revision);
}

static void release_all(struct model *m, struct m_sync *sync) {
	m_sync_end_wear(m, sync);
	for (int who = 0; who < M_IDENTITIES; who++)
		for (int i = 0; i < sync->n; i++)
			if (sync->items[i].who == who && sync->items[i].todo == M_RELEASE) {
				release(m, sync, who);
				set_lease(m, sync, &sync->items[i]);
			}
	for (int i = 0; i < sync->n_unlisted; i++)
		release(m, sync, sync->unlisted[i]);
}

enum hf_err m_sync_commit(struct model *m, struct m_sync *sync) {
	enum hf_err err = decide(m, sync);
	bool known = m->zones[m_find_zone(m, sync->zone)].seen;
	if (err)
		return err;
	enum hf_err refusal = judge_releases(m, sync, true);
	if (refusal == HF_E_ZONE_OFFLINE)
		return refusal;
	rename_all(m, sync);
	acquire_all(m, sync);
	release_all(m, sync);
	conclude(m, sync);
	if (sync->dry_run)
		sync->zone_known = known;
	return refusal;
}
