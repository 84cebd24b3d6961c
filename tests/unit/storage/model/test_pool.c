/* What a pool is: its configuration, its ranges, its selector, its record. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

static const char *format_all(const struct hf_range *ranges, int n) {
	static char text[4096];
	char range[HF_RANGE_TEXT];
	text[0] = '\0';
	for (int i = 0; i < n; i++) {
		hf_range_format(ranges[i], range);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", range);
	}
	return text;
}

static struct hf_pool pool_of(const char *cidrs, const char *reserved) {
	struct hf_pool pool = {.id = 1, .name = "p"};
	pool.config = pool_request("p", cidrs, reserved, 60).config;
	return pool;
}

static const struct {
	const char *name, *cidrs, *reserved;
	enum hf_err err;
	const char *want; /* HF_OK: CIDRs and reserved ranges as they are kept; else what the words contain */
} CHECKS[] = {
	{"one CIDR", "10.0.0.0/8", "", HF_OK, "10.0.0.0/8 |"},
	{"none", "", "", HF_E_INVALID_PARAMETER, "\"cidrs\" is empty"},
	{"sorted", "fd00::/64 10.1.0.0/16 10.0.0.0/16", "", HF_OK, "10.0.0.0/16 10.1.0.0/16 fd00::/64 |"},
	{"adjacent", "10.0.0.0/25 10.0.0.128/25", "", HF_OK, "10.0.0.0/25 10.0.0.128/25 |"},
	{"the same twice", "10.0.0.0/8 10.0.0.0/8", "", HF_E_POOL_OVERLAP, "10.0.0.0/8 and 10.0.0.0/8"},
	{"nested", "10.7.0.0/16 10.0.0.0/8", "", HF_E_POOL_OVERLAP, "10.0.0.0/8 and 10.7.0.0/16"},
	{"nested, not next to each other", "10.0.0.0/8 10.1.0.0/16 10.2.0.0/16", "", HF_E_POOL_OVERLAP, "overlap"},
	{"reserved inside", "10.0.0.0/8", "10.0.0.0/24", HF_OK, "10.0.0.0/8 | 10.0.0.0/24"},
	{"reserved all", "10.0.0.0/8", "10.0.0.0/8", HF_OK, "10.0.0.0/8 | 10.0.0.0/8"},
	{"reserved outside", "10.0.0.0/8", "11.0.0.1", HF_E_INVALID_PARAMETER, "11.0.0.1/32 lies outside"},
	{"reserved larger", "10.0.0.0/8", "10.0.0.0-11.0.0.0", HF_E_INVALID_PARAMETER, "10.0.0.0-11.0.0.0"},
	{"ranges", "10.0.0.10-10.0.0.99 fd00::3-fd00::7", "10.0.0.20-10.0.0.21", HF_OK,
	 "10.0.0.10-10.0.0.99 fd00::3-fd00::7 | 10.0.0.20/31"},
	{"a range that is a CIDR", "10.0.0.0-10.255.255.255", "", HF_OK, "10.0.0.0/8 |"},
	{"ranges that overlap", "10.0.0.10-10.0.0.99 10.0.0.99-10.0.1.9", "", HF_E_POOL_OVERLAP,
	 "10.0.0.10-10.0.0.99 and 10.0.0.99-10.0.1.9 overlap"},
	{"reserved, partly outside a range", "10.0.0.10-10.0.0.99", "10.0.0.96/29", HF_E_INVALID_PARAMETER,
	 "10.0.0.96/29 lies outside"},
	{"reserved across two CIDRs", "10.0.0.0/25 10.0.0.128/25", "10.0.0.127-10.0.0.128", HF_E_INVALID_PARAMETER,
	 "10.0.0.127-10.0.0.128"},
	{"reserved ranges that overlap", "10.0.0.0/8", "10.0.0.5-10.0.0.9 10.0.0.1-10.0.0.6", HF_OK,
	 "10.0.0.0/8 | 10.0.0.1-10.0.0.9"},
	{"a reserved range in another", "10.0.0.0/8", "10.0.0.0/24 10.0.0.7", HF_OK, "10.0.0.0/8 | 10.0.0.0/24"},
	{"sorted reserved ranges", "10.0.0.0/8 fd00::/64", "fd00::1 10.0.0.9 10.0.0.1", HF_OK,
	 "10.0.0.0/8 fd00::/64 | 10.0.0.1/32 10.0.0.9/32 fd00::1/128"},
};

