/* Imports into a store that is in use: what is added, what conflicts, and how it is settled. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/admin/restore.h"
#include "storage/requests/lease_query.h"
#include "storage/store/batch.h"
#include "storage/store/upkeep.h"
#include "storage/tables/change_table.h"
#include "tests/unit/dump_support.h"

static struct fixture f, g; /* the export is of f; it goes into g */
static char *text;
static struct hf_import im;
static struct hf_why why;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
	fixture_dir(&g);
	fixture_open(&g);
	text = NULL;
}

static void teardown(void) {
	free(text);
	fixture_remove(&f);
	fixture_remove(&g);
}

TestSuite(merge, .init = setup, .fini = teardown, .timeout = 600);

static struct hf_lease put(struct fixture *to, const char *zone, const char *service, const char *pool, const char *address,
			   const char *config) {
	struct hf_acquire a = acquire_request(identity(zone, "default", service), config);
	snprintf(a.want.pool, sizeof a.want.pool, "%s", pool);
	if (address[0])
		a.want.addresses[a.want.n_addresses++] = addr(address);
	cr_assert_eq(acquire(to, &a), HF_OK, "%s: %s", service, a.write.why.text);
	return a.lease;
}

/* Imports f's export into g, which is open before and after. */
static void merge(enum hf_settle settle, bool dry_run) {
	struct hf_digest before = fixture_digest(&g);
	free(text);
	text = export_text(&f);
	fixture_close(&g);
	im = (struct hf_import){.settle = settle, .dry_run = dry_run};
	cr_assert_eq(import_text(&g, text, &im, &why), HF_OK, "%s", why.text);
	cr_assert(im.merged);
	fixture_open(&g);
	verify_clean(&g, "after an import");
	struct hf_digest after = fixture_digest(&g);
	if (!im.applied)
		cr_assert(hf_digest_equal(&before, &after), "something was changed");
}

/* "241.0.0.0 active 1": the addresses, state and generation of a lease of g; "none". */
static const char *lease_text(const char *zone, const char *service) {
	static char line[256];
	struct hf_identity id = identity(zone, "default", service);
	struct hf_lease lease;
	cr_assert_eq(hf_reader_begin(g.reader, NULL), HF_OK);
	bool found = hf_lease_get(g.reader, &id, NULL, &lease) == HF_OK;
	hf_reader_end(g.reader);
	char *at = stpcpy(line, found ? "" : "none");
	for (int i = 0; found && i < lease.n_vips; i++)
		at += sprintf(at, "%s ", vip_text(&lease, i));
	if (found)
		sprintf(at, "%s %d", lease.state == HF_ACTIVE ? "active" : "quarantined", (int)lease.generation);
	return line;
}

static void add_change(void *context, const struct hf_change *change) {
	char *line = context;
	sprintf(line + strlen(line), "%s%s %s %s", line[0] ? ", " : "", hf_change_type_name(change->type),
		change->has_lease ? change->id.service : change->pool, hf_cause_name(change->cause));
	cr_expect_str_eq(change->by, "offline");
}

static const char *changes_since(uint64_t revision) {
	static char line[4096];
	struct hf_feed_query query = {.since = revision, .limit = 100};
	struct hf_feed_page page;
	line[0] = '\0';
	cr_assert_eq(hf_reader_begin(g.reader, NULL), HF_OK);
	cr_assert_eq(hf_feed_read(g.reader, &query, add_change, line, NULL, &page), HF_OK);
	hf_reader_end(g.reader);
	return line;
}

static uint64_t revision(void) {
	cr_assert_eq(hf_reader_begin(g.reader, NULL), HF_OK);
	uint64_t at = hf_meta_read(g.reader).revision;
	hf_reader_end(g.reader);
	return at;
}

static struct hf_zone zone_of(const char *name) {
	struct hf_zone zone;
	cr_assert_eq(hf_reader_begin(g.reader, NULL), HF_OK);
	cr_assert(hf_zone_read(g.reader, name, &zone), "%s", name);
	hf_reader_end(g.reader);
	return zone;
}

