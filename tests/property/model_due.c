/* model_due.c — what time brings, naively: history that is forgotten, quarantines that end or are held by their zone. */
#include "model_moves.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MIN_MS 1000 /* an offline zone's quarantines are looked at no more often (zone_rules.h leaves it open) */

void m_due_at(struct model *m, int64_t at_ms) {
	if (at_ms < m->due_ms)
		m->due_ms = at_ms;
}

static void forget(struct m_address *address, int i) {
	address->n--;
	memmove(&address->holders[i], &address->holders[i + 1], sizeof address->holders[0] * (size_t)(address->n - i));
}

void m_open_holder(struct model *m, hf_u128 a, int who) {
	struct m_address *address = m_address(m, a);
	if (!address) {
		m_check(m->n_addresses < M_ADDRESSES, "addresses");
		m->keys[m->n_addresses] = a;
		address = &m->addresses[m->n_addresses++];
		address->n = 0;
	}
	address->holders[address->n++] = (struct m_holder){
		.who = who, .from_revision = m->leases[who].revision, .from_ms = m->now_ms, .open = true, .by = m->by};
}

void m_close_holder(struct model *m, hf_u128 a) {
	struct m_address *address = m_address(m, a);
	struct m_holder *newest = &address->holders[address->n - 1];
	newest->open = false;
	newest->to_ms = m->now_ms;
	if (address->n > M_PAST_HOLDERS)
		forget(address, 0);
	m_due_at(m, m->now_ms + M_HISTORY_MS);
}

/* The lease is gone and its addresses are free. */
void m_end_lease(struct model *m, int who, enum hf_change_type type, enum hf_cause cause) {
	struct m_lease *lease = &m->leases[who];
	m_record(m, type, cause, lease->pool, who);
	for (int i = 0; i < m_bound(lease); i++)
		m_close_holder(m, m_bound_at(lease, i));
	if (type == HF_CHANGE_EXPIRED)
		m_remember(m, who);
	lease->exists = false;
	m_drop_all_drained(m);
}

/* When something of a lease that is due ends: at `until_ms`, or later if its zone holds it, for `length_ms` after it is back. */
static int64_t real_end(const struct model *m, const struct m_lease *lease, const struct m_zone *zone, int64_t until_ms,
			int64_t length_ms) {
	if (zone->state == HF_ZONE_OFFLINE && !lease->forced)
		return m->now_ms + (length_ms < HELD_MIN_MS ? HELD_MIN_MS : length_ms);
	int64_t since_ms = m->restored_ms;
	if (zone->state == HF_ZONE_ONLINE && !lease->forced && zone->changed_ms > since_ms)
		since_ms = zone->changed_ms;
	bool held = since_ms != 0 && since_ms + length_ms > m->now_ms;
	return held ? since_ms + length_ms : until_ms;
}

static void note_held(const struct model *m, const struct m_lease *lease, const struct m_zone *zone, uint64_t *offline,
		      uint64_t *back, uint64_t *restored) {
	bool is_offline = zone->state == HF_ZONE_OFFLINE && !lease->forced,
	     is_back = zone->state == HF_ZONE_ONLINE && !lease->forced && zone->changed_ms >= m->restored_ms;
	(*(is_offline ? offline : is_back ? back : restored))++;
}

/* How long a quarantine lasts after its zone came back: it frees all addresses, so at least as long as each overlap. */
static int64_t quarantine_ms(const struct model *m, const struct m_lease *lease) {
	int64_t length_ms = (int64_t)m->pools[lease->pool].config.quarantine_seconds * 1000;
	for (int i = 0; i < lease->n_previous; i++)
		if ((int64_t)lease->previous[i].overlap_seconds * 1000 > length_ms)
			length_ms = (int64_t)lease->previous[i].overlap_seconds * 1000;
	return length_ms;
}

static void end_quarantine(struct model *m, int who) {
	struct m_lease *lease = &m->leases[who];
	const struct m_zone *zone = &m->zones[m_find_zone(m, m->ids[who].zone)];
	int64_t end_ms = real_end(m, lease, zone, lease->until_ms, quarantine_ms(m, lease));
	if (end_ms <= m->now_ms) {
		m->met.expired++;
		m->met.moves.expired += lease->n_previous > 0;
		m_end_lease(m, who, HF_CHANGE_EXPIRED, HF_CAUSE_DEADLINE);
		return;
	}
	note_held(m, lease, zone, &m->met.held_offline, &m->met.held_back, &m->met.held_restored);
	lease->until_ms = end_ms;
	m_due_at(m, end_ms);
}

