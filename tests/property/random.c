/* random.c — random requests: mostly sensible, over few names and few addresses, so that they meet. */
#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_moves.h"

const char *const W_ZONES[M_ZONES] = {"east", "east-2", "global", "w"};
const char *const W_MESHES[3] = {"d", "default", "demo.mesh"};

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
uint64_t w_next(struct world *w) {
	uint64_t z = w->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

int w_below(struct world *w, int n) { return (int)(w_next(w) % (uint64_t)n); }

bool w_chance(struct world *w, int percent) { return w_below(w, 100) < percent; }

static int by_key(const void *a, const void *b) { return m_identity_order(a, b); }

static bool known(const struct world *w, int n) {
	for (int i = 0; i < n; i++)
		if (m_identity_order(&w->ids[i], &w->ids[n]) == 0)
			return true;
	return false;
}

void w_begin(struct world *w, uint64_t seed, const struct profile *profile) {
	static const char *const STEMS[] = {"r", "redis", "redis-1", "redis.ns", "web", "0", "a_b"};
	*w = (struct world){.state = seed, .profile = profile};
	for (int i = 0; i < M_IDENTITIES;) {
		struct hf_identity *id = &w->ids[i];
		/* Half are of one zone and most of one kind, so that a sync of those has much to do. */
		*id = (struct hf_identity){.kind = w_chance(w, 60) ? HF_MESH_SERVICE : (enum hf_kind)(1 + w_below(w, HF_KINDS))};
		strcpy(id->zone, W_ZONES[w_chance(w, 35) ? 0 : w_below(w, M_ZONES)]);
		strcpy(id->mesh, W_MESHES[w_below(w, 3)]);
		if (i == 0)
			memset(id->service, 'l', HF_SERVICE_MAX);
		else if (w_chance(w, 60))
			snprintf(id->service, sizeof id->service, "%s%d", STEMS[w_below(w, 7)], w_below(w, 10));
		else
			strcpy(id->service, STEMS[w_below(w, 7)]);
		i += !known(w, i);
	}
	qsort(w->ids, M_IDENTITIES, sizeof w->ids[0], by_key);
}

int w_identity(struct world *w) {
	int who = w_below(w, w->profile->identities);
	for (int i = 0; i < 4 && w->focus && strcmp(w->ids[who].zone, w->focus) != 0; i++)
		who = w_below(w, w->profile->identities);
	return who;
}

int w_zone(struct world *w) {
	if (w_chance(w, 40))
		return 0;
	int z = w_below(w, M_ZONES);
	for (int i = 0; i < 2 && w->focus && strcmp(W_ZONES[z], w->focus) != 0; i++)
		z = w_below(w, M_ZONES);
	return z;
}

void w_focus(struct world *w, const char *zone) { w->focus = w_chance(w, 60) ? zone : NULL; }

/* Each pool name has a territory of 64 IPv4 and 64 (or 2^64) IPv6 addresses. */
static hf_u128 base(int place, enum hf_family family) {
	return family == HF_IPV4 ? (hf_u128)0xffff << 32 | (10u << 24 | (unsigned)place << 16)
				 : (hf_u128)(0xfd00u << 16 | (unsigned)place) << 96;
}

struct hf_addr w_address(struct world *w, const struct model *m) {
	int who = w_identity(w), p = w_below(w, M_POOLS), i = w_below(w, 10);
	if (i < 4 && m->leases[who].exists)
		return (struct hf_addr){m_bound_at(&m->leases[who], w_below(w, m_bound(&m->leases[who])))};
	if (i < 9 && m->pools[p].exists) {
		struct hf_range cidr = m->pools[p].config.cidrs[w_below(w, m->pools[p].config.n_cidrs)];
		hf_u128 offset = (hf_u128)w_below(w, 64);
		return (struct hf_addr){offset <= cidr.last.n - cidr.first.n ? cidr.first.n + offset : cidr.last.n};
	}
	return (struct hf_addr){base(p, w_chance(w, 50) ? HF_IPV4 : HF_IPV6) + (unsigned)w_below(w, 70)};
}

static struct hf_condition random_condition(struct world *w, const struct model *m, int who) {
	struct hf_condition c = {.stated = true, .any = w_chance(w, 40)};
	const struct m_lease *lease = &m->leases[who];
	for (int n = c.any ? 0 : 1 + w_below(w, 2); c.n < n; c.n++)
		if (lease->exists && w_chance(w, 60))
			m_etag(lease, c.tags[c.n]);
		else
			snprintf(c.tags[c.n], sizeof c.tags[0], "\"%" PRIu64 "\"", w_next(w) % (1 + m->revision));
	return c;
}

uint64_t w_epoch(struct world *w, const struct m_zone *zone, int others) {
	if (!w_chance(w, others))
		return zone->epoch;
	if (w_chance(w, 30))
		return zone->epoch % ((uint64_t)1 << M_BAND_BITS);
	return zone->epoch + (uint64_t)w_below(w, 3) - 1;
}

void w_guard(struct world *w, const struct model *m, int who, struct hf_guard *ret) {
	if (w_chance(w, w->profile->options / 2))
		ret->if_match = random_condition(w, m, who);
	if (w_chance(w, w->profile->options / 2))
		ret->if_none_match = random_condition(w, m, who);
	if (w_chance(w, w->profile->options)) {
		ret->has_epoch = true;
		ret->epoch = w_epoch(w, &m->zones[m_find_zone(m, m->ids[who].zone)], 30);
	}
}

static struct hf_digest digest_of(const char *format, int a, int b) {
	char text[64];
	snprintf(text, sizeof text, format, a, b);
	return hf_digest_of(text, strlen(text));
}

void w_config(struct world *w, int who, int changed, struct hf_digest *ret_fingerprint, struct hf_digest *ret_raw) {
	if (w_chance(w, changed))
		w->config[who] = w_below(w, 4);
	*ret_fingerprint = digest_of("configuration %d", w->config[who], 0);
	*ret_raw = digest_of("configuration %d as text %d", w->config[who], w_chance(w, 80) ? 0 : 1 + w_below(w, 2));
}

static void random_config(struct world *w, int who, struct hf_acquire *ret) {
	if (w_chance(w, 10))
		return;
	ret->want.has_config = ret->want.has_fingerprint = true;
	ret->want.fingerprint_version = 1;
	w_config(w, who, 25, &ret->want.fingerprint, &ret->want.raw);
}

/* At most one of each family. */
static void random_addresses(struct world *w, const struct model *m, int who, struct hf_acquire *ret) {
	const struct m_lease *lease = &m->leases[who];
	for (int i = 0; i < 1 + w_below(w, 2); i++) {
		struct hf_addr a = w_address(w, m);
		if (lease->exists && w_chance(w, 60))
			a.n = lease->vips[w_below(w, lease->n_vips)];
		if (ret->want.n_addresses == 0 || m_family(ret->want.addresses[0].n) != m_family(a.n))
			ret->want.addresses[ret->want.n_addresses++] = a;
	}
}

int w_lost(struct world *w, const struct model *m, int who, struct hf_addr ret[HF_CLAIMS_MAX]) {
	int n = 0;
	for (int i = 0; i < m->n_lost && n < 2; i++)
		if (m->lost[i].who == who && w_chance(w, 60))
			ret[n++].n = m->lost[i].a;
	return n;
}

void w_acquire(struct world *w, const struct model *m, struct hf_acquire *ret) {
	int who = w_identity(w), unusual = w->profile->options;
	memset(ret, 0, sizeof *ret);
	ret->want.id = w->ids[who];
	random_config(w, who, ret);
	w_guard(w, m, who, &ret->want.guard);
	if (w_chance(w, unusual))
		strcpy(ret->want.pool, w_chance(w, 95) ? M_POOL_NAMES[w_below(w, M_POOLS)] : "nowhere");
	if (w_chance(w, unusual))
		random_addresses(w, m, who, ret);
	if (w_chance(w, 2 * unusual)) {
		ret->want.has_version = true;
		if (w_chance(w, 90))
			snprintf(ret->want.version, sizeof ret->want.version, "v%d", w_below(w, 3));
	}
	ret->want.n_claims = w_lost(w, m, who, ret->want.claims);
	for (int n = w_chance(w, 2 * unusual) ? 1 + w_below(w, 4) : 0; n > 0 && ret->want.n_claims < HF_CLAIMS_MAX; n--)
		ret->want.claims[ret->want.n_claims++] = w_address(w, m);
	hf_acquire_begin(ret);
}

void w_release(struct world *w, const struct model *m, bool purge, struct hf_release *ret) {
	int who = w_identity(w);
	for (int i = 0; i < 4 && !m->leases[who].exists; i++) /* mostly one that is there */
		who = w_identity(w);
	*ret = (struct hf_release){.want.id = w->ids[who], .want.purge = purge, .want.force = w_chance(w, 15)};
	w_guard(w, m, who, &ret->want.guard);
	hf_release_begin(ret);
}

/* An epoch that is mostly the zone's; often none. */
static bool random_epoch(struct world *w, const struct m_zone *zone, uint64_t *ret) {
	*ret = w_epoch(w, zone, 25);
	return w_chance(w, 30);
}

void w_connect(struct world *w, const struct model *m, struct hf_zone_connect *ret) {
	const struct m_zone *zone = &m->zones[w_zone(w)];
	*ret = (struct hf_zone_connect){.has_epoch = false};
	strcpy(ret->name, zone->name);
	ret->has_epoch = random_epoch(w, zone, &ret->epoch);
	if (zone->n_instances > 0 && w_chance(w, 45))
		strcpy(ret->instance, zone->instances[0]);
	else
		snprintf(ret->instance, sizeof ret->instance, "cp-%d", w_below(w, M_NAMES));
	ret->ttl_ms = w_chance(w, 60) ? zone->ttl_ms : w_chance(w, 30) ? 0 : 60000 * (1 + w_below(w, 60));
	hf_zone_connect_begin(ret);
}

void w_disconnect(struct world *w, const struct model *m, struct hf_zone_disconnect *ret) {
	const struct m_zone *zone = &m->zones[w_zone(w)];
	*ret = (struct hf_zone_disconnect){.has_epoch = false};
	strcpy(ret->name, zone->name);
	ret->has_epoch = random_epoch(w, zone, &ret->epoch);
	hf_zone_disconnect_begin(ret);
}

static struct hf_range random_cidr(struct world *w, int place) {
	enum hf_family family = w_chance(w, w->profile->ipv6) ? HF_IPV6 : HF_IPV4;
	int bits = 1 + w_below(w, 5), odd = w_below(w, 100);
	hf_u128 first = base(w_chance(w, 90) ? place : w_below(w, M_POOLS), family);
	first += (hf_u128)(w_below(w, 64) >> bits << bits);
	if (odd < 6 && family == HF_IPV6) { /* a /64 costs what a /24 costs */
		bits = 64;
		first = base(place, family);
	} else if (odd < 10 && place == 0) { /* the beginnings and the ends of the address spaces */
		bits = 2;
		first = family == HF_IPV4 ? (hf_u128)0xffff << 32 : 0;
	} else if (odd < 16 && place == M_POOLS - 1) {
		bits = 2;
		first = (family == HF_IPV4 ? (hf_u128)0xffff << 32 | 0xffffffff : ~(hf_u128)0) - 3;
	} else if (odd < 22) {
		bits = 0;      /* one address */
	} else if (odd < 45) { /* no CIDR */
		first = base(place, family) + (unsigned)w_below(w, 60);
		return (struct hf_range){{first}, {first + (unsigned)w_below(w, 30)}};
	} else if (odd < 49) {
		bits = 14; /* where a restore moves cursors by a number, not by a share */
		first = base(place, family);
	}
	return (struct hf_range){{first}, {first + (((hf_u128)1 << bits) - 1)}};
}

static struct hf_range random_reserved(struct world *w, const struct m_config *c) {
	struct hf_range cidr = c->cidrs[w_below(w, c->n_cidrs)], r = cidr;
	hf_u128 offset = (hf_u128)w_below(w, 16), size = (hf_u128)w_below(w, 4);
	if (w_chance(w, 5))
		return r; /* all of it */
	if (offset <= cidr.last.n - r.first.n)
		r.first.n += offset;
	if (size <= cidr.last.n - r.first.n)
		r.last.n = r.first.n + size;
	if (w_chance(w, 2) && cidr.last.n != ~(hf_u128)0 && m_family(cidr.last.n + 1) == m_family(cidr.last.n))
		r.last.n = cidr.last.n + 1; /* beyond it */
	return r;
}

static void random_names(struct world *w, const char *const *names, int n, struct hf_names *ret) {
	ret->n = w_chance(w, 25) ? 1 + w_below(w, 2) : 0;
	for (int i = 0; i < ret->n; i++)
		strcpy(ret->names[i], names[(w_below(w, n) + i) % n]);
}

/* Four parts of a configuration; an edit makes some of them anew. */
static void random_part(struct world *w, int part, int place, struct m_config *c) {
	static const uint32_t QUARANTINES[] = {0, 1, 10, 60, 600, 3600};
	switch (part) {
	case 0:
		c->n_cidrs = 1 + w_below(w, 4);
		for (int i = 0; i < c->n_cidrs; i++)
			c->cidrs[i] = random_cidr(w, place);
		break;
	case 1:
		c->n_reserved = w_chance(w, 40) ? 1 + w_below(w, 3) : 0;
		for (int i = 0; i < c->n_reserved; i++)
			c->reserved[i] = random_reserved(w, c);
		break;
	case 2:
		c->strategy = w_chance(w, w->profile->hashed) ? HF_HASHED : HF_SEQUENTIAL;
		c->quarantine_seconds = QUARANTINES[w_below(w, 6)];
		break;
	default:
		c->kinds = w_chance(w, 30) ? (unsigned)(1 + w_below(w, 7)) << 1 : 0;
		random_names(w, W_MESHES, 3, &c->meshes);
		random_names(w, W_ZONES, M_ZONES, &c->zones);
	}
}

const char *w_caller(struct world *w) {
	static const char *const callers[] = {"", "zone-east", "an-administrator-whose-name-is-as-long-as-names-are-allowed-to-b"};
	return callers[w_below(w, 3)];
}

void w_pool_put(struct world *w, const struct model *m, struct m_pool_put *ret) {
	int p = w_below(w, M_POOLS);
	memset(ret, 0, sizeof *ret);
	strcpy(ret->name, M_POOL_NAMES[p]);
	ret->drain = w_chance(w, 60);
	if (m->pools[p].exists)
		ret->config = m->pools[p].config;
	bool anew = !m->pools[p].exists || w_chance(w, 20);
	if (!anew && w_chance(w, 30) && ret->config.n_cidrs < 4) /* one CIDR more */
		ret->config.cidrs[ret->config.n_cidrs++] = random_cidr(w, p);
	bool other_cidrs = anew || w_chance(w, 15);
	for (int part = 0; part < 4; part++)
		if (anew || (part <= 1 && other_cidrs) || (part > 0 && w_chance(w, 30))) /* reserved ranges go with their CIDRs */
			random_part(w, part, p, &ret->config);
}
