/* Who gets which address in a sync: what has one keeps it, then claims, then the rest, and nobody gets what another claims. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sync_support.h"

static struct fixture f;

/* MeshServices of mesh `default` get their addresses from a pool of those CIDRs; others' find no pool. */
static void open_pool(const char *cidrs) {
	fixture_dir(&f);
	fixture_open(&f);
	POOL_DELETE_REQUEST del = {.name = "meshservice"};
	POOL_PUT_REQUEST put = pool_request("small", cidrs, "", 3600);
	hf_pool_delete_begin(&del);
	cr_assert_eq(commit(&f, &del.write), HF_OK);
	put.config.meshes = (struct hf_names){.n = 1, .names = {"default"}};
	cr_assert_eq(commit(&f, &put.write), HF_OK, "%s", put.write.why.text);
}

static void close_pool(const char *name) {
	verify_clean(&f, name);
	cr_expect_eq(sync_budget.used_bytes, 0);
	fixture_remove(&f);
}

#define EIGHT "10.0.0.0/29"
#define DUAL "10.0.0.0/29 fd00::/125"

static const struct {
	const char *name, *cidrs, *before, *list, *results;
} ORDERS[] = {
	{"in the order of identities", EIGHT, "", "c a b", "c=created@10.0.0.2 a=created@10.0.0.0 b=created@10.0.0.1"},
	{"a claim before what is fresh", EIGHT, "", "a b@10.0.0.0", "a=created@10.0.0.1 b=adopted@10.0.0.0"},
	{"two claimers of one", EIGHT, "", "b@10.0.0.3 a@10.0.0.3", "b=created@10.0.0.0~ a=adopted@10.0.0.3"},
	{"who came too late takes no other's claim", EIGHT, "", "a@10.0.0.0 b@10.0.0.0 c@10.0.0.1",
	 "a=adopted@10.0.0.0 b=created@10.0.0.2~ c=adopted@10.0.0.1"},
	{"a second claim", EIGHT, "", "a@10.0.0.5 b@10.0.0.5,10.0.0.6", "a=adopted@10.0.0.5 b=adopted@10.0.0.6~"},
	{"a restore before a claim", EIGHT, "old,-old", "a@10.0.0.0 old", "a=created@10.0.0.1~ old=restored@10.0.0.0"},
	{"a claim on what is in quarantine", EIGHT, "old,-old", "a@10.0.0.0", "a=created@10.0.0.1~"},
	{"a claim on what is held", EIGHT, "old", "a@10.0.0.0 old", "a=created@10.0.0.1~ old=unchanged@10.0.0.0"},
	{"a claim on what the same sync releases", EIGHT, "old", "-old a@10.0.0.0", "old=released@10.0.0.0 a=created@10.0.0.1~"},
	{"a claim of one that is there moves nothing", EIGHT, "old", "old@10.0.0.7", "old=unchanged@10.0.0.0~"},
	{"a claim outside the pool", EIGHT, "", "a@10.9.9.9", "a=created@10.0.0.0~"},
	{"the pool is exhausted for one", "10.0.0.0/31", "", "a b c", "a=created@10.0.0.0 b=created@10.0.0.1 c=pool-exhausted"},
	{"exhausted, but not for who claims", "10.0.0.0/31", "", "a b c@10.0.0.0",
	 "a=created@10.0.0.1 b=pool-exhausted c=adopted@10.0.0.0"},
	{"exhausted, and what is there goes on", "10.0.0.0/31", "x y,-y", "x=two y z",
	 "x=updated@10.0.0.0 y=restored@10.0.0.1 "
	 "z=pool-exhausted"},
	{"no pool for one", EIGHT, "", "other/a b", "other/a=no-pool b=created@10.0.0.0"},
	{"claims of one family each", DUAL, "", "a@10.0.0.0 b@fd00::", "a=adopted@10.0.0.0,fd00::1 b=adopted@10.0.0.1,fd00::"},
	{"claims of one family each, the other way round", DUAL, "", "a@fd00:: b@10.0.0.0",
	 "a=adopted@10.0.0.1,fd00:: b=adopted@10.0.0.0,fd00::1"},
	{"whole claims before partial ones", DUAL, "",
	 "a@10.0.0.0 b@10.0.0.1,fd00::", "a=adopted@10.0.0.0,fd00::1 b=adopted@10.0.0.1,fd00::"},
	{"partial ones before what is fresh", DUAL, "",
	 "a b@10.0.0.0 c@fd00::", "a=created@10.0.0.2,fd00::2 b=adopted@10.0.0.0,fd00::1 c=adopted@10.0.0.1,fd00::"},
	{"a run of claims is passed over", DUAL, "", "a@10.0.0.0 b@fd00:: c@fd00::1 d@fd00::2 e@fd00::3",
	 "a=adopted@10.0.0.0,fd00::4 b=adopted@10.0.0.1,fd00:: c=adopted@10.0.0.2,fd00::1 d=adopted@10.0.0.3,fd00::2 "
	 "e=adopted@10.0.0.4,fd00::3"},
	{"half of a claim is taken", DUAL, "x", "a@10.0.0.0,fd00::1 b@10.0.0.1",
	 "a=adopted@10.0.0.2,fd00::1~ b=adopted@10.0.0.1,fd00::2"},
	{"a second claim that is not needed is another's", DUAL, "", "a@10.0.0.0,10.0.0.1 aa b@10.0.0.1",
	 "a=adopted@10.0.0.0,fd00::~ aa=created@10.0.0.2,fd00::2 b=adopted@10.0.0.1,fd00::1"},
	{"a second claim that is not needed exhausts nothing", "10.0.0.0/31 fd00::/127", "", "a@fd00:: b@10.0.0.0,10.0.0.1",
	 "a=adopted@10.0.0.1,fd00:: b=adopted@10.0.0.0,fd00::1~"},
	{"all that is left is claimed; what a rejected one claimed is free again", "10.0.0.0/30 fd00::/128", "",
	 "a@10.0.0.0 b@fd00::", "a=pool-exhausted b=adopted@10.0.0.0,fd00::"},
};