Test(merge, what_is_new_is_added_by_the_cause_admin) {
	put(&g, "west", "there", "", "", "{}");
	put(&f, "east", "active", "", "241.0.1.1", "{}");
	put(&f, "east", "resting", "", "241.0.1.2", "{}");
	cr_assert_eq(release(&f, identity("east", "default", "resting"), false, NULL), HF_OK);
	uint64_t before = revision();
	merge(HF_SETTLE_REFUSE, true);
	struct hf_merge_counts told = im.counts;
	cr_assert(!im.applied && told.added == 2 && told.zones_added == 1 && told.conflicts == 0, "%s", said());
	merge(HF_SETTLE_REFUSE, false);
	cr_assert(im.applied && memcmp(&told, &im.counts, sizeof told) == 0);
	cr_expect_str_eq(lease_text("east", "active"), "241.0.1.1 active 1");
	cr_expect_str_eq(lease_text("east", "resting"), "241.0.1.2 quarantined 1");
	cr_expect_str_eq(lease_text("west", "there"), "241.0.0.0 active 1");
	cr_expect_str_eq(changes_since(before), "acquired active admin, released resting admin");
	merge(HF_SETTLE_REFUSE, false);
	cr_assert(im.counts.added == 0 && im.counts.unchanged == 2 && im.counts.conflicts == 0, "once more: %s", said());
	cr_assert_eq(revision(), before + 2);
	g.now_ms += 3600 * 1000; /* its quarantine is its own */
	put(&g, "west", "later", "", "", "{}");
	cr_expect_str_eq(lease_text("east", "resting"), "none");
}

/* Three leases that differ, each in its way, and one that nobody else has. */
static void make_conflicts(void) {
	put(&g, "east", "moved", "", "241.0.2.1", "{}");
	put(&f, "east", "moved", "", "241.0.1.1", "{}");
	put(&g, "east", "changed", "", "241.0.2.2", "{}");
	put(&f, "east", "changed", "", "241.0.2.2", "other");
	put(&g, "east", "holder", "", "241.0.2.3", "{}");
	put(&f, "east", "taker", "", "241.0.2.3", "{}");
	put(&f, "east", "new", "", "241.0.2.4", "{}");
}

Test(merge, conflicts_are_told_and_nothing_is_changed) {
	make_conflicts();
	merge(HF_SETTLE_REFUSE, false);
	cr_assert(!im.applied);
	cr_expect_eq(im.counts.conflicts, 3);
	cr_expect(
		strstr(said(),
		       "lease: MeshService \"moved\" of zone \"east\", mesh \"default\": it has 241.0.2.1 of pool \"meshservice\" "
		       "here, and 241.0.1.1 of pool \"meshservice\" in the import"),
		"%s", said());
	cr_expect(
		strstr(said(), "\"changed\" of zone \"east\", mesh \"default\": it has the same addresses, but another generation"),
		"%s", said());
	cr_expect(strstr(said(), "\"taker\" of zone \"east\", mesh \"default\": 241.0.2.3 is held here by MeshService \"holder\""),
		  "%s", said());
}

Test(merge, what_is_there_is_kept) {
	make_conflicts();
	uint64_t before = revision();
	merge(HF_SETTLE_KEEP, false);
	cr_assert(im.applied && im.counts.added == 1 && im.counts.left_out == 3 && im.counts.replaced == 0);
	cr_expect_str_eq(lease_text("east", "moved"), "241.0.2.1 active 1");
	cr_expect_str_eq(lease_text("east", "taker"), "none");
	cr_expect_str_eq(changes_since(before), "acquired new admin");
}

