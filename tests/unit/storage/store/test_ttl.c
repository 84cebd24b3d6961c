/* Connections with a ttl: they end by the monotonic clock alone, and a refresh that comes late never keeps an epoch that is gone.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/store/committer.h"
#include "storage/store/upkeep.h"
#include "tests/unit/support.h"

#define TTL_MS 30000

static struct fixture f;

static void setup(void) { fixture_new(&f); }

static void teardown(void) { fixture_remove(&f); }

TestSuite(ttl, .init = setup, .fini = teardown);

static struct hf_zone_connect request(const char *zone, const char *instance, int64_t ttl_ms) {
	struct hf_zone_connect c = {.ttl_ms = ttl_ms};
	snprintf(c.name, sizeof c.name, "%s", zone);
	snprintf(c.instance, sizeof c.instance, "%s", instance);
	return c;
}

static struct hf_zone_connect connect(const char *zone, const char *instance, int64_t ttl_ms) {
	struct hf_zone_connect c = request(zone, instance, ttl_ms);
	hf_zone_connect_begin(&c);
	cr_assert_eq(commit(&f, &c.write), HF_OK, "%s", c.write.why.text);
	return c;
}

/* As a server refreshes: on a snapshot, and if that is not enough, by a write. */
static struct hf_zone_connect refresh(const char *zone, const char *instance, int64_t ttl_ms, enum hf_peek *ret) {
	struct hf_zone_connect c = request(zone, instance, ttl_ms);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_zone_connect_peek(f.store, f.reader, &c, NULL, ret), HF_OK);
	hf_reader_end(f.reader);
	if (*ret == HF_PEEK_WRITE) {
		hf_zone_connect_begin(&c);
		cr_assert_eq(commit(&f, &c.write), HF_OK);
	}
	return c;
}

/* What a batch without writes of its own does, as the upkeep of each second. */
static void upkeep(void) {
	struct hf_batch *batch;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
}

static struct hf_zone zone_of(const char *name) {
	struct hf_zone zone;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert(hf_zone_read(f.reader, name, &zone));
	hf_reader_end(f.reader);
	return zone;
}

/* "online 1": the zone's state and epoch. */
static const char *state(const char *name) {
	static char text[64];
	struct hf_zone zone = zone_of(name);
	snprintf(text, sizeof text, "%s %d", hf_zone_state_name(zone.state), (int)zone.epoch);
	return text;
}

