/* storage/FORMAT.md's examples: what is encoded has the very bytes of the document, and they are decoded back. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/store/lease_change.h"
#include "storage/store/store_internal.h"
#include "storage/store/upkeep.h"
#include "storage/tables/allocator.h"
#include "storage/tables/deadline.h"
#include "storage/tables/holders.h"
#include "storage/tables/pool_table.h"
#include "tests/unit/format_support.h"

#define T0 1700000000000
#define T1 (T0 + 1000)

static struct hf_slice key_slice(const struct hf_key *key) { return (struct hf_slice){key->bytes, key->len}; }

static struct hf_identity redis(void) { return identity("east", "default", "redis"); }

/* For what is encoded only on its way into a table: a batch that is never committed. */
static struct fixture f;
static struct hf_batch *batch;
static struct hf_txn *txn;

static void begin(void) {
	fixture_dir(&f);
	fixture_open(&f);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	txn = hf_batch_txn(batch);
}

static void end(void) {
	cr_assert_eq(hf_txn_fault(txn, NULL), HF_OK);
	hf_batch_abort(batch);
	fixture_remove(&f);
}

/* Compares the table's first or last entry with the examples NAME key and NAME value. */
static void expect_entry(enum hf_table table, bool last, const char *name, struct hf_cursor *cursor) {
	char label[64];
	hf_cursor_open(txn, table, cursor);
	cr_assert(last ? hf_cursor_last(cursor) : hf_cursor_first(cursor));
	snprintf(label, sizeof label, "%s key", name);
	expect_bytes(label, cursor->key);
	snprintf(label, sizeof label, "%s value", name);
	expect_bytes(label, cursor->value);
}

Test(format, tables_have_their_names) {
	static const char *const names[] = {"meta",   "leases",	 "addresses", "free",  "deadlines", "pools",	 "zones",
					    "scopes", "changes", "history",   "usage", "affinity",  "remembered"};
	cr_assert_eq(HF_TABLES, 13);
	for (int i = 0; i < HF_TABLES; i++)
		cr_expect_str_eq(hf_table_name((enum hf_table)i), names[i]);
}

