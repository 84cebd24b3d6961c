/* What keeps a confused zone from destroying its own addresses: the mass-release guard, an offline zone, the fence. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/sync_support.h"

static struct fixture f;

static void setup(void) { fixture_new(&f); }

static void teardown(void) { sync_fixture_end(&f); }

TestSuite(sync_guard, .init = setup, .fini = teardown);

static const struct {
	const char *name;
	uint64_t releases, active;
	int percent;
	bool empty, refused;
} RULE[] = {
	{"nothing to release", 0, 0, 0, false, false},
	{"nothing to release, empty", 0, 0, 0, true, false},
	{"ten of twenty are few", 10, 20, 1, false, false},
	{"eleven of twenty are not", 11, 20, 54, false, true},
	{"nor are more than half of fewer", 10, 19, 52, false, true},
	{"half of them are", 9, 19, 1, false, false},
	{"half of four", 2, 4, 1, false, false},
	{"three of four", 3, 4, 74, false, true},
	{"three of four, so many allowed", 3, 4, 75, false, false},
	{"one of two", 1, 2, 1, false, false},
	{"two of two", 2, 2, 99, false, true},
	{"one of one", 1, 1, 1, false, false},
	{"one of many, none allowed", 1, 1000000, 0, false, true},
	{"one of one, none allowed", 1, 1, 0, false, true},
	{"more than there are, as some went before", 12, 11, 99, false, true},
	{"eleven of eleven", 11, 11, 99, false, true},
	{"eleven of eleven, all allowed", 11, 11, 100, false, false},
	{"eleven, none allowed", 11, 1000000, 0, false, true},
	{"exactly the percentage", 20, 100, 20, false, false},
	{"one above it", 21, 100, 20, false, true},
	{"a fraction above it", 21, 104, 20, false, true},
	{"a fraction below it", 21, 105, 20, false, false},
	{"one percent of many", 10000, 1000000, 1, false, false},
	{"one more", 10001, 1000000, 1, false, true},
	{"empty, one release", 1, 1000, 99, true, true},
	{"empty, all allowed", 1000, 1000, 100, true, false},
	{"empty, none allowed", 1, 1, 0, true, true},
	{"numbers that would overflow 32 bits", 100000000, 100000000, 99, false, true},
};

Test(sync_guard, the_rule) {
	for (size_t i = 0; i < sizeof RULE / sizeof *RULE; i++)
		cr_expect_eq(hf_rules_mass_release(RULE[i].releases, RULE[i].active, RULE[i].percent, RULE[i].empty),
			     RULE[i].refused, "%s", RULE[i].name);
}

/* "prefix00 prefix01 …", from `from` to `to`; a static buffer that each call goes on filling. */
static const char *range(const char *prefix, int from, int to) {
	static char words[1 << 16];
	static size_t len;
	size_t start = len;
	for (int i = from; i < to; i++)
		len += (size_t)snprintf(words + len, sizeof words - len, "%s%02d ", prefix, i);
	words[len++] = '\0';
	return words + start;
}

/* The zone east has s00 to s49 active in mesh default, and ten in quarantine; 50 more are in another mesh. */
static void populate(void) {
	synced(&f, HF_SYNC_FULL, "east", range("s", 0, 60));
	synced(&f, HF_SYNC_FULL, "east", range("s", 0, 50));
	synced(&f, HF_SYNC_DELTA, "east", range("other/s", 0, 50));
}

struct attempt {
	const char *name;
	enum hf_sync_mode mode;
	const char *mesh, *list, *more;
	int percent;
	bool force, refused;
	const char *summary, *why;
};

