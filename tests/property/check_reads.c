/* check_reads.c — what readers are told: lists, addresses, history, the feed. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

#include "model_moves.h"
#include "storage/requests/address_query.h"
#include "storage/requests/lease_query.h"
#include "storage/tables/change_table.h"

/* Things that come one by one, against the model's, in order. */
struct listing {
	struct run *run;
	int n, at;
	int expected[M_IDENTITIES];
};

static void list_lease(void *context, const struct hf_lease *lease) {
	struct listing *l = context;
	if (l->at == l->n)
		c_fail(l->run, "list: \"%s\" is not expected", lease->id.service);
	int who = l->expected[l->at++];
	c_lease(l->run, "list", lease, who, &l->run->model.leases[who]);
}

static struct hf_filter random_filter(struct run *run) {
	struct world *w = &run->world;
	const struct hf_identity *id = &w->ids[w_identity(w)];
	struct hf_filter f = {.kind = id->kind};
	f.has_kind = w_chance(w, 30);
	if (w_chance(w, 40))
		strcpy(f.zone, id->zone);
	if (w_chance(w, 40))
		strcpy(f.mesh, id->mesh);
	if (w_chance(w, 20))
		strcpy(f.pool, M_POOL_NAMES[w_below(w, M_POOLS)]);
	if (w_chance(w, 40)) {
		strcpy(f.service, id->service);
		f.service_is_prefix = w_chance(w, 70);
		if (f.service_is_prefix)
			f.service[(size_t)w_below(w, (int)strlen(f.service) + 1)] = '\0';
	}
	if (w_chance(w, 30))
		f.state = w_chance(w, 50) ? HF_ACTIVE : HF_QUARANTINED;
	return f;
}

static bool passes(const struct model *m, const struct hf_filter *f, int who) {
	const struct m_lease *lease = &m->leases[who];
	const struct hf_identity *id = &m->ids[who];
	return lease->exists && (!f->has_kind || id->kind == f->kind) && (!f->zone[0] || strcmp(id->zone, f->zone) == 0) &&
	       (!f->mesh[0] || strcmp(id->mesh, f->mesh) == 0) &&
	       (!f->pool[0] || strcmp(m->pools[lease->pool].name, f->pool) == 0) &&
	       (f->service_is_prefix ? strncmp(id->service, f->service, strlen(f->service)) == 0
				     : !f->service[0] || strcmp(id->service, f->service) == 0) &&
	       (!f->state || (f->state == HF_QUARANTINED) == lease->quarantined);
}

static void read_list(struct run *run) {
	struct hf_filter filter = random_filter(run);
	struct listing l = {.run = run};
	struct hf_list_page page = {.more = true};
	int limit = 1 + w_below(&run->world, w_chance(&run->world, 50) ? 10 : 200);
	for (int who = 0; who < M_IDENTITIES; who++)
		if (passes(&run->model, &filter, who))
			l.expected[l.n++] = who;
	for (bool first = true; page.more; first = false) {
		struct hf_key after = page.last;
		int before = l.at;
		c_err(run, "list", hf_lease_list(run->f.reader, &filter, first ? NULL : &after, limit, list_lease, &l, NULL, &page),
		      HF_OK);
		if (l.at - before > limit || (page.more && l.at - before < limit))
			c_fail(run, "list: a page of %d leases; the limit is %d, and more: %d", l.at - before, limit, page.more);
		if (page.revision != run->model.revision)
			c_fail(run, "list: revision %" PRIu64 ", expected %" PRIu64, page.revision, run->model.revision);
	}
	if (l.at != l.n)
		c_fail(run, "list: %d leases, expected %d", l.at, l.n);
}

static void read_lease(struct run *run) {
	int who = w_identity(&run->world);
	const struct m_lease *m = &run->model.leases[who];
	struct hf_lease lease;
	c_err(run, "get", hf_lease_get(run->f.reader, &run->world.ids[who], NULL, &lease), m->exists ? HF_OK : HF_E_NOT_FOUND);
	if (m->exists)
		c_lease(run, "get", &lease, who, m);
}

static enum hf_address_state state_of(const struct model *m, hf_u128 a, int who, int *ret_pool) {
	*ret_pool = who >= 0 ? m_pool_at(m, a) : -1;
	if (who >= 0)
		return m->leases[who].quarantined ? HF_ADDRESS_QUARANTINED : HF_ADDRESS_LEASED;
	for (int p = 0; p < M_POOLS; p++) {
		const struct m_config *c = &m->pools[p].config;
		if (!m->pools[p].exists || !m_in(c->cidrs, c->n_cidrs, a))
			continue;
		*ret_pool = p;
		return m_in(c->reserved, c->n_reserved, a) ? HF_ADDRESS_RESERVED : HF_ADDRESS_FREE;
	}
	return HF_ADDRESS_UNMANAGED;
}

