/* model.c — leases and changes, naively. */
#include "model_moves.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void m_check(bool ok, const char *what) {
	if (!ok) {
		fprintf(stderr, "property: the model is too small: %s\n", what);
		abort();
	}
}

void m_new(struct model *m, uint64_t changes_max) {
	*m = (struct model){.changes_max = changes_max};
	m->changes = changes_max ? calloc(changes_max, sizeof *m->changes) : NULL;
	m->keys = calloc(M_ADDRESSES, sizeof *m->keys);
	m->addresses = calloc(M_ADDRESSES, sizeof *m->addresses);
	m_check((m->changes || !changes_max) && m->keys && m->addresses, "memory");
}

void m_reset(struct model *m) {
	struct model empty = {.changes_max = m->changes_max, .changes = m->changes, .keys = m->keys, .addresses = m->addresses};
	empty.remembered_max = m->remembered_max;
	*m = empty;
	m->due_ms = INT64_MAX;
	m->store_epoch = 1;
	for (int p = 0; p < M_POOLS; p++)
		strcpy(m->pools[p].name, M_POOL_NAMES[p]);
}

void m_copy(struct model *to, const struct model *from) {
	hf_u128 *keys = to->keys;
	struct m_address *addresses = to->addresses;
	*to = *from;
	to->keys = keys;
	to->addresses = addresses;
	memcpy(keys, from->keys, sizeof *keys * (size_t)from->n_addresses);
	memcpy(addresses, from->addresses, sizeof *addresses * (size_t)from->n_addresses);
}

size_t m_identity_bytes(const struct hf_identity *id, uint8_t bytes[HF_KEY_MAX + 1]) {
	return (size_t)snprintf((char *)bytes, HF_KEY_MAX + 1, "%s%c%s%c%c%s", id->zone, 0, id->mesh, 0, (int)id->kind,
				id->service);
}

int m_identity_order(const struct hf_identity *a, const struct hf_identity *b) {
	int order = strcmp(a->zone, b->zone);
	if (order == 0)
		order = strcmp(a->mesh, b->mesh);
	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	return order ? order : strcmp(a->service, b->service);
}

int m_find_zone(const struct model *m, const char *zone) {
	int z = 0;
	while (strcmp(m->zones[z].name, zone) != 0)
		z++;
	return z;
}

int m_find_identity(const struct model *m, const struct hf_identity *id) {
	int who = 0;
	while (m_identity_order(&m->ids[who], id) != 0)
		who++;
	return who;
}

void m_etag(const struct m_lease *lease, char text[HF_ETAG_TEXT]) {
	int n = sprintf(text, "\"%" PRIu64, lease->revision);
	if (lease->version[0]) {
		struct hf_digest d = hf_digest_of(lease->version, strlen(lease->version));
		n += sprintf(text + n, "-%02x%02x%02x%02x", d.bytes[0], d.bytes[1], d.bytes[2], d.bytes[3]);
	}
	strcpy(text + n, "\"");
}

void m_add_digest(const struct model *m, int who, struct hf_digest *into) {
	uint8_t bytes[HF_KEY_MAX + 1 + HF_DIGEST_BYTES]; /* the NUL behind the identity is the digest's separator, too */
	size_t n = m_identity_bytes(&m->ids[who], bytes);
	bytes[n] = 0;
	memcpy(bytes + n + 1, m->leases[who].fingerprint.bytes, HF_DIGEST_BYTES);
	struct hf_digest d = hf_digest_of(bytes, n + 1 + HF_DIGEST_BYTES);
	for (int i = 0; i < HF_DIGEST_BYTES; i++)
		into->bytes[i] ^= d.bytes[i];
}

void m_scope(const struct model *m, const struct hf_identity *scope, struct hf_scope *ret) {
	*ret = (struct hf_scope){0};
	for (int who = 0; who < M_IDENTITIES; who++) {
		const struct hf_identity *id = &m->ids[who];
		const struct m_lease *lease = &m->leases[who];
		if (!lease->exists || id->kind != scope->kind || strcmp(id->zone, scope->zone) != 0 ||
		    strcmp(id->mesh, scope->mesh) != 0)
			continue;
		(*(lease->quarantined ? &ret->quarantined : &ret->active))++;
		if (!lease->quarantined)
			m_add_digest(m, who, &ret->digest);
	}
}

