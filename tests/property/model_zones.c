/* model_zones.c — zones that connect and disconnect, naively. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

void m_see_zone(struct model *m, struct m_zone *zone) {
	if (zone->seen)
		return;
	zone->seen = true;
	zone->created_ms = zone->changed_ms = m->now_ms;
}

void m_zone_sum(const struct model *m, const char *zone, struct hf_scope *ret) {
	*ret = (struct hf_scope){0};
	for (int who = 0; who < M_IDENTITIES; who++) {
		const struct m_lease *lease = &m->leases[who];
		if (!lease->exists || strcmp(m->ids[who].zone, zone) != 0)
			continue;
		(*(lease->quarantined ? &ret->quarantined : &ret->active))++;
		if (!lease->quarantined)
			m_add_digest(m, who, &ret->digest);
	}
}

/* The place of an instance among those that are remembered; their number if it is not. */
static int place_of(const struct m_zone *zone, const char *instance) {
	int i = 0;
	while (i < zone->n_instances && strcmp(zone->instances[i], instance) != 0)
		i++;
	return i;
}

bool m_is_forgotten(const struct model *m, const char *name, const char *instance) {
	const struct m_zone *zone = &m->zones[m_find_zone(m, name)];
	return zone->ever[atoi(instance + 3)] && place_of(zone, instance) == zone->n_instances;
}

/* The instance becomes the current one; nine are remembered, it included. */
static void remember(struct m_zone *zone, const char *instance) {
	if (zone->n_instances > 0 && strcmp(zone->instances[0], instance) == 0)
		return;
	for (int i = M_INSTANCES - 1; i > 0; i--)
		memcpy(zone->instances[i], zone->instances[i - 1], sizeof zone->instances[0]);
	zone->ever[atoi(instance + 3)] = true;
	m_check(strlen(instance) < sizeof zone->instances[0], "names of instances");
	strcpy(zone->instances[0], instance);
	if (zone->n_instances < M_INSTANCES)
		zone->n_instances++;
}

struct m_answer m_connect(struct model *m, const struct hf_zone_connect *request, bool write, enum hf_connection *ret,
			  bool *ret_incremental) {
	struct m_zone *zone = &m->zones[m_find_zone(m, request->name)];
	struct m_answer answer = {.err = HF_OK};
	struct hf_scope sum;
	if (request->has_epoch && request->epoch != zone->epoch)
		return (struct m_answer){.err = HF_E_STALE_EPOCH};
	if (strcmp(zone->name, "global") == 0)
		return (struct m_answer){.err = HF_E_INVALID_NAME};
	int place = place_of(zone, request->instance);
	if (place > 0 && place < zone->n_instances)
		return (struct m_answer){.err = HF_E_STALE_EPOCH};
	if (zone->epoch == 0)
		*ret = HF_CONNECTION_FIRST;
	else if (place == 0 && zone->state == HF_ZONE_ONLINE)
		*ret = HF_CONNECTION_REFRESH;
	else
		*ret = HF_CONNECTION_RECONNECT;
	m_zone_sum(m, zone->name, &sum);
	*ret_incremental = sum.active > 0 && zone->store_epoch == m->store_epoch;
	bool other_ttl = zone->ttl_ms != request->ttl_ms;
	answer.writes = *ret != HF_CONNECTION_REFRESH || other_ttl;
	answer.peek = answer.writes ? HF_PEEK_WRITE : HF_PEEK_DONE;
	if (*ret == HF_CONNECTION_REFRESH && !other_ttl && zone->ttl_ms && zone->unsure)
		answer.peek = HF_PEEK_WRITE;
	else if (*ret == HF_CONNECTION_REFRESH && (!other_ttl || write))
		zone->refreshed_ms = m->monotonic_ms;
	if (!answer.writes || !write)
		return answer;
	zone->ttl_ms = request->ttl_ms;
	if (*ret == HF_CONNECTION_REFRESH)
		return answer;
	zone->refreshed_ms = m->monotonic_ms;
	m_see_zone(m, zone);
	zone->reconnects += *ret == HF_CONNECTION_RECONNECT;
	if (zone->epoch == 0) /* none that it had before a restore comes again */
		zone->epoch = (m->store_epoch - 1) << M_BAND_BITS;
	zone->epoch++;
	zone->state = HF_ZONE_ONLINE;
	zone->changed_ms = m->now_ms;
	zone->store_epoch = m->store_epoch;
	remember(zone, request->instance);
	return answer;
}

int m_lapse(struct model *m) {
	int n = 0;
	for (int z = 0; z < M_ZONES; z++) {
		struct m_zone *zone = &m->zones[z];
		zone->unsure = false;
		if (zone->state != HF_ZONE_ONLINE || !zone->ttl_ms || m->monotonic_ms < zone->refreshed_ms + zone->ttl_ms)
			continue;
		zone->state = HF_ZONE_OFFLINE;
		zone->changed_ms = m->now_ms;
		n++;
	}
	m->met.lapsed += (uint64_t)n;
	return n;
}

void m_reopened(struct model *m, int64_t monotonic_ms) {
	m->monotonic_ms = monotonic_ms;
	for (int z = 0; z < M_ZONES; z++) {
		m->zones[z].refreshed_ms = m->monotonic_ms;
		m->zones[z].unsure = false;
	}
}

/* Refreshes are no part of a transaction; and where it had made another connection, the time of the one before begins again. */
void m_keep_refreshes(struct model *m, const struct model *aborted) {
	m->monotonic_ms = aborted->monotonic_ms;
	for (int z = 0; z < M_ZONES; z++) {
		const struct m_zone *was = &aborted->zones[z];
		struct m_zone *zone = &m->zones[z];
		bool same = was->epoch == zone->epoch && was->ttl_ms == zone->ttl_ms;
		zone->refreshed_ms = same ? was->refreshed_ms : m->monotonic_ms;
		bool refreshed =
			was->epoch == zone->epoch && was->state == HF_ZONE_ONLINE && was->ttl_ms > 0; /* with another ttl */
		zone->unsure = !refreshed && (!same || was->state != zone->state);
	}
}

struct m_answer m_disconnect(struct model *m, const struct hf_zone_disconnect *request, bool write) {
	struct m_zone *zone = &m->zones[m_find_zone(m, request->name)];
	if (request->has_epoch && request->epoch != zone->epoch)
		return (struct m_answer){.err = HF_E_STALE_EPOCH};
	if (zone->epoch == 0)
		return (struct m_answer){.err = HF_E_NOT_FOUND};
	bool writes = zone->state != HF_ZONE_OFFLINE;
	if (writes && write) {
		zone->state = HF_ZONE_OFFLINE;
		zone->changed_ms = m->now_ms;
	}
	return (struct m_answer){.err = HF_OK, .writes = writes, .peek = writes ? HF_PEEK_WRITE : HF_PEEK_DONE};
}