static void read_address(struct run *run) {
	const struct model *m = &run->model;
	struct hf_addr a = w_address(&run->world, m);
	struct hf_address_info info;
	int p, who = m_holder_of(m, a.n);
	enum hf_address_state state = state_of(m, a.n, who, &p);
	c_err(run, "address", hf_address_read(run->f.reader, a, NULL, &info), HF_OK);
	if (info.state != state || info.has_lease != (who >= 0) || strcmp(info.pool, p >= 0 ? m->pools[p].name : "") != 0) {
		char text[HF_ADDR_TEXT];
		hf_addr_format(a, text);
		c_fail(run, "address %s: %s in pool \"%s\", expected %s in pool \"%s\"", text, hf_address_state_name(info.state),
		       info.pool, hf_address_state_name(state), p >= 0 ? m->pools[p].name : "");
	}
	if (who >= 0)
		c_lease(run, "address", &info.lease, who, &m->leases[who]);
}

static bool asked(const struct m_holder *h, int64_t at_ms, int64_t now_ms) {
	bool kept = h->open || h->to_ms + M_HISTORY_MS > now_ms;
	return kept && (at_ms < 0 || (h->from_ms <= at_ms && (h->open || at_ms < h->to_ms)));
}

static void read_history(struct run *run) {
	struct model *m = &run->model;
	struct world *w = &run->world;
	struct hf_holder is[HF_HISTORY_HOLDERS];
	struct hf_addr a = w_address(w, m);
	if (m->n_addresses > 0 && w_chance(w, 60))
		a.n = m->keys[w_below(w, m->n_addresses)];
	const struct m_address *address = m_address(m, a.n);
	int64_t now_ms = run->f.now_ms, at_ms = -1;
	if (address && address->n > 0 && w_chance(w, 40)) { /* the moment of a change, and the one before it */
		const struct m_holder *holder = &address->holders[w_below(w, address->n)];
		at_ms = (holder->open || w_chance(w, 50) ? holder->from_ms : holder->to_ms) - w_below(w, 2);
	} else if (w_chance(w, 50))
		at_ms = now_ms - (int64_t)(w_next(w) % (uint64_t)(w_chance(w, 50) ? 600000 : 2 * M_HISTORY_MS));
	int n = hf_holders_read(run->f.reader, a, at_ms, now_ms, is), expected = 0;
	for (int h = address ? address->n - 1 : -1; h >= 0 && expected < (at_ms >= 0 ? 1 : HF_HISTORY_HOLDERS); h--) {
		const struct m_holder *holder = &address->holders[h];
		if (!asked(holder, at_ms, now_ms))
			continue;
		const struct hf_holder *got = &is[expected];
		if (expected++ >= n || m_identity_order(&got->id, &m->ids[holder->who]) != 0 ||
		    got->from_revision != holder->from_revision || got->from_ms != holder->from_ms ||
		    got->to_ms != (holder->open ? 0 : holder->to_ms) || strcmp(got->by, holder->by) != 0)
			c_fail(run, "history: holder %d of %d differs", expected, n);
	}
	if (n != expected)
		c_fail(run, "history: %d holders, expected %d", n, expected);
}

struct reading {
	struct run *run;
	struct hf_feed_query query;
	uint64_t at; /* the next change that can be asked for */
};

static bool is_of(const struct hf_feed_query *q, const struct hf_identity *id) {
	return (!q->has_kind || q->kind == id->kind) && (!q->zone[0] || strcmp(q->zone, id->zone) == 0) &&
	       (!q->mesh[0] || strcmp(q->mesh, id->mesh) == 0);
}

static bool feed_has(const struct model *m, const struct hf_feed_query *q, uint64_t revision) {
	const struct m_change *c = m_change(m, revision);
	const struct hf_identity *id = c->who >= 0 ? &m->ids[c->who] : NULL;
	if (!q->has_kind && !q->zone[0] && !q->mesh[0])
		return true;
	return (id && is_of(q, id)) || (c->from >= 0 && is_of(q, &m->ids[c->from]));
}

