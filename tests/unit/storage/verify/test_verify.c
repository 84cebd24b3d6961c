/* Damage that verify must name: one record at a time, behind the back of the verbs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/store/upkeep.h"
#include "storage/tables/deadline.h"
#include "storage/tables/holders.h"
#include "storage/tables/meta_table.h"
#include "storage/tables/pool_table.h"
#include "storage/verify/verify.h"
#include "tests/unit/support.h"

static struct fixture f;
static struct hf_txn *txn; /* of the batch that damages */
static char said[8192];

/* Three leases: redis active, old in quarantine, gone purged. Zone west connected thrice and is offline. */
static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
	static const char *const names[] = {"redis", "old", "gone"};
	for (int i = 0; i < 3; i++) {
		struct hf_acquire a = acquire_request(identity("east", "default", names[i]), "{}");
		cr_assert_eq(acquire(&f, &a), HF_OK);
	}
	cr_assert_eq(release(&f, identity("east", "default", "old"), false, NULL), HF_OK);
	cr_assert_eq(release(&f, identity("east", "default", "gone"), true, NULL), HF_OK);
	struct hf_zone_connect connect;
	static const char *const instances[] = {"a", "b", "c"};
	for (int i = 0; i < 3; i++)
		cr_assert_eq(connect_zone(&f, "west", instances[i], &connect), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "west"), HF_OK);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(verify, .init = setup, .fini = teardown);

static void note(void *context, enum hf_table table, const char *what) {
	(void)context;
	snprintf(said + strlen(said), sizeof said - strlen(said), "%s: %s\n", hf_table_name(table), what);
}

static uint64_t violations(void) {
	struct hf_verify_counts counts = {0};
	struct hf_why why = {""};
	said[0] = '\0';
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_verify(f.reader, note, NULL, &why, &counts), HF_OK, "%s", why.text);
	hf_reader_end(f.reader);
	return counts.violations;
}

static struct hf_slice text_key(const char *text) { return (struct hf_slice){text, strlen(text)}; }

static struct hf_key key_of(const char *service) {
	struct hf_key key;
	struct hf_identity id = identity("east", "default", service);
	hf_identity_encode(&id, &key);
	return key;
}

static struct hf_slice address_key(const char *text) {
	static uint8_t bytes[HF_ADDR_BYTES];
	hf_addr_put(addr(text), bytes);
	return (struct hf_slice){bytes, sizeof bytes};
}

/* Reads redis, lets `alter` change it, writes it back. */
static void alter_lease(const char *service, void (*alter)(struct hf_lease *lease)) {
	struct hf_key key = key_of(service);
	struct hf_lease lease;
	uint8_t record[HF_LEASE_RECORD_MAX];
	cr_assert(hf_lease_read(txn, &key, &lease));
	alter(&lease);
	hf_txn_put(txn, HF_LEASES, (struct hf_slice){key.bytes, key.len}, hf_lease_encode(&lease, record));
}

static void alter_pool(void (*alter)(struct hf_pool *pool)) {
	HF_POOL pool = {.id = 0};
	cr_assert_eq(hf_pool_read(txn, "meshservice", NULL, &pool), HF_OK);
	alter(&pool);
	hf_pool_store(txn, &pool);
	hf_usage_store(txn, &pool);
}

static void alter_scope(void (*alter)(struct hf_scope *scope)) {
	struct hf_key key = key_of("redis");
	struct hf_slice k = {key.bytes, key.scope_len}, value;
	struct hf_scope scope;
	uint8_t record[HF_SCOPE_RECORD_MAX];
	cr_assert(hf_txn_get(txn, HF_SCOPES, k, &value));
	cr_assert(hf_scope_decode(value, &scope));
	alter(&scope);
	hf_txn_put(txn, HF_SCOPES, k, hf_scope_encode(&scope, record));
}

/* Lets `alter` change west's record and writes it back. */
static void alter_zone(void (*alter)(struct hf_zone *zone)) {
	struct hf_zone zone;
	uint8_t record[HF_ZONE_RECORD_MAX];
	cr_assert(hf_zone_read(txn, "west", &zone));
	alter(&zone);
	hf_txn_put(txn, HF_ZONES, text_key(zone.name), hf_zone_encode(&zone, record));
}

