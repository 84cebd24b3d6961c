/* check.c — comparing values and the whole state. */
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "storage/requests/lease_query.h"
#include "storage/requests/lease_snapshot.h"
#include "storage/requests/totals.h"
#include "storage/store/batch.h"
#include "storage/tables/affinity.h"
#include "storage/tables/change_table.h"
#include "storage/verify/verify.h"

_Noreturn void c_fail(struct run *run, const char *format, ...) {
	va_list args;
	printf("FAILED with seed %" PRIu64 " at operation %d of %d: %s\n\t", run->seed, run->op, run->ops, run->text);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n\treplay: property --seed %" PRIu64 " --ops %d --verbose\n", run->seed, run->ops);
	fflush(stdout);
	fixture_remove(&run->f);
	exit(1);
}

void c_err(struct run *run, const char *what, enum hf_err is, enum hf_err expected) {
	if (is != expected)
		c_fail(run, "%s: the answer is %s, expected %s", what, hf_err_slug(is), hf_err_slug(expected));
}

static void c_number(struct run *run, const char *what, const char *name, uint64_t is, uint64_t expected) {
	if (is != expected)
		c_fail(run, "%s: %s is %" PRIu64 ", expected %" PRIu64, what, name, is, expected);
}

static const char *text_of(hf_u128 a) {
	static char texts[2][HF_ADDR_TEXT];
	static int i;
	hf_addr_format((struct hf_addr){a}, texts[i = !i]);
	return texts[i];
}

void c_lease(struct run *run, const char *what, const struct hf_lease *is, int who, const struct m_lease *m) {
	if (m_identity_order(&is->id, &run->world.ids[who]) != 0)
		c_fail(run, "%s: the lease of \"%s\", expected that of \"%s\"", what, is->id.service, run->world.ids[who].service);
	if (strcmp(is->pool, run->model.pools[m->pool].name) != 0)
		c_fail(run, "%s: pool %s, expected %s", what, is->pool, run->model.pools[m->pool].name);
	if (strcmp(is->version, m->version) != 0)
		c_fail(run, "%s: version \"%s\", expected \"%s\"", what, is->version, m->version);
	c_number(run, what, "state", is->state, m->quarantined ? HF_QUARANTINED : HF_ACTIVE);
	c_number(run, what, "number of addresses", (uint64_t)is->n_vips, (uint64_t)m->n_vips);
	for (int i = 0; i < m->n_vips; i++)
		if (is->vips[i].n != m->vips[i])
			c_fail(run, "%s: address %s, expected %s", what, text_of(is->vips[i].n), text_of(m->vips[i]));
	c_number(run, what, "generation", is->generation, m->generation);
	c_number(run, what, "revision", is->revision, m->revision);
	c_number(run, what, "fingerprint version", is->fingerprint_version, m->fingerprint_version);
	if (memcmp(&is->fingerprint, &m->fingerprint, sizeof is->fingerprint) != 0 ||
	    memcmp(&is->raw, &m->raw, sizeof is->raw) != 0)
		c_fail(run, "%s: another fingerprint or raw digest", what);
	c_number(run, what, "created", (uint64_t)is->created_ms, (uint64_t)m->created_ms);
	c_number(run, what, "modified", (uint64_t)is->modified_ms, (uint64_t)m->modified_ms);
	c_number(run, what, "forced", is->forced, m->forced);
	c_number(run, what, "quarantined until", (uint64_t)is->quarantined_until_ms, (uint64_t)m->until_ms);
	c_number(run, what, "number of previous addresses", (uint64_t)is->n_previous, (uint64_t)m->n_previous);
	for (int i = 0; i < m->n_previous; i++) {
		if (is->previous[i].address.n != m->previous[i].a)
			c_fail(run, "%s: previous address %s, expected %s", what, text_of(is->previous[i].address.n),
			       text_of(m->previous[i].a));
		c_number(run, what, "end of the overlap", (uint64_t)is->previous[i].until_ms, (uint64_t)m->previous[i].until_ms);
		c_number(run, what, "length of the overlap", is->previous[i].overlap_seconds, m->previous[i].overlap_seconds);
	}
}