int m_holder_of(const struct model *m, hf_u128 a) {
	for (int who = 0; who < M_IDENTITIES; who++)
		if (m->leases[who].exists && m_binds(&m->leases[who], a))
			return who;
	return -1;
}

struct m_address *m_address(const struct model *m, hf_u128 a) {
	for (int i = 0; i < m->n_addresses; i++)
		if (m->keys[i] == a)
			return &m->addresses[i];
	return NULL;
}

struct m_change *m_change(const struct model *m, uint64_t revision) {
	return &m->changes[revision - m->changes_base];
}

uint64_t m_record(struct model *m, enum hf_change_type type, enum hf_cause cause, int pool, int who) {
	m_check(++m->revision - m->changes_base < m->changes_max, "changes");
	struct m_change *change = m_change(m, m->revision);
	*change = (struct m_change){
		.at_ms = m->now_ms, .type = type, .cause = cause, .by = m->by, .pool = pool, .who = who, .from = -1};
	if (who >= 0) {
		change->generation = m->leases[who].generation;
		change->n_vips = m->leases[who].n_vips;
		memcpy(change->vips, m->leases[who].vips, sizeof change->vips);
		change->n_previous = m->leases[who].n_previous;
		memcpy(change->previous, m->leases[who].previous, sizeof change->previous);
	}
	return m->revision;
}

static bool tag_matches(const struct hf_condition *condition, const struct m_lease *lease) {
	char tag[HF_ETAG_TEXT];
	m_etag(lease, tag);
	for (int i = 0; i < condition->n; i++)
		if (strcmp(condition->tags[i], tag) == 0)
			return true;
	return condition->any;
}

enum hf_err m_judge_guard(const struct model *m, const struct hf_identity *id, const struct m_lease *lease,
			  const struct hf_guard *guard) {
	if (guard->has_epoch && guard->epoch != m->zones[m_find_zone(m, id->zone)].epoch)
		return HF_E_STALE_EPOCH;
	if (guard->if_match.stated && !(lease && tag_matches(&guard->if_match, lease)))
		return HF_E_PRECONDITION_FAILED;
	if (guard->if_none_match.stated && lease && tag_matches(&guard->if_none_match, lease))
		return HF_E_PRECONDITION_FAILED;
	return HF_OK;
}

/* A pool or an address that contradicts the lease. */
static bool contradicts(const struct model *m, const struct m_lease *lease, const struct hf_acquire *request) {
	if (request->want.pool[0] && strcmp(request->want.pool, m->pools[lease->pool].name) != 0)
		return true;
	for (int i = 0; i < request->want.n_addresses; i++) {
		bool has = false;
		for (int v = 0; v < lease->n_vips; v++)
			has = has || lease->vips[v] == request->want.addresses[i].n;
		if (!has)
			return true;
	}
	return false;
}

/* An address that is asked for must be in the pool's CIDRs, held by nobody, and not reserved. */
static enum hf_err judge_address(const struct model *m, int p, hf_u128 a) {
	const struct m_config *c = &m->pools[p].config;
	if (!m_in(c->cidrs, c->n_cidrs, a))
		return HF_E_ADDRESS_OUTSIDE_POOL;
	return m_holder_of(m, a) >= 0 || m_in(c->reserved, c->n_reserved, a) ? HF_E_ADDRESS_TAKEN : HF_OK;
}

enum source { REQUESTED, CLAIMED, REMEMBERED, CHOSEN, EXHAUSTED };

static enum source choose(const struct model *m, int p, enum hf_family family, const struct hf_acquire *request, hf_u128 *ret) {
	for (int i = 0; i < request->want.n_addresses; i++)
		if (m_family(*ret = request->want.addresses[i].n) == family)
			return REQUESTED;
	for (int i = 0; i < request->want.n_claims; i++)
		if (m_family(*ret = request->want.claims[i].n) == family && m_may_have(m, p, *ret))
			return CLAIMED;
	if (m_recall(m, m_find_identity(m, &request->want.id), p, family, ret))
		return REMEMBERED;
	return m_next(m, p, family, &request->want.id, ret) ? CHOSEN : EXHAUSTED;
}