Test(ttl, without_a_refresh_the_zone_is_offline_and_frozen) {
	struct hf_acquire a = acquire_request(identity("east", "default", "redis"), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	connect("east", "a", TTL_MS);
	uint64_t revision = hf_store_meta(f.store)->revision;
	f.monotonic_ms += TTL_MS - 1;
	upkeep();
	cr_expect_str_eq(state("east"), "online 1");
	f.monotonic_ms++;
	f.now_ms += 77;
	/* The very write that comes next is judged by a zone that is offline. */
	cr_expect_eq(release(&f, a.want.id, false, NULL), HF_E_ZONE_OFFLINE);
	cr_expect_str_eq(state("east"), "offline 1");
	struct hf_zone zone = zone_of("east");
	cr_expect(zone.changed_ms == f.now_ms && zone.ttl_ms == TTL_MS);
	cr_expect_eq(hf_store_meta(f.store)->revision, revision, "which is no change of a lease");
	verify_clean(&f, "offline by its ttl");
	fixture_close(&f);
	fixture_open(&f);
	cr_expect_str_eq(state("east"), "offline 1", "it is durable");
	enum hf_peek peek;
	struct hf_zone_connect c = refresh("east", "a", TTL_MS, &peek);
	cr_expect(c.connection == HF_CONNECTION_RECONNECT && c.info.zone.epoch == 2, "the same instance comes back");
}

Test(ttl, a_refresh_begins_the_time_again_and_writes_nothing) {
	enum hf_peek peek;
	connect("east", "a", TTL_MS);
	struct hf_digest stored = fixture_digest(&f);
	for (int i = 0; i < 5; i++) {
		f.monotonic_ms += TTL_MS - 1;
		upkeep();
		cr_expect_eq(refresh("east", "a", TTL_MS, &peek).connection, HF_CONNECTION_REFRESH);
		cr_expect_eq(peek, HF_PEEK_DONE);
	}
	struct hf_digest again = fixture_digest(&f);
	cr_expect(hf_digest_equal(&stored, &again));
	f.monotonic_ms += TTL_MS;
	upkeep();
	cr_expect_str_eq(state("east"), "offline 1");
}

Test(ttl, a_connection_without_one_lasts_and_each_refresh_states_it) {
	enum hf_peek peek;
	connect("east", "a", 0);
	f.monotonic_ms += 1000 * (int64_t)TTL_MS;
	upkeep();
	cr_expect_str_eq(state("east"), "online 1");
	struct hf_zone_connect c = refresh("east", "a", TTL_MS, &peek);
	cr_expect(c.connection == HF_CONNECTION_REFRESH && c.info.zone.epoch == 1 && peek == HF_PEEK_WRITE, "a ttl from now on");
	cr_expect_eq(zone_of("east").ttl_ms, TTL_MS);
	f.monotonic_ms += TTL_MS - 1;
	refresh("east", "a", 2 * TTL_MS, &peek);
	f.monotonic_ms += 2 * TTL_MS - 1;
	upkeep();
	cr_expect_str_eq(state("east"), "online 1", "a longer one");
	refresh("east", "a", 0, &peek);
	f.monotonic_ms += 1000 * (int64_t)TTL_MS;
	upkeep();
	cr_expect_str_eq(state("east"), "online 1", "none any more");
	cr_expect_eq(zone_of("east").ttl_ms, 0);
	connect("east", "b", TTL_MS);
	f.monotonic_ms += TTL_MS;
	upkeep();
	cr_expect_str_eq(state("east"), "offline 2", "a new instance with one");
}

/* The store's time may go anywhere, in one process and over a restart; f's monotonic clock does not move. */
Test(ttl, the_wall_clock_does_not_matter) {
	static const int64_t steps[] = {365 * 24 * 3600 * (int64_t)1000, -1000 * 24 * 3600 * (int64_t)1000, 3600 * 1000};
	fixture_close(&f);
	f.options.follow_clock = true;
	f.options.follow_after_ms = -1;
	fixture_open(&f);
	connect("east", "a", TTL_MS);
	f.monotonic_ms += TTL_MS - 1;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		f.shift_ms += steps[i];
		struct hf_committer_options options = {0};
		struct hf_committer *committer;
		cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
		hf_committer_upkeep(committer); /* follows the clock, which writes the zone */
		hf_committer_stop(committer);
		hf_committer_free(committer);
		cr_expect_str_eq(state("east"), "online 1", "step %zu", i);
	}
	f.monotonic_ms++;
	upkeep();
	cr_expect_str_eq(state("east"), "offline 1", "nor is the time longer for it");
}

Test(ttl, after_a_start_the_time_runs_again) {
	connect("east", "a", TTL_MS);
	f.monotonic_ms += TTL_MS - 1;
	fixture_close(&f);
	f.monotonic_ms += 1000 * (int64_t)TTL_MS;
	fixture_open(&f);
	upkeep();
	cr_expect_str_eq(state("east"), "online 1");
	f.monotonic_ms += TTL_MS - 1;
	upkeep();
	cr_expect_str_eq(state("east"), "online 1");
	f.monotonic_ms++;
	upkeep();
	cr_expect_str_eq(state("east"), "offline 1");
}