static void try(const struct attempt *a) {
	char list[4096];
	struct hf_sync sync;
	struct hf_digest before = fixture_digest(&f);
	snprintf(list, sizeof list, "%s %s", a->list, a->more);
	for (int real = 0; real <= !a->refused; real++) {
		sync_open(&sync, a->mode, "east", a->mesh);
		sync.max_release_percent = a->percent;
		sync.force = a->force;
		sync.dry_run = !a->refused && !real;
		cr_assert_eq(sync_list(&sync, list), HF_OK);
		bool tried = false, tells_more = strstr(a->summary, "created") != NULL;
		enum hf_err err = sync_run(&f, &sync, &tried);
		cr_expect(!a->refused || tried == tells_more, "%s: only what new ones would get needs a try", a->name);
		cr_expect_eq(err, a->refused ? HF_E_MASS_RELEASE_GUARD : HF_OK, "%s: %s", a->name, hf_err_slug(err));
		cr_expect_str_eq(sync_summary(&sync), a->summary, "%s: %s", a->name, sync_summary(&sync));
		cr_expect(strstr(sync.write.why.text, a->why), "%s: %s", a->name, sync.write.why.text);
		struct hf_digest after = fixture_digest(&f);
		cr_expect(real || hf_digest_equal(&before, &after), "%s: something was written", a->name);
		hf_sync_free(&sync);
	}
	verify_clean(&f, a->name);
}

Test(sync_guard, a_sync_that_releases_too_many_is_refused_whole) {
	const struct attempt table[] = {
		{"ten of fifty", HF_SYNC_FULL, "default", range("s", 10, 50), "", 1, false, false, "unchanged=40 released=10", ""},
		{"eleven of fifty, above a fifth", HF_SYNC_FULL, "default", range("s", 11, 50), "", 20, false, true,
		 "unchanged=39 released=11", "would release 11 of 50 active leases; maxRelease allows 20 percent"},
		{"eleven of fifty, 22 percent allowed", HF_SYNC_FULL, "default", range("s", 11, 50), "", 22, false, false,
		 "unchanged=39 released=11", ""},
		{"one, none allowed", HF_SYNC_FULL, "default", range("s", 1, 50), "", 0, false, true, "unchanged=49 released=1",
		 "would release 1 of 50 active leases; maxRelease allows 0 percent"},
		{"one by name, none allowed", HF_SYNC_DELTA, "default", "-s00", "", 0, true, true, "released=1", "1 of 50"},
		{"eleven of a hundred in all meshes", HF_SYNC_FULL, "*", range("s", 11, 50), range("other/s", 0, 50), 22, false,
		 false, "unchanged=89 released=11", ""},
		{"that are too many of one of them", HF_SYNC_FULL, "*", range("s", 11, 50), range("other/s", 0, 50), 20, false,
		 true, "unchanged=89 released=11", "11 of 50 active leases of kind MeshService in mesh \"default\"; maxRelease"},
		{"by name too", HF_SYNC_DELTA, "*", range("-other/s", 0, 11), "s00", 20, false, true, "unchanged=1 released=11",
		 "11 of 50 active leases of kind MeshService in mesh \"other\"; maxRelease"},
		{"a few of each mesh, too many in all", HF_SYNC_FULL, "*", range("s", 9, 50), range("other/s", 9, 50), 17, false,
		 true, "unchanged=82 released=18", "18 of 100 active leases; maxRelease"},
		{"a mesh that vanishes", HF_SYNC_FULL, "*", range("s", 0, 50), "", 99, false, true, "unchanged=50 released=50",
		 "in mesh \"other\", as it lists none of the zone's services there; maxRelease allows 99 percent"},
		{"though another mesh is new", HF_SYNC_FULL, "*", range("s", 0, 50), range("new/s", 0, 50), 99, false, true,
		 "created=50 unchanged=50 released=50", "in mesh \"other\", as it lists none"},
		{"a mesh that vanishes, all allowed", HF_SYNC_FULL, "*", range("s", 0, 50), "", 100, false, false,
		 "unchanged=50 released=50", ""},
		{"a mesh of which one wrong item is left has not", HF_SYNC_FULL, "*", range("s", 0, 50), "!other/s07", 98, false,
		 false, "unchanged=50 released=49 rejected=1", ""},
		{"what is new does not count as there", HF_SYNC_FULL, "default", range("s", 11, 50), range("n", 0, 40), 20, false,
		 true, "created=40 unchanged=39 released=11", ""},
		{"the summary that it would have had", HF_SYNC_FULL, "default", range("s", 12, 51),
		 "a@241.9.9.9 b@241.0.0.12 west:x !wrong other/x", 20, false, true,
		 "created=1 adopted=1 unchanged=38 restored=1 released=12 foreign=1 rejected=2", "12 of 50"},
		{"force does not lift it", HF_SYNC_FULL, "default", range("s", 11, 50), "", 20, true, true,
		 "unchanged=39 released=11", "11 of 50"},
		{"by name too", HF_SYNC_DELTA, "default", range("-s", 0, 11), "", 20, false, true, "released=11", "11 of 50"},
		{"what is not there is not released", HF_SYNC_DELTA, "default", range("-s", 0, 10), range("-s", 50, 60), 20, false,
		 false, "unchanged=10 released=10", ""},
		{"an empty list", HF_SYNC_FULL, "default", "", "", 99, false, true, "released=50",
		 "as it lists none of the zone's services there"},
		{"an empty list, all allowed", HF_SYNC_FULL, "default", "", "", 100, false, false, "released=50", ""},
		{"foreign services are not the zone's", HF_SYNC_FULL, "default", "west:a west:b", "", 99, false, true,
		 "released=50 foreign=2", "lists none of the zone's services there"},
		{"nor are those outside the scope", HF_SYNC_FULL, "default", "other/s00 +s01 west:a !other/s02", "", 99, false,
		 true, "released=50 foreign=1 rejected=3", "lists none of the zone's services there"},
		{"a list of one that is wrong is not empty", HF_SYNC_FULL, "default", "!s00", "", 98, false, false,
		 "released=49 rejected=1", ""},
		{"an unreadable one releases nothing at all", HF_SYNC_FULL, "default", "?", "", 0, false, false,
		 "rejected=1 skipped=50", ""},
		{"nor does one beside many others", HF_SYNC_FULL, "default", "? s00 # !s01", "", 100, false, false,
		 "unchanged=1 rejected=3 skipped=48", ""},
		{"one that is nobody's releases all but what is listed", HF_SYNC_FULL, "default", range("s", 10, 50), "#", 20,
		 false, false, "unchanged=40 released=10 rejected=1", ""},
		{"a list of nobody's is empty", HF_SYNC_FULL, "default", "# #", "", 99, false, true, "released=50 rejected=2",
		 "as it lists none of the zone's services there"},
		{"an empty delta", HF_SYNC_DELTA, "default", "", "", 0, false, false, "", ""},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		populate();
		try(&table[i]);
		fixture_remove(&f);
		setup();
	}
}

