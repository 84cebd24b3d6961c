/* A new store epoch, and what it does to revisions, zones, the feed and cursors. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/admin/restore.h"
#include "storage/store/upkeep.h"
#include "storage/tables/allocator.h"
#include "storage/tables/change_table.h"
#include "storage/tables/meta_table.h"
#include "tests/unit/support.h"

#define BAND ((uint64_t)1 << 32)

static struct fixture f;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(restore, .init = setup, .fini = teardown);

static struct hf_meta meta(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	struct hf_meta m = hf_meta_read(f.reader);
	hf_reader_end(f.reader);
	return m;
}

static struct hf_zone zone(const char *name) {
	struct hf_zone z;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert(hf_zone_read(f.reader, name, &z));
	hf_reader_end(f.reader);
	return z;
}

static void raise(uint64_t at_least) {
	struct hf_why why = {""};
	cr_assert_eq(hf_store_raise_epoch(f.store, at_least, &why), HF_OK, "%s", why.text);
	verify_clean(&f, "after an epoch was raised");
}

Test(restore, an_epoch_takes_everything_that_orders_along) {
	struct hf_zone_connect connect_result;
	struct hf_acquire a = acquire_request(identity("east", "default", "a"), "{}");
	struct hf_acquire n = acquire_request(identity("north", "default", "n"), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	cr_assert_eq(acquire(&f, &n), HF_OK);
	cr_assert_eq(connect_zone(&f, "east", "one", &connect_result), HF_OK);
	cr_assert_eq(connect_zone(&f, "west", "one", &connect_result), HF_OK);
	cr_assert_eq(connect_zone(&f, "west", "two", &connect_result), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "west"), HF_OK);
	int64_t offline_ms = f.now_ms;
	f.now_ms += 5000;
	struct hf_meta before = meta();
	cr_expect_eq(before.restored_ms, 0);
	raise(0);
	struct hf_meta after = meta();
	cr_expect_eq(after.store_epoch, 2);
	cr_expect_eq(after.revision, before.revision + BAND);
	cr_expect_eq(after.compacted, after.revision);
	cr_expect_eq(after.restored_ms, f.now_ms);
	cr_expect(memcmp(after.store_id, before.store_id, sizeof before.store_id) == 0);
	struct hf_zone east = zone("east"), west = zone("west"), north = zone("north");
	cr_expect(east.epoch == 1 + BAND && east.state == HF_ZONE_OFFLINE && east.changed_ms == f.now_ms && east.store_epoch == 1);
	cr_expect(west.epoch == 2 + BAND && west.state == HF_ZONE_OFFLINE && west.changed_ms == offline_ms);
	cr_expect(north.epoch == 0 && north.state == HF_ZONE_UNMANAGED);
	/* Another one, by several at once; then the zone comes back, knowing nothing. */
	raise(7);
	cr_expect_eq(meta().store_epoch, 7);
	cr_expect_eq(meta().revision, before.revision + 6 * BAND);
	cr_assert_eq(connect_zone(&f, "east", "one", &connect_result), HF_OK);
	cr_expect_eq(connect_result.info.zone.epoch, 2 + 6 * BAND);
	cr_expect_eq(connect_result.connection, HF_CONNECTION_RECONNECT);
	cr_expect(!connect_result.incremental);
	raise(3); /* less than the next one */
	cr_expect_eq(meta().store_epoch, 8);
}

/* Whoever connected first after the backup has an epoch that the restored store knows nothing of: nobody may get it again. */
Test(restore, a_zone_that_the_backup_does_not_know_gets_a_new_epoch) {
	struct hf_zone_connect connect_result;
	raise(0);
	cr_assert_eq(connect_zone(&f, "east", "one", &connect_result), HF_OK);
	cr_expect_eq(connect_result.connection, HF_CONNECTION_FIRST);
	cr_expect_eq(connect_result.info.zone.epoch, 1 + BAND);
	raise(4);
	cr_assert_eq(connect_zone(&f, "east", "two", &connect_result), HF_OK);
	cr_expect_eq(connect_result.info.zone.epoch, 2 + 3 * BAND);
}

Test(restore, an_epoch_out_of_range_changes_nothing) {
	struct hf_digest before = fixture_digest(&f);
	cr_expect_eq(hf_store_raise_epoch(f.store, ((uint64_t)1 << 30) + 1, NULL), HF_E_INVALID_PARAMETER);
	struct hf_digest after = fixture_digest(&f);
	cr_expect(hf_digest_equal(&before, &after));
	raise((uint64_t)1 << 30);
	cr_expect_eq(hf_store_raise_epoch(f.store, 0, NULL), HF_E_INVALID_PARAMETER);
}