/* A refresh's snapshot may be of before the expiry, and its answer after it. */
Test(ttl, a_refresh_with_an_old_snapshot_is_not_answered_with_an_epoch_that_is_gone) {
	struct hf_zone_connect c = request("east", "a", TTL_MS);
	enum hf_peek peek;
	connect("east", "a", TTL_MS);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	f.monotonic_ms += TTL_MS;
	upkeep();
	cr_assert_eq(hf_zone_connect_peek(f.store, f.reader, &c, NULL, &peek), HF_OK);
	hf_reader_end(f.reader);
	cr_assert(c.info.zone.state == HF_ZONE_ONLINE && c.info.zone.epoch == 1, "the snapshot does not show it");
	cr_assert_eq(peek, HF_PEEK_WRITE);
	hf_zone_connect_begin(&c);
	cr_assert_eq(commit(&f, &c.write), HF_OK);
	cr_expect(c.connection == HF_CONNECTION_RECONNECT && c.info.zone.epoch == 2);
	/* And again: the snapshot is of the epoch before. */
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	connect("east", "b", TTL_MS);
	c = request("east", "a", TTL_MS);
	cr_assert_eq(hf_zone_connect_peek(f.store, f.reader, &c, NULL, &peek), HF_OK);
	hf_reader_end(f.reader);
	cr_expect_eq(peek, HF_PEEK_WRITE);
}

Test(ttl, a_refresh_before_the_expiry_is_decided_keeps_the_zone_online) {
	struct hf_zone_connect c = request("east", "a", TTL_MS);
	enum hf_peek peek;
	connect("east", "a", TTL_MS);
	f.monotonic_ms += 2 * TTL_MS; /* no batch came meanwhile */
	cr_expect_eq(refresh("east", "a", TTL_MS, &peek).connection, HF_CONNECTION_REFRESH);
	cr_expect_eq(peek, HF_PEEK_DONE);
	upkeep();
	cr_expect_str_eq(state("east"), "online 1");
	/* By a write, which the expiry precedes. */
	f.monotonic_ms += TTL_MS;
	hf_zone_connect_begin(&c);
	cr_assert_eq(commit(&f, &c.write), HF_OK);
	cr_expect(c.connection == HF_CONNECTION_RECONNECT && c.info.zone.epoch == 2);
	cr_expect_str_eq(state("east"), "online 2");
}

/* The batch that takes the zone offline is rolled back: meanwhile a refresh must wait for the writer, and then it is over. */
Test(ttl, an_expiry_that_is_rolled_back_is_tried_again) {
	struct hf_batch *batch;
	enum hf_peek peek;
	struct hf_zone_connect c = request("east", "a", TTL_MS);
	connect("east", "a", TTL_MS);
	connect("west", "a", TTL_MS);
	f.monotonic_ms += TTL_MS - 1;
	refresh("west", "a", TTL_MS, &peek);
	f.monotonic_ms++;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_zone_connect_peek(f.store, f.reader, &c, NULL, &peek), HF_OK);
	hf_reader_end(f.reader);
	cr_expect_eq(peek, HF_PEEK_WRITE, "it is decided, though not durable");
	hf_batch_abort(batch);
	cr_expect_str_eq(state("east"), "online 1");
	upkeep();
	cr_expect_str_eq(state("east"), "offline 1");
	f.monotonic_ms += TTL_MS - 2;
	upkeep();
	cr_expect_str_eq(state("west"), "online 1", "the other's time is as it was");
	f.monotonic_ms++;
	upkeep();
	cr_expect_str_eq(state("west"), "offline 1");
}

/* A connection that was never committed leaves the time of the one before. */
Test(ttl, a_connection_that_is_rolled_back_leaves_a_zone_that_ends) {
	struct hf_batch *batch;
	struct hf_zone_connect c = request("east", "b", 0);
	connect("east", "a", TTL_MS);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	hf_zone_connect_begin(&c);
	cr_assert_eq(c.write.apply(batch, &c.write, NULL), HF_OK);
	cr_assert_eq(c.info.zone.epoch, 2);
	hf_batch_abort(batch);
	cr_expect_str_eq(state("east"), "online 1");
	f.monotonic_ms += 2 * TTL_MS; /* anew from the batch after the abort, which is not sooner */
	upkeep();
	f.monotonic_ms += 2 * TTL_MS;
	upkeep();
	cr_expect_str_eq(state("east"), "offline 1");
}

