/* The verbs on pools: an edit never moves a lease. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/requests/address_query.h"
#include "storage/store/batch.h"
#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(pools, .init = setup, .fini = teardown);

static struct hf_identity service(const char *name) { return identity("east", "default", name); }

/* Without the ranges of what was asked for and of the result. */
static struct hf_pool_put put(const char *name, const char *cidrs, const char *reserved, bool drain) {
	struct hf_pool_put request = pool_request(name, cidrs, reserved, 3600);
	request.drain = drain;
	request.write.err = commit(&f, &request.write);
	hf_pool_put_end(&request);
	return request;
}

static struct hf_pool read_pool(const char *name) {
	struct hf_pool pool;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_pool_read(f.reader, name, NULL, &pool), HF_OK);
	hf_reader_end(f.reader);
	return pool;
}

static int n_cidrs(const char *name) {
	HF_POOL pool = read_pool(name);
	return pool.config.cidrs.n;
}

/* The draining ranges of a pool, as text. */
static const char *draining(const char *name) {
	static char text[1024];
	char range[HF_RANGE_TEXT];
	HF_POOL pool = read_pool(name);
	text[0] = '\0';
	for (int i = 0; i < pool.draining.n; i++) {
		hf_range_format(pool.draining.at[i], range);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", range);
	}
	return text;
}

static uint64_t revision(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	uint64_t r = hf_meta_read(f.reader).revision;
	hf_reader_end(f.reader);
	return r;
}

/* Acquires in a pool, at an address if one is given; fails the test if it cannot be had. */
static struct hf_lease hold(const char *pool, const char *name, const char *address) {
	struct hf_acquire a = acquire_request(service(name), "{}");
	snprintf(a.want.pool, sizeof a.want.pool, "%s", pool);
	if (address)
		a.want.addresses[a.want.n_addresses++] = addr(address);
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
	return a.lease;
}

static enum hf_err try_address(const char *pool, const char *address) {
	struct hf_acquire a = acquire_request(service("tried"), "{}");
	snprintf(a.want.pool, sizeof a.want.pool, "%s", pool);
	a.want.addresses[a.want.n_addresses++] = addr(address);
	enum hf_err err = acquire(&f, &a);
	if (!err)
		cr_assert_eq(release(&f, a.want.id, true, NULL), HF_OK);
	return err;
}

static enum hf_address_state state_of(const char *address) {
	struct hf_address_info info;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_address_read(f.reader, addr(address), NULL, &info), HF_OK);
	hf_reader_end(f.reader);
	return info.state;
}

/* capacity leased quarantined reserved free draining, in IPv4. */
static const char *usage(const char *name) {
	static char text[128];
	HF_POOL pool = read_pool(name);
	struct hf_pool_usage u;
	hf_pool_usage(&pool, HF_IPV4, &u);
	snprintf(text, sizeof text, "%llu %llu %llu %llu %llu %llu", (unsigned long long)u.capacity, (unsigned long long)u.leased,
		 (unsigned long long)u.quarantined, (unsigned long long)u.reserved, (unsigned long long)u.free,
		 (unsigned long long)u.draining);
	return text;
}

Test(pools, create_update_and_unchanged) {
	struct hf_pool_put created = put("blue", "10.0.0.0/24", "", false);
	cr_assert_eq(created.write.err, HF_OK);
	cr_assert_eq(created.outcome, HF_POOL_CREATED);
	cr_assert_eq(created.pool.revision, 4);
	cr_assert_eq(created.pool.id, 4, "ids go on behind the default pools'");
	f.now_ms += 1000;
	struct hf_pool_put same = put("blue", "10.0.0.0/24", "", false);
	cr_assert_eq(same.outcome, HF_POOL_UNCHANGED);
	cr_assert_eq(revision(), 4, "an equal configuration writes nothing");
	struct hf_pool_put updated = put("blue", "10.0.0.0/24", "10.0.0.0/30", false);
	cr_assert_eq(updated.outcome, HF_POOL_UPDATED);
	cr_assert_eq(updated.pool.id, 4);
	cr_assert_eq(updated.pool.revision, 5);
	cr_assert_eq(updated.pool.created_ms, f.now_ms - 1000);
	cr_assert_eq(updated.pool.modified_ms, f.now_ms);
	HF_POOL pool = read_pool("blue");
	cr_assert(pool.config.reserved.n == 1 && hf_ranges_find(&pool.config.reserved, addr("10.0.0.3")));
	cr_assert_str_eq(usage("blue"), "256 0 0 4 252 0");
}