/* "a b,-b": several deltas, one after the other. */
static void prepare(const char *deltas) {
	char copy[64], *rest = NULL;
	snprintf(copy, sizeof copy, "%s", deltas);
	for (char *one = strtok_r(copy, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
		synced(&f, HF_SYNC_DELTA, "east", one);
}

/* A dry run first, which must tell the same and leave the cursors where they are. */
Test(sync_order, restores_then_claims_then_the_rest) {
	for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++) {
		open_pool(ORDERS[i].cidrs);
		prepare(ORDERS[i].before);
		for (int real = 0; real <= 1; real++) {
			struct hf_sync sync;
			sync_open(&sync, HF_SYNC_DELTA, "east", "*");
			sync.dry_run = !real;
			cr_assert_eq(sync_list(&sync, ORDERS[i].list), HF_OK);
			cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK, "%s: %s", ORDERS[i].name, sync.write.why.text);
			cr_expect_str_eq(sync_results(&sync), ORDERS[i].results, "%s, %s: %s", ORDERS[i].name,
					 real ? "real" : "dry", sync_results(&sync));
			if (real)
				cr_expect(sync_is_what_is_read(&f, &sync), "%s", ORDERS[i].name);
			hf_sync_free(&sync);
		}
		close_pool(ORDERS[i].name);
	}
}

static struct hf_addr cursor(void) {
	HF_POOL pool = {.id = 0};
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_pool_read(f.reader, "small", NULL, &pool), HF_OK);
	hf_reader_end(f.reader);
	return pool.count[HF_IPV4].cursor;
}

Test(sync_order, a_dry_run_and_a_refusal_leave_the_pools_as_they_were) {
	open_pool(EIGHT);
	synced(&f, HF_SYNC_FULL, "east", "a b c");
	struct hf_addr before = cursor();
	for (int refused = 0; refused <= 1; refused++) {
		struct hf_sync sync;
		sync_open(&sync, HF_SYNC_FULL, "east", "default");
		sync.dry_run = !refused;
		sync.max_release_percent = refused ? 0 : 100;
		cr_assert_eq(sync_list(&sync, refused ? "" : "d e f"), HF_OK);
		cr_expect_eq(sync_run(&f, &sync, NULL), refused ? HF_E_MASS_RELEASE_GUARD : HF_OK);
		hf_sync_free(&sync);
		cr_expect_eq(cursor().n, before.n);
		struct hf_acquire next = acquire_request(identity("east", "default", refused ? "y" : "x"), "{}");
		cr_assert_eq(acquire(&f, &next), HF_OK);
		cr_expect_str_eq(vip_text(&next.lease, 0), refused ? "10.0.0.4" : "10.0.0.3");
		before = cursor();
	}
	close_pool("dry run and refusal");
}