/* Ends those overlaps that are due at a time, as far as the zone lets them. */
static void end_overlaps(struct model *m, int who, int64_t at_ms) {
	struct m_lease *lease = &m->leases[who], before = *lease;
	const struct m_zone *zone = &m->zones[m_find_zone(m, m->ids[who].zone)];
	struct m_met_moves *met = &m->met.moves;
	lease->n_previous = 0;
	for (int i = 0; i < before.n_previous; i++) {
		struct m_previous previous = before.previous[i];
		int64_t end_ms = previous.until_ms;
		if (end_ms == at_ms)
			end_ms = real_end(m, &before, zone, at_ms, (int64_t)previous.overlap_seconds * 1000);
		if (previous.until_ms == at_ms && end_ms <= m->now_ms)
			continue;
		if (end_ms != previous.until_ms)
			note_held(m, &before, zone, &met->held_offline, &met->held_back, &met->held_restored);
		previous.until_ms = end_ms;
		m_due_at(m, end_ms);
		lease->previous[lease->n_previous++] = previous;
	}
	if (lease->n_previous == before.n_previous)
		return;
	met->ended++;
	met->ended_quarantined += lease->quarantined;
	lease->modified_ms = m->now_ms;
	lease->revision = m_record(m, HF_CHANGE_UPDATED, HF_CAUSE_DEADLINE, lease->pool, who);
	m_close_left(m, &before, lease);
}

struct due {
	int64_t at_ms;
	int who; /* -1: a holder is forgotten */
	hf_u128 a;
	uint64_t from_revision;
};

/* Earliest first; at one moment holders before leases, by address and revision, then leases in key order. */
static int by_time(const void *x, const void *y) {
	const struct due *a = x, *b = y;
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (a->who != b->who)
		return a->who < b->who ? -1 : 1;
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return a->from_revision < b->from_revision ? -1 : a->from_revision > b->from_revision;
}

/* All deadlines; *ret_n of them. */
static struct due *deadlines(const struct model *m, size_t *ret_n) {
	static struct due list[M_IDENTITIES * (1 + M_PREVIOUS) + M_ADDRESSES * M_HOLDERS];
	size_t n = 0;
	for (int who = 0; who < M_IDENTITIES; who++) {
		const struct m_lease *lease = &m->leases[who];
		if (lease->exists && lease->quarantined)
			list[n++] = (struct due){lease->until_ms, who, 0, 0};
		for (int i = 0; lease->exists && i < lease->n_previous; i++)
			list[n++] = (struct due){lease->previous[i].until_ms, who, 0, 0};
	}
	for (int i = 0; i < m->n_addresses; i++)
		for (int h = 0; h < m->addresses[i].n; h++) {
			const struct m_holder *holder = &m->addresses[i].holders[h];
			if (!holder->open)
				list[n++] = (struct due){holder->to_ms + M_HISTORY_MS, -1, m->keys[i], holder->from_revision};
		}
	*ret_n = n;
	return list;
}

/* What of a lease is due at a time: its quarantine, then overlaps. False: nothing is (it was done with another). */
static bool end_of_lease(struct model *m, int who, int64_t at_ms) {
	const struct m_lease *lease = &m->leases[who];
	bool quarantine = lease->exists && lease->quarantined && lease->until_ms == at_ms, overlap = false;
	if (quarantine)
		end_quarantine(m, who);
	for (int i = 0; lease->exists && i < lease->n_previous; i++)
		overlap = overlap || lease->previous[i].until_ms == at_ms;
	if (overlap)
		end_overlaps(m, who, at_ms);
	return quarantine || overlap;
}

/* False: a seventeenth holder has pushed it out already. */
static bool forget_holder(struct model *m, hf_u128 a, uint64_t from_revision) {
	struct m_address *address = m_address(m, a);
	int i = 0;
	while (address && i < address->n && address->holders[i].from_revision != from_revision)
		i++;
	if (!address || i == address->n)
		return false;
	if (i == address->n - 1 && m_remembered_for(m, a) >= 0) { /* nobody had it since */
		m->met.aged++;
		m_forget_address(m, a);
	}
	forget(address, i);
	if (address->n == 0) {
		m->n_addresses--;
		m->keys[address - m->addresses] = m->keys[m->n_addresses];
		*address = m->addresses[m->n_addresses];
	}
	return true;
}

int m_begin(struct model *m, int64_t now_ms, int budget) {
	size_t n;
	int done = 0;
	m->now_ms = now_ms;
	m->by = "holdfast";
	done = m_lapse(m);
	if (now_ms < m->due_ms)
		return done;
	budget += done;
	m->due_ms = INT64_MAX;
	struct due *list = deadlines(m, &n);
	qsort(list, n, sizeof *list, by_time);
	for (size_t i = 0; i < n; i++) {
		if (list[i].at_ms > now_ms || done == budget) {
			m_due_at(m, list[i].at_ms);
			break;
		}
		if (list[i].who >= 0 ? !end_of_lease(m, list[i].who, list[i].at_ms)
				     : !forget_holder(m, list[i].a, list[i].from_revision))
			continue;
		done++;
	}
	return done;
}
