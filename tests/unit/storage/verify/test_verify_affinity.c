/* What contradicts a remembered address is named by verify, and dropped by a repair. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/admin/repair.h"
#include "storage/store/upkeep.h"
#include "storage/tables/affinity.h"
#include "storage/tables/allocator.h"
#include "tests/unit/support.h"

static struct fixture f;
static struct hf_txn *txn; /* of the batch that damages */
static struct hf_pool *pool;
static char said[8192];

static struct hf_identity service(const char *name) { return identity("east", "default", name); }

static struct hf_key key_of(const char *name) {
	struct hf_key key;
	struct hf_identity id = service(name);
	hf_identity_encode(&id, &key);
	return key;
}

/* Of a and b the store remembers 10.0.0.0 and 10.0.0.1; c has 10.0.0.2; d was purged from 10.0.0.3. */
static void setup(void) {
	static const char *const names[] = {"a", "b", "c", "d"};
	POOL_DELETE_REQUEST del = {.name = "meshservice"};
	POOL_PUT_REQUEST put = pool_request("small", "10.0.0.0/29", "10.0.0.7/32", 1);
	struct hf_batch *batch;
	fixture_new(&f);
	hf_pool_delete_begin(&del);
	cr_assert_eq(commit(&f, &del.write), HF_OK);
	cr_assert_eq(commit(&f, &put.write), HF_OK);
	for (int i = 0; i < 4; i++) {
		struct hf_acquire a = acquire_request(service(names[i]), "{}");
		cr_assert_eq(acquire(&f, &a), HF_OK);
		if (i != 2)
			cr_assert_eq(release(&f, service(names[i]), i == 3, NULL), HF_OK);
		f.now_ms += 5;
	}
	f.now_ms += 2000;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
	verify_clean(&f, "before the damage");
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(verify_affinity, .timeout = 600);

static struct hf_memory memory_of(const char *name) {
	struct hf_memory memory;
	struct hf_key key = key_of(name);
	cr_assert(hf_affinity_read(txn, &key, &memory));
	return memory;
}

static struct hf_slice row_key(int64_t freed_ms, const char *address) {
	static uint8_t bytes[64];
	struct hf_writer w = hf_writer_begin(bytes);
	hf_put_uint(&w, pool->id, 4);
	hf_put_uint(&w, 4, 1);
	hf_put_uint(&w, (uint64_t)freed_ms, 8);
	hf_put_addr(&w, addr(address));
	return hf_writer_end(&w);
}

static void add(const char *name, int64_t freed_ms, const char *address) {
	struct hf_key key = key_of(name);
	cr_assert(hf_affinity_add(txn, pool, &key, freed_ms, addr(address)));
}

static void of_a_lease(void) { add("c", 5, "10.0.0.4"); }
static void held(void) { add("nobody", 5, "10.0.0.2"); }
static void reserved(void) { add("nobody", 5, "10.0.0.7"); }
static void outside(void) { add("nobody", 5, "10.9.9.9"); }
static void of_another(void) { add("nobody", 5, "10.0.0.3"); }
static void of_no_history(void) { add("nobody", 5, "10.0.0.5"); }
static void of_another_time(void) { add("d", 5, "10.0.0.3"); }
static void without_a_row(void) { hf_txn_del(txn, HF_REMEMBERED, row_key(memory_of("a").freed_ms, "10.0.0.0")); }
static void without_a_record(void) {
	struct hf_key key = key_of("a");
	hf_txn_del(txn, HF_AFFINITY, (struct hf_slice){key.bytes, key.len});
}
static void row_of_another_time(void) {
	struct hf_slice value;
	int64_t freed_ms = memory_of("a").freed_ms;
	uint8_t copy[HF_KEY_MAX + 1];
	cr_assert(hf_txn_get(txn, HF_REMEMBERED, row_key(freed_ms, "10.0.0.0"), &value));
	size_t len = value.len;
	memcpy(copy, value.data, len);
	hf_txn_put(txn, HF_REMEMBERED, row_key(freed_ms + 1, "10.0.0.0"), (struct hf_slice){copy, len});
}
static void of_no_pool(void) {
	struct hf_pool other = *pool;
	struct hf_key key = key_of("nobody");
	other.id = 77;
	cr_assert(hf_affinity_add(txn, &other, &key, 5, addr("10.0.0.4")));
}
static void record_nonsense(void) {
	struct hf_key key = key_of("a");
	hf_txn_put(txn, HF_AFFINITY, (struct hf_slice){key.bytes, key.len}, (struct hf_slice){"nonsense", 8});
}
static void row_nonsense(void) {
	hf_txn_put(txn, HF_REMEMBERED, row_key(memory_of("a").freed_ms, "10.0.0.0"), (struct hf_slice){"x", 1});
}
static void in_an_extent(void) {
	hf_allocator_give(txn, pool, (struct hf_range){addr("10.0.0.0"), addr("10.0.0.7")}, addr("10.0.0.1"));
}
static void one_more(void) {
	pool->count[HF_IPV4].remembered++;
	pool->touched = true;
}
static void nowhere(void) {
	struct hf_key key = key_of("a");
	hf_affinity_drop(txn, pool, &key, addr("10.0.0.0"));
}

static const struct {
	const char *name;
	void (*damage)(void);
	const char *says;
	int kept; /* of the two that are remembered, by a repair */
} CASES[] = {
	{"of a service with a lease", of_a_lease,
	 "affinity: 10.0.0.4 is remembered for MeshService \"c\" of zone \"east\", mesh "
	 "\"default\", but that has a lease",
	 2},
	{"held", held, "10.0.0.2 is remembered for MeshService \"nobody\" of zone \"east\", mesh \"default\", but it is held", 2},
	{"reserved", reserved, "but its pool cannot hand it out", 2},
	{"outside of the pool", outside, "but its pool cannot hand it out", 2},
	{"of another's", of_another, "but its last holder in the history is another", 2},
	{"of nobody's", of_no_history, "but its last holder in the history is another", 2},
	{"of another time", of_another_time, "but the history has another time at which it became free", 2},
	{"a row is missing", without_a_row, "remembered: 1 addresses are in the order of hand-out; 2 are remembered", 2},
	{"a record is missing", without_a_record, "remembered: 10.0.0.0 is in the order for MeshService \"a\"", 1},
	{"a row of another time", row_of_another_time, "10.0.0.0 has another pool or time in the order", 2},
	{"of no pool", of_no_pool,
	 "10.0.0.4 is remembered for MeshService \"nobody\" of zone \"east\", mesh \"default\", but its pool "
	 "does not exist",
	 2},
	{"a record is damaged", record_nonsense, "affinity: key 656173740064656661756c740001", 1},
	{"a row is damaged", row_nonsense, "remembered: key 00000004", 2},
	{"in an extent", in_an_extent, "free: pool \"small\": 10.0.0.1 is in an extent, although it is remembered", 2},
	{"counted twice", one_more, "usage: pool \"small\": remembered IPv4 addresses is 3; there are 2", 2},
	{"neither here nor there", nowhere,
	 "free: pool \"small\": 10.0.0.0/32 is neither held nor reserved nor free nor remembered", 1},
};

static void note(void *context, bool remains, enum hf_table table, const char *what) {
	(void)context;
	size_t len = strlen(said);
	snprintf(said + len, sizeof said - len, "%s%s: %s\n", remains ? "REMAINS " : "", hf_table_name(table), what);
}

Test(verify_affinity, each_contradiction_is_named_and_dropped) {
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		const char *name = CASES[i].name;
		struct hf_batch *batch;
		setup();
		cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
		txn = hf_batch_txn(batch);
		pool = hf_batch_pool(batch, "small");
		CASES[i].damage();
		cr_assert_eq(hf_batch_commit(batch, NULL), HF_OK, "%s", name);
		struct hf_repair r = {.store = f.store, .dir = f.dir, .apply = true, .violation = note};
		struct hf_why why = {""};
		said[0] = '\0';
		cr_assert_eq(hf_repair(&r, &why), HF_OK, "%s: %s", name, why.text);
		cr_expect(r.found > 0 && r.remaining == 0 && r.applied, "%s: %s", name, said);
		cr_expect(strstr(said, CASES[i].says), "%s: %s", name, said);
		verify_clean(&f, name);
		cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
		cr_expect_eq(hf_txn_count(f.reader, HF_REMEMBERED), (uint64_t)CASES[i].kept, "%s", name);
		cr_expect_eq(hf_txn_count(f.reader, HF_AFFINITY), (uint64_t)CASES[i].kept, "%s", name);
		hf_reader_end(f.reader);
		teardown();
	}
}