Test(merge, a_lease_is_replaced_but_never_anothers_address_taken) {
	make_conflicts();
	uint64_t before = revision();
	merge(HF_SETTLE_REPLACE, false);
	cr_assert(im.applied && im.counts.added == 1 && im.counts.replaced == 2 && im.counts.moved == 1);
	cr_assert(im.counts.left_out == 1 && im.counts.unsettled == 1);
	cr_expect_str_eq(lease_text("east", "moved"), "241.0.1.1 active 1");
	cr_expect_str_eq(lease_text("east", "holder"), "241.0.2.3 active 1");
	cr_expect_str_eq(lease_text("east", "taker"), "none");
	cr_expect_str_eq(changes_since(before), "updated changed admin, moved moved admin, acquired new admin");
	struct hf_holder holders[HF_HISTORY_HOLDERS];
	cr_assert_eq(hf_reader_begin(g.reader, NULL), HF_OK);
	cr_expect_eq(hf_holders_read(g.reader, addr("241.0.2.1"), -1, g.now_ms, holders), 1, "the address that it had is history");
	cr_expect(holders[0].to_ms != 0 && strcmp(holders[0].id.service, "moved") == 0);
	hf_reader_end(g.reader);
}

Test(merge, an_address_that_changes_is_counted) {
	make_conflicts();
	struct hf_merge m = {.into = g.store, .from = f.store, .settle = HF_SETTLE_REPLACE};
	cr_assert_eq(hf_merge(&m, NULL), HF_OK);
	cr_expect_eq(hf_store_vip_changes(g.store, HF_CAUSE_ADMIN), 1);
	verify_clean(&g, "merged");
}

Test(merge, a_swap_is_told_and_left_out) {
	put(&g, "east", "a", "", "241.0.0.1", "{}");
	put(&g, "east", "b", "", "241.0.0.2", "{}");
	put(&f, "east", "a", "", "241.0.0.2", "{}");
	put(&f, "east", "b", "", "241.0.0.3", "{}");
	merge(HF_SETTLE_REPLACE, false);
	cr_expect_str_eq(lease_text("east", "a"), "241.0.0.1 active 1", "judged by what there was");
	cr_expect_str_eq(lease_text("east", "b"), "241.0.0.3 active 1");
	cr_expect(im.counts.unsettled == 1 && im.counts.moved == 1, "%s", said());
}

Test(merge, states_follow_the_import) {
	put(&g, "east", "back", "", "", "{}");
	put(&f, "east", "back", "", "", "{}");
	put(&g, "east", "rests", "", "", "{}");
	put(&f, "east", "rests", "", "", "{}");
	cr_assert_eq(release(&g, identity("east", "default", "back"), false, NULL), HF_OK);
	cr_assert_eq(release(&f, identity("east", "default", "rests"), false, NULL), HF_OK);
	uint64_t before = revision();
	merge(HF_SETTLE_REPLACE, false);
	cr_expect_str_eq(lease_text("east", "back"), "241.0.0.0 active 1");
	cr_expect_str_eq(lease_text("east", "rests"), "241.0.0.1 quarantined 1");
	cr_expect_str_eq(changes_since(before), "restored back admin, released rests admin");
}

static void write_pool(struct fixture *to, const char *name, const char *cidrs, const char *reserved) {
	POOL_PUT_REQUEST request = pool_request(name, cidrs, reserved, 60);
	request.drain = true;
	cr_assert_eq(commit(to, &request.write), HF_OK, "%s", request.write.why.text);
}

Test(merge, pools_that_are_missing_are_made_with_all_that_they_hold) {
	put(&g, "east", "there", "", "", "{}");
	write_pool(&f, "blue", "10.0.0.0/24 10.0.1.0/24 fd00::/64", "");
	put(&f, "east", "reserved", "blue", "10.0.0.5", "{}");
	put(&f, "east", "drains", "blue", "10.0.1.7", "{}");
	write_pool(&f, "blue", "10.0.0.0/24 fd00::/64", "10.0.0.0/28");
	uint64_t before = revision();
	merge(HF_SETTLE_REFUSE, false);
	cr_assert(im.applied && im.counts.pools_added == 1 && im.counts.added == 2, "%s", said());
	cr_expect_str_eq(lease_text("east", "reserved"), "10.0.0.5 fd00:: active 1");
	cr_expect_str_eq(lease_text("east", "drains"), "10.0.1.7 fd00::1 active 1");
	cr_expect_str_eq(changes_since(before), "pool-written blue admin, acquired drains admin, acquired reserved admin");
	HF_POOL pool = {.id = 0};
	cr_assert_eq(hf_reader_begin(g.reader, NULL), HF_OK);
	cr_assert_eq(hf_pool_read(g.reader, "blue", NULL, &pool), HF_OK);
	hf_reader_end(g.reader);
	cr_expect(pool.id == 4 && pool.draining.n == 1 && pool.config.reserved.n == 1);
	cr_expect_str_eq(vip_text(&(struct hf_lease){.vips = {pool.count[HF_IPV6].cursor}}, 0), "fd00::2");
	cr_assert_eq(release(&g, identity("east", "default", "drains"), true, NULL), HF_OK);
	cr_assert_eq(release(&g, identity("east", "default", "reserved"), true, NULL), HF_OK);
	verify_clean(&g, "the draining range went");
}