static void delete_first(enum hf_table table) {
	HF_CURSOR cursor;
	hf_cursor_open(txn, table, &cursor);
	cr_assert(hf_cursor_first(&cursor));
	hf_cursor_del(&cursor);
}

static void other_vip(struct hf_lease *lease) { lease->vips[0] = addr("241.0.0.9"); }
static void outside_vip(struct hf_lease *lease) { lease->vips[0] = addr("10.0.0.1"); }
static void same_vip(struct hf_lease *lease) { lease->vips[0] = addr("241.0.0.0"); }
static void late_revision(struct hf_lease *lease) { lease->revision = 99; }
static void no_pool(struct hf_lease *lease) { strcpy(lease->pool, "nowhere"); }
static void other_fingerprint(struct hf_lease *lease) { lease->fingerprint.bytes[0] ^= 1; }
static void other_end(struct hf_lease *lease) { lease->quarantined_until_ms++; }
static void one_more_leased(struct hf_pool *pool) { pool->count[HF_IPV4].leased++; }
static void other_cursor(struct hf_pool *pool) { pool->count[HF_IPV6].cursor = addr("241.0.0.5"); }
static void one_more_active(struct hf_pool *pool) { pool->active++; }
static void one_more_previous(struct hf_pool *pool) { pool->count[HF_IPV6].previous++; }
static void one_more_remembered(struct hf_pool *pool) { pool->count[HF_IPV4].remembered++; }
static void overlapping_reserved(struct hf_pool *pool) { pool->config.reserved = ranges_of("241.0.0.9-241.0.0.20 241.0.0.20"); }
static void idle_draining(struct hf_pool *pool) { pool->draining = ranges_of("10.9.0.0/16"); }
static void one_more_quarantined(struct hf_scope *scope) { scope->quarantined++; }
static void other_digest(struct hf_scope *scope) { scope->digest.bytes[31] ^= 1; }

static void never_connected(struct hf_zone *zone) { zone->epoch = zone->reconnects = 0; }
static void unmanaged(struct hf_zone *zone) { zone->state = HF_ZONE_UNMANAGED; }
static void no_instance(struct hf_zone *zone) { zone->n_instances = 0; }
static void nameless_instance(struct hf_zone *zone) { zone->instances[2][0] = '\0'; }
static void instance_twice(struct hf_zone *zone) { strcpy(zone->instances[2], zone->instances[0]); }
static void too_many_reconnects(struct hf_zone *zone) { zone->reconnects = zone->epoch; }
static void too_few_reconnects(struct hf_zone *zone) { zone->reconnects = 1; }
static void late_store_epoch(struct hf_zone *zone) { zone->store_epoch = 2; }
static void endless_epoch(struct hf_zone *zone) { zone->epoch = hf_meta_limit(&(struct hf_meta){.store_epoch = 1}); }
static void short_ttl(struct hf_zone *zone) { zone->ttl_ms = 4999; }
static void long_ttl(struct hf_zone *zone) { zone->ttl_ms = 3600001; }
static void is_global(struct hf_zone *zone) { strcpy(zone->name, "global"); }

