/* The memory of syncs, in shares: no zone holds all of it, and there is always some for the next. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "api/sync/sync_ledger.h"

#define MEMORY ((size_t)64 << 20)
#define STEP 1000

static struct hf_syncs *syncs;

static void setup(void) {
	syncs = hf_syncs_new(&(struct hf_syncs_options){1 << 20, 100, MEMORY});
	cr_assert_not_null(syncs);
}

static void teardown(void) {
	cr_expect_eq(hf_syncs_budget(syncs)->used_bytes, 0);
	hf_syncs_free(syncs);
}

TestSuite(syncs_share, .init = setup, .fini = teardown);

/* One sync that takes as much as it gets, up to a limit. */
struct taker {
	struct hf_budget *share;
	struct hf_arena arena;
};

static size_t take(struct taker *taker, const char *zone, bool is_known, size_t at_most) {
	taker->share = hf_syncs_share(syncs, zone, is_known);
	taker->arena = (struct hf_arena){.budget = taker->share};
	while (taker->arena.charged_bytes < at_most && hf_arena_charge(&taker->arena, STEP))
		continue;
	return taker->arena.charged_bytes;
}

static void give(struct taker *taker) {
	hf_arena_free(&taker->arena);
	hf_syncs_end_share(syncs, taker->share);
}

Test(syncs_share, a_zone_gets_a_quarter_in_however_many_syncs) {
	struct taker takers[9];
	size_t sum = 0;
	for (int i = 0; i < 9; i++)
		sum += take(&takers[i], "east", true, MEMORY / 20);
	cr_expect(sum <= MEMORY / 4 && sum > MEMORY / 4 - STEP, "%zu of %zu bytes", sum, MEMORY);
	cr_expect_eq(hf_syncs_budget(syncs)->used_bytes, sum);
	struct taker other;
	size_t others = take(&other, "west", true, MEMORY);
	cr_expect(others > 3 * MEMORY / 16 - STEP && others <= 3 * MEMORY / 16, "%zu: a quarter of what is left", others);
	give(&other);
	for (int i = 0; i < 9; i++)
		give(&takers[i]);
	cr_expect_eq(take(&other, "east", true, MEMORY), sum, "and again");
	give(&other);
}

/* Each takes all that it gets: each gets something, and a 256th at least. */
Test(syncs_share, there_is_some_for_every_zone_that_is_known) {
	struct taker takers[200], small;
	size_t before = MEMORY;
	char zone[16];
	for (int i = 0; i < 200; i++) {
		snprintf(zone, sizeof zone, "zone-%d", i);
		size_t got = take(&takers[i], zone, true, MEMORY);
		cr_expect_leq(got, before, "%s: %zu bytes", zone, got);
		cr_expect_geq(got, MEMORY / 256 - STEP, "%s: %zu bytes", zone, got);
		before = got;
	}
	cr_expect_eq(take(&small, "zone-0", true, MEMORY), 0, "but not a second time");
	give(&small);
	for (int i = 0; i < 200; i++)
		give(&takers[i]);
}

Test(syncs_share, what_is_not_known_takes_half_and_leaves_the_others_their_part) {
	struct taker takers[500], known;
	char zone[16];
	for (int i = 0; i < 500; i++) {
		snprintf(zone, sizeof zone, "made-up-%d", i);
		cr_expect_leq(take(&takers[i], zone, false, MEMORY), MEMORY / 4);
	}
	size_t strangers = hf_syncs_budget(syncs)->used_bytes;
	cr_expect_leq(strangers, MEMORY / 2);
	cr_expect_gt(strangers, MEMORY / 3);
	size_t got = take(&known, "east", true, MEMORY);
	cr_expect(got > MEMORY / 8 - STEP, "%zu bytes", got);
	give(&known);
	for (int i = 0; i < 500; i++)
		give(&takers[i]);
}

Test(syncs_share, a_small_budget_is_one_too) {
	hf_syncs_free(syncs);
	syncs = hf_syncs_new(&(struct hf_syncs_options){1 << 20, 100, 100});
	struct taker taker;
	cr_expect_eq(take(&taker, "east", true, 100), 0);
	cr_expect_not(hf_arena_charge(&taker.arena, 26));
	cr_expect(hf_arena_charge(&taker.arena, 25));
	cr_expect_not(hf_arena_charge(&taker.arena, 1));
	give(&taker);
}