Test(restore, the_next_address_lies_beyond_what_was_handed_out_since) {
	struct hf_acquire a = acquire_request(identity("east", "default", "a"), "{}");
	struct hf_acquire b = acquire_request(identity("east", "default", "b"), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	raise(0);
	cr_assert_eq(acquire(&f, &b), HF_OK);
	cr_expect_str_eq(vip_text(&b.lease, 0), "241.16.0.1"); /* a sixteenth of a /8 behind 241.0.0.1 */
}

static const struct {
	const char *name, *cidrs, *reserved;
	const char *cursor, *after, *after_two; /* of one epoch; of two at once */
} SKIPS[] = {
	{"from the beginning", "10.0.0.0/8", "", NULL, "10.16.0.0", "10.32.0.0"},
	{"a sixteenth", "10.0.0.0/8", "", "10.0.0.5", "10.16.0.5", "10.32.0.5"},
	{"at least 4,096", "10.0.0.0/16", "", "10.0.0.5", "10.0.16.5", "10.0.32.5"},
	{"half of a small one", "10.0.0.0/24", "", "10.0.0.5", "10.0.0.133", "10.0.0.197"},
	{"round the end", "10.0.0.0/24", "", "10.0.0.200", "10.0.0.72", "10.0.0.136"},
	{"into the next range", "10.0.0.0/24 10.9.0.0/24", "", "10.0.0.5", "10.9.0.5", "10.9.0.133"},
	{"from the next range round", "10.0.0.0/24 10.9.0.0/24", "", "10.9.0.7", "10.0.0.7", "10.0.0.135"},
	{"from behind the ranges", "10.0.0.0/24", "", "10.1.0.0", "10.0.0.128", "10.0.0.192"},
	{"a single address", "10.0.0.1/32", "", "10.0.0.1", "10.0.0.1", "10.0.0.1"},
	{"IPv6", "fd00::/64", "", "fd00::5", "fd00::1000:0:0:5", "fd00::2000:0:0:5"},
};

static void move_cursor(const char *name, const char *cidrs, const char *reserved, const char *cursor, uint64_t epochs,
			const char *after) {
	HF_POOL pool = {.id = 0};
	char text[HF_ADDR_TEXT];
	pool.config = pool_request("p", cidrs, reserved, 0).config;
	enum hf_family family = hf_addr_family(addr(after));
	if (cursor)
		pool.count[family].cursor = addr(cursor);
	hf_allocator_skip(&pool, family, epochs);
	hf_addr_format(pool.count[family].cursor, text);
	cr_expect_str_eq(text, after, "%s, %d epochs: %s", name, (int)epochs, text);
	hf_allocator_skip(&pool, family == HF_IPV4 ? HF_IPV6 : HF_IPV4, epochs); /* it has none of these */
}

Test(restore, cursors_move_as_the_table_says) {
	for (size_t i = 0; i < sizeof SKIPS / sizeof *SKIPS; i++) {
		move_cursor(SKIPS[i].name, SKIPS[i].cidrs, SKIPS[i].reserved, SKIPS[i].cursor, 1, SKIPS[i].after);
		move_cursor(SKIPS[i].name, SKIPS[i].cidrs, SKIPS[i].reserved, SKIPS[i].cursor, 2, SKIPS[i].after_two);
	}
	move_cursor("very many", "10.0.0.0/24", "", "10.0.0.5", (uint64_t)1 << 30, "10.0.0.4");
	move_cursor("very many", "10.0.0.1/32", "", "10.0.0.1", (uint64_t)1 << 30, "10.0.0.1");
}

static const struct {
	const char *cidrs;
	uint64_t most; /* epochs that a cursor is moved past whole */
} ENOUGH[] = {{"10.0.0.0/8", 8}, {"10.0.0.0/16", 8}, {"10.0.0.0/18", 2}, {"10.0.0.0/19", 1}, {"10.0.0.0/24", 0}, {"fd00::/64", 8}};

Test(restore, a_backup_that_is_many_restores_old_is_a_risk) {
	for (size_t i = 0; i < sizeof ENOUGH / sizeof *ENOUGH; i++) {
		HF_POOL pool = {.id = 0};
		pool.config = pool_request("p", ENOUGH[i].cidrs, "", 0).config;
		enum hf_family family = strchr(ENOUGH[i].cidrs, ':') ? HF_IPV6 : HF_IPV4;
		cr_expect(hf_allocator_skips_enough(&pool, family, ENOUGH[i].most), "%s", ENOUGH[i].cidrs);
		cr_expect(!hf_allocator_skips_enough(&pool, family, ENOUGH[i].most + 1), "%s", ENOUGH[i].cidrs);
		cr_expect(hf_allocator_skips_enough(&pool, family == HF_IPV4 ? HF_IPV6 : HF_IPV4, 1000), "%s", ENOUGH[i].cidrs);
	}
}

static const struct {
	const char *name, *cidrs;
	bool hashed;
} POOLS[] = {
	{"both", "10.8.0.0/18 fd00:1::/64", false}, {"hashed", "10.1.0.0/16", true}, {"large", "10.16.0.0/16", false},
	{"medium", "10.4.0.0/18", false},	    {"six", "fd00::/64", false},     {"small", "10.2.0.0/24", false},
};

static const struct {
	uint64_t epochs;
	const char *risks;
} RISKS[] = {
	{1, "hashed: hashed; small: small; "},
	{2, "hashed: hashed; small: small; "},
	{3, "both: the backup is many restores old; hashed: hashed; medium: the backup is many restores old; small: small; "},
	{8, "both: the backup is many restores old; hashed: hashed; medium: the backup is many restores old; small: small; "},
	{9, "both: the backup is many restores old; hashed: hashed; large: the backup is many restores old; "
	    "medium: the backup is many restores old; meshexternalservice: the backup is many restores old; "
	    "meshmultizoneservice: the backup is many restores old; meshservice: the backup is many restores old; "
	    "six: the backup is many restores old; small: small; "},
};

static void note_risk(void *context, const char *name, const char *why) {
	char *risks = context;
	sprintf(risks + strlen(risks), "%s: %s; ", name, why);
}

Test(restore, a_restore_names_the_pools_whose_cursors_it_cannot_move_far_enough) {
	char file[256], dir[256];
	for (size_t i = 0; i < sizeof POOLS / sizeof *POOLS; i++) {
		POOL_PUT_REQUEST put = pool_request(POOLS[i].name, POOLS[i].cidrs, "", 600);
		put.config.strategy = POOLS[i].hashed ? HF_HASHED : HF_SEQUENTIAL;
		hf_pool_put_begin(&put);
		cr_assert_eq(commit(&f, &put.write), HF_OK, "%s", put.write.why.text);
	}
	fixture_close(&f);
	snprintf(file, sizeof file, "%s/data.mdb", f.dir);
	for (size_t i = 0; i < sizeof RISKS / sizeof *RISKS; i++) {
		char risks[2048] = "";
		struct hf_why why = {""};
		snprintf(dir, sizeof dir, "%s/restored%zu", f.dir, i);
		struct hf_restore r = {.file = file,
				       .dir = dir,
				       .store_epoch = 1 + RISKS[i].epochs,
				       .clock = f.options.clock,
				       .pool_at_risk = note_risk,
				       .context = risks};
		cr_assert_eq(hf_restore(&r, &why), HF_OK, "%s", why.text);
		cr_expect_eq(r.meta.store_epoch, 1 + RISKS[i].epochs);
		cr_expect_str_eq(risks, RISKS[i].risks, "%d epochs: %s", (int)RISKS[i].epochs, risks);
	}
	fixture_open(&f);
}

Test(restore, a_quarantine_lasts_from_the_restore_on) {
	struct hf_lease lease;
	struct hf_identity id = identity("north", "default", "n");
	struct hf_acquire n = acquire_request(id, "{}");
	struct hf_batch *batch;
	struct hf_key key;
	cr_assert_eq(acquire(&f, &n), HF_OK);
	cr_assert_eq(release(&f, id, false, NULL), HF_OK);
	hf_identity_encode(&id, &key);
	f.now_ms += 2 * 3600000; /* long due, but nobody looked */
	raise(0);
	for (int i = 0; i < 3; i++) {
		bool held = i < 2;
		cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
		cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
		cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
		cr_expect_eq(hf_lease_read(f.reader, &key, &lease), held, "look %d", i);
		hf_reader_end(f.reader);
		f.now_ms += i == 0 ? 3600000 - 1 : 1;
	}
	verify_clean(&f, "at the end");
}

/* The store as format 1 had it: another version of its record, without the last field. */
Test(restore, a_store_of_format_1_is_migrated) {
	static const uint8_t format[] = {0, 0, 0, 1};
	struct hf_batch *batch;
	struct hf_slice value;
	uint8_t record[64];
	const char *aside;
	struct hf_acquire a = acquire_request(identity("east", "default", "a"), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	struct hf_digest before = fixture_digest(&f);
	cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
	struct hf_txn *txn = hf_batch_txn(batch);
	cr_assert(hf_txn_get(txn, HF_META, (struct hf_slice){"store", 5}, &value));
	cr_assert_eq(value.len, 61);
	memcpy(record, value.data, value.len);
	record[0] = 1;
	hf_txn_put(txn, HF_META, (struct hf_slice){"store", 5}, (struct hf_slice){record, 53});
	hf_txn_put(txn, HF_META, (struct hf_slice){"format", 6}, (struct hf_slice){format, sizeof format});
	cr_assert_eq(hf_batch_commit(batch, NULL), HF_OK);
	fixture_close(&f);
	fixture_open(&f);
	cr_expect_eq(hf_store_format_found(f.store, &aside), 1);
	cr_expect(strstr(aside, "data.mdb.format1-20231114T221320Z"), "%s", aside);
	struct hf_digest after = fixture_digest(&f);
	cr_expect(hf_digest_equal(&before, &after));
	verify_clean(&f, "after the migration");
	fixture_close(&f);
	fixture_open(&f);
	cr_expect_eq(hf_store_format_found(f.store, &aside), HF_FORMAT);
}