static void damage_lease_missing(void) {
	struct hf_key key = key_of("redis");
	hf_txn_del(txn, HF_LEASES, (struct hf_slice){key.bytes, key.len});
}
static void damage_lease_vip(void) { alter_lease("redis", other_vip); }
static void damage_lease_outside(void) { alter_lease("redis", outside_vip); }
static void damage_lease_twice(void) { alter_lease("old", same_vip); }
static void damage_lease_revision(void) { alter_lease("redis", late_revision); }
static void damage_lease_pool(void) { alter_lease("redis", no_pool); }
static void damage_lease_fingerprint(void) { alter_lease("redis", other_fingerprint); }
static void damage_lease_end(void) { alter_lease("old", other_end); }
static void damage_lease_record(void) {
	struct hf_key key = key_of("redis");
	hf_txn_put(txn, HF_LEASES, (struct hf_slice){key.bytes, key.len}, text_key("nonsense"));
}
static void damage_address_missing(void) { hf_txn_del(txn, HF_ADDRESSES, address_key("241.0.0.0")); }
static void damage_address_stale(void) {
	struct hf_holder holder = {.id = identity("east", "default", "gone"), .from_revision = 6, .from_ms = 1};
	hf_holders_open(txn, addr("241.0.0.2"), &holder);
}
static void damage_address_by(void) {
	struct hf_holder holder;
	cr_assert(hf_holders_present(txn, addr("241.0.0.0"), &holder));
	strcpy(holder.by, "somebody");
	hf_txn_del(txn, HF_ADDRESSES, address_key("241.0.0.0"));
	hf_holders_open(txn, addr("241.0.0.0"), &holder);
}
static void damage_free_missing(void) { delete_first(HF_FREE); }
static void damage_pool_count(void) { alter_pool(one_more_leased); }
static void damage_pool_leases(void) { alter_pool(one_more_active); }
static void damage_pool_cursor(void) { alter_pool(other_cursor); }
static void damage_pool_draining(void) { alter_pool(idle_draining); }
static void damage_pool_previous(void) { alter_pool(one_more_previous); }
static void damage_pool_remembered(void) { alter_pool(one_more_remembered); }
static void damage_pool_reserved(void) { alter_pool(overlapping_reserved); }

/* Two of a pool's ranges change places in its record. */
static void damage_pool_order(void) {
	static uint8_t copy[1024], swapped[32];
	struct hf_slice value;
	HF_POOL pool = {.id = 0};
	cr_assert_eq(hf_pool_read(txn, "meshservice", NULL, &pool), HF_OK);
	add_range(&pool.config.cidrs, (struct hf_range){addr("10.0.0.0"), addr("10.0.0.9")});
	value = hf_pool_encode(&pool, copy);
	memcpy(swapped, copy + 37, 32);
	memcpy(copy + 37, copy + 37 + 32, 32);
	memcpy(copy + 37 + 32, swapped, 32);
	hf_txn_put(txn, HF_POOLS, text_key("meshservice"), value);
}

static void damage_pool_format(void) {
	static uint8_t record[256] = {1, 0, 0, 0, 1, 1, [43 + 2 * 48 + 8] = 1, [160] = 0xff, 0xff, 10, [176] = 0xff, 0xff, 10};
	hf_txn_put(txn, HF_POOLS, text_key("meshservice"), (struct hf_slice){record, 35 + 16 + 96 + 1 + 32 + 4});
}