Test(merge, pools_that_differ_or_overlap_are_conflicts) {
	write_pool(&g, "blue", "10.0.0.0/24", "10.0.0.0/28");
	write_pool(&g, "mine", "10.2.0.0/24 10.3.0.0/24", "");
	put(&g, "east", "mine-drains", "mine", "10.3.0.9", "{}");
	write_pool(&g, "mine", "10.2.0.0/24", "");
	write_pool(&f, "blue", "10.0.0.0/24 10.4.0.0/24", "");
	write_pool(&f, "theirs", "10.2.0.0/16", "");
	write_pool(&f, "mine", "10.3.0.0/24", "");
	put(&f, "east", "good", "blue", "10.0.0.99", "{}");
	put(&f, "east", "in-reserved", "blue", "10.0.0.1", "{}");
	put(&f, "east", "outside", "blue", "10.4.0.1", "{}");
	put(&f, "east", "no-pool", "theirs", "10.2.0.7", "{}");
	put(&f, "east", "in-draining", "mine", "10.3.0.1", "{}");
	merge(HF_SETTLE_REPLACE, false);
	static const char *const parts[] = {
		"pool: pool \"blue\" has another configuration here, and keeps it",
		"pool: pool \"theirs\" is not added: 10.2.0.0/16 overlaps 10.2.0.0/24 of an existing pool",
		"10.0.0.1 lies in a reserved range of pool \"blue\" here",
		"10.4.0.1 lies outside every range of pool \"blue\" here",
		"10.3.0.1 lies in a draining range of pool \"mine\" here",
		"its pool \"theirs\" does not exist here"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		cr_expect(strstr(said(), parts[i]), "no \"%s\" in\n%s", parts[i], said());
	cr_expect(im.counts.added == 1 && im.counts.left_out == 4 && im.counts.unsettled == 5, "%s", said());
	cr_expect_str_eq(lease_text("east", "good"), "10.0.0.99 active 1");
}

/* 10.9.0.0/24 moves from a pool's CIDRs to its draining ranges. */
static void drain_away(struct fixture *to, const char *pool, const char *service, const char *cidr) {
	write_pool(to, pool, "10.9.0.0/24", "");
	put(to, "east", service, pool, "", "{}");
	write_pool(to, pool, cidr, "");
}

Test(merge, a_draining_range_is_nobody_elses_on_either_side) {
	drain_away(&f, "aa", "theirs", "10.8.0.0/24");
	write_pool(&g, "zz", "10.9.0.0/24", "");
	static const char *const says = "pool \"aa\" is not added: 10.9.0.0/24 overlaps 10.9.0.0/24 of an existing pool";
	merge(HF_SETTLE_REPLACE, false);
	cr_expect(strstr(said(), says), "draining, and a CIDR here: %s", said());
	cr_expect(im.counts.pools_added == 0 && im.counts.left_out == 1);
	put(&g, "east", "ours", "zz", "", "{}");
	write_pool(&g, "zz", "10.7.0.0/24", "");
	merge(HF_SETTLE_KEEP, false);
	cr_expect(strstr(said(), says), "draining on both sides: %s", said());
	cr_expect_str_eq(lease_text("east", "theirs"), "none");
	cr_expect_str_eq(lease_text("east", "ours"), "10.9.0.0 active 1");
}

Test(merge, a_store_that_is_damaged_is_not_imported_into) {
	struct hf_batch *batch;
	uint8_t key[HF_ADDR_BYTES];
	put(&g, "east", "there", "", "241.0.0.1", "{}");
	put(&f, "east", "new", "", "241.0.0.2", "{}");
	hf_addr_put(addr("241.0.0.1"), key);
	cr_assert_eq(hf_batch_begin(g.store, NULL, &batch), HF_OK);
	hf_txn_del(hf_batch_txn(batch), HF_ADDRESSES, (struct hf_slice){key, sizeof key});
	cr_assert_eq(hf_batch_commit(batch, NULL), HF_OK);
	struct hf_digest before = fixture_digest(&g);
	struct hf_merge m = {.into = g.store, .from = f.store, .settle = HF_SETTLE_KEEP};
	cr_expect_eq(hf_merge(&m, &why), HF_E_CORRUPT);
	cr_expect(strstr(why.text, "already breaks"), "%s", why.text);
	struct hf_digest after = fixture_digest(&g);
	cr_expect(!m.applied && hf_digest_equal(&before, &after));
}

static unsigned roll(unsigned n) {
	static uint64_t state = 20260131;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* Pools that grow, move and drain in a few small ranges, and leases that come and go there. Much of it is refused. */
static void random_store(struct fixture *to, unsigned first) {
	char name[16], words[64];
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "p%u", first + roll(3));
		if (roll(3) == 0) {
			snprintf(words, sizeof words, "10.0.%u.%u/30", roll(6), 4 * roll(2));
			POOL_PUT_REQUEST request = pool_request(name, words, "", 60);
			request.drain = true;
			(void)!commit(to, &request.write);
			continue;
		}
		snprintf(words, sizeof words, "s%u", roll(12));
		struct hf_identity id = identity("east", "default", words);
		struct hf_acquire a = acquire_request(id, "{}");
		snprintf(a.want.pool, sizeof a.want.pool, "%s", roll(4) ? name : "");
		if (roll(4) == 0)
			(void)!release(to, id, roll(2), NULL);
		else
			(void)!acquire(to, &a);
	}
}