static void configure(struct m_lease *lease, const struct hf_acquire *request) {
	if (request->want.has_config) {
		lease->fingerprint_version = request->want.fingerprint_version;
		lease->fingerprint = request->want.fingerprint;
		lease->raw = request->want.raw;
	}
	if (request->want.has_version)
		strcpy(lease->version, request->want.version);
}

static struct m_answer create(struct model *m, int who, const struct hf_acquire *request, enum hf_cause cause) {
	int p = m_choose_pool(m, request);
	if (p < 0)
		return (struct m_answer){.err = HF_E_NO_POOL};
	for (int i = 0; i < request->want.n_addresses; i++) {
		enum hf_err err = judge_address(m, p, request->want.addresses[i].n);
		if (err)
			return (struct m_answer){.err = err};
	}
	struct m_answer answer = {.err = HF_OK, .outcome = HF_CREATED, .writes = true};
	struct m_lease lease = {.exists = true, .pool = p, .generation = 1, .created_ms = m->now_ms, .modified_ms = m->now_ms};
	enum source sources[HF_FAMILIES];
	for (int family = HF_IPV4; family <= HF_IPV6; family++) {
		if (!m_pool_has_family(&m->pools[p], (enum hf_family)family))
			continue;
		enum source source = choose(m, p, (enum hf_family)family, request, &lease.vips[lease.n_vips]);
		if (source == EXHAUSTED)
			return (struct m_answer){.err = HF_E_POOL_EXHAUSTED};
		if (source == CLAIMED)
			answer.outcome = HF_ADOPTED;
		sources[lease.n_vips++] = source;
	}
	for (int i = 0; i < lease.n_vips; i++)
		if (sources[i] == CHOSEN && m->pools[p].config.strategy == HF_SEQUENTIAL) {
			lease.given[i] = m->store_epoch;
			m_move_cursor(m, p, lease.vips[i], who);
		}
	configure(&lease, request);
	if (m_is_back(m, who, &lease)) {
		answer.outcome = HF_RESTORED;
		m->met.came_back++;
	}
	m->memories[who].n = 0;
	for (int i = 0; i < lease.n_vips; i++) {
		m->met.handed_out += sources[i] == CHOSEN && m_remembered_for(m, lease.vips[i]) >= 0;
		m_forget_address(m, lease.vips[i]);
	}
	m_see_zone(m, &m->zones[m_find_zone(m, request->want.id.zone)]);
	m->leases[who] = lease;
	m->leases[who].revision =
		m_record(m, answer.outcome == HF_RESTORED ? HF_CHANGE_RESTORED : HF_CHANGE_ACQUIRED, cause, p, who);
	for (int i = 0; i < lease.n_vips; i++) {
		m_open_holder(m, lease.vips[i], who);
		m_end_loss(m, lease.vips[i], who);
	}
	answer.lease = m->leases[who];
	return answer;
}

/* An active lease with the configuration that it has: at most its version string is written. */
static struct m_answer unchanged(struct m_lease *lease, const struct hf_acquire *request, bool write) {
	struct m_answer answer = {.err = HF_OK, .outcome = HF_UNCHANGED};
	answer.writes = request->want.has_version && strcmp(request->want.version, lease->version) != 0;
	if (answer.writes)
		answer.peek = HF_PEEK_WRITE;
	if (answer.writes && write) {
		strcpy(lease->version, request->want.version);
		if (request->want.has_config)
			lease->raw = request->want.raw;
	}
	answer.lease = *lease;
	return answer;
}

