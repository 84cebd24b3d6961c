/* The records of pools: what is damaged is not decoded; what a look-up finds without decoding. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "storage/store/upkeep.h"
#include "storage/tables/pool_table.h"
#include "tests/unit/support.h"

#define FIRST 37 /* where the first range begins */

static struct hf_pool pool_of(const char *cidrs, const char *reserved) {
	struct hf_pool pool = {.id = 1, .name = "p"};
	pool.config = pool_request("p", cidrs, reserved, 60).config;
	return pool;
}

static enum hf_err decode(struct hf_slice key, struct hf_slice value, struct hf_pool *ret) {
	return hf_pool_decode(key, value, NULL, ret);
}

Test(pool_table, a_damaged_record_is_not_decoded) {
	static uint8_t buffer[1024], copy[1024];
	HF_POOL pool = pool_of("10.0.0.0/8 fd00::/64", "10.0.0.1"), back = {.id = 0};
	pool.config.zones = (struct hf_names){.n = 1, .names = {"east"}};
	struct hf_slice key = {"p", 1}, value = hf_pool_encode(&pool, buffer);
	cr_assert_eq(value.len, hf_pool_record_bytes(&pool));
	cr_assert_eq(decode(key, value, &back), HF_OK);
	cr_assert(hf_pool_config_equal(&pool.config, &back.config));
	hf_pool_drop(&back);
	for (size_t len = 0; len < value.len; len++)
		cr_expect_eq(decode(key, (struct hf_slice){buffer, len}, &back), HF_E_CORRUPT, "cut at %zu", len);
	cr_expect_eq(decode(key, (struct hf_slice){buffer, value.len + 1}, &back), HF_E_CORRUPT, "a byte too many");
	cr_expect_eq(decode((struct hf_slice){"p", 0}, value, &back), HF_E_CORRUPT, "no name");
	static const struct {
		const char *name;
		size_t at;
		uint8_t byte;
	} damages[] = {{"a newer record", 0, 3},
		       {"no such strategy", 5, 3},
		       {"too many CIDRs", 35, 0x20},
		       {"a range that ends before it begins", FIRST + 28, 9},
		       {"a range of two families", FIRST + 16, 1}};
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		memcpy(copy, buffer, value.len);
		copy[damages[i].at] = damages[i].byte;
		cr_expect_eq(decode(key, (struct hf_slice){copy, value.len}, &back), HF_E_CORRUPT, "%s", damages[i].name);
	}
	memcpy(copy, buffer, value.len);
	memcpy(copy + FIRST, buffer + FIRST + 32, 32);
	memcpy(copy + FIRST + 32, buffer + FIRST, 32);
	cr_expect_eq(decode(key, (struct hf_slice){copy, value.len}, &back), HF_E_CORRUPT, "ranges in another order");
	memcpy(copy, buffer, value.len);
	memset(copy + FIRST, 0, 16);
	memcpy(copy + FIRST + 16, buffer + FIRST + 48, 16);
	cr_expect_eq(decode(key, (struct hf_slice){copy, value.len}, &back), HF_E_CORRUPT, "a range around the IPv4 addresses");
}

Test(pool_table, a_look_up_finds_a_place_in_the_record) {
	static const struct {
		const char *address, *pool;
		enum hf_place place;
	} places[] = {
		{"10.0.0.9", "", HF_OUTSIDE},	     {"10.0.0.10", "blue", HF_ALLOCATABLE},
		{"10.0.0.12", "blue", HF_RESERVED},  {"10.0.0.99", "blue", HF_ALLOCATABLE},
		{"10.0.0.100", "", HF_OUTSIDE},	     {"10.7.0.1", "blue", HF_ALLOCATABLE},
		{"10.9.0.1", "blue", HF_DRAINING},   {"241.0.0.7", "meshservice", HF_ALLOCATABLE},
		{"fd00::5", "blue", HF_ALLOCATABLE}, {"fd00::6", "", HF_OUTSIDE},
	};
	struct fixture f;
	char name[HF_NAME_MAX + 1];
	fixture_new(&f);
	static const char *const cidrs[] = {"10.0.0.10-10.0.0.99 10.7.0.0/16 10.9.0.0/24 fd00::5/128",
					    "10.0.0.10-10.0.0.99 10.7.0.0/16 fd00::5/128"};
	for (int i = 0; i < 2; i++) {
		POOL_PUT_REQUEST put = pool_request("blue", cidrs[i], "10.0.0.12-10.0.0.13", 60);
		put.drain = true;
		cr_assert_eq(commit(&f, &put.write), HF_OK);
		struct hf_acquire a = acquire_request(identity("east", "default", "drains"), "{}");
		a.want.addresses[a.want.n_addresses++] = addr("10.9.0.7");
		cr_assert_eq(acquire(&f, &a), i == 0 ? HF_OK : HF_OK);
	}
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		name[0] = '\0';
		cr_expect_eq(hf_pool_place_of(f.reader, addr(places[i].address), name), places[i].place, "%s", places[i].address);
		cr_expect_str_eq(name, places[i].pool, "%s: %s", places[i].address, name);
	}
	hf_reader_end(f.reader);
	fixture_remove(&f);
}

/* After a batch that failed, a pool's ranges are shared with the copy that the writer had, unless the batch edited them. */
Test(pool_table, ranges_are_read_again_only_if_they_may_have_changed) {
	struct fixture f;
	struct hf_batch *batch;
	HF_RANGES edit = ranges_of("10.0.0.0/24");
	fixture_new(&f);
	cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
	const struct hf_range *same = hf_batch_pool(batch, "meshservice")->config.cidrs.at;
	struct hf_pool *edited = hf_batch_pool(batch, "meshexternalservice");
	hf_batch_pool(batch, "meshservice")->active = 77;
	hf_batch_pool(batch, "meshservice")->touched = true;
	hf_ranges_drop(&edited->config.cidrs);
	edited->config.cidrs = hf_ranges_share(&edit);
	edited->edited = true;
	hf_batch_abort(batch);
	cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
	struct hf_pool *pool = hf_batch_pool(batch, "meshservice");
	cr_expect(pool->config.cidrs.at == same && pool->active == 0 && !pool->touched);
	pool = hf_batch_pool(batch, "meshexternalservice");
	cr_expect(pool->config.cidrs.n == 1 && pool->config.cidrs.at[0].first.n == addr("242.0.0.0").n && !pool->edited);
	hf_batch_abort(batch);
	fixture_remove(&f);
}
