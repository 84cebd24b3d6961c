/* A sync that runs out of its memory, wherever it does: overloaded, nothing changed, all given back. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/sync_support.h"

static struct fixture f;

/* The zone east has a to h (f to h in quarantine); claims of one family each make a list of what is to be avoided. */
static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
	POOL_DELETE_REQUEST del = {.name = "meshservice"};
	POOL_PUT_REQUEST put = pool_request("dual", "10.0.0.0/28 fd00::/124", "", 3600);
	hf_pool_delete_begin(&del);
	cr_assert_eq(commit(&f, &del.write), HF_OK);
	cr_assert_eq(commit(&f, &put.write), HF_OK);
	synced(&f, HF_SYNC_FULL, "east", "a b c d e f g h");
	synced(&f, HF_SYNC_FULL, "east", "a b c d e");
}

static void teardown(void) {
	verify_clean(&f, "at the end");
	cr_expect_eq(sync_budget.used_bytes, 0);
	fixture_remove(&f);
}

TestSuite(sync_budget, .init = setup, .fini = teardown, .timeout = 600);

#define LIST "a b=two f n@10.0.0.13 o@fd00::d p q r s t u v w x y z b !wrong"

/* An arena whose only block has so much left, in a budget that is used up. */
static void leave(struct hf_sync *sync, size_t left) {
	cr_assert_not_null(hf_arena_alloc(&sync->arena, 1));
	size_t have = (size_t)(sync->arena.end - sync->arena.at);
	cr_assert(left < have && hf_arena_alloc(&sync->arena, have - left));
	sync_budget.max_bytes = sync_budget.used_bytes;
}

enum stage { AT_LIST, AT_PEEK, AT_WRITE, AT_DECIDING_ANEW, NOWHERE, STAGES };

/* Where it runs out with so much left. `changed`: the zone changes before the write. */
static enum stage run_with(size_t left, bool changed, enum hf_err *ret) {
	struct hf_sync sync;
	bool write = false;
	enum stage stage = AT_LIST;
	sync_open(&sync, HF_SYNC_FULL, "east", "default");
	leave(&sync, left);
	*ret = sync_list(&sync, LIST);
	if (!*ret) {
		stage = AT_PEEK;
		*ret = sync_peek(&f, &sync, &write);
	}
	if (!*ret) {
		stage = changed ? AT_DECIDING_ANEW : AT_WRITE;
		cr_assert(write);
		if (changed) /* what is released twice costs twice */
			sync.decided_at = 0;
		*ret = sync_commit(&f, &sync);
		if (*ret)
			cr_expect(strstr(sync.write.why.text, "memory"), "%s", sync.write.why.text);
	}
	if (!*ret)
		stage = NOWHERE;
	hf_sync_free(&sync);
	sync_budget.max_bytes = (size_t)64 << 20;
	cr_assert_eq(sync_budget.used_bytes, 0, "with %zu left: kept %zu bytes", left, (size_t)sync_budget.used_bytes);
	return stage;
}

static void run_out_everywhere(bool changed, enum stage written) {
	struct hf_digest before = fixture_digest(&f);
	int seen[STAGES] = {0};
	enum stage last = AT_LIST;
	for (size_t left = 0; last != NOWHERE; left += 16) {
		enum hf_err err;
		enum stage stage = run_with(left, changed, &err);
		cr_assert_eq(err, stage == NOWHERE ? HF_OK : HF_E_OVERLOADED, "with %zu left: %s", left, hf_err_slug(err));
		cr_assert_geq(stage, last, "with %zu left it got less far than with less", left);
		struct hf_digest after = fixture_digest(&f);
		cr_assert(stage == NOWHERE || hf_digest_equal(&before, &after), "with %zu left something was written", left);
		seen[last = stage]++;
		cr_assert_lt(left, 60000);
	}
	cr_expect(seen[AT_LIST] > 10 && seen[AT_PEEK] > 5 && seen[written] > 3, "%d, %d and %d times", seen[AT_LIST], seen[AT_PEEK],
		  seen[written]);
	verify_clean(&f, "after it went well");
}

Test(sync_budget, a_sync_that_runs_out_of_memory_changes_nothing) { run_out_everywhere(false, AT_WRITE); }

Test(sync_budget, nor_does_one_that_is_decided_anew) { run_out_everywhere(true, AT_DECIDING_ANEW); }

Test(sync_budget, after_it_ran_out_the_pools_are_as_they_were) {
	enum hf_err err = HF_OK;
	size_t left = 0;
	for (; run_with(left, false, &err) < AT_WRITE; left += 16)
		continue;
	cr_assert_eq(err, HF_E_OVERLOADED, "the first that gets as far as the write");
	struct hf_acquire next = acquire_request(identity("east", "default", "next"), "{}");
	cr_assert_eq(acquire(&f, &next), HF_OK);
	cr_expect_str_eq(vip_text(&next.lease, 0), "10.0.0.8");
	cr_expect_str_eq(vip_text(&next.lease, 1), "fd00::8");
}

Test(sync_budget, what_others_use_is_not_to_be_had) {
	struct hf_arena other = {.budget = &sync_budget};
	struct hf_sync sync;
	cr_assert(hf_arena_charge(&other, sync_budget.max_bytes));
	sync_open(&sync, HF_SYNC_DELTA, "east", "*");
	cr_expect_eq(sync_list(&sync, "a"), HF_E_OVERLOADED);
	hf_sync_free(&sync);
	hf_arena_free(&other);
	sync_open(&sync, HF_SYNC_DELTA, "east", "*");
	cr_expect_eq(sync_list(&sync, "a"), HF_OK);
	hf_sync_free(&sync);
	struct hf_sync never = {.n_items = 0};
	hf_sync_free(&never);
}

Test(sync_budget, an_answer_is_charged_once_also_where_it_is_decided_anew) {
	size_t charged[2];
	for (int anew = 0; anew <= 1; anew++) {
		struct hf_sync sync;
		bool write;
		sync_open(&sync, HF_SYNC_FULL, "east", "default");
		sync.dry_run = true;
		sync.answer_bytes = 100000; /* more than a block of the arena */
		cr_assert_eq(sync_list(&sync, "a"), HF_OK);
		cr_assert_eq(sync_peek(&f, &sync, &write), HF_OK);
		if (anew)
			sync.decided_at = 0;
		cr_assert_eq(sync_commit(&f, &sync), HF_OK);
		cr_expect_eq(sync.summary.of[HF_SYNC_RELEASED], 4);
		charged[anew] = sync.arena.charged_bytes;
		hf_sync_free(&sync);
	}
	cr_expect_eq(charged[1], charged[0], "%zu and %zu bytes", charged[0], charged[1]);
}
