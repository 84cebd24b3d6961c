/* The change feed: from a revision on, filtered, and compacted by count and by age. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/store/lease_change.h"
#include "storage/store/upkeep.h"
#include "storage/tables/change_table.h"
#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) { fixture_dir(&f); }

static void teardown(void) { fixture_remove(&f); }

TestSuite(feed, .init = setup, .fini = teardown);

static char seen[4096]; /* the changes of the last page: "4 acquired a, " … */

static void note(void *context, const struct hf_change *change) {
	(void)context;
	size_t len = strlen(seen);
	snprintf(seen + len, sizeof seen - len, "%s%llu %s %s", len ? ", " : "", (unsigned long long)change->revision,
		 hf_change_type_name(change->type), change->has_lease ? change->id.service : change->pool);
}

static enum hf_err read_feed(const struct hf_feed_query *query, struct hf_why *why, struct hf_feed_page *ret) {
	seen[0] = '\0';
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	enum hf_err err = hf_feed_read(f.reader, query, note, NULL, why, ret);
	hf_reader_end(f.reader);
	return err;
}

static void write_lease(const char *zone, const char *mesh, const char *service, const char *config) {
	struct hf_acquire a = acquire_request(identity(zone, mesh, service), config);
	cr_assert_eq(acquire(&f, &a), HF_OK);
}

/* Revisions 4 to 10, behind the three default pools. */
static void write_some(void) {
	struct hf_acquire external = acquire_request(identity("west", "default", "x"), "1");
	fixture_open(&f);
	write_lease("east", "default", "a", "1");
	write_lease("east", "demo", "b", "1");
	external.want.id.kind = HF_MESH_EXTERNAL_SERVICE;
	cr_assert_eq(acquire(&f, &external), HF_OK);
	write_lease("east", "default", "a", "2");
	cr_assert_eq(release(&f, identity("east", "default", "a"), false, NULL), HF_OK);
	write_lease("east", "default", "a", "2");
	cr_assert_eq(release(&f, identity("east", "default", "a"), true, NULL), HF_OK);
}

static const struct {
	const char *name;
	uint64_t since;
	int limit;
	const char *zone, *mesh;
	int kind; /* 0: any */
	const char *seen;
	uint64_t examined;
	bool more;
} PAGES[] = {
	{"all", 0, 100, "", "", 0,
	 "1 pool-written meshservice, 2 pool-written meshexternalservice, 3 pool-written meshmultizoneservice, 4 acquired a, "
	 "5 acquired b, 6 acquired x, 7 updated a, 8 released a, 9 restored a, 10 purged a",
	 10, false},
	{"since", 8, 100, "", "", 0, "9 restored a, 10 purged a", 10, false},
	{"since the last", 10, 100, "", "", 0, "", 10, false},
	{"limited", 3, 2, "", "", 0, "4 acquired a, 5 acquired b", 5, true},
	{"limited to the last", 8, 2, "", "", 0, "9 restored a, 10 purged a", 10, false},
	{"a zone, and no pools", 0, 100, "west", "", 0, "6 acquired x", 10, false},
	{"a mesh", 0, 100, "", "demo", 0, "5 acquired b", 10, false},
	{"a kind", 0, 100, "", "", HF_MESH_EXTERNAL_SERVICE, "6 acquired x", 10, false},
	{"zone and mesh", 0, 100, "east", "default", 0, "4 acquired a, 7 updated a, 8 released a, 9 restored a, 10 purged a", 10,
	 false},
	{"zone and kind, none", 0, 100, "west", "", HF_MESH_SERVICE, "", 10, false},
	{"limited and filtered: what was looked at counts", 0, 1, "west", "", 0, "6 acquired x", 6, true},
};

Test(feed, a_page_is_as_the_table_says) {
	write_some();
	for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++) {
		struct hf_feed_query query = {.since = PAGES[i].since, .limit = PAGES[i].limit, .has_kind = PAGES[i].kind != 0};
		struct hf_feed_page page = {0};
		query.kind = (enum hf_kind)PAGES[i].kind;
		snprintf(query.zone, sizeof query.zone, "%s", PAGES[i].zone);
		snprintf(query.mesh, sizeof query.mesh, "%s", PAGES[i].mesh);
		cr_assert_eq(read_feed(&query, NULL, &page), HF_OK, "%s", PAGES[i].name);
		cr_expect_str_eq(seen, PAGES[i].seen, "%s: %s", PAGES[i].name, seen);
		cr_expect_eq(page.examined, PAGES[i].examined, "%s: %llu", PAGES[i].name, (unsigned long long)page.examined);
		cr_expect_eq(page.more, PAGES[i].more, "%s", PAGES[i].name);
		cr_expect_eq(page.store_epoch, 1, "%s", PAGES[i].name);
	}
}