static struct hf_slice usage_key(void) {
	static uint8_t bytes[HF_USAGE_KEY_BYTES];
	return hf_usage_key(1, bytes);
}
static void damage_usage_missing(void) { hf_txn_del(txn, HF_USAGE, usage_key()); }
static void damage_usage_record(void) { hf_txn_put(txn, HF_USAGE, usage_key(), (struct hf_slice){"x", 1}); }
static void damage_usage_stray(void) {
	HF_POOL pool = {.id = 0};
	cr_assert_eq(hf_pool_read(txn, "meshservice", NULL, &pool), HF_OK);
	pool.id = 77;
	hf_usage_store(txn, &pool);
}
static void damage_usage_key(void) { hf_txn_put(txn, HF_USAGE, text_key("key"), (struct hf_slice){"x", 1}); }
static void damage_zone_missing(void) { delete_first(HF_ZONES); }
static void damage_zone_record(void) { hf_txn_put(txn, HF_ZONES, text_key("west"), text_key("nonsense")); }
static void damage_zone_epoch(void) { alter_zone(never_connected); }
static void damage_zone_state(void) { alter_zone(unmanaged); }
static void damage_zone_instances(void) { alter_zone(no_instance); }
static void damage_zone_nameless(void) { alter_zone(nameless_instance); }
static void damage_zone_twice(void) { alter_zone(instance_twice); }
static void damage_zone_reconnects(void) { alter_zone(too_many_reconnects); }
static void damage_zone_few(void) { alter_zone(too_few_reconnects); }
static void damage_zone_store_epoch(void) { alter_zone(late_store_epoch); }
static void damage_zone_endless(void) { alter_zone(endless_epoch); }
static void damage_zone_short(void) { alter_zone(short_ttl); }
static void damage_zone_long(void) { alter_zone(long_ttl); }
static void damage_zone_global(void) { alter_zone(is_global); }
static void damage_scope_count(void) { alter_scope(one_more_quarantined); }
static void damage_scope_digest(void) { alter_scope(other_digest); }
static void damage_deadline_missing(void) { delete_first(HF_DEADLINES); }
static void damage_deadline_stray(void) {
	struct hf_deadline deadline = {.at_ms = 5, .is_lease = true, .lease = key_of("redis")};
	hf_deadline_put(txn, &deadline);
}
static void damage_meta_epoch(void) {
	struct hf_meta meta = hf_meta_read(txn);
	meta.store_epoch = HF_STORE_EPOCH_MAX + 1;
	hf_meta_write(txn, &meta);
}
static void damage_meta_revision(void) {
	struct hf_meta meta = hf_meta_read(txn);
	meta.revision = hf_meta_limit(&meta);
	hf_meta_write(txn, &meta);
}
static void damage_meta_clock(void) { hf_txn_put(txn, HF_META, (struct hf_slice){"clock", 5}, (struct hf_slice){"\2", 1}); }
static void damage_change_missing(void) { delete_first(HF_CHANGES); }
static void damage_history_missing(void) { delete_first(HF_HISTORY); }

static const struct {
	const char *name;
	void (*damage)(void);
	enum hf_table table; /* where at least one violation is found */
	const char *names;   /* which its text names */
} DAMAGES[] = {
	{"a lease is missing", damage_lease_missing, HF_ADDRESSES, "redis"},
	{"a lease has another VIP", damage_lease_vip, HF_ADDRESSES, "241.0.0.9"},
	{"a lease has a VIP outside its pool", damage_lease_outside, HF_LEASES, "10.0.0.1"},
	{"an address in two leases", damage_lease_twice, HF_ADDRESSES, "241.0.0.0"},
	{"a revision ahead of the store", damage_lease_revision, HF_LEASES, "99"},
	{"a pool that is not there", damage_lease_pool, HF_LEASES, "nowhere"},
	{"another fingerprint", damage_lease_fingerprint, HF_SCOPES, "east"},
	{"another end of quarantine", damage_lease_end, HF_DEADLINES, "old"},
	{"a record that cannot be read", damage_lease_record, HF_LEASES, ""},
	{"an address that points nowhere", damage_address_missing, HF_ADDRESSES, "241.0.0.0"},
	{"a free address that is held", damage_address_stale, HF_ADDRESSES, "gone"},
	{"an address that was bound for another caller", damage_address_by, HF_ADDRESSES,
	 "by somebody, but that change was by anonymous"},
	{"free addresses are missing", damage_free_missing, HF_FREE, "241.0.0.2"},
	{"a count of addresses", damage_pool_count, HF_USAGE, "leased IPv4 addresses is 2; there are 1"},
	{"a count of previous addresses", damage_pool_previous, HF_USAGE, "previous IPv6 addresses"},
	{"a count of remembered addresses", damage_pool_remembered, HF_USAGE, "remembered IPv4 addresses"},
	{"reserved ranges that overlap", damage_pool_reserved, HF_POOLS, "its reserved ranges overlap"},
	{"ranges that are not in order", damage_pool_order, HF_POOLS, "6d65736873657276696365"},
	{"a pool's record of an older format", damage_pool_format, HF_POOLS, "older format"},
	{"counters that are missing", damage_usage_missing, HF_USAGE, "meshservice"},
	{"counters that cannot be read", damage_usage_record, HF_USAGE, "meshservice"},
	{"counters of no pool", damage_usage_stray, HF_USAGE, "id 77"},
	{"a key of counters", damage_usage_key, HF_USAGE, "6b6579"},
	{"a count of leases", damage_pool_leases, HF_USAGE, "meshservice"},
	{"a cursor of the other family", damage_pool_cursor, HF_POOLS, "241.0.0.5"},
	{"a draining range without a lease", damage_pool_draining, HF_POOLS, "10.9.0.0/16"},
	{"a zone is missing", damage_zone_missing, HF_ZONES, "east"},
	{"a zone's record", damage_zone_record, HF_ZONES, "77657374"},
	{"a zone with instances, without an epoch", damage_zone_epoch, HF_ZONES, "west"},
	{"a zone with an epoch, unmanaged", damage_zone_state, HF_ZONES, "west"},
	{"a zone with an epoch, without an instance", damage_zone_instances, HF_ZONES, "west"},
	{"an instance without a name", damage_zone_nameless, HF_ZONES, "west"},
	{"an instance twice", damage_zone_twice, HF_ZONES, "west"},
	{"as many reconnects as epochs", damage_zone_reconnects, HF_ZONES, "3 reconnects"},
	{"fewer reconnects than instances", damage_zone_few, HF_ZONES, "1 reconnects"},
	{"a store epoch to come", damage_zone_store_epoch, HF_ZONES, "store epoch 2"},
	{"an epoch that is too large", damage_zone_endless, HF_ZONES, "west"},
	{"a ttl that is too short", damage_zone_short, HF_ZONES, "4999 ms"},
	{"a ttl that is too long", damage_zone_long, HF_ZONES, "3600001 ms"},
	{"a global zone that connected", damage_zone_global, HF_ZONES, "global"},
	{"a scope's count", damage_scope_count, HF_SCOPES, "east"},
	{"a digest", damage_scope_digest, HF_SCOPES, "east"},
	{"a store epoch that is too large", damage_meta_epoch, HF_META, "1073741825"},
	{"a revision that is too large", damage_meta_revision, HF_META, "4611686022722355200"},
	{"the record of the store's time", damage_meta_clock, HF_META, "time"},
	{"a deadline is missing", damage_deadline_missing, HF_DEADLINES, "old"},
	{"a deadline too many", damage_deadline_stray, HF_DEADLINES, "redis"},
	{"a gap in the feed", damage_change_missing, HF_CHANGES, "1"},
	{"a past holder is missing", damage_history_missing, HF_DEADLINES, "241.0.0.2"},
};

