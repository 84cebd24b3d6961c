/* Damage that is repaired to what was there before, byte by byte, and damage that is not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/admin/repair.h"
#include "storage/store/upkeep.h"
#include "storage/tables/deadline.h"
#include "storage/tables/holders.h"
#include "storage/tables/pool_table.h"
#include "tests/unit/dump_support.h"

static struct fixture f;
static struct hf_txn *txn; /* of the batch that damages */
static char remains[16384];

static void setup(void) {
	fixture_dir(&f);
	f.options.changes_max = 30;
	fixture_open(&f);
	rich_store(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(repair, .init = setup, .fini = teardown, .timeout = 600);

static struct hf_slice text_slice(const char *text) { return (struct hf_slice){text, strlen(text)}; }

static struct hf_key key_of(const char *zone, const char *service) {
	struct hf_key key;
	struct hf_identity id = identity(zone, "default", service);
	hf_identity_encode(&id, &key);
	return key;
}

static struct hf_slice address_key(const char *text) {
	static uint8_t bytes[HF_ADDR_BYTES];
	hf_addr_put(addr(text), bytes);
	return (struct hf_slice){bytes, sizeof bytes};
}

static void alter_lease(const char *zone, const char *service, void (*alter)(struct hf_lease *lease)) {
	struct hf_key key = key_of(zone, service);
	struct hf_lease lease;
	uint8_t record[HF_LEASE_RECORD_MAX];
	cr_assert(hf_lease_read(txn, &key, &lease));
	alter(&lease);
	hf_txn_put(txn, HF_LEASES, (struct hf_slice){key.bytes, key.len}, hf_lease_encode(&lease, record));
}

static void alter_pool(const char *name, void (*alter)(struct hf_pool *pool)) {
	HF_POOL pool = {.id = 0};
	cr_assert_eq(hf_pool_read(txn, name, NULL, &pool), HF_OK);
	alter(&pool);
	hf_pool_store(txn, &pool);
	hf_usage_store(txn, &pool);
}

static void alter_scope(void (*alter)(struct hf_scope *scope)) {
	struct hf_key key = key_of("east", "b");
	struct hf_slice k = {key.bytes, key.scope_len}, value;
	struct hf_scope scope;
	uint8_t record[HF_SCOPE_RECORD_MAX];
	cr_assert(hf_txn_get(txn, HF_SCOPES, k, &value));
	cr_assert(hf_scope_decode(value, &scope));
	alter(&scope);
	hf_txn_put(txn, HF_SCOPES, k, hf_scope_encode(&scope, record));
}

/* Every n-th row of a table goes. */
static void delete_some(enum hf_table table, int n) {
	HF_CURSOR cursor;
	hf_cursor_open(txn, table, &cursor);
	for (int i = 0; hf_cursor_next(&cursor); i++)
		if (i % n == 0)
			hf_cursor_del(&cursor);
}

/* The last row's value becomes nonsense. */
static void spoil_last(enum hf_table table) {
	HF_CURSOR cursor;
	hf_cursor_open(txn, table, &cursor);
	cr_assert(hf_cursor_last(&cursor));
	uint8_t bytes[512];
	struct hf_slice key = {bytes, cursor.key.len};
	memcpy(bytes, cursor.key.data, cursor.key.len);
	hf_cursor_close(&cursor);
	hf_txn_put(txn, table, key, text_slice("nonsense"));
}

static void same_vip(struct hf_lease *lease) { lease->vips[0] = addr("241.0.0.1"); }
static void outside_vip(struct hf_lease *lease) { lease->vips[0] = addr("9.0.0.1"); }
static void no_pool(struct hf_lease *lease) { strcpy(lease->pool, "nowhere"); }
static void late_revision(struct hf_lease *lease) { lease->revision = 9999; }
static void one_more_leased(struct hf_pool *pool) { pool->count[HF_IPV6].leased++; }
static void one_more_overlaid(struct hf_pool *pool) {
	pool->count[HF_IPV4].overlaid_reserved++;
	pool->count[HF_IPV6].overlaid_draining--;
}
static void no_leases(struct hf_pool *pool) { pool->active = pool->quarantined = 0; }
static void idle_draining(struct hf_pool *pool) {
	add_range(&pool->draining, (struct hf_range){addr("10.8.0.0"), addr("10.8.255.255")});
}
static void no_cidr(struct hf_pool *pool) { hf_ranges_drop(&pool->config.cidrs); }
static void other_digest(struct hf_scope *scope) { scope->digest.bytes[31] ^= 1; }
static void one_more(struct hf_scope *scope) { scope->quarantined++; }

static void addresses_missing(void) { hf_txn_del(txn, HF_ADDRESSES, address_key("241.0.0.2")); }
static void addresses_fewer(void) {
	hf_txn_del(txn, HF_ADDRESSES, address_key("241.0.0.2"));
	hf_txn_del(txn, HF_ADDRESSES, address_key("241.0.0.4"));
}
static void addresses_stray(void) {
	struct hf_holder holder = {.id = identity("east", "default", "nobody"), .from_revision = 6, .from_ms = 1};
	hf_holders_open(txn, addr("241.0.7.7"), &holder);
}
static void addresses_elsewhere(void) {
	struct hf_holder holder = {.id = identity("east", "default", "nobody"), .from_revision = 6, .from_ms = 1};
	hf_txn_del(txn, HF_ADDRESSES, address_key("241.0.0.2"));
	hf_holders_open(txn, addr("241.0.0.2"), &holder);
}
/* The feed has the change that bound it. */
static void addresses_for_another(void) {
	struct hf_key key = key_of("east", "heir");
	struct hf_lease lease;
	struct hf_holder holder;
	char text[HF_ADDR_TEXT];
	cr_assert(hf_lease_read(txn, &key, &lease));
	cr_assert(hf_holders_present(txn, lease.vips[0], &holder));
	strcpy(holder.by, "somebody");
	hf_addr_format(lease.vips[0], text);
	hf_txn_del(txn, HF_ADDRESSES, address_key(text));
	hf_holders_open(txn, lease.vips[0], &holder);
}
static void addresses_nonsense(void) { hf_txn_put(txn, HF_ADDRESSES, address_key("241.0.0.2"), text_slice("nonsense")); }
static void addresses_short_key(void) { hf_txn_put(txn, HF_ADDRESSES, text_slice("key"), text_slice("nonsense")); }
static void free_fewer(void) { delete_some(HF_FREE, 2); }
static void free_none(void) { delete_some(HF_FREE, 1); }
static void free_nonsense(void) { spoil_last(HF_FREE); }
static void free_of_no_pool(void) { hf_txn_put(txn, HF_FREE, text_slice("\1\2\3\4\4...."), text_slice("x")); }
static void deadlines_fewer(void) { delete_some(HF_DEADLINES, 2); }
static void deadlines_none(void) { delete_some(HF_DEADLINES, 1); }
static void deadlines_stray(void) {
	struct hf_deadline deadline = {.at_ms = 5, .is_lease = true, .lease = key_of("east", "b")};
	hf_deadline_put(txn, &deadline);
}
static void deadlines_nonsense(void) { hf_txn_put(txn, HF_DEADLINES, text_slice("key"), text_slice("x")); }
static void scopes_none(void) {
	struct hf_key key = key_of("east", "b");
	hf_txn_del(txn, HF_SCOPES, (struct hf_slice){key.bytes, key.scope_len});
}
static void scopes_digest(void) { alter_scope(other_digest); }
static void scopes_count(void) { alter_scope(one_more); }
static void scopes_nonsense(void) { hf_txn_put(txn, HF_SCOPES, text_slice("key"), text_slice("x")); }
static void scopes_stray(void) {
	struct hf_key key = key_of("nowhere", "b");
	hf_txn_put(txn, HF_SCOPES, (struct hf_slice){key.bytes, key.scope_len}, text_slice("x"));
}
static void pools_count(void) { alter_pool("blue", one_more_leased); }
static void pools_overlaid(void) { alter_pool("late", one_more_overlaid); }
static void pools_leases(void) { alter_pool("meshservice", no_leases); }
static void pools_draining(void) { alter_pool("late", idle_draining); }
static struct hf_slice usage_key(uint32_t id) {
	static uint8_t bytes[HF_USAGE_KEY_BYTES];
	return hf_usage_key(id, bytes);
}
static void usage_missing(void) { hf_txn_del(txn, HF_USAGE, usage_key(4)); } /* blue's, which is hashed: no cursor is lost */
static void usage_nonsense(void) { hf_txn_put(txn, HF_USAGE, usage_key(4), text_slice("nonsense")); }
static void usage_stray(void) { hf_txn_put(txn, HF_USAGE, usage_key(77), text_slice("nonsense")); }
static void everything(void) {
	free_none();
	deadlines_none();
	addresses_missing();
	addresses_stray();
	pools_count();
	pools_draining();
	scopes_digest();
}

static const struct {
	const char *name;
	void (*damage)(void);
} DERIVABLE[] = {
	{"an address is missing", addresses_missing},
	{"two addresses are missing", addresses_fewer},
	{"an address of nobody", addresses_stray},
	{"an address points elsewhere", addresses_elsewhere},
	{"an address was bound for another caller", addresses_for_another},
	{"an address's record", addresses_nonsense},
	{"an address's key", addresses_short_key},
	{"free extents are missing", free_fewer},
	{"no free extents", free_none},
	{"a free extent's record", free_nonsense},
	{"a free extent of no pool", free_of_no_pool},
	{"deadlines are missing", deadlines_fewer},
	{"no deadlines", deadlines_none},
	{"a deadline too many", deadlines_stray},
	{"a deadline's key", deadlines_nonsense},
	{"a scope is missing", scopes_none},
	{"a digest", scopes_digest},
	{"a scope's count", scopes_count},
	{"a scope's key", scopes_nonsense},
	{"a scope of no zone", scopes_stray},
	{"a count of addresses", pools_count},
	{"counts of overlaid addresses", pools_overlaid},
	{"counts of leases", pools_leases},
	{"a draining range without a lease", pools_draining},
	{"counters are missing", usage_missing},
	{"a record of counters", usage_nonsense},
	{"counters of no pool", usage_stray},
	{"much at once", everything},
};

static void lease_missing(void) {
	struct hf_key key = key_of("east", "b");
	struct hf_slice k = {key.bytes, key.len};
	hf_txn_put(txn, HF_LEASES, k, text_slice("nonsense"));
}
static void lease_twice(void) { alter_lease("north", "a", same_vip); }
static void lease_outside(void) { alter_lease("east", "b", outside_vip); }
static void lease_pool(void) { alter_lease("east", "b", no_pool); }
static void lease_revision(void) { alter_lease("east", "b", late_revision); }
static void zone_missing(void) { hf_txn_del(txn, HF_ZONES, text_slice("east")); }
static void zone_nonsense(void) { hf_txn_put(txn, HF_ZONES, text_slice("west"), text_slice("nonsense")); }
static void pool_ranges(void) { alter_pool("late", no_cidr); }
static void pool_nonsense(void) { hf_txn_put(txn, HF_POOLS, text_slice("blue"), text_slice("nonsense")); }
static void history_nonsense(void) { spoil_last(HF_HISTORY); }
static void changes_gap(void) {
	HF_CURSOR cursor;
	hf_cursor_open(txn, HF_CHANGES, &cursor);
	cr_assert(hf_cursor_first(&cursor) && hf_cursor_next(&cursor));
	hf_cursor_del(&cursor);
}

static const struct {
	const char *name;
	void (*damage)(void);
	const char *names; /* what is said to remain */
} UNDERIVABLE[] = {
	{"a lease's record", lease_missing, "leases: key 65617374"},
	{"an address in two leases", lease_twice, "241.0.0.1 is in two leases"},
	{"an address outside its pool", lease_outside, "9.0.0.1 lies in no range"},
	{"a lease without a pool", lease_pool, "its pool \"nowhere\" does not exist"},
	{"a lease's revision", lease_revision, "revision 9999"},
	{"a zone is missing", zone_missing, "zone \"east\" has leases"},
	{"a zone's record", zone_nonsense, "zones: key 77657374"},
	{"a pool's ranges", pool_ranges, "late"},
	{"a pool's record", pool_nonsense, "pools: key 626c7565"},
	{"a past holder's record", history_nonsense, "history: key"},
	{"a gap in the feed", changes_gap, "changes: found revision"},
};

static void damage(const char *name, void (*act)(void)) {
	struct hf_batch *batch;
	cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
	txn = hf_batch_txn(batch);
	act();
	cr_assert_eq(hf_batch_commit(batch, NULL), HF_OK, "%s", name);
}

static void note(void *context, bool remain, enum hf_table table, const char *what) {
	(void)context;
	size_t len = strlen(remains);
	if (remain)
		snprintf(remains + len, sizeof remains - len, "%s: %s\n", hf_table_name(table), what);
}

static struct hf_repair repair(const char *name, bool apply) {
	struct hf_repair r = {.store = f.store, .dir = f.dir, .apply = apply, .violation = note};
	struct hf_why why = {""};
	remains[0] = '\0';
	cr_assert_eq(hf_repair(&r, &why), HF_OK, "%s: %s", name, why.text);
	return r;
}

Test(repair, a_good_store_is_left_alone) {
	struct hf_digest before = fixture_digest(&f);
	struct hf_repair r = repair("good", true);
	struct hf_digest after = fixture_digest(&f);
	cr_assert(r.found == 0 && !r.applied && !r.aside[0]);
	cr_assert(hf_digest_equal(&before, &after));
}

Test(repair, what_can_be_derived_is_as_it_was) {
	struct hf_digest good = fixture_digest(&f);
	for (size_t i = 0; i < sizeof DERIVABLE / sizeof *DERIVABLE; i++) {
		const char *name = DERIVABLE[i].name;
		damage(name, DERIVABLE[i].damage);
		struct hf_digest bad = fixture_digest(&f);
		struct hf_repair r = repair(name, false);
		struct hf_digest after = fixture_digest(&f);
		uint64_t rows = 0;
		for (int table = 0; table < HF_TABLES; table++)
			rows += r.rows[table].added + r.rows[table].removed + r.rows[table].changed;
		cr_expect(r.found > 0 && r.remaining == 0 && !r.applied, "%s: %s", name, remains);
		cr_expect(rows > 0, "%s: no row is told", name);
		cr_expect(hf_digest_equal(&bad, &after), "%s: a dry run changed something", name);
		r = repair(name, true);
		after = fixture_digest(&f);
		cr_expect(r.applied && r.remaining == 0 && access(r.aside, R_OK) == 0, "%s", name);
		cr_expect(hf_digest_equal(&good, &after), "%s: a table is not as it was", name);
		cr_expect_eq(repair(name, true).found, 0, "%s: not repaired at once", name);
		unlink(r.aside);
	}
	struct hf_acquire a = acquire_request(identity("east", "default", "more"), "x");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	verify_clean(&f, "a repaired store goes on");
}

Test(repair, what_cannot_be_derived_is_named_and_nothing_is_changed) {
	for (size_t i = 0; i < sizeof UNDERIVABLE / sizeof *UNDERIVABLE; i++) {
		const char *name = UNDERIVABLE[i].name;
		if (i > 0) {
			teardown();
			setup();
		}
		damage(name, UNDERIVABLE[i].damage);
		damage("and what could be derived", free_fewer);
		struct hf_digest bad = fixture_digest(&f);
		struct hf_repair r = repair(name, true);
		struct hf_digest after = fixture_digest(&f);
		cr_expect(r.remaining > 0 && !r.applied && !r.aside[0], "%s", name);
		cr_expect(strstr(remains, UNDERIVABLE[i].names), "%s: only said\n%s", name, remains);
		cr_expect(hf_digest_equal(&bad, &after), "%s: something was changed", name);
	}
}

/* The feed does not tell any more when the lease got its address: its own record does, as far as it can. */
Test(repair, a_missing_address_of_an_old_lease_gets_what_its_lease_says) {
	struct hf_holder holder;
	struct hf_lease lease;
	struct hf_key key = key_of("east", "b");
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert(hf_lease_read(f.reader, &key, &lease));
	cr_assert_gt(lease.generation, 1);
	hf_reader_end(f.reader);
	struct hf_batch *batch;
	uint8_t bytes[HF_ADDR_BYTES];
	hf_addr_put(lease.vips[0], bytes);
	cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
	hf_txn_del(hf_batch_txn(batch), HF_ADDRESSES, (struct hf_slice){bytes, sizeof bytes});
	cr_assert_eq(hf_batch_commit(batch, NULL), HF_OK);
	cr_assert(repair("old lease", true).applied, "%s", remains);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert(hf_holders_present(f.reader, lease.vips[0], &holder));
	cr_assert(holder.from_revision == lease.revision && holder.from_ms == lease.created_ms);
	hf_reader_end(f.reader);
}
