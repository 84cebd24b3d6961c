/* words.c — operations in words. */
#include "words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void say(struct run *run, const char *format, ...) {
	size_t at = strlen(run->text);
	va_list args;
	va_start(args, format);
	vsnprintf(run->text + at, sizeof run->text - at, format, args);
	va_end(args);
}

static void say_identity(struct run *run, const char *verb, const struct hf_identity *id) {
	say(run, "%s %s %s/%s/%.40s", verb, hf_kind_name(id->kind), id->zone, id->mesh, id->service);
}

static void say_addresses(struct run *run, const char *what, const struct hf_addr *list, int n) {
	char text[HF_ADDR_TEXT];
	for (int i = 0; i < n; i++) {
		hf_addr_format(list[i], text);
		say(run, " %s=%s", what, text);
	}
}

static void say_ranges(struct run *run, const char *what, const struct hf_range *list, int n) {
	char text[HF_RANGE_TEXT];
	for (int i = 0; i < n; i++) {
		hf_range_format(list[i], text);
		say(run, " %s%s", what, text);
	}
}

static void say_guard(struct run *run, const struct hf_guard *g) {
	if (g->if_match.stated)
		say(run, " if-match=%s", g->if_match.any ? "*" : g->if_match.tags[0]);
	if (g->if_none_match.stated)
		say(run, " if-none-match=%s", g->if_none_match.any ? "*" : g->if_none_match.tags[0]);
	if (g->has_epoch)
		say(run, " epoch=%" PRIu64, g->epoch);
}

void say_acquire(struct run *run, const struct hf_acquire *a) {
	say_identity(run, "acquire", &a->want.id);
	if (a->want.has_config)
		say(run, " config=%02x%02x/%02x%02x", a->want.fingerprint.bytes[0], a->want.fingerprint.bytes[1],
		    a->want.raw.bytes[0], a->want.raw.bytes[1]);
	if (a->want.has_version)
		say(run, " version=\"%s\"", a->want.version);
	if (a->want.pool[0])
		say(run, " pool=%s", a->want.pool);
	say_addresses(run, "address", a->want.addresses, a->want.n_addresses);
	say_addresses(run, "claim", a->want.claims, a->want.n_claims);
	say_guard(run, &a->want.guard);
}

void say_put(struct run *run, const struct m_pool_put *put) {
	const struct m_config *c = &put->config;
	say(run, "pool %s%s strategy %d quarantine %u kinds %u", put->name, put->drain ? " drain" : "", c->strategy,
	    c->quarantine_seconds, c->kinds);
	say_ranges(run, "", c->cidrs, c->n_cidrs);
	say_ranges(run, "reserved=", c->reserved, c->n_reserved);
	for (int i = 0; i < c->meshes.n; i++)
		say(run, " mesh=%s", c->meshes.names[i]);
	for (int i = 0; i < c->zones.n; i++)
		say(run, " zone=%s", c->zones.names[i]);
}

void say_release(struct run *run, const struct hf_release *r) {
	say_identity(run, r->want.purge ? "purge" : "release", &r->want.id);
	if (r->want.force)
		say(run, " force");
	say_guard(run, &r->want.guard);
}

void say_move(struct run *run, const struct hf_move *move) {
	say_identity(run, "move", &move->want.id);
	say(run, " overlap=%u%s", move->want.overlap_seconds, move->want.force ? " force" : "");
	if (move->want.pool[0])
		say(run, " pool=%s", move->want.pool);
	say_addresses(run, "address", move->want.addresses, move->want.n_addresses);
	say_guard(run, &move->want.guard);
}

void say_zone(struct run *run, const struct hf_zone_connect *connect, const struct hf_zone_disconnect *disconnect) {
	if (connect)
		say(run, "connect zone %s as %s ttl=%" PRId64, connect->name, connect->instance, connect->ttl_ms);
	else
		say(run, "disconnect zone %s", disconnect->name);
	if (connect ? connect->has_epoch : disconnect->has_epoch)
		say(run, " epoch=%" PRIu64, connect ? connect->epoch : disconnect->epoch);
}
