/* Zones: who connects and as what, what is fenced, what is frozen, and that a refresh writes nothing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/store/batch.h"
#include "storage/store/upkeep.h"
#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(zones, .init = setup, .fini = teardown);

static struct hf_zone_connect connected(const char *zone, const char *instance) {
	struct hf_zone_connect c;
	enum hf_err err = connect_zone(&f, zone, instance, &c);
	cr_assert_eq(err, HF_OK, "%s", c.write.why.text);
	return c;
}

static struct hf_acquire acquired(const char *zone, const char *mesh, const char *service) {
	struct hf_acquire a = acquire_request(identity(zone, mesh, service), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
	return a;
}

static uint64_t revision(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	struct hf_meta meta = hf_meta_read(f.reader);
	hf_reader_end(f.reader);
	return meta.revision;
}

static struct hf_zone_info info(const char *zone) {
	struct hf_zone_info i;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_zone_get(f.reader, zone, NULL, &i), HF_OK);
	hf_reader_end(f.reader);
	return i;
}

/* Peeks, which must be enough and must agree. */
static struct hf_zone_connect peeked(const char *zone, const char *instance) {
	struct hf_zone_connect c = {.has_epoch = false};
	enum hf_peek peek = HF_PEEK_WRITE;
	snprintf(c.name, sizeof c.name, "%s", zone);
	snprintf(c.instance, sizeof c.instance, "%s", instance);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_zone_connect_peek(f.store, f.reader, &c, NULL, &peek), HF_OK);
	hf_reader_end(f.reader);
	cr_assert_eq(peek, HF_PEEK_DONE);
	return c;
}

Test(zones, first_then_refresh_then_reconnect) {
	uint64_t before = revision();
	struct hf_zone_connect c = connected("east", "a");
	cr_assert_eq(c.connection, HF_CONNECTION_FIRST);
	cr_assert(!c.incremental && c.info.zone.epoch == 1 && c.info.zone.created_ms == f.now_ms && c.store_epoch == 1);
	struct hf_digest stored = fixture_digest(&f);
	f.now_ms += 1000;
	cr_assert_eq(connected("east", "a").connection, HF_CONNECTION_REFRESH, "by a write that comes too late to change anything");
	c = peeked("east", "a");
	cr_assert_eq(c.connection, HF_CONNECTION_REFRESH);
	cr_assert_eq(c.info.zone.epoch, 1);
	struct hf_digest again = fixture_digest(&f);
	cr_assert(hf_digest_equal(&stored, &again), "a refresh writes nothing");
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	stored = fixture_digest(&f);
	f.now_ms += 1000;
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	again = fixture_digest(&f);
	cr_assert(hf_digest_equal(&stored, &again), "nor does a repeated disconnection");
	acquired("east", "default", "redis");
	uint64_t with_lease = revision();
	c = connected("east", "a");
	cr_assert(c.connection == HF_CONNECTION_RECONNECT && c.incremental && c.info.zone.epoch == 2);
	cr_assert_eq(c.revision, with_lease);
	cr_assert_eq(revision(), with_lease, "connections make no revision");
	cr_assert_eq(with_lease, before + 1);
	struct hf_zone_info now = info("east");
	cr_assert(now.zone.reconnects == 1 && now.sum.active == 1 && now.zone.changed_ms == f.now_ms);
	fixture_close(&f);
	fixture_open(&f);
	cr_assert_eq(peeked("east", "a").info.zone.epoch, 2, "it lasts");
}

Test(zones, a_zone_that_had_leases_first_connects_in_full) {
	acquired("east", "default", "redis");
	f.now_ms += 5000;
	struct hf_zone_connect c = connected("east", "a");
	cr_assert(c.connection == HF_CONNECTION_FIRST && !c.incremental && c.info.sum.active == 1);
	cr_assert_eq(c.info.zone.created_ms, f.now_ms - 5000, "it was seen before");
	cr_assert(peeked("east", "a").incremental);
	cr_assert(connected("east", "b").incremental);
}

Test(zones, connections_are_fenced) {
	static const struct {
		const char *name;
		uint64_t epoch;
		const char *instance;
		enum hf_err err;
	} steps[] = {
		{"a wrong epoch of a zone that never connected", 1, "a", HF_E_STALE_EPOCH},
		{"its epoch is 0", 0, "a", HF_OK},
		{"the epoch before", 0, "b", HF_E_STALE_EPOCH},
		{"the current one", 1, "b", HF_OK},
		{"judged before a refresh", 1, "b", HF_E_STALE_EPOCH},
		{"a superseded instance with the current epoch", 2, "a", HF_E_STALE_EPOCH},
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct hf_zone_connect c = {.name = "east", .has_epoch = true, .epoch = steps[i].epoch};
		strcpy(c.instance, steps[i].instance);
		hf_zone_connect_begin(&c);
		cr_expect_eq(commit(&f, &c.write), steps[i].err, "%s", steps[i].name);
	}
	struct hf_zone_disconnect d = {.name = "east", .has_epoch = true, .epoch = 1};
	hf_zone_disconnect_begin(&d);
	cr_expect_eq(commit(&f, &d.write), HF_E_STALE_EPOCH);
	d.epoch = 2;
	cr_expect_eq(commit(&f, &d.write), HF_OK);
	cr_expect(d.info.zone.state == HF_ZONE_OFFLINE && d.info.zone.epoch == 2);
}

