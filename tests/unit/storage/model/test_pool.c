/* What a pool is: its configuration, its ranges, its selector, its record. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

static int parse_all(const char *text, struct hf_range *ret) {
	char copy[512];
	int n = 0;
	snprintf(copy, sizeof copy, "%s", text);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		cr_assert_eq(hf_range_parse(word, NULL, &ret[n++]), HF_OK, "%s", word);
	return n;
}

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
		config.n_cidrs = parse_all(CHECKS[i].cidrs, config.cidrs);
		config.n_reserved = parse_all(CHECKS[i].reserved, config.reserved);
		enum hf_err err = hf_pool_config_check(&config, &why);
		cr_expect_eq(err, CHECKS[i].err, "%s: %s, %s", CHECKS[i].name, hf_err_slug(err), why.text);
		if (err) {
			cr_expect(strstr(why.text, CHECKS[i].want), "%s: says \"%s\"", CHECKS[i].name, why.text);
			continue;
		}
		int n = snprintf(got, sizeof got, "%s |", format_all(config.cidrs, config.n_cidrs));
		if (config.n_reserved)
			snprintf(got + n, sizeof got - (size_t)n, " %s", format_all(config.reserved, config.n_reserved));
		cr_expect_str_eq(got, CHECKS[i].want, "%s: %s", CHECKS[i].name, got);
	}
}

static const struct {
	const char *name, *range, *cidrs, *rest;
} SUBTRACTIONS[] = {
	{"nothing", "10.0.0.0/8", "", "10.0.0.0/8"},
	{"apart", "10.0.0.0/8", "11.0.0.0/8 fd00::/8", "10.0.0.0/8"},
	{"itself", "10.0.0.0/8", "10.0.0.0/8", ""},
	{"inside a larger one", "10.1.0.0/16", "10.0.0.0/8", ""},
	{"the lower half", "10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25"},
	{"the upper half", "10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/25"},
	{"both halves", "10.0.0.0/24", "10.0.0.0/25 10.0.0.128/25", ""},
	{"one address", "10.0.0.0/29", "10.0.0.2/32", "10.0.0.0/31 10.0.0.3/32 10.0.0.4/30"},
	{"two addresses", "10.0.0.0/29", "10.0.0.0/32 10.0.0.7/32", "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32"},
	{"IPv6", "fd00::/62", "fd00:0:0:1::/64", "fd00::/64 fd00:0:0:2::/63"},
	{"one IPv6 address", "fd00::/126", "fd00::2/128", "fd00::/127 fd00::3/128"},
	{"0.0.0.0/0", "0.0.0.0/0", "128.0.0.0/1", "0.0.0.0/1"},
};

Test(pool, a_range_less_others_is_the_rest_in_cidrs) {
	for (size_t i = 0; i < sizeof SUBTRACTIONS / sizeof *SUBTRACTIONS; i++) {
		struct hf_range range, cidrs[8], rest[8];
		int n_rest = 0, n = parse_all(SUBTRACTIONS[i].cidrs, cidrs);
		cr_assert_eq(hf_cidr_parse(SUBTRACTIONS[i].range, NULL, &range), HF_OK);
		cr_expect(hf_range_subtract(range, cidrs, n, rest, 8, &n_rest), "%s", SUBTRACTIONS[i].name);
		const char *got = format_all(rest, n_rest);
		cr_expect_str_eq(got, SUBTRACTIONS[i].rest, "%s: %s", SUBTRACTIONS[i].name, got);
	}
}

Test(pool, a_subtraction_that_leaves_too_much_is_refused) {
	struct hf_range range, one, rest[23];
	int n = 0;
	cr_assert_eq(hf_cidr_parse("10.0.0.0/8", NULL, &range), HF_OK);
	cr_assert_eq(hf_cidr_parse("10.1.2.3/32", NULL, &one), HF_OK);
	cr_assert(!hf_range_subtract(range, &one, 1, rest, 23, &n), "24 pieces are left");
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
	struct hf_pool pool = pool_of("10.0.0.0/24 fd00::/64", "10.0.0.0/31");
	pool.n_draining = parse_all("10.0.1.0/24", pool.draining);
	for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
		struct hf_range cidr = {{0}, {0}};
		cr_expect_eq(hf_pool_place(&pool, addr(PLACES[i].address), &cidr), PLACES[i].place, "%s", PLACES[i].name);
		if (PLACES[i].cidr)
			cr_expect_str_eq(format_all(&cidr, 1), PLACES[i].cidr, "%s", PLACES[i].name);
		cr_expect_eq(hf_pool_place(&pool, addr(PLACES[i].address), NULL), PLACES[i].place, "%s", PLACES[i].name);
	}
	cr_assert(hf_pool_has_family(&pool, HF_IPV4) && hf_pool_has_family(&pool, HF_IPV6));
	pool = pool_of("fd00::/64", "");
	cr_assert(!hf_pool_has_family(&pool, HF_IPV4));
}

Test(pool, usage_partitions_the_pool) {
	struct hf_pool pool = pool_of("10.0.0.0/24 fd00::/64", "10.0.0.0/28");
	pool.n_draining = parse_all("10.0.1.0/24", pool.draining);
	pool.count[HF_IPV4] = (struct hf_pool_count){20, 5, .overlaid_reserved = 3, .overlaid_draining = 7};
	struct hf_pool_usage u, v;
	hf_pool_usage(&pool, HF_IPV4, &u);
	cr_assert_eq(u.capacity, 256);
	cr_assert_eq(u.reserved, 13, "reserved and held is held");
	cr_assert_eq(u.draining, 7);
	cr_assert_eq(u.free, 256 - 13 - 18);
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
		struct hf_pool pool = pool_of("10.0.0.0/8", "");
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
	struct hf_pool_config a = pool_of("10.0.0.0/8", "10.0.0.1").config, b = a;
	cr_assert(hf_pool_config_equal(&a, &b));
	b.strategy = HF_HASHED;
	cr_assert(!hf_pool_config_equal(&a, &b) && hf_pool_ranges_equal(&a, &b));
	b = a, b.quarantine_seconds++;
	cr_assert(!hf_pool_config_equal(&a, &b));
	b = a, b.kinds = 2;
	cr_assert(!hf_pool_config_equal(&a, &b));
	b = a, b.n_reserved = 0;
	cr_assert(!hf_pool_config_equal(&a, &b) && !hf_pool_ranges_equal(&a, &b));
	b = a, b.cidrs[0].last.n--;
	cr_assert(!hf_pool_config_equal(&a, &b));
	b = a, b.zones = (struct hf_names){.n = 1, .names = {"east"}};
	cr_assert(!hf_pool_config_equal(&a, &b) && hf_pool_ranges_equal(&a, &b));
}

Test(pool, a_damaged_record_is_not_decoded) {
	static uint8_t buffer[HF_POOL_RECORD_MAX], copy[HF_POOL_RECORD_MAX];
	struct hf_pool pool = pool_of("10.0.0.0/8 fd00::/64", "10.0.0.1"), back;
	pool.config.zones = (struct hf_names){.n = 1, .names = {"east"}};
	struct hf_slice key = {"p", 1}, value = hf_pool_encode(&pool, buffer);
	cr_assert(hf_pool_decode(key, value, &back));
	cr_assert(hf_pool_config_equal(&pool.config, &back.config));
	for (size_t len = 0; len < value.len; len++)
		cr_expect(!hf_pool_decode(key, (struct hf_slice){buffer, len}, &back), "cut at %zu", len);
	cr_expect(!hf_pool_decode(key, (struct hf_slice){buffer, value.len + 1}, &back), "a byte too many");
	cr_expect(!hf_pool_decode((struct hf_slice){"p", 0}, value, &back), "no name");
	static const struct {
		const char *name;
		size_t at;
		uint8_t byte;
	} damages[] = {{"a newer record", 0, 2}, {"no such strategy", 5, 3}, {"too many CIDRs", 147, 65}};
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		memcpy(copy, buffer, value.len);
		copy[damages[i].at] = damages[i].byte;
		cr_expect(!hf_pool_decode(key, (struct hf_slice){copy, value.len}, &back), "%s", damages[i].name);
	}
}
