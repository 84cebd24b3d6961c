/* Arenas and the budget that they share. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "storage/base/arena.h"

static struct hf_budget budget;
static struct hf_arena arena;

static void setup(void) {
	budget = (struct hf_budget){.max_bytes = (size_t)1 << 20};
	arena = (struct hf_arena){.budget = &budget};
}

TestSuite(arena, .init = setup);

Test(arena, memory_is_aligned_and_apart) {
	static const size_t lens[] = {0, 1, 3, 8, 15, 16, 17, 100, 4096, 65536, 65537, 200000, 1};
	char *places[sizeof lens / sizeof *lens];
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		places[i] = hf_arena_alloc(&arena, lens[i]);
		cr_assert_not_null(places[i], "%zu bytes", lens[i]);
		cr_expect_eq((uintptr_t)places[i] % _Alignof(max_align_t), 0, "%zu bytes", lens[i]);
		memset(places[i], (int)i, lens[i]);
		for (size_t k = 0; k < i; k++)
			cr_expect_neq(places[k], places[i], "%zu and %zu bytes", lens[k], lens[i]);
	}
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
		for (size_t k = 0; k < lens[i]; k++)
			cr_assert_eq(places[i][k], (char)i, "another's %zu bytes", lens[i]);
	hf_arena_free(&arena);
	cr_expect_eq(budget.used_bytes, 0);
}

Test(arena, small_ones_share_a_block) {
	hf_arena_alloc(&arena, 1);
	size_t block = budget.used_bytes;
	for (int i = 0; i < 1000; i++)
		cr_assert_not_null(hf_arena_alloc(&arena, 32));
	cr_expect_eq(budget.used_bytes, block);
	hf_arena_free(&arena);
}

Test(arena, what_exceeds_the_budget_is_refused_and_charges_nothing) {
	char *first = hf_arena_alloc(&arena, 100);
	size_t used = budget.used_bytes;
	strcpy(first, "still there");
	cr_expect_null(hf_arena_alloc(&arena, budget.max_bytes));
	cr_expect(!hf_arena_charge(&arena, budget.max_bytes - used + 1));
	cr_expect_eq(budget.used_bytes, used);
	cr_expect_not_null(hf_arena_alloc(&arena, 100), "a small one still fits");
	cr_expect(hf_arena_charge(&arena, budget.max_bytes - used), "exactly what is left");
	cr_expect_eq(budget.used_bytes, budget.max_bytes);
	cr_expect(!hf_arena_charge(&arena, 1));
	cr_expect_str_eq(first, "still there");
	hf_arena_free(&arena);
	cr_expect_eq(budget.used_bytes, 0);
}

Test(arena, a_length_that_would_overflow_is_refused) {
	static const size_t lens[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX - 40, SIZE_MAX / 2};
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		cr_expect_null(hf_arena_alloc(&arena, lens[i]), "%zu", lens[i]);
		cr_expect_eq(budget.used_bytes, 0, "%zu", lens[i]);
	}
	hf_arena_free(&arena);
}

Test(arena, one_gives_back_what_is_its_own) {
	struct hf_arena other = {.budget = &budget};
	hf_arena_alloc(&arena, 10);
	size_t one = budget.used_bytes;
	hf_arena_alloc(&other, 10);
	cr_assert(hf_arena_charge(&other, 12345));
	hf_arena_free(&arena);
	cr_expect_eq(budget.used_bytes, one + 12345);
	hf_arena_free(&arena);
	cr_expect_eq(budget.used_bytes, one + 12345, "a second time it has nothing to give");
	cr_expect_not_null(hf_arena_alloc(&arena, 10), "and can be used again");
	hf_arena_free(&arena);
	hf_arena_free(&other);
	cr_expect_eq(budget.used_bytes, 0);
}

/* What two threads have together never exceeds the budget, and nothing gets lost. */
static void *use_it(void *failed) {
	for (int round = 0; round < 2000; round++) {
		struct hf_arena own = {.budget = &budget};
		for (int i = 0; i < 20; i++)
			if (!hf_arena_alloc(&own, 60000))
				++*(int *)failed;
		hf_arena_free(&own);
	}
	return NULL;
}

Test(arena, threads_share_a_budget) {
	pthread_t threads[4];
	int failed[4] = {0}, sum = 0;
	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_it, &failed[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		sum += failed[i];
	}
	cr_expect_gt(sum, 0, "one of them alone needs more than there is");
	cr_expect_eq(budget.used_bytes, 0);
}