static void c_usage(struct run *run, const struct hf_pool *is, int p, enum hf_family family) {
	char a[HF_COUNT_TEXT], b[HF_COUNT_TEXT];
	struct hf_pool_usage usage, expected;
	hf_pool_usage(is, family, &usage);
	m_usage(&run->model, p, family, &expected);
	const hf_u128 is_counts[] = {usage.capacity, usage.leased,   usage.quarantined, usage.reserved,
				     usage.free,     usage.draining, usage.previous,	usage.remembered};
	const hf_u128 counts[] = {expected.capacity, expected.leased,	expected.quarantined, expected.reserved,
				  expected.free,     expected.draining, expected.previous,    expected.remembered};
	static const char *const NAMES[] = {"capacity", "leased",   "quarantined", "reserved",
					    "free",	"draining", "previous",	   "remembered"};
	for (int i = 0; i < 8; i++)
		if (is_counts[i] != counts[i])
			c_fail(run, "pool %s, IPv%d: %s is %s, expected %s", is->name, family == HF_IPV4 ? 4 : 6, NAMES[i],
			       hf_count_format(is_counts[i], a), hf_count_format(counts[i], b));
}

static void c_ranges(struct run *run, const char *pool, const char *what, const struct hf_ranges *is,
		     const struct hf_range *expected, int n) {
	bool same = is->n == n;
	for (int i = 0; same && i < n; i++)
		same = is->at[i].first.n == expected[i].first.n && is->at[i].last.n == expected[i].last.n;
	if (!same)
		c_fail(run, "pool %s: the %s ranges differ; it has %d, expected %d", pool, what, is->n, n);
}

void c_pool(struct run *run, const struct hf_pool *is) {
	const struct model *m = &run->model;
	int p = m_find_pool(m, is->name);
	if (p < 0)
		c_fail(run, "there is a pool %s", is->name);
	const struct m_pool *pool = &m->pools[p];
	uint64_t active = 0, quarantined = 0;
	for (int who = 0; who < M_IDENTITIES; who++)
		if (m->leases[who].exists && m->leases[who].pool == p)
			(*(m->leases[who].quarantined ? &quarantined : &active))++;
	c_number(run, is->name, "active leases", is->active, active);
	c_number(run, is->name, "quarantined leases", is->quarantined, quarantined);
	c_number(run, is->name, "revision", is->revision, pool->revision);
	c_number(run, is->name, "created", (uint64_t)is->created_ms, (uint64_t)pool->created_ms);
	c_number(run, is->name, "modified", (uint64_t)is->modified_ms, (uint64_t)pool->modified_ms);
	c_number(run, is->name, "strategy", is->config.strategy, pool->config.strategy);
	c_number(run, is->name, "quarantine", is->config.quarantine_seconds, pool->config.quarantine_seconds);
	c_ranges(run, is->name, "CIDR", &is->config.cidrs, pool->config.cidrs, pool->config.n_cidrs);
	c_ranges(run, is->name, "reserved", &is->config.reserved, pool->config.reserved, pool->config.n_reserved);
	c_ranges(run, is->name, "draining", &is->draining, pool->draining, pool->n_draining);
	c_usage(run, is, p, HF_IPV4);
	c_usage(run, is, p, HF_IPV6);
}

static void c_all_leases(struct run *run) {
	static const struct hf_filter everything;
	const struct model *m = &run->model;
	struct hf_snapshot *snapshot;
	struct hf_lease lease;
	c_err(run, "snapshot", hf_snapshot_open(run->f.store, &everything, NULL, &snapshot), HF_OK);
	for (int who = 0; who < M_IDENTITIES; who++) {
		if (!m->leases[who].exists)
			continue;
		c_err(run, "next lease of the snapshot", hf_snapshot_next(snapshot, &lease), HF_OK);
		c_lease(run, "snapshot", &lease, who, &m->leases[who]);
	}
	c_err(run, "end of the snapshot", hf_snapshot_next(snapshot, &lease), HF_E_NOT_FOUND);
	hf_snapshot_close(snapshot);
}