static struct m_answer change(struct model *m, int who, const struct hf_acquire *request, enum hf_cause cause) {
	struct m_lease *lease = &m->leases[who];
	struct m_answer answer = {.err = HF_OK, .outcome = lease->quarantined ? HF_RESTORED : HF_UPDATED, .writes = true};
	if (request->want.has_config && memcmp(&lease->fingerprint, &request->want.fingerprint, sizeof lease->fingerprint) != 0) {
		lease->generation++;
		lease->version[0] = '\0'; /* it was the old configuration's */
	}
	configure(lease, request);
	if (lease->quarantined) {
		m_end_wear(m, who);
		m->met.moves.restored += lease->n_previous > 0;
	}
	lease->quarantined = lease->forced = false;
	lease->until_ms = 0;
	lease->modified_ms = m->now_ms;
	lease->revision =
		m_record(m, answer.outcome == HF_RESTORED ? HF_CHANGE_RESTORED : HF_CHANGE_UPDATED, cause, lease->pool, who);
	answer.lease = *lease;
	return answer;
}

struct m_answer m_acquire_as(struct model *m, const struct hf_acquire *request, bool write, enum hf_cause cause) {
	int who = m_find_identity(m, &request->want.id);
	struct m_lease *lease = m->leases[who].exists ? &m->leases[who] : NULL;
	struct m_answer refused = {.err = m_judge_guard(m, &request->want.id, lease, &request->want.guard)};
	if (!refused.err && lease && contradicts(m, lease, request))
		refused.err = HF_E_LEASE_EXISTS;
	if (refused.err)
		return refused;
	bool active = lease && !lease->quarantined;
	bool unread = request->want.has_config && !request->want.has_fingerprint;
	static const struct hf_digest none;
	bool same_raw =
		active && memcmp(&lease->raw, &none, sizeof none) != 0 && memcmp(&lease->raw, &request->want.raw, sizeof none) == 0;
	bool same = !request->want.has_config || same_raw ||
		    (!unread && lease && memcmp(&lease->fingerprint, &request->want.fingerprint, sizeof none) == 0);
	if (active && same)
		return unchanged(lease, request, write);
	if (!write)
		return (struct m_answer){.err = HF_OK, .peek = unread ? HF_PEEK_READ_BODY : HF_PEEK_WRITE};
	return lease ? change(m, who, request, cause) : create(m, who, request, cause);
}

struct m_answer m_acquire(struct model *m, const struct hf_acquire *request, bool write) {
	return m_acquire_as(m, request, write, HF_CAUSE_REQUEST);
}

static bool is_offline(const struct model *m, const char *zone) { return m->zones[m_find_zone(m, zone)].state == HF_ZONE_OFFLINE; }

void m_quarantine(struct model *m, int who, enum hf_cause cause) {
	struct m_lease *lease = &m->leases[who];
	lease->quarantined = true;
	lease->forced = is_offline(m, m->ids[who].zone); /* else it would have been refused */
	lease->modified_ms = m->now_ms;
	lease->until_ms = m->now_ms + (int64_t)m->pools[lease->pool].config.quarantine_seconds * 1000;
	m_wait_for_overlaps(m, lease);
	lease->revision = m_record(m, HF_CHANGE_RELEASED, cause, lease->pool, who);
	m_due_at(m, lease->until_ms);
}

struct m_answer m_release(struct model *m, const struct hf_release *request, bool write) {
	int who = m_find_identity(m, &request->want.id);
	struct m_lease *lease = m->leases[who].exists ? &m->leases[who] : NULL;
	struct m_answer answer = {.err = m_judge_guard(m, &request->want.id, lease, &request->want.guard)};
	if (!answer.err && !lease)
		answer.err = HF_E_NOT_FOUND;
	if (answer.err)
		return answer;
	bool offline = is_offline(m, request->want.id.zone);
	answer.writes = request->want.purge || !lease->quarantined || (offline && request->want.force && !lease->forced);
	answer.peek = answer.writes ? HF_PEEK_WRITE : HF_PEEK_DONE;
	answer.lease = *lease;
	if (answer.writes && !request->want.force && offline)
		answer.err = HF_E_ZONE_OFFLINE; /* it is frozen */
	if (answer.err || !answer.writes || !write)
		return answer;
	if (request->want.purge) {
		m->met.moves.purged += lease->n_previous > 0;
		m_end_lease(m, who, HF_CHANGE_PURGED, HF_CAUSE_REQUEST);
		return answer;
	}
	if (lease->quarantined)
		lease->forced = true; /* no change */
	else
		m_quarantine(m, who, HF_CAUSE_REQUEST);
	answer.lease = *lease;
	return answer;
}