/* Of random lists with at most one claim a family: an address that was free and claimed goes to one who claims it. */
static unsigned state = 1;

static int draw(int n) { return (int)((state = state * 1103515245u + 12345u) >> 16) % n; }

static void random_list(char *ret, size_t max) {
	ret[0] = '\0';
	for (int i = 0; i < 12; i++) {
		size_t len = strlen(ret);
		snprintf(ret + len, max - len, " s%02d", draw(24));
		len = strlen(ret);
		int families = draw(4), host = draw(32);
		if (families & 1)
			snprintf(ret + len, max - len, "@10.0.0.%d", host);
		len = strlen(ret);
		if (families & 2)
			snprintf(ret + len, max - len, "%cfd00::%x", families & 1 ? ',' : '@', draw(32));
	}
}

static bool is_claimed_by(const struct hf_sync_item *item, struct hf_addr a) {
	for (int i = 0; i < item->n_claims; i++)
		if (item->claims[i].n == a.n)
			return true;
	return false;
}

/* No item got an address that it did not claim, and another new one did. */
static void check_claims(const struct hf_sync *sync, const char *list) {
	for (const struct hf_sync_item *item = sync->first; item; item = item->next)
		for (int i = 0; item->outcome == HF_SYNC_CREATED || item->outcome == HF_SYNC_ADOPTED ? i < item->n_vips : 0; i++)
			for (const struct hf_sync_item *other = sync->first; other; other = other->next) {
				bool is_new = other->outcome == HF_SYNC_CREATED || other->outcome == HF_SYNC_ADOPTED;
				cr_assert(!is_new || is_claimed_by(item, item->vips[i]) || !is_claimed_by(other, item->vips[i]),
					  "%s: %s", list, sync_results(sync));
			}
}

Test(sync_order, of_random_lists_nobody_is_given_what_another_claims) {
	char list[1024];
	open_pool("10.0.0.0/27 fd00::/123"); /* so that the cursors come round */
	for (int round = 0; round < 300; round++) {
		struct hf_sync sync;
		sync_open(&sync, draw(2) ? HF_SYNC_FULL : HF_SYNC_DELTA, "east", "default");
		random_list(list, sizeof list);
		cr_assert_eq(sync_list(&sync, list), HF_OK);
		cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK);
		check_claims(&sync, list);
		cr_assert_eq(sync.summary.of[HF_SYNC_REJECTED],
			     sync.n_items - sync.summary.of[HF_SYNC_CREATED] - sync.summary.of[HF_SYNC_ADOPTED] -
				     sync.summary.of[HF_SYNC_UNCHANGED] - sync.summary.of[HF_SYNC_RESTORED]);
		cr_assert(sync_is_what_is_read(&f, &sync), "%s", list);
		hf_sync_free(&sync);
		if (draw(3) == 0)
			f.now_ms += 3600 * 1000;
	}
	close_pool("random lists");
}

/* Services of two pools at once: what the first claim's pool cannot give is looked for in the next one's, and is kept for who
 * claims it there as well. */
Test(sync_order, claims_of_several_pools) {
	open_pool(DUAL);
	POOL_PUT_REQUEST other = pool_request("other", "10.1.0.0/29 fd01::/125", "", 3600);
	cr_assert_eq(commit(&f, &other.write), HF_OK, "%s", other.write.why.text);
	struct hf_sync sync;
	sync_open(&sync, HF_SYNC_DELTA, "east", "*");
	cr_assert_eq(sync_list(&sync, "a@10.0.0.0 b@10.1.0.5 c@10.0.0.0,10.1.0.0,fd01:: d@10.1.0.1,fd01::1 e"), HF_OK);
	cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK, "%s", sync.write.why.text);
	cr_expect_str_eq(sync_results(&sync),
			 "a=adopted@10.0.0.0,fd00:: b=adopted@10.1.0.5,fd01::2 c=adopted@10.1.0.0,fd01::~ "
			 "d=adopted@10.1.0.1,fd01::1 e=created@10.0.0.1,fd00::1",
			 "%s", sync_results(&sync));
	hf_sync_free(&sync);
	close_pool("several pools");
}