Test(verify, a_sound_store_has_no_violation) { cr_assert_eq(violations(), 0, "%s", said); }

Test(verify, each_damage_is_named) {
	for (size_t i = 0; i < sizeof DAMAGES / sizeof *DAMAGES; i++) {
		struct hf_batch *batch;
		char head[32], *line;
		teardown();
		setup();
		cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
		txn = hf_batch_txn(batch);
		DAMAGES[i].damage();
		cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK, "%s", DAMAGES[i].name);
		cr_expect(violations() > 0, "%s: was not noticed", DAMAGES[i].name);
		snprintf(head, sizeof head, "%s: ", hf_table_name(DAMAGES[i].table));
		bool named = false;
		for (line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
			named |= strncmp(line, head, strlen(head)) == 0 && strstr(line, DAMAGES[i].names);
		cr_expect(named, "%s: nothing said of \"%s\" in \"%s\"", DAMAGES[i].name, DAMAGES[i].names,
			  hf_table_name(DAMAGES[i].table));
	}
}

Test(verify, ends_when_it_is_told_to) {
	_Atomic bool stop = false;
	struct hf_verify_counts counts = {.leases = 77};
	struct hf_why why = {""};
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	hf_txn_stop_on(f.reader, &stop);
	cr_expect_eq(hf_verify(f.reader, NULL, NULL, NULL, &counts), HF_OK);
	cr_expect_eq(counts.leases, 2);
	stop = true;
	counts.leases = 77;
	cr_expect_eq(hf_verify(f.reader, NULL, NULL, &why, &counts), HF_E_OVERLOADED);
	cr_expect_str_eq(why.text, "stopped");
	cr_expect_eq(counts.leases, 77);
	hf_reader_end(f.reader);
	hf_txn_stop_on(f.reader, NULL);
	cr_expect_eq(violations(), 0);
}