Test(merge, random_stores_stay_sound) {
	uint64_t added = 0, replaced = 0, refused = 0;
	for (int round = 0; round < 60; round++) {
		teardown();
		setup();
		random_store(&f, 0);
		random_store(&g, 2);
		put(&g, "west", "there", "", "", "{}");
		merge(roll(2) ? HF_SETTLE_KEEP : HF_SETTLE_REPLACE, false);
		added += im.counts.added;
		replaced += im.counts.replaced;
		refused += strstr(said(), "is not added") != NULL;
		random_store(&g, 2);
		verify_clean(&g, "after it went on");
	}
	cr_expect(added > 20 && replaced > 20 && refused > 5, "%d, %d, %d", (int)added, (int)replaced, (int)refused);
}

Test(merge, a_lease_may_come_into_another_pool) {
	write_pool(&g, "blue", "10.0.0.0/24", "");
	write_pool(&f, "blue", "10.0.0.0/24", "");
	put(&g, "east", "a", "", "", "{}");
	put(&f, "east", "a", "blue", "", "{}");
	uint64_t before = revision();
	merge(HF_SETTLE_REPLACE, false);
	cr_expect_str_eq(lease_text("east", "a"), "10.0.0.0 active 1");
	cr_expect_str_eq(changes_since(before), "moved a admin");
}