struct pools_seen {
	struct run *run;
	int n;
};

static void see_pool(void *context, const struct hf_pool *pool) {
	struct pools_seen *seen = context;
	c_pool(seen->run, pool);
	seen->n++;
}

static void c_all_pools(struct run *run) {
	struct pools_seen seen = {run, 0};
	int n = 0;
	c_err(run, "pools", hf_pools_each(run->f.reader, see_pool, &seen, NULL), HF_OK);
	for (int p = 0; p < M_POOLS; p++)
		n += run->model.pools[p].exists;
	c_number(run, "pools", "their number", (uint64_t)seen.n, (uint64_t)n);
}

static void c_totals(struct run *run) {
	const struct model *m = &run->model;
	struct hf_totals totals;
	uint64_t active = 0, quarantined = 0, zones = 0;
	c_err(run, "totals", hf_totals_read(run->f.reader, NULL, &totals), HF_OK);
	for (int who = 0; who < M_IDENTITIES; who++)
		if (m->leases[who].exists)
			(*(m->leases[who].quarantined ? &quarantined : &active))++;
	for (int z = 0; z < M_ZONES; z++)
		zones += m->zones[z].seen;
	c_number(run, "totals", "active", totals.active, active);
	c_number(run, "totals", "quarantined", totals.quarantined, quarantined);
	c_number(run, "totals", "zones", totals.zones, zones);
	c_number(run, "totals", "changes", totals.changes, m->revision - m->compacted);
}

static void c_scope(struct run *run, struct hf_identity scope) {
	uint8_t bytes[HF_KEY_MAX + 1];
	struct hf_scope is = {0}, expected;
	struct hf_slice value;
	scope.service[0] = '\0';
	m_scope(&run->model, &scope, &expected);
	struct hf_slice key = {bytes, m_identity_bytes(&scope, bytes)};
	if (hf_txn_get(run->f.reader, HF_SCOPES, key, &value) && !hf_scope_decode(value, &is))
		c_fail(run, "a scope of zone %s cannot be decoded", scope.zone);
	c_number(run, scope.zone, "active leases of a scope", is.active, expected.active);
	c_number(run, scope.zone, "quarantined leases of a scope", is.quarantined, expected.quarantined);
	if (memcmp(&is.digest, &expected.digest, sizeof is.digest) != 0)
		c_fail(run, "the digest of a scope of zone %s differs", scope.zone);
}

void c_zone(struct run *run, const struct hf_zone_info *is) {
	const struct m_zone *m = &run->model.zones[m_find_zone(&run->model, is->zone.name)];
	const struct hf_zone *zone = &is->zone;
	struct hf_scope sum;
	m_zone_sum(&run->model, m->name, &sum);
	c_number(run, m->name, "state", zone->state, m->state);
	c_number(run, m->name, "epoch", zone->epoch, m->epoch);
	c_number(run, m->name, "reconnects", zone->reconnects, m->reconnects);
	c_number(run, m->name, "store epoch", zone->store_epoch, m->store_epoch);
	c_number(run, m->name, "created", (uint64_t)zone->created_ms, (uint64_t)m->created_ms);
	c_number(run, m->name, "changed", (uint64_t)zone->changed_ms, (uint64_t)m->changed_ms);
	c_number(run, m->name, "ttl", (uint64_t)zone->ttl_ms, (uint64_t)m->ttl_ms);
	c_number(run, m->name, "instances", (uint64_t)zone->n_instances, (uint64_t)m->n_instances);
	for (int i = 0; i < m->n_instances; i++)
		if (strcmp(zone->instances[i], m->instances[i]) != 0)
			c_fail(run, "zone %s: instance %d is %s, expected %s", m->name, i, zone->instances[i], m->instances[i]);
	c_number(run, m->name, "active leases", is->sum.active, sum.active);
	c_number(run, m->name, "quarantined leases", is->sum.quarantined, sum.quarantined);
	if (memcmp(&is->sum.digest, &sum.digest, sizeof sum.digest) != 0)
		c_fail(run, "the digest of zone %s differs", m->name);
}

