/* A service that comes back after its quarantine gets its old address, as long as nobody has it; others get such addresses last. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/requests/lease_query.h"
#include "storage/store/lease_change.h"
#include "storage/store/upkeep.h"
#include "storage/tables/affinity.h"
#include "tests/unit/support.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

static struct fixture f;

static void setup(void) { fixture_dir(&f); }

static void teardown(void) {
	verify_clean(&f, "after the test");
	fixture_remove(&f);
}

TestSuite(affinity, .init = setup, .fini = teardown, .timeout = 600);

/* Commits the request, and ends it. */
static void put_pool(struct hf_pool_put *put) {
	cr_assert_eq(commit(&f, &put->write), HF_OK, "%s", put->write.why.text);
	hf_pool_put_end(put);
}

static void edit_pool(const char *cidrs, const char *reserved) {
	struct hf_pool_put put = pool_request("small", cidrs, reserved, 1);
	put_pool(&put);
}

/* The only pool that MeshServices go to. Its quarantine is a second. */
static void open_with(const char *cidrs, enum hf_strategy strategy) {
	POOL_DELETE_REQUEST del = {.name = "meshservice"};
	struct hf_pool_put put = pool_request("small", cidrs, "", 1);
	fixture_open(&f);
	hf_pool_delete_begin(&del);
	cr_assert_eq(commit(&f, &del.write), HF_OK);
	put.config.strategy = strategy;
	put_pool(&put);
}

static struct hf_identity service(const char *name) { return identity("east", "default", name); }

/* Acquires with a claim or a requested address ("": none). Returns "outcome@address,address"; a static buffer. */
static const char *take_as(const char *name, const char *pool, const char *address, const char *claim) {
	static char text[256];
	struct hf_acquire a = acquire_request(service(name), "{}");
	snprintf(a.want.pool, sizeof a.want.pool, "%s", pool);
	if (*address)
		a.want.addresses[a.want.n_addresses++] = addr(address);
	if (*claim)
		a.want.claims[a.want.n_claims++] = addr(claim);
	enum hf_err err = acquire(&f, &a);
	snprintf(text, sizeof text, "%s", err ? hf_err_slug(err) : hf_outcome_name(a.outcome));
	for (int i = 0; !err && i < a.lease.n_vips; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "," : "@", vip_text(&a.lease, i));
	f.now_ms += 10;
	return text;
}

static const char *take(const char *name) { return take_as(name, "", "", ""); }

#define EXPECT(result, expected)                                                                                                   \
	do {                                                                                                                       \
		const char *got = (result);                                                                                        \
		cr_assert_str_eq(got, expected);                                                                                   \
	} while (0)

static void upkeep(void) {
	struct hf_batch *batch;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
}

/* Releases services, one after the other, and lets their quarantines end. */
static void leave(const char *names) {
	char copy[128], *rest = NULL;
	snprintf(copy, sizeof copy, "%s", names);
	for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		cr_assert_eq(release(&f, service(name), false, NULL), HF_OK, "%s", name);
		f.now_ms += 1001;
		upkeep();
	}
}

/* How many addresses of a pool are remembered. */
static uint64_t remembered(const char *pool) {
	HF_POOL p = {.id = 0};
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_pool_read(f.reader, pool, NULL, &p), HF_OK);
	cr_assert_eq(hf_txn_count(f.reader, HF_REMEMBERED), p.count[HF_IPV4].remembered + p.count[HF_IPV6].remembered);
	hf_reader_end(f.reader);
	return p.count[HF_IPV4].remembered + p.count[HF_IPV6].remembered;
}

Test(affinity, a_service_that_comes_back_is_restored) {
	struct hf_change change;
	struct hf_slice value;
	uint8_t key[HF_CHANGE_KEY_BYTES];
	open_with("10.0.0.0/29", HF_SEQUENTIAL);
	EXPECT(take("a"), "created@10.0.0.0");
	leave("a");
	cr_assert_eq(remembered("small"), 1);
	EXPECT(take("b"), "created@10.0.0.1");
	fixture_close(&f);
	fixture_open(&f);
	struct hf_acquire a = acquire_request(service("a"), "another");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	cr_expect(a.outcome == HF_RESTORED && a.lease.vips[0].n == addr("10.0.0.0").n);
	cr_expect(a.lease.generation == 1 && a.lease.created_ms == f.now_ms && a.lease.state == HF_ACTIVE);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	struct hf_slice k = hf_change_key(a.lease.revision, key);
	cr_assert(hf_txn_get(f.reader, HF_CHANGES, k, &value) && hf_change_decode(k, value, &change));
	cr_expect_eq(change.type, HF_CHANGE_RESTORED);
	hf_reader_end(f.reader);
	cr_assert_eq(remembered("small"), 0);
	EXPECT(take("a"), "updated@10.0.0.0");
}