Test(merge, zones_that_are_new_are_offline_and_others_stay) {
	struct hf_zone_connect connect;
	put(&g, "west", "there", "", "", "{}");
	cr_assert_eq(connect_zone(&g, "both", "here", &connect), HF_OK);
	cr_assert_eq(connect_zone(&f, "both", "there", &connect), HF_OK);
	cr_assert_eq(connect_zone(&f, "east", "one", &connect), HF_OK);
	cr_assert_eq(connect_zone(&f, "east", "two", &connect), HF_OK);
	put(&f, "north", "s", "", "241.0.0.9", "{}");
	put(&f, "east", "s", "", "241.0.0.8", "{}");
	merge(HF_SETTLE_REFUSE, false);
	cr_expect(!im.applied && im.counts.conflicts == 1, "%s", said());
	cr_expect(strstr(said(), "zone: zone \"both\" has another state or epoch, or other instances here, and keeps them"), "%s",
		  said());
	g.now_ms += 5000;
	merge(HF_SETTLE_KEEP, false);
	struct hf_zone east = zone_of("east"), both = zone_of("both"), north = zone_of("north");
	cr_expect(east.state == HF_ZONE_OFFLINE && east.epoch == 2 && east.n_instances == 2 && east.changed_ms == g.now_ms);
	cr_expect(both.state == HF_ZONE_ONLINE && strcmp(both.instances[0], "here") == 0);
	cr_expect(north.state == HF_ZONE_UNMANAGED);
	struct hf_release request = {.want.id = identity("east", "default", "s")};
	hf_release_begin(&request);
	cr_expect_eq(commit(&g, &request.write), HF_E_ZONE_OFFLINE, "it is frozen until it connects");
}

Test(merge, an_import_of_the_past_raises_the_epoch_of_a_store_in_use) {
	put(&g, "east", "there", "", "", "{}");
	put(&f, "east", "new", "", "241.0.0.9", "{}");
	free(text);
	text = export_text(&f);
	fixture_close(&g);
	im = (struct hf_import){.restored = true};
	cr_assert_eq(import_text(&g, text, &im, &why), HF_OK, "%s", why.text);
	fixture_open(&g);
	verify_clean(&g, "restored");
	cr_expect(im.applied && im.merged && im.meta.store_epoch == 2);
	cr_expect_str_eq(lease_text("east", "new"), "241.0.0.9 active 1");
	cr_expect_str_eq(lease_text("east", "there"), "241.0.0.0 active 1");
}

Test(merge, the_epoch_of_a_new_zone_is_of_this_store_epoch) {
	struct hf_zone_connect connect;
	put(&g, "west", "there", "", "", "{}");
	cr_assert_eq(hf_store_raise_epoch(g.store, 3, NULL), HF_OK);
	cr_assert_eq(connect_zone(&f, "east", "one", &connect), HF_OK);
	cr_assert_eq(connect_zone(&f, "east", "two", &connect), HF_OK);
	put(&f, "north", "s", "", "241.0.0.9", "{}");
	merge(HF_SETTLE_REFUSE, false);
	cr_expect_eq(zone_of("east").epoch, ((uint64_t)2 << 32) + 2);
	cr_expect_eq(zone_of("north").epoch, 0, "it never connected");
	cr_assert_eq(hf_store_raise_epoch(f.store, 7, NULL), HF_OK);
	cr_assert_eq(connect_zone(&f, "south", "one", &connect), HF_OK);
	merge(HF_SETTLE_KEEP, false);
	cr_expect_eq(zone_of("south").epoch, ((uint64_t)6 << 32) + 1, "one that is ahead stays so");
}

Test(merge, a_rich_store_comes_whole_into_another) {
	rich_store(&f);
	put(&g, "elsewhere", "there", "", "241.9.0.0", "{}");
	g.now_ms = f.now_ms;
	merge(HF_SETTLE_REFUSE, false);
	cr_expect(im.applied && im.counts.conflicts == 0 && im.counts.added == im.lines[HF_LINE_LEASE], "%s", said());
	merge(HF_SETTLE_REFUSE, false);
	cr_expect(im.counts.unchanged == im.lines[HF_LINE_LEASE] && im.counts.conflicts == 1, "east was set offline: %s", said());
	g.now_ms += (int64_t)100 * 24 * 3600 * 1000;
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(hf_upkeep_run(g.store, NULL), HF_OK);
		verify_clean(&g, "after everything was due");
	}
}
