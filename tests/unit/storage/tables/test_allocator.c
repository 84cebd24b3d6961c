/* Free extents: taken, given back, found, and laid anew. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/store/upkeep.h"
#include "storage/tables/allocator.h"
#include "tests/unit/support.h"

static struct fixture f;
static struct hf_batch *batch;
static struct hf_txn *txn;
static struct hf_pool *pool;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	txn = hf_batch_txn(batch);
	cr_assert_eq(hf_batch_add_pool(batch, "p", &pool), HF_OK);
}

static void teardown(void) {
	hf_batch_abort(batch);
	fixture_remove(&f);
}

TestSuite(allocator, .init = setup, .fini = teardown);

static void lay(const char *cidrs, const char *reserved) {
	hf_pool_config_drop(&pool->config);
	pool->config = pool_request("p", cidrs, reserved, 0).config;
	memset(pool->count, 0, sizeof pool->count);
	hf_allocator_rebuild(txn, pool);
}

/* The pool's extents as text. */
static const char *extents(uint32_t pool_id) {
	static char text[1024];
	char range[HF_RANGE_TEXT];
	HF_CURSOR cursor;
	text[0] = '\0';
	hf_cursor_open(txn, HF_FREE, &cursor);
	while (hf_cursor_next(&cursor)) {
		struct hf_parser k = hf_parser_begin(cursor.key), v = hf_parser_begin(cursor.value);
		if (hf_take_uint(&k, 4) != pool_id)
			continue;
		hf_take_uint(&k, 1);
		hf_take_uint(&v, 1);
		struct hf_range extent = {hf_take_addr(&k), hf_take_addr(&v)};
		cr_assert(hf_parser_end(&k) && hf_parser_end(&v));
		hf_range_format(extent, range);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] ? " " : "", range);
	}
	cr_assert_eq(hf_txn_fault(txn, NULL), HF_OK);
	return text;
}

static void give(const char *text) {
	struct hf_range cidr;
	cr_assert_eq(hf_pool_place(pool, addr(text), &cidr), HF_ALLOCATABLE);
	hf_allocator_give(txn, pool, cidr, addr(text));
}