Test(zones, what_cannot_connect_or_disconnect) {
	struct hf_zone_connect c;
	cr_assert_eq(connect_zone(&f, "global", "a", &c), HF_E_INVALID_NAME);
	cr_assert(strstr(c.write.why.text, "global"));
	acquired("global", "default", "web");
	acquired("east", "default", "redis");
	cr_assert_eq(disconnect_zone(&f, "global"), HF_E_NOT_FOUND);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_E_NOT_FOUND);
	cr_assert_eq(disconnect_zone(&f, "nowhere"), HF_E_NOT_FOUND);
	cr_assert_eq(info("global").zone.state, HF_ZONE_UNMANAGED);
	struct hf_zone_info none;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_zone_get(f.reader, "nowhere", NULL, &none), HF_E_NOT_FOUND);
	hf_reader_end(f.reader);
}

static enum hf_err release_of(const char *service, bool purge, bool force) {
	struct hf_release r = {.want.id = identity("east", "default", service), .want.purge = purge, .want.force = force};
	hf_release_begin(&r);
	return commit(&f, &r.write);
}

Test(zones, an_offline_zone_is_frozen) {
	acquired("east", "default", "active");
	acquired("east", "default", "released");
	acquired("west", "default", "active");
	connected("east", "a");
	cr_assert_eq(release_of("released", false, false), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	struct hf_digest before = fixture_digest(&f);
	cr_expect_eq(release_of("active", false, false), HF_E_ZONE_OFFLINE);
	cr_expect_eq(release_of("active", true, false), HF_E_ZONE_OFFLINE);
	cr_expect_eq(release_of("released", true, false), HF_E_ZONE_OFFLINE);
	cr_expect_eq(release_of("released", false, false), HF_OK, "it is released already");
	cr_expect_eq(release_of("none", false, false), HF_E_NOT_FOUND);
	struct hf_digest after = fixture_digest(&f);
	cr_expect(hf_digest_equal(&before, &after));
	cr_expect_eq(release(&f, identity("west", "default", "active"), false, NULL), HF_OK, "another zone's");
	acquired("east", "default", "new");
	cr_expect_eq(release_of("active", false, true), HF_OK);
	cr_expect_eq(release_of("released", true, true), HF_OK);
	connected("east", "b");
	cr_expect_eq(release_of("new", false, false), HF_OK);
}

/* What a write of the same batch did counts, whether its scope is in the table already or not. */
Test(zones, a_batch_sums_what_it_has_changed) {
	struct hf_batch *batch;
	acquired("east", "default", "old");
	acquired("east", "other", "untouched");
	acquired("easter", "default", "redis");
	struct hf_acquire more = acquire_request(identity("east", "default", "more"), "{}");
	struct hf_acquire fresh = acquire_request(identity("east", "third", "fresh"), "{}");
	struct hf_acquire elsewhere = acquire_request(identity("easter", "third", "fresh"), "{}");
	struct hf_release gone = {.want.id = identity("east", "default", "old")};
	struct hf_zone_connect c = {.name = "east", .instance = "a"};
	struct hf_zone_disconnect d = {.name = "east"};
	struct hf_write *writes[] = {&more.write, &fresh.write, &elsewhere.write, &gone.write, &c.write, &d.write};
	hf_acquire_begin(&more);
	hf_acquire_begin(&fresh);
	hf_acquire_begin(&elsewhere);
	hf_release_begin(&gone);
	hf_zone_connect_begin(&c);
	hf_zone_disconnect_begin(&d);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
		cr_assert_eq(writes[i]->apply(batch, writes[i], NULL), HF_OK);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
	struct hf_zone_info now = info("east");
	cr_assert(now.sum.active == 3 && now.sum.quarantined == 1);
	cr_expect(memcmp(&c.info.sum, &now.sum, sizeof now.sum) == 0);
	cr_expect(memcmp(&d.info.sum, &now.sum, sizeof now.sum) == 0);
	cr_expect_eq(c.revision, revision());
	cr_expect_eq(now.zone.state, HF_ZONE_OFFLINE);
}

static bool add_name(void *context, const struct hf_zone_info *i) {
	char *names = context, line[128];
	snprintf(line, sizeof line, "%s=%d/%d ", i->zone.name, (int)i->sum.active, (int)i->sum.quarantined);
	strcat(names, line);
	return true;
}

Test(zones, all_zones_by_name) {
	char names[256] = "";
	bool more;
	acquired("west", "default", "a");
	acquired("east", "default", "a");
	acquired("east", "other", "a");
	acquired("east-2", "default", "a");
	cr_assert_eq(release(&f, identity("west", "default", "a"), false, NULL), HF_OK);
	connected("north", "a");
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_zones_page(f.reader, "", add_name, names, NULL, &more), HF_OK);
	cr_assert(!more);
	hf_reader_end(f.reader);
	cr_assert_str_eq(names, "east=2/0 east-2=1/0 north=0/0 west=0/1 ");
}