/* A transfer concerns both its identities. */
Test(feed, a_transfer_is_found_by_either_identity) {
	static const struct {
		const char *name, *zone, *mesh;
		bool found;
	} filters[] = {
		{"no filter", "", "", true},
		{"where it is", "west", "", true},
		{"where it was", "east", "", true},
		{"its mesh", "", "demo", true},
		{"its mesh before", "", "default", true},
		{"both are of one", "east", "default", true},
		{"one of each", "east", "demo", false},
		{"neither", "north", "", false},
	};
	struct hf_change transfer = {.type = HF_CHANGE_TRANSFERRED,
				     .cause = HF_CAUSE_REQUEST,
				     .pool = "meshservice",
				     .has_lease = true,
				     .id = identity("west", "demo", "new"),
				     .from = identity("east", "default", "old"),
				     .generation = 1};
	struct hf_batch *batch;
	fixture_open(&f);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	cr_assert_eq(hf_batch_record(batch, &transfer), 4);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		struct hf_feed_query query = {.since = 3, .limit = 10};
		struct hf_feed_page page;
		snprintf(query.zone, sizeof query.zone, "%s", filters[i].zone);
		snprintf(query.mesh, sizeof query.mesh, "%s", filters[i].mesh);
		cr_assert_eq(read_feed(&query, NULL, &page), HF_OK, "%s", filters[i].name);
		cr_expect_str_eq(seen, filters[i].found ? "4 transferred new" : "", "%s", filters[i].name);
	}
}

Test(feed, ahead_of_the_store_is_an_error) {
	struct hf_feed_query query = {.since = 11, .limit = 1};
	struct hf_feed_page page;
	struct hf_why why = {""};
	write_some();
	cr_assert_eq(read_feed(&query, &why, &page), HF_E_INVALID_PARAMETER);
	cr_assert(strstr(why.text, "11 is ahead of this store, whose revision is 10"), "%s", why.text);
	query.since = UINT64_MAX;
	cr_assert_eq(read_feed(&query, NULL, &page), HF_E_INVALID_PARAMETER);
}

static uint64_t compacted(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	struct hf_meta meta = hf_meta_read(f.reader);
	cr_assert_eq(hf_txn_count(f.reader, HF_CHANGES), meta.revision - meta.compacted, "gap-free behind what is gone");
	hf_reader_end(f.reader);
	return meta.compacted;
}

Test(feed, beyond_its_count_the_feed_loses_its_oldest) {
	struct hf_feed_query query = {.since = 4, .limit = 100};
	struct hf_feed_page page;
	struct hf_why why = {""};
	f.options.changes_max = 5;
	write_some();
	cr_assert_eq(compacted(), 5);
	cr_assert_eq(read_feed(&query, &why, &page), HF_E_REVISION_COMPACTED);
	cr_assert(strstr(why.text, "changes up to 5 are gone"), "%s", why.text);
	query.since = 5;
	cr_assert_eq(read_feed(&query, NULL, &page), HF_OK);
	cr_assert_str_eq(seen, "6 acquired x, 7 updated a, 8 released a, 9 restored a, 10 purged a");
	fixture_close(&f);
	fixture_open(&f);
	cr_assert_eq(compacted(), 5);
}

static void upkeep(void) {
	struct hf_committer_options options = {0};
	struct hf_committer *committer;
	cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
	hf_committer_upkeep(committer);
	hf_committer_stop(committer);
	hf_committer_free(committer);
}

Test(feed, beyond_its_age_the_feed_loses_all_and_the_store_opens_still) {
	f.options.changes_age_ms = 60000;
	write_some();
	f.now_ms += 30000;
	write_lease("east", "default", "late", "1");
	f.now_ms += 29999;
	upkeep();
	cr_assert_eq(compacted(), 0);
	f.now_ms += 1;
	upkeep();
	cr_assert_eq(compacted(), 10);
	f.now_ms += 30000;
	upkeep();
	cr_assert_eq(compacted(), 11);
	fixture_close(&f);
	fixture_open(&f);
	struct hf_feed_query query = {.since = 11, .limit = 100};
	struct hf_feed_page page;
	cr_assert_eq(read_feed(&query, NULL, &page), HF_OK);
	cr_assert_str_empty(seen);
	write_lease("east", "default", "later", "1");
	cr_assert_eq(read_feed(&query, NULL, &page), HF_OK);
	cr_assert_str_eq(seen, "12 acquired later");
	query.since = 10;
	cr_assert_eq(read_feed(&query, NULL, &page), HF_E_REVISION_COMPACTED);
}

Test(feed, compaction_keeps_to_its_budget) {
	struct hf_batch *batch;
	write_some();
	fixture_close(&f);
	f.options.changes_max = 1;
	fixture_open(&f);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	hf_upkeep_compact(batch, 4);
	cr_assert_eq(hf_batch_meta(batch)->compacted, 4);
	hf_batch_abort(batch);
	cr_assert_eq(compacted(), 0);
}