Test(sync_guard, an_empty_list_is_refused_even_for_one_release) {
	synced(&f, HF_SYNC_FULL, "east", "only");
	try(&(struct attempt){"one", HF_SYNC_FULL, "default", "", "", 20, false, true, "released=1", "would release 1 of 1"});
}

/* The last service of a mesh goes by its name, or where all is allowed: a list that has nothing of the mesh may not have seen it.
 */
Test(sync_guard, a_mesh_of_one_service_is_guarded_as_any_other) {
	synced(&f, HF_SYNC_DELTA, "east", "a b tiny/only +only");
	try(&(struct attempt){"in a full list", HF_SYNC_FULL, "*", "a b", "", 99, false, true, "unchanged=2 released=1",
			      "1 of 1 active leases of kind MeshService in mesh \"tiny\""});
	try(&(struct attempt){"by its name", HF_SYNC_DELTA, "*", "-tiny/only", "a", 20, false, false, "unchanged=1 released=1",
			      ""});
	synced(&f, HF_SYNC_DELTA, "east", "tiny/only");
	try(&(struct attempt){"all allowed", HF_SYNC_FULL, "*", "a b", "", 100, false, false, "unchanged=2 released=1", ""});
}

static struct hf_zone_connect connected(const char *instance) {
	struct hf_zone_connect c;
	cr_assert_eq(connect_zone(&f, "east", instance, &c), HF_OK);
	return c;
}

static const struct {
	const char *name;
	enum hf_sync_mode mode;
	const char *list;
	bool force;
	enum hf_err err;
	const char *results;
} OFFLINE[] = {
	{"a release", HF_SYNC_FULL, "a new", false, HF_E_ZONE_OFFLINE, NULL},
	{"a release by name", HF_SYNC_DELTA, "-a new", false, HF_E_ZONE_OFFLINE, NULL},
	{"forced", HF_SYNC_FULL, "a new", true, HF_OK, "a=unchanged@241.0.0.0 new=created@241.0.0.3 | b=released@241.0.0.1"},
	{"acquiring", HF_SYNC_FULL, "a b=two c new", false, HF_OK,
	 "a=unchanged@241.0.0.0 b=updated@241.0.0.1 c=restored@241.0.0.2 new=created@241.0.0.3"},
	{"unchanged", HF_SYNC_FULL, "a b", false, HF_OK, "a=unchanged@241.0.0.0 b=unchanged@241.0.0.1"},
	{"a release of what is not there", HF_SYNC_DELTA, "-c -never new", false, HF_OK,
	 "c=unchanged@241.0.0.2 never=unchanged new=created@241.0.0.3"},
	{"a release that is skipped", HF_SYNC_FULL, "a ?", false, HF_OK, "a=unchanged@241.0.0.0 ?=invalid-json"},
};