Test(pool, a_configuration_is_checked_and_put_in_order) {
	for (size_t i = 0; i < sizeof CHECKS / sizeof *CHECKS; i++) {
		struct hf_pool_config config = {.strategy = HF_SEQUENTIAL};
		struct hf_why why = {""};
		char got[1024];
		config.cidrs = ranges_of(CHECKS[i].cidrs);
		config.reserved = ranges_of(CHECKS[i].reserved);
		enum hf_err err = hf_pool_config_check(&config, &why);
		cr_expect_eq(err, CHECKS[i].err, "%s: %s, %s", CHECKS[i].name, hf_err_slug(err), why.text);
		if (err) {
			cr_expect(strstr(why.text, CHECKS[i].want), "%s: says \"%s\"", CHECKS[i].name, why.text);
			hf_pool_config_drop(&config);
			continue;
		}
		int n = snprintf(got, sizeof got, "%s |", format_all(config.cidrs.at, config.cidrs.n));
		if (config.reserved.n)
			snprintf(got + n, sizeof got - (size_t)n, " %s", format_all(config.reserved.at, config.reserved.n));
		cr_expect_str_eq(got, CHECKS[i].want, "%s: %s", CHECKS[i].name, got);
		hf_pool_config_drop(&config);
	}
}

static const struct {
	const char *name, *address, *range, *cidrs, *left;
} LEFTS[] = {
	{"all, if nothing is taken", "10.0.0.7", "10.0.0.5-10.0.0.99", "11.0.0.0/8 fd00::/8", "10.0.0.5-10.0.0.99"},
	{"all, without CIDRs", "10.0.0.7", "10.0.0.0/8", "", "10.0.0.0/8"},
	{"the upper half", "10.0.0.200", "10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25"},
	{"the lower half", "10.0.0.0", "10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/25"},
	{"next to one address", "10.0.0.3", "10.0.0.0/29", "10.0.0.2/32", "10.0.0.3/32"},
	{"before one address", "10.0.0.1", "10.0.0.0/29", "10.0.0.2/32", "10.0.0.0/31"},
	{"after one address", "10.0.0.6", "10.0.0.0/29", "10.0.0.2/32", "10.0.0.4/30"},
	{"between two", "10.0.0.4", "10.0.0.0/29", "10.0.0.0/32 10.0.0.7/32", "10.0.0.4/31"},
	{"in a range", "10.0.0.66", "10.0.0.10-10.0.0.99", "10.0.0.20-10.0.0.31", "10.0.0.64/27"},
	{"the end of a range", "10.0.0.98", "10.0.0.10-10.0.0.99", "10.0.0.20-10.0.0.31", "10.0.0.96/30"},
	{"the beginning of a range", "10.0.0.10", "10.0.0.10-10.0.0.99", "10.0.0.20-10.0.0.31", "10.0.0.10/31"},
	{"IPv6", "fd00::5", "fd00::/62", "fd00:0:0:1::/64", "fd00::/64"},
	{"0.0.0.0/0", "1.2.3.4", "0.0.0.0/0", "128.0.0.0/1", "0.0.0.0/1"},
	{"the last address", "255.255.255.255", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"},
};

Test(pool, what_is_left_around_an_address) {
	for (size_t i = 0; i < sizeof LEFTS / sizeof *LEFTS; i++) {
		HF_RANGES cidrs = ranges_of(LEFTS[i].cidrs), range = ranges_of(LEFTS[i].range);
		struct hf_range left = hf_pool_left_around(addr(LEFTS[i].address), range.at[0], &cidrs);
		cr_expect_str_eq(format_all(&left, 1), LEFTS[i].left, "%s: %s", LEFTS[i].name, format_all(&left, 1));
	}
}

static const struct {
	const char *name, *address;
	enum hf_place place;
	const char *cidr;
} PLACES[] = {
	{"below", "9.255.255.255", HF_OUTSIDE, NULL},
	{"first", "10.0.0.0", HF_RESERVED, "10.0.0.0/24"},
	{"behind the reserved range", "10.0.0.2", HF_ALLOCATABLE, "10.0.0.0/24"},
	{"last", "10.0.0.255", HF_ALLOCATABLE, "10.0.0.0/24"},
	{"draining", "10.0.1.0", HF_DRAINING, NULL},
	{"behind draining", "10.0.2.0", HF_OUTSIDE, NULL},
	{"the other family", "fd00::77", HF_ALLOCATABLE, "fd00::/64"},
	{"outside the other family", "fd01::", HF_OUTSIDE, NULL},
};

Test(pool, an_address_has_its_place) {
	HF_POOL pool = pool_of("10.0.0.0/24 fd00::/64", "10.0.0.0/31");
	pool.draining = ranges_of("10.0.1.0/24");
	for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
		struct hf_range cidr = {{0}, {0}};
		cr_expect_eq(hf_pool_place(&pool, addr(PLACES[i].address), &cidr), PLACES[i].place, "%s", PLACES[i].name);
		if (PLACES[i].cidr)
			cr_expect_str_eq(format_all(&cidr, 1), PLACES[i].cidr, "%s", PLACES[i].name);
		cr_expect_eq(hf_pool_place(&pool, addr(PLACES[i].address), NULL), PLACES[i].place, "%s", PLACES[i].name);
	}
	cr_assert(hf_pool_has_family(&pool, HF_IPV4) && hf_pool_has_family(&pool, HF_IPV6));
	hf_pool_drop(&pool);
	pool = pool_of("fd00::/64", "");
	cr_assert(!hf_pool_has_family(&pool, HF_IPV4));
}