static const struct {
	const char *name, *pool, *cidrs;
	const char *why;
} OVERLAPS[] = {
	{"inside a default pool", "red", "241.1.0.0/16", "241.1.0.0/16 overlaps 241.0.0.0/8 of pool \"meshservice\""},
	{"around one", "red", "240.0.0.0/4", "240.0.0.0/4 overlaps"},
	{"the second CIDR", "red", "10.7.0.0/16 10.0.0.128/25", "10.0.0.128/25 overlaps 10.0.0.0/24 of pool \"blue\""},
	{"an update", "blue", "10.0.0.0/24 242.0.0.0/30", "of pool \"meshexternalservice\""},
	{"a draining range", "red", "10.1.0.0/24", "10.1.0.0/24 overlaps 10.1.0.0/24 of pool \"blue\""},
	{"a free half of a draining range", "red", "10.1.0.128/25", "10.1.0.0/24 of pool \"blue\""},
};

Test(pools, overlapping_pools_are_refused) {
	put("blue", "10.0.0.0/24 10.1.0.0/24", "", false);
	hold("blue", "a", "10.1.0.7");
	cr_assert_eq(put("blue", "10.0.0.0/24", "", true).write.err, HF_OK);
	uint64_t before = revision();
	for (size_t i = 0; i < sizeof OVERLAPS / sizeof *OVERLAPS; i++) {
		struct hf_pool_put request = put(OVERLAPS[i].pool, OVERLAPS[i].cidrs, "", false);
		cr_expect_eq(request.write.err, HF_E_POOL_OVERLAP, "%s: %s", OVERLAPS[i].name, hf_err_slug(request.write.err));
		cr_expect(strstr(request.write.why.text, OVERLAPS[i].why), "%s: says \"%s\"", OVERLAPS[i].name,
			  request.write.why.text);
	}
	cr_assert_eq(revision(), before);
}

Test(pools, a_range_with_leases_is_taken_away_only_to_drain) {
	put("blue", "10.0.0.0/24 10.1.0.0/24", "", false);
	struct hf_lease lease = hold("blue", "a", "10.1.0.7");
	struct hf_pool_put refused = put("blue", "10.0.0.0/24", "", false);
	cr_assert_eq(refused.write.err, HF_E_POOL_IN_USE);
	cr_assert(strstr(refused.write.why.text, "10.1.0.0/24 has leases"), "%s", refused.write.why.text);
	cr_assert_eq(n_cidrs("blue"), 2);
	cr_assert_eq(put("blue", "10.0.0.0/24", "", true).write.err, HF_OK);
	cr_assert_str_eq(usage("blue"), "256 1 0 0 256 1");
	cr_assert_eq(state_of("10.1.0.7"), HF_ADDRESS_LEASED);
	cr_assert_eq(state_of("10.1.0.8"), HF_ADDRESS_UNMANAGED, "nothing new goes there");
	cr_assert_eq(try_address("blue", "10.1.0.8"), HF_E_ADDRESS_OUTSIDE_POOL);
	struct hf_acquire again = acquire_request(service("a"), "{}");
	cr_assert_eq(acquire(&f, &again), HF_OK);
	cr_assert_eq(again.outcome, HF_UNCHANGED);
	cr_assert_eq(again.lease.vips[0].n, lease.vips[0].n);
}