static void hand_out_last(enum hf_strategy strategy) {
	open_with("10.0.0.0/30", strategy);
	char first[64], second[64];
	snprintf(first, sizeof first, "%s", take_as("a", "", "10.0.0.2", ""));
	snprintf(second, sizeof second, "%s", take_as("b", "", "10.0.0.1", ""));
	cr_assert_str_eq(first, "created@10.0.0.2");
	leave("b a");
	/* What nobody had comes first, then what was freed first. */
	for (int i = 0; i < 2; i++) {
		const char *got = take(i ? "d" : "c");
		cr_expect(strcmp(got, "created@10.0.0.0") == 0 || strcmp(got, "created@10.0.0.3") == 0, "%s", got);
	}
	EXPECT(take("e"), "created@10.0.0.1");
	EXPECT(take("a"), "restored@10.0.0.2");
	EXPECT(take("b"), "pool-exhausted");
	cr_assert_eq(remembered("small"), 0);
}

Test(affinity, remembered_addresses_are_handed_out_last_and_oldest_first) { hand_out_last(HF_SEQUENTIAL); }

Test(affinity, a_hashed_pool_hands_them_out_last_too) { hand_out_last(HF_HASHED); }

Test(affinity, who_asks_for_an_address_or_claims_it_goes_before_memory) {
	open_with("10.0.0.0/29", HF_SEQUENTIAL);
	take("a");
	take("b");
	take("c");
	leave("a b c");
	EXPECT(take_as("x", "", "10.0.0.0", ""), "created@10.0.0.0");
	EXPECT(take_as("y", "", "", "10.0.0.1"), "adopted@10.0.0.1");
	EXPECT(take("a"), "created@10.0.0.3");
	EXPECT(take_as("b", "", "", "10.0.0.7"), "adopted@10.0.0.7");
	EXPECT(take_as("c", "", "10.0.0.6", ""), "created@10.0.0.6");
	/* What c had and did not take is plain free space; the cursor has passed it. */
	cr_assert_eq(remembered("small"), 0);
	EXPECT(take("z"), "created@10.0.0.4");
	leave("y");
	EXPECT(take("b"), "unchanged@10.0.0.7");
}

Test(affinity, who_brings_its_own_address_is_restored_too) {
	open_with("10.0.0.0/29", HF_SEQUENTIAL);
	take("a");
	take("b");
	leave("a b");
	EXPECT(take_as("a", "", "", "10.0.0.0"), "restored@10.0.0.0");
	EXPECT(take_as("b", "", "10.0.0.1", ""), "restored@10.0.0.1");
}

Test(affinity, a_purge_is_not_remembered) {
	open_with("10.0.0.0/29", HF_SEQUENTIAL);
	take("a");
	cr_assert_eq(release(&f, service("a"), true, NULL), HF_OK);
	take("b");
	cr_assert_eq(release(&f, service("b"), false, NULL), HF_OK);
	cr_assert_eq(release(&f, service("b"), true, NULL), HF_OK);
	cr_assert_eq(remembered("small"), 0);
	EXPECT(take("a"), "created@10.0.0.2");
}

Test(affinity, both_families_come_back_or_what_is_left_of_them) {
	open_with("10.0.0.0/29 fd00::/125", HF_SEQUENTIAL);
	EXPECT(take("a"), "created@10.0.0.0,fd00::");
	EXPECT(take("b"), "created@10.0.0.1,fd00::1");
	leave("a b");
	cr_assert_eq(remembered("small"), 4);
	EXPECT(take("a"), "restored@10.0.0.0,fd00::");
	EXPECT(take_as("x", "", "fd00::1", ""), "created@10.0.0.2,fd00::1");
	cr_assert_eq(remembered("small"), 1);
	EXPECT(take("b"), "created@10.0.0.1,fd00::2");
	cr_assert_eq(remembered("small"), 0);
}

Test(affinity, the_pool_of_a_remembered_address_is_chosen_if_it_matches) {
	struct hf_pool_put better = pool_request("better", "10.1.0.0/29", "", 1),
			   small = pool_request("small", "10.0.0.0/29", "", 1);
	open_with("10.0.0.0/29", HF_SEQUENTIAL);
	take("a");
	take("b");
	take("c");
	leave("a b c");
	better.config.zones = (struct hf_names){.n = 1, .names = {"east"}}; /* one selector more */
	put_pool(&better);
	EXPECT(take("new"), "created@10.1.0.0");
	EXPECT(take("a"), "restored@10.0.0.0");
	EXPECT(take_as("b", "better", "", ""), "created@10.1.0.1");
	cr_assert_eq(remembered("small"), 1);
	small.config.zones = (struct hf_names){.n = 1, .names = {"west"}};
	put_pool(&small);
	EXPECT(take("c"), "created@10.1.0.2");
	cr_assert_eq(remembered("small"), 0);
}