Test(pool, usage_partitions_the_pool) {
	HF_POOL pool = pool_of("10.0.0.0/24 fd00::/64", "10.0.0.0/28");
	pool.draining = ranges_of("10.0.1.0/24");
	pool.count[HF_IPV4] = (struct hf_pool_count){
		.leased = 20, .quarantined = 5, .previous = 2, .remembered = 9, .overlaid_reserved = 3, .overlaid_draining = 7};
	struct hf_pool_usage u, v;
	hf_pool_usage(&pool, HF_IPV4, &u);
	cr_assert_eq(u.capacity, 256);
	cr_assert_eq(u.reserved, 13, "reserved and held is held");
	cr_assert_eq(u.draining, 7);
	cr_assert_eq(u.free, 256 - 13 - 18, "what is remembered is free, and previous addresses are held already");
	cr_assert(u.previous == 2 && u.remembered == 9);
	cr_assert_eq(u.capacity + u.draining, u.leased + u.quarantined + u.reserved + u.free);
	hf_pool_usage(&pool, HF_IPV6, &v);
	cr_assert_eq(v.capacity, (hf_u128)1 << 64);
	cr_assert_eq(v.free, v.capacity);
}

static const struct {
	const char *name;
	unsigned kinds;
	const char *mesh, *zone; /* stated beside "x"; NULL: not stated */
	int match;
} MATCHES[] = {
	{"nothing stated", 0, NULL, NULL, 0},
	{"kind", 1u << HF_MESH_SERVICE, NULL, NULL, 1},
	{"another kind", 1u << HF_MESH_EXTERNAL_SERVICE, NULL, NULL, -1},
	{"two kinds", 1u << HF_MESH_SERVICE | 1u << HF_MESH_EXTERNAL_SERVICE, NULL, NULL, 1},
	{"mesh", 0, "default", NULL, 1},
	{"another mesh", 0, "demo", NULL, -1},
	{"zone", 0, NULL, "east", 1},
	{"another zone", 0, NULL, "west", -1},
	{"mesh and zone", 0, "default", "east", 2},
	{"all", 1u << HF_MESH_SERVICE, "default", "east", 3},
	{"all but one", 1u << HF_MESH_SERVICE, "default", "west", -1},
};

Test(pool, the_selector_counts_what_it_states) {
	struct hf_identity id = identity("east", "default", "redis");
	for (size_t i = 0; i < sizeof MATCHES / sizeof *MATCHES; i++) {
		HF_POOL pool = pool_of("10.0.0.0/8", "");
		pool.config.kinds = MATCHES[i].kinds;
		if (MATCHES[i].mesh)
			pool.config.meshes = (struct hf_names){.n = 2, .names = {"x", ""}};
		if (MATCHES[i].mesh)
			snprintf(pool.config.meshes.names[1], HF_NAME_MAX + 1, "%s", MATCHES[i].mesh);
		if (MATCHES[i].zone)
			pool.config.zones = (struct hf_names){.n = 2, .names = {"x", ""}};
		if (MATCHES[i].zone)
			snprintf(pool.config.zones.names[1], HF_NAME_MAX + 1, "%s", MATCHES[i].zone);
		cr_expect_eq(hf_pool_match(&pool, &id), MATCHES[i].match, "%s", MATCHES[i].name);
	}
}

Test(pool, configurations_are_equal_in_every_part_or_not) {
	HF_POOL pool = pool_of("10.0.0.0/8", "10.0.0.1"), same = pool_of("10.0.0.0/8", "10.0.0.1");
	HF_POOL other = pool_of("10.0.0.0-10.255.255.254", "10.0.0.1"), none = pool_of("10.0.0.0/8", "");
	struct hf_pool_config a = pool.config, b = same.config;
	cr_assert(hf_pool_config_equal(&a, &a) && hf_pool_config_equal(&a, &b));
	b.strategy = HF_HASHED;
	cr_assert(!hf_pool_config_equal(&a, &b) && hf_pool_ranges_equal(&a, &b));
	b = a, b.quarantine_seconds++;
	cr_assert(!hf_pool_config_equal(&a, &b));
	b = a, b.kinds = 2;
	cr_assert(!hf_pool_config_equal(&a, &b));
	b = a, b.reserved = none.config.reserved;
	cr_assert(!hf_pool_config_equal(&a, &b) && !hf_pool_ranges_equal(&a, &b));
	b = a, b.cidrs = other.config.cidrs;
	cr_assert(!hf_pool_config_equal(&a, &b));
	b = a, b.zones = (struct hf_names){.n = 1, .names = {"east"}};
	cr_assert(!hf_pool_config_equal(&a, &b) && hf_pool_ranges_equal(&a, &b));
}