Test(pools, a_drained_range_vanishes_with_its_last_address) {
	put("blue", "10.0.0.0/24 10.1.0.0/24", "", false);
	hold("blue", "a", "10.1.0.7");
	hold("blue", "b", "10.1.0.8");
	put("blue", "10.0.0.0/24", "", true);
	cr_assert_eq(release(&f, service("a"), true, NULL), HF_OK);
	cr_assert_str_eq(draining("blue"), "10.1.0.0/24");
	cr_assert_eq(release(&f, service("b"), false, NULL), HF_OK);
	cr_assert_str_eq(draining("blue"), "10.1.0.0/24", "a quarantine holds its address");
	cr_assert_str_eq(usage("blue"), "256 0 1 0 256 1");
	struct hf_acquire back = acquire_request(service("b"), "{}");
	cr_assert_eq(acquire(&f, &back), HF_OK);
	cr_assert_eq(back.outcome, HF_RESTORED, "even in a draining range");
	cr_assert_str_eq(vip_text(&back.lease, 0), "10.1.0.8");
	cr_assert_eq(release(&f, service("b"), true, NULL), HF_OK);
	cr_assert_str_empty(draining("blue"));
	cr_assert_str_eq(usage("blue"), "256 0 0 0 256 0");
	cr_assert_eq(put("red", "10.1.0.0/24", "", false).write.err, HF_OK, "another pool may have it now");
}

Test(pools, adding_a_draining_range_back_undrains_it) {
	put("blue", "10.0.0.0/24 10.1.0.0/24", "", false);
	hold("blue", "a", "10.1.0.7");
	put("blue", "10.0.0.0/24", "", true);
	cr_assert_eq(put("blue", "10.0.0.0/24 10.1.0.0/24", "", false).write.err, HF_OK);
	cr_assert_str_empty(draining("blue"));
	cr_assert_str_eq(usage("blue"), "512 1 0 0 511 0");
	cr_assert_eq(try_address("blue", "10.1.0.8"), HF_OK);
	cr_assert_eq(try_address("blue", "10.1.0.7"), HF_E_ADDRESS_TAKEN);
}

Test(pools, a_range_can_drain_and_come_back_in_part) {
	put("blue", "10.0.0.0/24", "", false);
	hold("blue", "low", "10.0.0.1");
	hold("blue", "high", "10.0.0.200");
	cr_assert_eq(put("blue", "10.0.0.0/26", "", false).write.err, HF_E_POOL_IN_USE);
	cr_assert_eq(put("blue", "10.0.0.0/26", "", true).write.err, HF_OK);
	cr_assert_str_eq(draining("blue"), "10.0.0.128/25", "the half that nobody holds does not drain");
	cr_assert_str_eq(usage("blue"), "64 2 0 0 63 1");
	cr_assert_eq(put("blue", "10.0.0.0/26 10.0.0.192/26", "", false).write.err, HF_OK);
	cr_assert_str_empty(draining("blue"));
	cr_assert_str_eq(usage("blue"), "128 2 0 0 126 0");
	cr_assert_eq(put("blue", "10.0.0.0/26 10.0.0.128/26", "", true).write.err, HF_OK);
	cr_assert_str_eq(draining("blue"), "10.0.0.192/26");
	cr_assert_eq(put("blue", "10.0.0.128/26", "", true).write.err, HF_OK);
	cr_assert_str_eq(draining("blue"), "10.0.0.0/26 10.0.0.192/26");
	cr_assert_str_eq(usage("blue"), "64 2 0 0 64 2");
}

/* As many ranges as a pool may have, of 16 addresses each, all in 10.0.0.0/8. */
static struct hf_pool_put many_ranges(void) {
	struct hf_pool_put many = pool_request("blue", "10.0.0.0/28", "", 3600);
	struct hf_range list[HF_POOL_RANGES_MAX];
	for (unsigned i = 0; i < HF_POOL_RANGES_MAX; i++) {
		hf_u128 first = addr("10.0.0.0").n + (i << 12);
		list[i] = (struct hf_range){{first}, {first + 15}};
	}
	hf_ranges_drop(&many.config.cidrs);
	cr_assert(hf_ranges_make(list, HF_POOL_RANGES_MAX, &many.config.cidrs));
	return many;
}