static bool see_zone(void *context, const struct hf_zone_info *info) {
	c_zone(context, info);
	return true;
}

static void c_all_zones(struct run *run) {
	struct hf_zone_info info;
	bool more;
	c_err(run, "zones", hf_zones_page(run->f.reader, "", see_zone, run, NULL, &more), HF_OK);
	for (int z = 0; z < M_ZONES; z++) {
		const struct m_zone *m = &run->model.zones[z];
		c_err(run, m->name, hf_zone_get(run->f.reader, m->name, NULL, &info), m->seen ? HF_OK : HF_E_NOT_FOUND);
		if (m->seen)
			c_zone(run, &info);
	}
}

static void c_all_scopes(struct run *run) {
	for (int i = 0; i < M_ZONES * 3 * HF_KINDS; i++) {
		struct hf_identity scope = {.kind = (enum hf_kind)(1 + i % HF_KINDS)};
		strcpy(scope.zone, W_ZONES[i / 9]);
		strcpy(scope.mesh, W_MESHES[i / 3 % 3]);
		c_scope(run, scope);
	}
}

static void violation(void *context, enum hf_table table, const char *what) {
	c_fail(context, "verify: table %s: %s", hf_table_name(table), what);
}

/* Only an explicit act changes a VIP. */
static void c_vip_changes(struct run *run) {
	for (int cause = 1; cause <= HF_CAUSES; cause++)
		c_number(run, "addresses of leases that changed", hf_cause_name((enum hf_cause)cause),
			 hf_store_vip_changes(run->f.store, (enum hf_cause)cause), run->model.vip_changes[cause]);
}

/* What is remembered of each identity. */
static void c_all_memories(struct run *run) {
	const struct model *m = &run->model;
	uint64_t records = 0, addresses = 0;
	for (int who = 0; who < M_IDENTITIES; who++) {
		const struct m_memory *expected = &m->memories[who];
		const char *name = run->world.ids[who].service;
		struct hf_memory is;
		struct hf_key key;
		hf_identity_encode(&run->world.ids[who], &key);
		hf_affinity_read(run->f.reader, &key, &is);
		c_number(run, name, "remembered addresses", (uint64_t)is.n, (uint64_t)expected->n);
		for (int i = 0; i < is.n; i++)
			if (is.addresses[i].n != expected->vips[i])
				c_fail(run, "%s: %s is remembered, expected %s", name, text_of(is.addresses[i].n),
				       text_of(expected->vips[i]));
		if (is.n > 0)
			c_number(run, name, "free since", (uint64_t)is.freed_ms, (uint64_t)expected->freed_ms);
		records += is.n > 0;
		addresses += (uint64_t)is.n;
	}
	c_number(run, "affinity", "records", hf_txn_count(run->f.reader, HF_AFFINITY), records);
	c_number(run, "remembered", "records", hf_txn_count(run->f.reader, HF_REMEMBERED), addresses);
}

static uint64_t n_past_holders(const struct model *m) {
	uint64_t n = 0;
	for (int i = 0; i < m->n_addresses; i++)
		for (int h = 0; h < m->addresses[i].n; h++)
			n += !m->addresses[i].holders[h].open;
	return n;
}

void c_all(struct run *run) {
	struct hf_verify_counts counts;
	struct hf_why why = {""};
	c_vip_changes(run);
	c_all_leases(run);
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	c_all_pools(run);
	c_all_scopes(run);
	c_all_zones(run);
	c_totals(run);
	c_all_memories(run);
	c_new_changes(run);
	replay_changes(run);
	replay_check(run);
	c_number(run, "history", "records", hf_txn_count(run->f.reader, HF_HISTORY), n_past_holders(&run->model));
	enum hf_err err = hf_verify(run->f.reader, violation, run, &why, &counts);
	if (err)
		c_fail(run, "verify: %s: %s", hf_err_slug(err), why.text);
	hf_reader_end(run->f.reader);
}