Test(sync_guard, an_offline_zone_releases_nothing_unless_forced) {
	for (size_t i = 0; i < sizeof OFFLINE / sizeof *OFFLINE; i++) {
		struct hf_sync sync;
		synced(&f, HF_SYNC_FULL, "east", "a b c");
		connected("one");
		synced(&f, HF_SYNC_DELTA, "east", "-c");
		cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
		struct hf_digest before = fixture_digest(&f);
		sync_open(&sync, OFFLINE[i].mode, "east", "default");
		sync.force = OFFLINE[i].force;
		cr_assert_eq(sync_list(&sync, OFFLINE[i].list), HF_OK);
		cr_expect_eq(sync_run(&f, &sync, NULL), OFFLINE[i].err, "%s", OFFLINE[i].name);
		if (OFFLINE[i].err) {
			struct hf_digest after = fixture_digest(&f);
			cr_expect(hf_digest_equal(&before, &after), "%s: something was written", OFFLINE[i].name);
			cr_expect(strstr(sync.write.why.text, "would release 1 of its leases"), "%s", sync.write.why.text);
		} else {
			cr_expect_str_eq(sync_results(&sync), OFFLINE[i].results, "%s: %s", OFFLINE[i].name, sync_results(&sync));
		}
		hf_sync_free(&sync);
		verify_clean(&f, OFFLINE[i].name);
		fixture_remove(&f);
		setup();
	}
}

static void open_fenced(struct hf_sync *sync, enum hf_sync_mode mode, uint64_t epoch, const char *list) {
	sync_open(sync, mode, "east", "default");
	sync->has_epoch = true;
	sync->epoch = epoch;
	cr_assert_eq(sync_list(sync, list), HF_OK);
}

Test(sync_guard, a_stale_epoch_is_refused_before_anything_is_read) {
	connected("one");
	synced(&f, HF_SYNC_FULL, "east", "a");
	cr_assert_eq(connected("two").info.zone.epoch, 2);
	for (uint64_t epoch = 0; epoch <= 3; epoch++)
		for (int mode = HF_SYNC_FULL; mode <= HF_SYNC_MANIFEST; mode++) {
			struct hf_sync sync;
			bool write;
			open_fenced(&sync, (enum hf_sync_mode)mode, epoch, "a");
			enum hf_err err = sync_peek(&f, &sync, &write);
			cr_expect_eq(err, epoch == 2 ? HF_OK : HF_E_STALE_EPOCH, "mode %d, epoch %d", mode, (int)epoch);
			cr_expect_eq(sync.zone_epoch, 2);
			cr_expect(sync.zone_known);
			hf_sync_free(&sync);
		}
}

/* A new instance connects while the old one's sync waits for the committer; with and without a change that makes it decide anew. */
Test(sync_guard, an_epoch_that_is_raised_in_between_fences_the_write) {
	for (int changed = 0; changed <= 1; changed++) {
		struct hf_sync sync;
		bool write;
		uint64_t epoch = connected(changed ? "three" : "one").info.zone.epoch;
		open_fenced(&sync, HF_SYNC_FULL, epoch, "a b");
		cr_assert_eq(sync_peek(&f, &sync, &write), HF_OK);
		cr_assert(write);
		connected(changed ? "four" : "two");
		if (changed)
			synced(&f, HF_SYNC_DELTA, "east", "c");
		struct hf_digest before = fixture_digest(&f);
		cr_expect_eq(sync_commit(&f, &sync), HF_E_STALE_EPOCH);
		cr_expect_eq(sync.zone_epoch, epoch + 1);
		struct hf_digest after = fixture_digest(&f);
		cr_expect(hf_digest_equal(&before, &after));
		hf_sync_free(&sync);
	}
}