Test(format, meta) {
	static const uint8_t id[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
				       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	struct hf_meta meta = {.store_epoch = 1,
			       .revision = 17,
			       .compacted = 3,
			       .next_pool_id = 5,
			       .created_ms = T0,
			       .restored_ms = T1},
		       back;
	struct hf_moves moves = {.by_cause = {[HF_CAUSE_ADMIN] = 2}}, moved;
	HF_CURSOR format = {0}, store = {0};
	uint8_t key_bytes[VECTOR_MAX];
	memcpy(meta.store_id, id, sizeof id);
	begin();
	hf_meta_write(txn, &meta);
	expect_entry(HF_META, false, "meta format", &format);
	expect_entry(HF_META, true, "meta store", &store);
	back = hf_meta_read(txn);
	cr_expect_arr_eq(back.store_id, id, sizeof id);
	cr_expect(back.store_epoch == 1 && back.revision == 17 && back.compacted == 3);
	cr_expect(back.next_pool_id == 5 && back.created_ms == T0 && back.restored_ms == T1);
	cr_expect(!hf_moves_any(&(struct hf_moves){.by_cause = {0}}) && !hf_moves_any((moved = hf_moves_read(txn), &moved)));
	hf_moves_write(txn, &moves);
	struct hf_slice value;
	cr_assert(hf_txn_get(txn, HF_META, vector("meta moves key", key_bytes), &value));
	expect_bytes("meta moves value", value);
	moved = hf_moves_read(txn);
	cr_expect(hf_moves_any(&moved) && moved.by_cause[HF_CAUSE_ADMIN] == 2 && moved.by_cause[HF_CAUSE_REQUEST] == 0);
	hf_cursor_close(&format);
	hf_cursor_close(&store);
	end();
}

Test(format, clock) {
	uint8_t buffer[HF_CLOCK_RECORD_BYTES], key_bytes[VECTOR_MAX], value_bytes[VECTOR_MAX];
	struct hf_clock_record back,
		record = {.boot = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
			  .at_ms = T1,
			  .monotonic_ms = 3600000,
			  .revision = 17,
			  .lag_ms = 3 * 24 * 3600 * 1000,
			  .lag_from_ms = T1};
	struct hf_slice key = vector("meta clock key", key_bytes), value = vector("meta clock value", value_bytes);
	cr_expect(key.len == 5 && memcmp(key.data, "clock", 5) == 0);
	expect_bytes("meta clock value", hf_clock_encode(&record, buffer));
	cr_assert(hf_clock_decode(value, &back));
	cr_expect_arr_eq(back.boot, record.boot, sizeof back.boot);
	cr_expect(back.at_ms == T1 && back.monotonic_ms == 3600000 && back.revision == 17);
	cr_expect(back.lag_ms == record.lag_ms && back.lag_from_ms == T1);
	for (size_t len = 0; len < value.len; len++)
		cr_expect(!hf_clock_decode((struct hf_slice){value.data, len}, &back), "cut at %zu", len);
	value_bytes[17] = 0x80; /* a time that is none */
	cr_expect(!hf_clock_decode(value, &back));
}

Test(format, leases) {
	uint8_t buffer[HF_LEASE_RECORD_MAX], key_bytes[VECTOR_MAX], value_bytes[VECTOR_MAX];
	struct hf_lease lease = sample_lease(), back = {0};
	struct hf_key key;
	hf_identity_encode(&lease.id, &key);
	expect_bytes("leases key", key_slice(&key));
	expect_bytes("leases value", hf_lease_encode(&lease, buffer));
	cr_assert(hf_lease_decode(vector("leases key", key_bytes), vector("leases value", value_bytes), &back));
	cr_expect(strcmp(back.id.service, "redis") == 0 && strcmp(back.pool, "blue") == 0 && strcmp(back.version, "v1") == 0);
	cr_expect(back.state == HF_QUARANTINED && back.generation == 3 && back.revision == 17 && back.fingerprint_version == 1);
	cr_expect(back.n_vips == 2 && back.vips[0].n == lease.vips[0].n && back.vips[1].n == lease.vips[1].n);
	cr_expect(hf_digest_equal(&back.fingerprint, &lease.fingerprint) && hf_digest_equal(&back.raw, &lease.raw));
	cr_expect(back.created_ms == T0 && back.modified_ms == T1 && back.quarantined_until_ms == T1 + 3600000 && !back.forced);
	for (int state = 0; state < 256; state++) {
		value_bytes[1] = (uint8_t)state;
		struct hf_slice key_of = vector("leases key", key_bytes);
		bool good = hf_lease_decode(key_of, (struct hf_slice){value_bytes, hf_lease_encode(&lease, buffer).len}, &back);
		cr_expect_eq(good, state >= 1 && state <= 3, "state %d", state);
		if (good && state == 3)
			cr_expect(back.state == HF_QUARANTINED && back.forced);
	}
	lease.forced = true;
	cr_expect_eq(((const uint8_t *)hf_lease_encode(&lease, buffer).data)[1], 3);
}

Test(format, addresses) {
	struct hf_holder holder = {.id = redis(), .from_revision = 5, .from_ms = T0}, back;
	struct hf_addr of;
	HF_CURSOR cursor = {0};
	begin();
	hf_holders_open(txn, addr("241.0.0.7"), &holder);
	expect_entry(HF_ADDRESSES, false, "addresses", &cursor);
	cr_assert(hf_holders_decode_present(cursor.key, cursor.value, &of, &back));
	cr_expect(of.n == addr("241.0.0.7").n && back.from_revision == 5 && back.from_ms == T0 && back.to_ms == 0);
	cr_expect_str_eq(back.id.service, "redis");
	cr_expect_str_empty(back.by);
	hf_cursor_close(&cursor);
	end();
}

Test(format, addresses_bound_for_a_named_caller) {
	struct hf_holder holder = {.id = redis(), .from_revision = 5, .from_ms = T0, .by = "zone-east"}, back;
	uint8_t value_bytes[VECTOR_MAX];
	struct hf_addr of;
	HF_CURSOR cursor = {0};
	begin();
	hf_holders_open(txn, addr("241.0.0.7"), &holder);
	expect_entry(HF_ADDRESSES, false, "addresses named", &cursor);
	cr_assert(hf_holders_decode_present(cursor.key, cursor.value, &of, &back));
	cr_expect(back.from_revision == 5 && back.from_ms == T0 && back.to_ms == 0);
	cr_expect_str_eq(back.by, "zone-east");
	cr_expect_str_eq(back.id.service, "redis");
	struct hf_slice value = vector("addresses named value", value_bytes);
	for (int version = 0; version < 256; version++) {
		value_bytes[0] = (uint8_t)version;
		if (version != 1) /* where the text would be part of the identity */
			cr_expect_eq(hf_holders_decode_present(cursor.key, value, &of, &back), version == 2, "%d", version);
	}
	value_bytes[0] = 2;
	value_bytes[17] = 65; /* longer than a name may be */
	cr_expect(!hf_holders_decode_present(cursor.key, value, &of, &back));
	hf_cursor_close(&cursor);
	end();
}

Test(format, free_extents) {
	struct hf_pool *pool;
	uint32_t pool_id;
	struct hf_range back;
	HF_CURSOR cursor = {0};
	begin();
	cr_assert_eq(hf_batch_add_pool(batch, "blue", &pool), HF_OK);
	pool->config.cidrs = ranges_of("241.0.0.0/24");
	pool->config.reserved = ranges_of("241.0.0.0-241.0.0.7");
	hf_allocator_rebuild(txn, pool);
	expect_entry(HF_FREE, true, "free", &cursor);
	cr_expect(hf_allocator_decode(cursor.key, cursor.value, &pool_id, &back));
	cr_expect(pool_id == 4 && back.first.n == addr("241.0.0.8").n && back.last.n == addr("241.0.0.255").n);
	hf_cursor_close(&cursor);
	end();
}

Test(format, deadlines) {
	struct hf_identity id = redis();
	struct hf_deadline lease = {.at_ms = T1 + 3600000, .is_lease = true}, back;
	struct hf_deadline history = {.at_ms = T1 + HF_HISTORY_AGE_MS, .address = addr("241.0.0.7"), .from_revision = 5};
	HF_CURSOR first = {0}, last = {0};
	begin();
	hf_identity_encode(&id, &lease.lease);
	hf_deadline_put(txn, &lease);
	hf_deadline_put(txn, &history);
	expect_entry(HF_DEADLINES, false, "deadlines lease", &first);
	expect_entry(HF_DEADLINES, true, "deadlines history", &last);
	cr_expect(hf_deadline_decode(first.key, &back) && back.is_lease && back.at_ms == lease.at_ms);
	cr_expect(back.lease.len == lease.lease.len && memcmp(back.lease.bytes, lease.lease.bytes, back.lease.len) == 0);
	cr_expect(hf_deadline_decode(last.key, &back) && !back.is_lease && back.at_ms == history.at_ms);
	cr_expect(back.address.n == history.address.n && back.from_revision == 5);
	for (size_t len = 0; len < last.key.len; len++)
		cr_expect(!hf_deadline_decode((struct hf_slice){last.key.data, len}, &back), "cut at %zu", len);
	hf_cursor_close(&first);
	hf_cursor_close(&last);
	end();
}

Test(format, pools) {
	uint8_t buffer[VECTOR_MAX], key_bytes[VECTOR_MAX], value_bytes[VECTOR_MAX], usage_bytes[VECTOR_MAX];
	HF_POOL back = {.id = 0}, pool = {.id = 4, .name = "blue", .revision = 9, .created_ms = T0, .modified_ms = T1, .active = 5};
	bool has_usage;
	pool.quarantined = 1;
	pool.config = pool_request("blue", "10.0.0.0/24 10.0.2.10-10.0.2.99 fd00::/64", "10.0.0.0-10.0.0.3", 3600).config;
	pool.config.strategy = HF_HASHED;
	pool.config.kinds = 1u << HF_MESH_SERVICE;
	pool.config.meshes = (struct hf_names){.n = 1, .names = {"default"}};
	pool.config.zones = (struct hf_names){.n = 2, .names = {"east", "west"}};
	pool.draining = ranges_of("10.0.1.0/24");
	pool.count[HF_IPV4] = (struct hf_pool_count){.leased = 5,
						     .quarantined = 1,
						     .previous = 1,
						     .remembered = 3,
						     .overlaid_reserved = 1,
						     .overlaid_draining = 2,
						     .cursor = addr("10.0.0.9")};
	pool.count[HF_IPV6] = (struct hf_pool_count){.leased = 5, .quarantined = 1};
	expect_bytes("pools key", (struct hf_slice){pool.name, strlen(pool.name)});
	expect_bytes("pools value", hf_pool_encode(&pool, buffer));
	cr_expect_eq(hf_pool_record_bytes(&pool), vector("pools value", value_bytes).len);
	expect_bytes("usage key", hf_usage_key(pool.id, buffer));
	expect_bytes("usage value", hf_usage_encode(&pool, buffer));
	struct hf_slice key = vector("pools key", key_bytes), value = vector("pools value", value_bytes);
	cr_assert_eq(hf_pool_decode(key, value, &has_usage, &back), HF_OK);
	cr_assert(!has_usage && back.active == 0 && hf_usage_decode(vector("usage value", usage_bytes), &back));
	cr_expect(back.id == 4 && strcmp(back.name, "blue") == 0 && hf_pool_config_equal(&back.config, &pool.config));
	cr_expect(back.draining.n == 1 && back.draining.at[0].last.n == addr("10.0.1.255").n);
	cr_expect(back.active == 5 && back.quarantined == 1);
	cr_expect(back.revision == 9 && back.created_ms == T0 && back.modified_ms == T1);
	for (int i = 0; i < HF_FAMILIES; i++)
		cr_expect_eq(memcmp(&back.count[i], &pool.count[i], sizeof pool.count[i]), 0, "family %d", i);
	for (size_t len = 0; len < HF_USAGE_RECORD_BYTES; len++)
		cr_expect(!hf_usage_decode((struct hf_slice){usage_bytes, len}, &back), "cut at %zu", len);
}

/* The record of formats 1 to 3, as FORMAT.md had it then: with its counters, and draining ranges in any order. */
Test(format, pools_of_format_3) {
	static const char old[] = "01000000040200000e100200000000000000090000018bcfe568000000018bcfe56be80000000000000005"
				  "00000000000000010000000000000005000000000000000100000000000000010000000000000002"
				  "00000000000000000000ffff0a000009000000000000000500000000000000010000000000000000"
				  "00000000000000000000000000000000000000000000000002"
				  "00000000000000000000ffff0a00000000000000000000000000ffff0a0000ff"
				  "fd000000000000000000000000000000fd00000000000000ffffffffffffffff02"
				  "00000000000000000000ffff0a00030000000000000000000000ffff0a0003ff"
				  "00000000000000000000ffff0a00010000000000000000000000ffff0a0001ff01"
				  "00000000000000000000ffff0a00000000000000000000000000ffff0a000003"
				  "010764656661756c740204656173740477657374";
	uint8_t bytes[VECTOR_MAX];
	HF_POOL back = {.id = 0};
	bool has_usage;
	size_t len;
	for (len = 0; old[2 * len]; len++)
		sscanf(old + 2 * len, "%2hhx", &bytes[len]);
	cr_assert_eq(hf_pool_decode((struct hf_slice){"blue", 4}, (struct hf_slice){bytes, len}, &has_usage, &back), HF_OK);
	cr_expect(has_usage && back.id == 4 && back.active == 5 && back.quarantined == 1 && back.config.cidrs.n == 2);
	cr_expect(back.draining.n == 2 && back.draining.at[0].first.n == addr("10.0.1.0").n, "they are put in order");
	cr_expect(back.config.reserved.n == 1 && back.config.meshes.n == 1 && back.config.zones.n == 2);
	cr_expect(back.count[HF_IPV4].leased == 5 && back.count[HF_IPV4].overlaid_reserved == 1 &&
		  back.count[HF_IPV4].overlaid_draining == 2 && back.count[HF_IPV4].cursor.n == addr("10.0.0.9").n);
	cr_expect(back.count[HF_IPV4].previous == 0 && back.count[HF_IPV4].remembered == 0 && back.count[HF_IPV6].leased == 5);
}

Test(format, zones) {
	uint8_t buffer[HF_ZONE_RECORD_MAX], key_bytes[VECTOR_MAX], value_bytes[VECTOR_MAX];
	struct hf_zone back, zone = {.name = "east",
				     .state = HF_ZONE_ONLINE,
				     .epoch = 7,
				     .reconnects = 6,
				     .store_epoch = 1,
				     .created_ms = T0,
				     .changed_ms = T1,
				     .n_instances = 2,
				     .instances = {"cp-b", "cp-a"}};
	struct hf_slice key = vector("zones key", key_bytes), value = vector("zones value", value_bytes);
	expect_bytes("zones key", (struct hf_slice){zone.name, strlen(zone.name)});
	expect_bytes("zones value", hf_zone_encode(&zone, buffer));
	cr_assert(hf_zone_decode(key, value, &back));
	cr_expect(strcmp(back.name, "east") == 0 && back.state == HF_ZONE_ONLINE && back.epoch == 7 && back.reconnects == 6);
	cr_expect(back.store_epoch == 1 && back.created_ms == T0 && back.changed_ms == T1 && back.n_instances == 2);
	cr_expect(strcmp(back.instances[0], "cp-b") == 0 && strcmp(back.instances[1], "cp-a") == 0);
	for (size_t len = 0; len < value.len; len++)
		cr_expect(!hf_zone_decode(key, (struct hf_slice){value.data, len}, &back), "cut at %zu", len);
	for (int state = 0; state < 256; state++) {
		value_bytes[1] = (uint8_t)state;
		cr_expect_eq(hf_zone_decode(key, value, &back), state >= 1 && state <= 4, "state %d", state);
	}
	zone.ttl_ms = 30000;
	struct hf_slice with_ttl = vector("zones ttl value", value_bytes);
	expect_bytes("zones ttl value", hf_zone_encode(&zone, buffer));
	cr_assert(hf_zone_decode(key, with_ttl, &back));
	cr_expect(back.ttl_ms == 30000 && back.epoch == 7 && strcmp(back.instances[1], "cp-a") == 0);
	for (size_t len = 0; len < with_ttl.len; len++)
		cr_expect(!hf_zone_decode(key, (struct hf_slice){with_ttl.data, len}, &back), "cut at %zu", len);
	for (int version = 0; version < 256; version++) {
		value_bytes[0] = (uint8_t)version;
		cr_expect_eq(hf_zone_decode(key, with_ttl, &back), version == 2, "version %d", version);
	}
}

Test(format, scopes) {
	uint8_t buffer[HF_SCOPE_RECORD_MAX], value_bytes[VECTOR_MAX];
	struct hf_scope scope = {.active = 2, .quarantined = 1, .digest = hf_digest_of("config", 6)}, back;
	struct hf_identity id = redis();
	struct hf_key key;
	struct hf_slice value = vector("scopes value", value_bytes);
	hf_identity_encode(&id, &key);
	expect_bytes("scopes key", (struct hf_slice){key.bytes, key.scope_len});
	expect_bytes("scopes value", hf_scope_encode(&scope, buffer));
	cr_assert(hf_scope_decode(value, &back));
	cr_expect(back.active == 2 && back.quarantined == 1 && hf_digest_equal(&back.digest, &scope.digest));
	for (size_t len = 0; len < value.len; len++)
		cr_expect(!hf_scope_decode((struct hf_slice){value.data, len}, &back), "cut at %zu", len);
}

Test(format, changes) {
	struct hf_change back, lease = {.type = HF_CHANGE_RELEASED,
					.cause = HF_CAUSE_REQUEST,
					.pool = "blue",
					.has_lease = true,
					.id = redis(),
					.generation = 3,
					.n_vips = 2,
					.vips = {addr("241.0.0.7"), addr("fd00::7")}};
	struct hf_change pool = {.type = HF_CHANGE_POOL_WRITTEN, .cause = HF_CAUSE_REQUEST, .pool = "blue"};
	HF_CURSOR at_lease = {0}, at_transfer = {0}, at_pool = {0};
	begin();
	hf_batch_abort(batch);
	f.now_ms = T1;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	txn = hf_batch_txn(batch);
	hf_batch_meta(batch)->revision = 16;
	hf_batch_set_by(batch, "");
	cr_assert_eq(hf_batch_record(batch, &lease), 17);
	expect_entry(HF_CHANGES, true, "changes lease", &at_lease);
	cr_assert(hf_change_decode(at_lease.key, at_lease.value, &back));
	cr_expect(back.revision == 17 && back.at_ms == T1 && back.type == HF_CHANGE_RELEASED && back.cause == HF_CAUSE_REQUEST);
	cr_expect(back.has_lease && back.generation == 3 && back.n_vips == 2 && back.vips[1].n == lease.vips[1].n);
	cr_expect(strcmp(back.pool, "blue") == 0 && strcmp(back.id.service, "redis") == 0 && back.by[0] == '\0');
	for (size_t len = 0; len < at_lease.value.len - strlen("redis") + 1; len++)
		cr_expect(!hf_change_decode(at_lease.key, (struct hf_slice){at_lease.value.data, len}, &back), "cut at %zu", len);
	hf_cursor_close(&at_lease);
	struct hf_change transfer = lease;
	transfer.type = HF_CHANGE_TRANSFERRED;
	transfer.n_vips = 1;
	transfer.from = identity("east", "default", "cache");
	hf_batch_set_by(batch, "zone-east");
	cr_assert_eq(hf_batch_record(batch, &transfer), 18);
	expect_entry(HF_CHANGES, true, "changes transfer", &at_transfer);
	cr_assert(hf_change_decode(at_transfer.key, at_transfer.value, &back));
	cr_expect(back.revision == 18 && back.type == HF_CHANGE_TRANSFERRED && back.n_vips == 1);
	cr_expect(strcmp(back.by, "zone-east") == 0 && hf_identity_equal(&back.id, &lease.id));
	cr_expect(hf_identity_equal(&back.from, &transfer.from));
	for (size_t len = 0; len < at_transfer.value.len - strlen("redis") + 1; len++)
		cr_expect(!hf_change_decode(at_transfer.key, (struct hf_slice){at_transfer.value.data, len}, &back), "cut at %zu",
			  len);
	hf_cursor_close(&at_transfer);
	hf_batch_set_by(batch, HF_BY_HOLDFAST);
	cr_assert_eq(hf_batch_record(batch, &pool), 19);
	expect_entry(HF_CHANGES, true, "changes pool", &at_pool);
	cr_assert(hf_change_decode(at_pool.key, at_pool.value, &back));
	cr_expect(back.revision == 19 && back.type == HF_CHANGE_POOL_WRITTEN && !back.has_lease && strcmp(back.pool, "blue") == 0);
	cr_expect_str_eq(back.by, "holdfast");
	hf_cursor_close(&at_pool);
	end();
}

/* A record may be of any length that its fields allow. */
Test(format, the_longest_change_fits) {
	uint8_t key_bytes[HF_CHANGE_KEY_BYTES], record[HF_CHANGE_RECORD_MAX];
	struct hf_change back, change = {.type = HF_CHANGE_TRANSFERRED, .cause = HF_CAUSE_REQUEST, .has_lease = true, .n_vips = 2};
	memset(change.pool, 'p', HF_NAME_MAX);
	memset(change.by, 'b', HF_BY_MAX);
	change.id.kind = HF_MESH_SERVICE;
	memset(change.id.zone, 'z', HF_NAME_MAX);
	memset(change.id.mesh, 'm', HF_NAME_MAX);
	memset(change.id.service, 's', HF_SERVICE_MAX);
	change.from = change.id;
	struct hf_slice key = hf_change_key(7, key_bytes), value = hf_change_encode(&change, record);
	cr_assert_leq(value.len, sizeof record);
	cr_assert(hf_change_decode(key, value, &back));
	cr_expect(hf_identity_equal(&back.from, &change.id) && hf_identity_equal(&back.id, &change.id));
	cr_expect(strcmp(back.by, change.by) == 0 && strcmp(back.pool, change.pool) == 0);
	record[0] = 1; /* version 1 knows no transfer */
	cr_expect(!hf_change_decode(key, value, &back));
}

Test(format, history) {
	struct hf_holder holder = {.id = redis(), .from_revision = 5, .from_ms = T0}, back;
	struct hf_addr of;
	HF_CURSOR cursor = {0};
	begin();
	hf_holders_open(txn, addr("241.0.0.7"), &holder);
	hf_holders_close(txn, addr("241.0.0.7"), T1);
	expect_entry(HF_HISTORY, false, "history", &cursor);
	cr_assert(hf_holders_decode(cursor.key, cursor.value, &of, &back));
	cr_expect(of.n == addr("241.0.0.7").n && back.from_revision == 5 && back.from_ms == T0 && back.to_ms == T1);
	cr_expect_str_eq(back.id.service, "redis");
	cr_expect_str_empty(back.by);
	hf_cursor_close(&cursor);
	end();
}

Test(format, history_of_a_named_caller) {
	struct hf_holder holder = {.id = redis(), .from_revision = 5, .from_ms = T0, .by = "zone-east"}, back;
	struct hf_addr of;
	HF_CURSOR cursor = {0};
	begin();
	hf_holders_open(txn, addr("241.0.0.7"), &holder);
	hf_holders_close(txn, addr("241.0.0.7"), T1);
	expect_entry(HF_HISTORY, false, "history named", &cursor);
	cr_assert(hf_holders_decode(cursor.key, cursor.value, &of, &back));
	cr_expect(back.from_revision == 5 && back.from_ms == T0 && back.to_ms == T1);
	cr_expect_str_eq(back.by, "zone-east");
	cr_expect_str_eq(back.id.service, "redis");
	hf_cursor_close(&cursor);
	end();
}