static const struct {
	const char *name, *cidrs, *steps, *extents; /* steps: "-" takes, "+" gives back */
} SPLITS[] = {
	{"the first", "10.0.0.0/30", "-10.0.0.0", "10.0.0.1-10.0.0.3"},
	{"the last", "10.0.0.0/30", "-10.0.0.3", "10.0.0.0-10.0.0.2"},
	{"one in the middle splits", "10.0.0.0/29", "-10.0.0.2", "10.0.0.0/31 10.0.0.3-10.0.0.7"},
	{"the only one", "10.0.0.5/32", "-10.0.0.5", ""},
	{"given back to nothing", "10.0.0.5/32", "-10.0.0.5 +10.0.0.5", "10.0.0.5/32"},
	{"given back alone", "10.0.0.0/30", "-10.0.0.0 -10.0.0.1 -10.0.0.2 -10.0.0.3 +10.0.0.1", "10.0.0.1/32"},
	{"joined below", "10.0.0.0/30", "-10.0.0.1 -10.0.0.2 +10.0.0.1", "10.0.0.0/31 10.0.0.3/32"},
	{"joined above", "10.0.0.0/30", "-10.0.0.1 -10.0.0.2 +10.0.0.2", "10.0.0.0/32 10.0.0.2/31"},
	{"joined on both sides", "10.0.0.0/30", "-10.0.0.1 +10.0.0.1", "10.0.0.0/30"},
	{"not across adjacent CIDRs", "10.0.0.0/31 10.0.0.2/31", "", "10.0.0.0/31 10.0.0.2/31"},
	{"not joined below across CIDRs", "10.0.0.0/31 10.0.0.2/31", "-10.0.0.2 +10.0.0.2", "10.0.0.0/31 10.0.0.2/31"},
	{"not joined above across CIDRs", "10.0.0.0/31 10.0.0.2/31", "-10.0.0.1 +10.0.0.1", "10.0.0.0/31 10.0.0.2/31"},
	{"the address space's last", "255.255.255.254/31", "-255.255.255.255 +255.255.255.255", "255.255.255.254/31"},
	{"a /64 is one extent", "fd00::/64", "-fd00::1", "fd00::/128 fd00::2-fd00::ffff:ffff:ffff:ffff"},
	{"IPv6 right below the mapped block", "::fffe:0:0/96", "-::fffe:ffff:ffff", "::fffe:0:0-::fffe:ffff:fffe"},
	{"IPv6's last address", "ffff::/16", "-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	 "ffff::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"},
	{"IPv4 first, whatever the numbers", "::1:0:0:0/127 10.0.0.0/31 fd00::/127", "", "10.0.0.0/31 ::1:0:0:0/127 fd00::/127"},
	{"IPv4 is not joined to IPv6 below it", "0.0.0.0/31 ::fffe:ffff:fffe/127", "-0.0.0.0 +0.0.0.0",
	 "0.0.0.0/31 ::fffe:ffff:fffe/127"},
};

Test(allocator, extents_split_and_join_as_the_table_says) {
	for (size_t i = 0; i < sizeof SPLITS / sizeof *SPLITS; i++) {
		char steps[256];
		lay(SPLITS[i].cidrs, "");
		snprintf(steps, sizeof steps, "%s", SPLITS[i].steps);
		for (char *step = strtok(steps, " "); step; step = strtok(NULL, " ")) {
			cr_expect_eq(hf_allocator_is_free(txn, pool, addr(step + 1)), *step == '-', "%s: %s", SPLITS[i].name, step);
			if (*step == '-')
				hf_allocator_take(txn, pool, addr(step + 1));
			else
				give(step + 1);
			cr_expect_eq(hf_allocator_is_free(txn, pool, addr(step + 1)), *step == '+', "%s: %s", SPLITS[i].name, step);
		}
		const char *got = extents(pool->id);
		cr_expect_str_eq(got, SPLITS[i].extents, "%s: %s", SPLITS[i].name, got);
	}
}

static const struct {
	const char *name, *cidrs, *taken, *start;
	enum hf_family family;
	const char *found; /* NULL: none */
} FINDS[] = {
	{"from the beginning", "10.0.0.0/29", "", NULL, HF_IPV4, "10.0.0.0"},
	{"at the start", "10.0.0.0/29", "", "10.0.0.3", HF_IPV4, "10.0.0.3"},
	{"behind the start", "10.0.0.0/29", "10.0.0.3", "10.0.0.3", HF_IPV4, "10.0.0.4"},
	{"in the next CIDR", "10.0.0.0/31 10.1.0.0/31", "10.0.0.1", "10.0.0.1", HF_IPV4, "10.1.0.0"},
	{"from between the CIDRs", "10.0.0.0/31 10.1.0.0/31", "", "10.0.7.7", HF_IPV4, "10.1.0.0"},
	{"round the end", "10.0.0.0/29", "10.0.0.7", "10.0.0.7", HF_IPV4, "10.0.0.0"},
	{"from behind the end", "10.0.0.0/29", "10.0.0.0", "10.0.0.8", HF_IPV4, "10.0.0.1"},
	{"from below the beginning", "10.0.0.0/29", "", "9.0.0.0", HF_IPV4, "10.0.0.0"},
	{"none left", "10.0.0.0/31", "10.0.0.0 10.0.0.1", "10.0.0.0", HF_IPV4, NULL},
	{"none left, but IPv6", "10.0.0.0/32 fd00::/64", "10.0.0.0", NULL, HF_IPV4, NULL},
	{"the other family", "10.0.0.0/32 fd00::/64", "10.0.0.0", NULL, HF_IPV6, "fd00::"},
	{"IPv6 from behind its end", "fd00::/127 10.0.0.0/8", "fd00::", "fd00::2", HF_IPV6, "fd00::1"},
	{"IPv6 on both sides of the mapped block", "::fffe:ffff:ffff/128 10.0.0.0/8 fd00::/64", "::fffe:ffff:ffff",
	 "::fffe:ffff:ffff", HF_IPV6, "fd00::"},
	{"round the mapped block", "::fffe:ffff:ffff/128 10.0.0.0/8 fd00::/128", "fd00::", "fd00::", HF_IPV6, "::fffe:ffff:ffff"},
};

Test(allocator, find_goes_from_the_start_and_round) {
	for (size_t i = 0; i < sizeof FINDS / sizeof *FINDS; i++) {
		char taken[256], text[HF_ADDR_TEXT] = "none";
		struct hf_addr start = {0}, found;
		lay(FINDS[i].cidrs, "");
		snprintf(taken, sizeof taken, "%s", FINDS[i].taken);
		for (char *word = strtok(taken, " "); word; word = strtok(NULL, " "))
			hf_allocator_take(txn, pool, addr(word));
		if (FINDS[i].start)
			start = addr(FINDS[i].start);
		if (hf_allocator_find(txn, pool, FINDS[i].family, start, &found))
			hf_addr_format(found, text);
		cr_expect_str_eq(text, FINDS[i].found ? FINDS[i].found : "none", "%s: %s", FINDS[i].name, text);
	}
}

Test(allocator, a_cursor_behind_the_last_address_of_a_family_wraps) {
	struct hf_addr found;
	lay("255.255.255.252/30 ::fffe:ffff:fffc/126 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126", "");
	cr_assert(hf_allocator_find(txn, pool, HF_IPV4, (struct hf_addr){addr("255.255.255.255").n + 1}, &found));
	cr_assert_eq(found.n, addr("255.255.255.252").n);
	cr_assert(hf_allocator_find(txn, pool, HF_IPV6, (struct hf_addr){addr("::fffe:ffff:ffff").n + 1}, &found));
	cr_assert_eq(found.n, addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc").n);
	cr_assert(hf_allocator_find(txn, pool, HF_IPV6, (struct hf_addr){~(hf_u128)0 + 1}, &found));
	cr_assert_eq(found.n, addr("::fffe:ffff:fffc").n);
}

Test(allocator, neighbouring_pools_do_not_share_extents) {
	struct hf_pool *other, *first = pool;
	struct hf_addr found;
	cr_assert_eq(hf_batch_add_pool(batch, "q", &other), HF_OK);
	lay("10.0.0.0/31", "");
	pool = other;
	lay("10.0.0.2/31", "");
	hf_allocator_take(txn, first, addr("10.0.0.0"));
	hf_allocator_take(txn, first, addr("10.0.0.1"));
	cr_assert(!hf_allocator_find(txn, first, HF_IPV4, (struct hf_addr){0}, &found));
	cr_assert(!hf_allocator_is_free(txn, first, addr("10.0.0.2")));
	cr_assert_str_eq(extents(other->id), "10.0.0.2/31");
	hf_allocator_clear(txn, first->id);
	cr_assert_str_eq(extents(other->id), "10.0.0.2/31");
	hf_allocator_clear(txn, other->id);
	cr_assert_str_empty(extents(other->id));
}

Test(allocator, the_hashed_start_is_the_identitys_own_and_inside_the_pool) {
	struct hf_identity a = identity("east", "default", "redis"), b = identity("west", "default", "redis");
	lay("10.0.0.0/24 10.0.2.0/24 fd00::/64", "");
	pool->config.strategy = HF_HASHED;
	pool->count[HF_IPV4].cursor = addr("10.0.0.77");
	struct hf_addr start = hf_allocator_start(pool, HF_IPV4, &a);
	cr_assert_eq(start.n, hf_allocator_start(pool, HF_IPV4, &a).n);
	cr_assert_neq(start.n, hf_allocator_start(pool, HF_IPV4, &b).n);
	cr_assert_eq(hf_allocator_start(pool, HF_IPV6, &a).n >> 64, addr("fd00::").n >> 64);
	int places[2] = {0, 0};
	for (int i = 0; i < 200; i++) {
		char name[16];
		snprintf(name, sizeof name, "s%d", i);
		struct hf_identity id = identity("east", "default", name);
		struct hf_addr at = hf_allocator_start(pool, HF_IPV4, &id);
		cr_assert_eq(hf_pool_place(pool, at, NULL), HF_ALLOCATABLE);
		places[at.n >= addr("10.0.2.0").n]++;
	}
	cr_assert(places[0] > 50 && places[1] > 50, "spread over both CIDRs: %d, %d", places[0], places[1]);
	pool->config.strategy = HF_SEQUENTIAL;
	cr_assert_eq(hf_allocator_start(pool, HF_IPV4, &a).n, addr("10.0.0.77").n);
}

static void hold(const char *text) {
	uint8_t bytes[HF_ADDR_BYTES], value[] = {1};
	hf_addr_put(addr(text), bytes);
	hf_txn_put(txn, HF_ADDRESSES, (struct hf_slice){bytes, sizeof bytes}, (struct hf_slice){value, sizeof value});
}

static const struct {
	const char *name, *cidrs, *reserved, *extents;
	uint64_t overlaid; /* IPv4 addresses held in reserved ranges */
} LAYINGS[] = {
	{"nothing reserved", "10.0.0.0/28", "", "10.0.0.0/30 10.0.0.5 10.0.0.7-10.0.0.14", 0},
	{"the beginning", "10.0.0.0/28", "10.0.0.0/30", "10.0.0.5 10.0.0.7-10.0.0.14", 0},
	{"the end", "10.0.0.0/28", "10.0.0.8-10.0.0.15", "10.0.0.0/30 10.0.0.5 10.0.0.7", 1},
	{"held ones in the middle", "10.0.0.0/28", "10.0.0.4-10.0.0.6", "10.0.0.0/30 10.0.0.7-10.0.0.14", 2},
	{"all of it", "10.0.0.0/28", "10.0.0.0/28", "", 3},
	{"two ranges", "10.0.0.0/28", "10.0.0.1 10.0.0.9", "10.0.0.0 10.0.0.2/31 10.0.0.5 10.0.0.7-10.0.0.8 10.0.0.10-10.0.0.14",
	 0},
	{"two CIDRs", "10.0.0.0/29 10.0.0.8/29", "10.0.0.7 10.0.0.8", "10.0.0.0/30 10.0.0.5 10.0.0.9-10.0.0.14", 0},
	{"a CIDR without", "10.0.0.0/30 10.9.0.0/30", "10.9.0.1", "10.0.0.0/30 10.9.0.0 10.9.0.2/31", 0},
};

Test(allocator, rebuild_leaves_out_what_is_held_or_reserved) {
	hold("10.0.0.4");
	hold("10.0.0.6");
	hold("10.0.0.15");
	for (size_t i = 0; i < sizeof LAYINGS / sizeof *LAYINGS; i++) {
		char want[512] = "", copy[256], text[HF_RANGE_TEXT];
		struct hf_range range;
		lay(LAYINGS[i].cidrs, LAYINGS[i].reserved);
		snprintf(copy, sizeof copy, "%s", LAYINGS[i].extents);
		for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
			cr_assert_eq(hf_range_parse(word, NULL, &range), HF_OK);
			hf_range_format(range, text);
			snprintf(want + strlen(want), sizeof want - strlen(want), "%s%s", want[0] ? " " : "", text);
		}
		const char *got = extents(pool->id);
		cr_expect_str_eq(got, want, "%s: %s", LAYINGS[i].name, got);
		cr_expect_eq(pool->count[HF_IPV4].overlaid_reserved, LAYINGS[i].overlaid, "%s", LAYINGS[i].name);
	}
}

Test(allocator, rebuild_counts_what_is_held_in_draining_ranges) {
	hold("10.9.0.4");
	hold("10.9.0.7");
	pool->draining = ranges_of("10.9.0.0/29");
	lay("10.0.0.0/30", "");
	cr_assert_eq(pool->count[HF_IPV4].overlaid_draining, 2);
	cr_assert_str_eq(extents(pool->id), "10.0.0.0/30");
	cr_assert(hf_allocator_any_held(txn, pool->draining.at[0]));
	cr_assert(!hf_allocator_any_held(txn, (struct hf_range){addr("10.9.0.5"), addr("10.9.0.6")}));
}

Test(allocator, taking_what_is_not_free_is_a_fault) {
	lay("10.0.0.0/30", "10.0.0.1");
	hf_allocator_take(txn, pool, addr("10.0.0.1"));
	cr_assert_eq(hf_txn_fault(txn, NULL), HF_E_CORRUPT);
}