Test(pools, many_ranges_without_leases_can_take_the_place_of_one) {
	put("blue", "10.0.0.0/8", "", false);
	POOL_PUT_REQUEST many = many_ranges();
	cr_assert_eq(commit(&f, &many.write), HF_OK, "%s", many.write.why.text);
	cr_assert_str_eq(usage("blue"), "65536 0 0 0 65536 0");
	verify_clean(&f, "many ranges");
}

Test(pools, a_draining_range_is_kept_among_many_free_pieces) {
	put("blue", "10.0.0.0/8", "", false);
	hold("blue", "a", "10.0.1.77");
	hold("blue", "b", "10.0.4.5");
	hold("blue", "c", "10.0.16.3");
	POOL_PUT_REQUEST many = many_ranges();
	cr_assert_eq(commit(&f, &many.write), HF_E_POOL_IN_USE);
	cr_assert(strstr(many.write.why.text, "10.0.1.0/24 has leases"), "%s", many.write.why.text);
	many.drain = true;
	cr_assert_eq(commit(&f, &many.write), HF_OK, "%s", many.write.why.text);
	cr_assert_str_eq(draining("blue"), "10.0.1.0/24 10.0.4.0/22");
	cr_assert_str_eq(usage("blue"), "65536 3 0 0 65535 2");
	verify_clean(&f, "among many ranges");
}

Test(pools, as_many_ranges_drain_as_a_pool_may_have_and_no_more) {
	POOL_PUT_REQUEST many = many_ranges();
	char name[16];
	struct hf_addr a;
	cr_assert_eq(commit(&f, &many.write), HF_OK, "%s", many.write.why.text);
	for (int i = 0; i < HF_POOL_RANGES_MAX; i++) {
		struct hf_acquire request = acquire_request((snprintf(name, sizeof name, "s%d", i), service(name)), "{}");
		snprintf(request.want.pool, sizeof request.want.pool, "blue");
		a = (struct hf_addr){many.config.cidrs.at[i].first.n + 7};
		request.want.addresses[request.want.n_addresses++] = a;
		cr_assert_eq(acquire(&f, &request), HF_OK);
	}
	cr_assert_eq(put("blue", "11.0.0.0/28", "", true).write.err, HF_OK);
	cr_assert_str_eq(usage("blue"), "16 4096 0 0 16 4096");
	hold("blue", "last", NULL);
	struct hf_pool_put refused = put("blue", "12.0.0.0/28", "", true);
	cr_assert_eq(refused.write.err, HF_E_INVALID_PARAMETER);
	cr_assert(strstr(refused.write.why.text, "more than 4096 draining ranges"), "%s", refused.write.why.text);
	cr_assert_eq(release(&f, service("s1"), true, NULL), HF_OK);
	cr_assert_eq(put("blue", "12.0.0.0/28", "", true).write.err, HF_OK);
	verify_clean(&f, "as many ranges drain as may");
}