Test(affinity, memory_ends_with_the_history) {
	open_with("10.0.0.0/29", HF_SEQUENTIAL);
	take("a");
	take("b");
	leave("a");
	f.now_ms += DAY_MS;
	leave("b");
	f.now_ms += 89 * DAY_MS - 2000;
	upkeep();
	cr_assert_eq(remembered("small"), 2);
	f.now_ms += 2000;
	upkeep();
	cr_assert_eq(remembered("small"), 1);
	EXPECT(take("a"), "created@10.0.0.2");
	EXPECT(take("b"), "restored@10.0.0.1");
}

Test(affinity, an_earlier_stay_in_the_history_does_not_end_it) {
	open_with("10.0.0.0/29", HF_SEQUENTIAL);
	take("a");
	leave("a");
	f.now_ms += 50 * DAY_MS;
	EXPECT(take("a"), "restored@10.0.0.0");
	leave("a");
	f.now_ms += 50 * DAY_MS; /* the first stay leaves the history */
	upkeep();
	cr_assert_eq(remembered("small"), 1);
	EXPECT(take("a"), "restored@10.0.0.0");
}

Test(affinity, a_pool_remembers_so_many_and_forgets_the_oldest) {
	f.options.remembered_max = 2;
	open_with("10.0.0.0/30 fd00::/126", HF_SEQUENTIAL);
	take("a");
	take("b");
	take("c");
	leave("a b c");
	cr_assert_eq(remembered("small"), 4); /* two of each family */
	EXPECT(take("x"), "created@10.0.0.3,fd00::3");
	EXPECT(take("y"), "created@10.0.0.0,fd00::");
	EXPECT(take("c"), "restored@10.0.0.2,fd00::2");
	EXPECT(take("a"), "created@10.0.0.1,fd00::1"); /* remembered for b */
	cr_assert_eq(remembered("small"), 0);
}

Test(affinity, what_a_pool_cannot_hand_out_any_more_is_forgotten) {
	POOL_DELETE_REQUEST del = {.name = "small"};
	open_with("10.0.0.0/30 10.0.1.0/30", HF_SEQUENTIAL);
	take("a");
	take("b");
	take_as("c", "", "10.0.1.0", "");
	leave("a b c");
	cr_assert_eq(remembered("small"), 3);
	edit_pool("10.0.0.0/30 10.0.1.0/30", "10.0.0.0/32");
	cr_assert_eq(remembered("small"), 2);
	edit_pool("10.0.0.0/30", "10.0.0.0/32");
	cr_assert_eq(remembered("small"), 1);
	verify_clean(&f, "after two edits");
	EXPECT(take("a"), "created@10.0.0.2");
	EXPECT(take("b"), "restored@10.0.0.1");
	leave("a b");
	hf_pool_delete_begin(&del);
	cr_assert_eq(commit(&f, &del.write), HF_OK);
	verify_clean(&f, "after the deletion");
	edit_pool("10.0.0.0/30", "");
	cr_assert_eq(remembered("small"), 0);
	EXPECT(take("b"), "created@10.0.0.0");
}

Test(affinity, what_drains_or_is_reserved_is_not_remembered) {
	struct hf_pool_put put = pool_request("small", "10.0.1.0/30", "10.0.1.0/32", 1);
	open_with("10.0.0.0/30 10.0.1.0/30", HF_SEQUENTIAL);
	take("a");
	take_as("b", "", "10.0.1.0", "");
	put.drain = true;
	put_pool(&put);
	leave("a b");
	cr_assert_eq(remembered("small"), 0);
	EXPECT(take("a"), "created@10.0.1.1");
}

Test(affinity, a_lease_that_gets_another_name_ends_the_memory_of_that_name) {
	struct hf_batch *batch;
	open_with("10.0.0.0/29", HF_SEQUENTIAL);
	take("a");
	leave("a");
	take("b");
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	struct hf_lease b, renamed;
	struct hf_identity id = service("b");
	struct hf_key key;
	hf_identity_encode(&id, &key);
	cr_assert(hf_lease_read(hf_batch_txn(batch), &key, &b));
	renamed = b;
	renamed.id = service("a");
	hf_batch_change(batch, &b, &renamed, HF_CHANGE_TRANSFERRED, HF_CAUSE_REQUEST);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
	cr_assert_eq(remembered("small"), 0);
	leave("a");
	EXPECT(take("b"), "created@10.0.0.2");
	EXPECT(take("a"), "restored@10.0.0.1");
}

Test(affinity, a_refused_acquire_forgets_nothing) {
	open_with("10.0.0.0/31 fd00::/127", HF_SEQUENTIAL);
	take("a");
	take("b");
	leave("a");
	struct hf_acquire nothing = acquire_request(service("a"), "{}");
	strcpy(nothing.want.pool, "nowhere");
	cr_assert_eq(acquire(&f, &nothing), HF_E_NO_POOL);
	EXPECT(take_as("a", "", "10.0.0.1", ""), "address-taken");
	cr_assert_eq(remembered("small"), 2);
	EXPECT(take("a"), "restored@10.0.0.0,fd00::");
}