/* It has the same epoch, which was not committed the first time. */
Test(ttl, a_connection_after_one_that_was_rolled_back_has_its_whole_time) {
	struct hf_batch *batch;
	struct hf_zone_connect c = request("east", "a", TTL_MS);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	hf_zone_connect_begin(&c);
	cr_assert_eq(c.write.apply(batch, &c.write, NULL), HF_OK);
	hf_batch_abort(batch);
	f.monotonic_ms += 2 * TTL_MS;
	connect("east", "a", TTL_MS);
	f.monotonic_ms += TTL_MS - 1;
	upkeep();
	cr_expect_str_eq(state("east"), "online 1");
	f.monotonic_ms++;
	upkeep();
	cr_expect_str_eq(state("east"), "offline 1");
}

/* What it was recorded with last is not what it has. */
Test(ttl, a_refresh_without_a_ttl_that_is_rolled_back_begins_the_time_again) {
	struct hf_batch *batch;
	struct hf_zone_connect c = request("east", "a", 0);
	connect("east", "a", TTL_MS);
	f.monotonic_ms += TTL_MS - 1;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	hf_zone_connect_begin(&c);
	cr_assert_eq(c.write.apply(batch, &c.write, NULL), HF_OK);
	hf_batch_abort(batch);
	upkeep();
	f.monotonic_ms++;
	upkeep();
	cr_expect_str_eq(state("east"), "online 1");
	f.monotonic_ms += TTL_MS;
	upkeep();
	cr_expect_str_eq(state("east"), "offline 1");
}

Test(ttl, a_disconnected_zone_does_not_lapse_again) {
	connect("east", "a", TTL_MS);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	f.now_ms += 1000;
	f.monotonic_ms += 2 * TTL_MS;
	struct hf_digest stored = fixture_digest(&f);
	upkeep();
	struct hf_digest again = fixture_digest(&f);
	cr_expect(hf_digest_equal(&stored, &again));
}

static char lapses[1024];

static void note_lapse(void *context, const struct hf_ttl_news *news) {
	(void)context;
	snprintf(lapses + strlen(lapses), sizeof lapses - strlen(lapses), "%s %d %d, ", news->zone, (int)news->epoch,
		 (int)news->ttl_ms);
}

Test(ttl, the_committer_takes_zones_offline_and_reports_each_once) {
	struct hf_committer_options options = {.zone_lapsed = note_lapse};
	struct hf_committer *committer;
	connect("east", "a", TTL_MS);
	connect("east", "b", TTL_MS);
	connect("west", "a", 2 * TTL_MS);
	cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
	hf_committer_upkeep(committer);
	cr_expect_str_eq(lapses, "");
	f.monotonic_ms += TTL_MS;
	hf_committer_upkeep(committer);
	cr_expect_str_eq(lapses, "east 2 30000, ");
	/* The write that finds it reports it as well. */
	f.monotonic_ms += TTL_MS;
	struct hf_zone_connect c = request("west", "a", 2 * TTL_MS);
	hf_zone_connect_begin(&c);
	while (!hf_committer_try(committer, &c.write, &c))
		continue;
	cr_assert(c.write.err == HF_OK && c.info.zone.epoch == 2);
	hf_committer_upkeep(committer);
	cr_expect_str_eq(lapses, "east 2 30000, west 1 60000, ");
	cr_expect_eq(hf_committer_stats(committer)->zones_lapsed, 2);
	hf_committer_stop(committer);
	hf_committer_free(committer);
}

Test(ttl, many_zones_end_in_several_batches) {
	char name[16];
	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof name, "z%d", i);
		connect(name, "a", TTL_MS);
	}
	f.monotonic_ms += TTL_MS;
	for (int i = 0; i < 3; i++)
		upkeep();
	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof name, "z%d", i);
		cr_expect_str_eq(state(name), "offline 1", "%s", name);
	}
}