Test(pools, ranges_need_not_be_cidrs) {
	put("blue", "10.0.0.10-10.0.0.99 10.0.0.100-10.0.0.101 fd00::5-fd00::9", "10.0.0.10-10.0.0.12", false);
	cr_assert_str_eq(usage("blue"), "92 0 0 3 89 0");
	struct hf_lease first = hold("blue", "first", NULL), last = hold("blue", "last", "10.0.0.99");
	cr_assert_str_eq(vip_text(&first, 0), "10.0.0.13");
	cr_assert_str_eq(vip_text(&first, 1), "fd00::5");
	struct hf_lease next = hold("blue", "next", "10.0.0.100");
	cr_assert_eq(state_of("10.0.0.9"), HF_ADDRESS_UNMANAGED);
	cr_assert_eq(state_of("10.0.0.12"), HF_ADDRESS_RESERVED);
	cr_assert_eq(state_of("10.0.0.102"), HF_ADDRESS_UNMANAGED);
	cr_assert_eq(put("blue", "10.0.0.40-10.0.0.60 fd00::5-fd00::9", "", true).write.err, HF_OK);
	cr_assert_str_eq(draining("blue"), "10.0.0.12/30 10.0.0.96/30 10.0.0.100/31", "parts in CIDRs, a range as a whole");
	cr_assert_eq(put("blue", "10.0.0.10-10.0.0.98 fd00::5-fd00::9", "", true).write.err, HF_OK);
	cr_assert_str_eq(draining("blue"), "10.0.0.99/32 10.0.0.100/31");
	cr_assert_eq(release(&f, last.id, true, NULL), HF_OK);
	cr_assert_str_eq(draining("blue"), "10.0.0.100/31");
	cr_assert_eq(release(&f, next.id, true, NULL), HF_OK);
	cr_assert_str_empty(draining("blue"));
	verify_clean(&f, "ranges");
}

Test(pools, reserving_what_is_held_moves_nobody) {
	put("blue", "10.0.0.0/29", "", false);
	hold("blue", "a", "10.0.0.1");
	cr_assert_eq(put("blue", "10.0.0.0/29", "10.0.0.0/30", false).write.err, HF_OK);
	cr_assert_str_eq(usage("blue"), "8 1 0 3 4 0");
	cr_assert_eq(state_of("10.0.0.1"), HF_ADDRESS_LEASED);
	cr_assert_eq(state_of("10.0.0.2"), HF_ADDRESS_RESERVED);
	cr_assert_eq(try_address("blue", "10.0.0.2"), HF_E_ADDRESS_TAKEN);
	struct hf_lease next = hold("blue", "next", NULL);
	cr_assert_str_eq(vip_text(&next, 0), "10.0.0.4");
	cr_assert_eq(release(&f, service("a"), true, NULL), HF_OK);
	cr_assert_str_eq(usage("blue"), "8 1 0 4 3 0");
	cr_assert_eq(state_of("10.0.0.1"), HF_ADDRESS_RESERVED, "freed, it is reserved, not free");
	cr_assert_eq(put("blue", "10.0.0.0/29", "", false).write.err, HF_OK);
	cr_assert_str_eq(usage("blue"), "8 1 0 0 7 0");
}

Test(pools, delete_needs_an_empty_pool) {
	POOL_DELETE_REQUEST gone = {.name = "absent"}, blue = {.name = "blue"};
	hf_pool_delete_begin(&gone);
	hf_pool_delete_begin(&blue);
	cr_assert_eq(commit(&f, &gone.write), HF_E_NOT_FOUND);
	uint32_t id = put("blue", "10.0.0.0/24", "", false).pool.id;
	hold("blue", "a", NULL);
	cr_assert_eq(commit(&f, &blue.write), HF_E_POOL_IN_USE);
	cr_assert_eq(release(&f, service("a"), false, NULL), HF_OK);
	cr_assert_eq(commit(&f, &blue.write), HF_E_POOL_IN_USE, "a quarantine holds the pool");
	cr_assert(strstr(blue.write.why.text, "0 active leases and 1 in quarantine"), "%s", blue.write.why.text);
	cr_assert_eq(release(&f, service("a"), true, NULL), HF_OK);
	uint64_t before = revision();
	cr_assert_eq(commit(&f, &blue.write), HF_OK);
	cr_assert_str_eq(blue.pool.name, "blue");
	cr_assert_eq(revision(), before + 1);
	cr_assert_eq(state_of("10.0.0.0"), HF_ADDRESS_UNMANAGED);
	cr_assert_gt(put("blue", "10.0.0.0/24", "", false).pool.id, id, "an id is never used again");
	cr_assert_str_eq(usage("blue"), "256 0 0 0 256 0");
}

