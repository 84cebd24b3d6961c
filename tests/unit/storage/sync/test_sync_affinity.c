/* Who gets a remembered address in a sync: restores and claims go before its old holder, what is fresh goes after it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/store/upkeep.h"
#include "tests/unit/sync_support.h"

static struct fixture f;

/* A pool whose quarantine is a second. Each word of `past` had a lease, and is gone. */
static void open_pool(const char *cidrs, const char *past, const char *present) {
	POOL_DELETE_REQUEST del = {.name = "meshservice"};
	POOL_PUT_REQUEST put = pool_request("small", cidrs, "", 1);
	struct hf_batch *batch;
	fixture_dir(&f);
	fixture_open(&f);
	hf_pool_delete_begin(&del);
	cr_assert_eq(commit(&f, &del.write), HF_OK);
	cr_assert_eq(commit(&f, &put.write), HF_OK, "%s", put.write.why.text);
	synced(&f, HF_SYNC_FULL, "east", past);
	f.now_ms += 1;
	synced(&f, HF_SYNC_FULL, "east", present);
	f.now_ms += 1001;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
}

#define FOUR "10.0.0.0/30"
#define DUAL "10.0.0.0/30 fd00::/126"

static const struct {
	const char *name, *cidrs, *past, *present, *list, *results;
} CASES[] = {
	{"all come back, in any order", FOUR, "a b c", "", "c=2 x a b",
	 "c=restored@10.0.0.2 x=created@10.0.0.3 a=restored@10.0.0.0 b=restored@10.0.0.1"},
	{"what is fresh comes first in the list", FOUR, "x y z", "", "a b z y",
	 "a=created@10.0.0.3 b=created@10.0.0.0 z=restored@10.0.0.2 y=restored@10.0.0.1"},
	{"nothing is left", FOUR, "w x y z", "", "a w x y z",
	 "a=pool-exhausted w=restored@10.0.0.0 x=restored@10.0.0.1 y=restored@10.0.0.2 z=restored@10.0.0.3"},
	{"a claim goes before memory", FOUR, "x y", "", "a@10.0.0.0 x y",
	 "a=adopted@10.0.0.0 x=created@10.0.0.2 y=restored@10.0.0.1"},
	{"who claims its own", FOUR, "x y", "", "a@10.0.0.0 x@10.0.0.0 y",
	 "a=adopted@10.0.0.0 x=created@10.0.0.2~ y=restored@10.0.0.1"},
	{"who claims another goes there", FOUR, "x y", "", "x@10.0.0.3 y", "x=adopted@10.0.0.3 y=restored@10.0.0.1"},
	{"who is still there stays", FOUR, "x y", "y", "a x y", "a=created@10.0.0.2 x=restored@10.0.0.0 y=unchanged@10.0.0.1"},
	{"both families", DUAL, "x y", "", "a y", "a=created@10.0.0.2,fd00::2 y=restored@10.0.0.1,fd00::1"},
	{"a part of a claim before a memory, what is left of that before what is fresh", DUAL, "w x y z", "", "a@10.0.0.3 b x y z",
	 "a=adopted@10.0.0.3,fd00:: b=pool-exhausted x=restored@10.0.0.1,fd00::1 y=restored@10.0.0.2,fd00::2 "
	 "z=created@10.0.0.0,fd00::3"},
	{"the rest of a claim is its own memory", DUAL, "w x y z", "", "w@10.0.0.3 x y",
	 "w=adopted@10.0.0.3,fd00:: x=restored@10.0.0.1,fd00::1 y=restored@10.0.0.2,fd00::2"},
};

Test(sync_affinity, each_gets_what_it_had, .timeout = 600) {
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		open_pool(CASES[i].cidrs, CASES[i].past, CASES[i].present);
		for (int real = 0; real <= 1; real++) {
			struct hf_sync sync;
			sync_open(&sync, HF_SYNC_FULL, "east", "default");
			sync.dry_run = !real;
			cr_assert_eq(sync_list(&sync, CASES[i].list), HF_OK);
			cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK);
			cr_expect_str_eq(sync_results(&sync), CASES[i].results, "%s, %s: %s", CASES[i].name, real ? "real" : "dry",
					 sync_results(&sync));
			if (real)
				cr_expect(sync_is_what_is_read(&f, &sync), "%s", CASES[i].name);
			hf_sync_free(&sync);
			verify_clean(&f, CASES[i].name);
		}
		sync_fixture_end(&f);
	}
}