/* Who had the lease before: of a transfer alone. */
static bool same_from(const struct model *m, const struct hf_change *is, const struct m_change *c) {
	static const struct hf_identity nobody;
	return c->from >= 0 ? m_identity_order(&is->from, &m->ids[c->from]) == 0 : memcmp(&is->from, &nobody, sizeof nobody) == 0;
}

static bool same_previous(const struct hf_change *is, const struct m_change *c) {
	bool same = is->n_previous == c->n_previous;
	for (int i = 0; same && i < c->n_previous; i++)
		same = is->previous[i].address.n == c->previous[i].a && is->previous[i].until_ms == c->previous[i].until_ms;
	return same;
}

static void read_change(void *context, const struct hf_change *is) {
	struct reading *r = context;
	const struct model *m = &r->run->model;
	while (r->at < m->revision && !feed_has(m, &r->query, r->at))
		r->at++;
	const struct m_change *c = m_change(m, r->at);
	bool same =
		is->revision == r->at && is->at_ms == c->at_ms && is->type == c->type && is->cause == c->cause &&
		strcmp(is->by, c->by) == 0 && strcmp(is->pool, m->pools[c->pool].name) == 0 && is->has_lease == (c->who >= 0) &&
		(c->who < 0 || (m_identity_order(&is->id, &m->ids[c->who]) == 0 && is->generation == c->generation &&
				is->n_vips == c->n_vips && memcmp(is->vips, c->vips, sizeof c->vips[0] * (size_t)c->n_vips) == 0));
	same = same && same_from(m, is, c) && (c->who < 0 || same_previous(is, c));
	if (!same)
		c_fail(r->run, "feed: %s of \"%s\" at revision %" PRIu64 ", expected %s of \"%s\" at revision %" PRIu64,
		       hf_change_type_name(is->type), is->id.service, is->revision, hf_change_type_name(c->type),
		       c->who >= 0 ? m->ids[c->who].service : "", r->at);
	r->at++;
}

static void read_feed(struct run *run) {
	const struct model *m = &run->model;
	struct world *w = &run->world;
	const struct hf_identity *id = &w->ids[w_identity(w)];
	struct reading r = {.run = run, .query = {.limit = 1 + w_below(w, 100), .kind = id->kind}};
	struct hf_feed_page page = {0};
	uint64_t from = w_chance(w, 90) ? m->compacted : 0;
	r.query.since = from + w_next(w) % (m->revision - from + 2);
	r.query.has_kind = w_chance(w, 20);
	if (w_chance(w, 20))
		strcpy(r.query.zone, id->zone);
	if (w_chance(w, 20))
		strcpy(r.query.mesh, id->mesh);
	enum hf_err expected = r.query.since > m->revision    ? HF_E_INVALID_PARAMETER
			       : r.query.since < m->compacted ? HF_E_REVISION_COMPACTED
							      : HF_OK;
	uint64_t last = r.query.since;
	for (int n = 0; !expected && last < m->revision && n < r.query.limit;)
		n += feed_has(m, &r.query, ++last);
	r.at = r.query.since + 1;
	c_err(run, "feed", hf_feed_read(run->f.reader, &r.query, read_change, &r, NULL, &page), expected);
	for (; !expected && r.at <= last; r.at++)
		if (feed_has(m, &r.query, r.at))
			c_fail(run, "feed: revision %" PRIu64 " is missing", r.at);
	if (!expected && (page.examined != last || page.more != (last < m->revision)))
		c_fail(run, "feed: examined up to %" PRIu64 ", expected %" PRIu64 "; more: %d", page.examined, last, page.more);
}

void c_new_changes(struct run *run) {
	const struct model *m = &run->model;
	uint64_t since = run->feed_checked > m->compacted ? run->feed_checked : m->compacted;
	struct reading r = {.run = run, .query = {.since = since, .limit = HF_FEED_EXAMINED_MAX}, .at = since + 1};
	struct hf_feed_page page = {.more = true};
	for (; page.more; r.query.since = page.examined)
		c_err(run, "feed", hf_feed_read(run->f.reader, &r.query, read_change, &r, NULL, &page), HF_OK);
	if (page.examined != m->revision || r.at != m->revision + 1)
		c_fail(run, "feed: it ends with %" PRIu64 ", expected %" PRIu64, page.examined, m->revision);
	run->feed_checked = m->revision;
}

void c_random_read(struct run *run) {
	static void (*const READS[])(struct run * run) = {read_list, read_lease, read_address, read_history, read_feed};
	READS[w_below(&run->world, 5)](run);
}