Test(pools, an_added_family_reaches_only_new_leases) {
	put("blue", "10.0.0.0/24", "", false);
	struct hf_lease old = hold("blue", "old", NULL);
	cr_assert_eq(put("blue", "10.0.0.0/24 fd00:5::/64", "", false).write.err, HF_OK);
	struct hf_acquire again = acquire_request(service("old"), "changed");
	cr_assert_eq(acquire(&f, &again), HF_OK);
	cr_assert_eq(again.lease.n_vips, 1);
	cr_assert_eq(again.lease.vips[0].n, old.vips[0].n);
	cr_assert_eq(hold("blue", "new", NULL).n_vips, 2);
}

Test(pools, a_new_quarantine_time_is_for_later_releases) {
	put("blue", "10.0.0.0/24", "", false);
	hold("blue", "a", NULL);
	hold("blue", "b", NULL);
	struct hf_lease a, b;
	cr_assert_eq(release(&f, service("a"), false, &a), HF_OK);
	POOL_PUT_REQUEST longer = pool_request("blue", "10.0.0.0/24", "", 7200);
	cr_assert_eq(commit(&f, &longer.write), HF_OK);
	cr_assert_eq(release(&f, service("b"), false, &b), HF_OK);
	cr_assert_eq(a.quarantined_until_ms, f.now_ms + 3600000);
	cr_assert_eq(b.quarantined_until_ms, f.now_ms + 7200000);
}

Test(pools, a_pool_with_previous_addresses_is_not_deleted) {
	struct hf_batch *batch;
	POOL_DELETE_REQUEST blue = {.name = "blue"};
	put("blue", "10.0.0.0/24", "", false);
	hf_pool_delete_begin(&blue);
	cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
	hf_batch_pool(batch, "blue")->count[HF_IPV4].previous = 2;
	cr_assert_eq(blue.write.apply(batch, &blue.write, &blue.write.why), HF_E_POOL_IN_USE);
	cr_assert(strstr(blue.write.why.text, "2 previous addresses"), "%s", blue.write.why.text);
	hf_batch_pool(batch, "blue")->count[HF_IPV4].previous = 0;
	cr_assert_eq(blue.write.apply(batch, &blue.write, &blue.write.why), HF_OK);
	hf_batch_abort(batch);
}

/* The conditions are judged in the transaction, whatever the snapshot was. */
Test(pools, conditions_are_judged_against_the_configurations_revision) {
	static const struct {
		const char *if_match, *if_none_match;
		enum hf_err err;
	} table[] = {
		{"\"4\"", NULL, HF_OK}, {"\"3\"", NULL, HF_E_PRECONDITION_FAILED},    {NULL, "\"4\"", HF_E_PRECONDITION_FAILED},
		{NULL, "\"3\"", HF_OK}, {"\"4\"", "\"4\"", HF_E_PRECONDITION_FAILED},
	};
	put("blue", "10.0.0.0/24", "", false);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct hf_condition conditions[2] = {{.stated = table[i].if_match}, {.stated = table[i].if_none_match}};
		for (int c = 0; c < 2; c++)
			if (conditions[c].stated)
				strcpy(conditions[c].tags[conditions[c].n++], c ? table[i].if_none_match : table[i].if_match);
		POOL_PUT_REQUEST edit = pool_request("blue", "10.0.0.0/24", "", 3600); /* unchanged */
		edit.if_match = conditions[0];
		edit.if_none_match = conditions[1];
		cr_expect_eq(commit(&f, &edit.write), table[i].err, "%zu: %s", i, edit.write.why.text);
		POOL_DELETE_REQUEST none = {.name = "none", .if_match = conditions[0], .if_none_match = conditions[1]};
		hf_pool_delete_begin(&none);
		cr_expect_eq(commit(&f, &none.write), table[i].if_match ? HF_E_PRECONDITION_FAILED : HF_E_NOT_FOUND, "%zu: none",
			     i);
	}
	cr_assert_eq(revision(), 4);
}
