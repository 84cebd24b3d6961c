/* What a sync is about: a kind, a mesh or all of them, a zone and none whose name begins alike; delta; manifest. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/sync_support.h"

static struct fixture f;

static void setup(void) { fixture_new(&f); }

static void teardown(void) { sync_fixture_end(&f); }

TestSuite(sync_scope, .init = setup, .fini = teardown);

/* The same leases in zones whose names begin one another, beside and behind each other in the order of keys. */
static const char *const ZONES[] = {"eas", "east", "east-1", "east.1", "east0", "easta"};
#define N_ZONES (sizeof ZONES / sizeof *ZONES)
#define ALL "a b +a +c m1/a m1/b m2/a m2/+x"

static void populate(void) {
	for (size_t i = 0; i < N_ZONES; i++)
		synced(&f, HF_SYNC_DELTA, ZONES[i], ALL);
}

/* The names alone of what was released, or of the outcome; the addresses are other tests' matter. */
static const char *names_of(const struct hf_sync_item *item, enum hf_sync_outcome outcome) {
	static char names[512];
	names[0] = '\0';
	for (; item; item = item->next) {
		struct hf_identity id;
		if (item->outcome != outcome || !hf_identity_decode(item->key, item->key_len, &id))
			continue;
		snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s/%s%s", names[0] ? " " : "", id.mesh,
			 id.kind == HF_MESH_EXTERNAL_SERVICE ? "+" : "", id.service);
	}
	return names;
}

static const struct {
	const char *name;
	enum hf_sync_mode mode;
	enum hf_kind kind;
	const char *mesh, *list, *unlisted;
	uint64_t active; /* in the scope */
} SCOPES[] = {
	{"one mesh", HF_SYNC_FULL, HF_MESH_SERVICE, "default", "a", "default/b", 2},
	{"another", HF_SYNC_FULL, HF_MESH_SERVICE, "m1", "m1/b", "m1/a", 2},
	{"a mesh of which the other kind is there alone", HF_SYNC_FULL, HF_MESH_MULTIZONE_SERVICE, "m1", "", "", 0},
	{"a mesh whose name begins those of others", HF_SYNC_FULL, HF_MESH_SERVICE, "m", "", "", 0},
	{"all meshes", HF_SYNC_FULL, HF_MESH_SERVICE, "*", "b m2/a", "default/a m1/a m1/b", 5},
	{"all meshes, nothing listed", HF_SYNC_FULL, HF_MESH_SERVICE, "*", "", "default/a default/b m1/a m1/b m2/a", 5},
	{"all meshes, all listed", HF_SYNC_FULL, HF_MESH_SERVICE, "*", "m2/a m1/b m1/a b a", "", 5},
	{"new ones before, between and behind", HF_SYNC_FULL, HF_MESH_SERVICE, "*", "zz/a a0 m1/ab 0 m1/a m2/b",
	 "default/a default/b "
	 "m1/b m2/a",
	 5},
	{"the other kind", HF_SYNC_FULL, HF_MESH_EXTERNAL_SERVICE, "*", "+c", "default/+a m2/+x", 3},
	{"foreign ones between", HF_SYNC_FULL, HF_MESH_SERVICE, "*", "eas0:a east-2:a a zz:m1/a", "default/b m1/a m1/b m2/a", 5},
	{"a manifest of all kinds", HF_SYNC_MANIFEST, 0, "*", "a +c m2/a", "default/b default/+a m1/a m1/b m2/+x", 8},
	{"a delta releases nothing that it does not name", HF_SYNC_DELTA, 0, "*", "a", "", 8},
	{"a delta of one scope", HF_SYNC_DELTA, HF_MESH_SERVICE, "m1", "m1/a", "", 2},
};

Test(sync_scope, what_is_not_listed_there) {
	populate();
	for (size_t i = 0; i < sizeof SCOPES / sizeof *SCOPES; i++)
		for (size_t zone = 0; zone < N_ZONES; zone++) {
			struct hf_sync sync;
			bool write;
			sync_open(&sync, SCOPES[i].mode, ZONES[zone], SCOPES[i].mesh);
			sync.kind = SCOPES[i].kind;
			cr_assert_eq(sync_list(&sync, SCOPES[i].list), HF_OK);
			cr_assert_eq(sync_peek(&f, &sync, &write), HF_OK);
			cr_expect_str_eq(names_of(sync.released, HF_SYNC_RELEASED), SCOPES[i].unlisted, "%s, zone %s: %s",
					 SCOPES[i].name, ZONES[zone], names_of(sync.released, HF_SYNC_RELEASED));
			cr_expect_eq(sync.active, SCOPES[i].active, "%s, zone %s: %d active", SCOPES[i].name, ZONES[zone],
				     (int)sync.active);
			hf_sync_free(&sync);
		}
}

Test(sync_scope, a_zone_that_is_emptied_takes_no_other_along) {
	char before[N_ZONES][512], released[512];
	populate();
	for (size_t i = 0; i < N_ZONES; i++)
		snprintf(before[i], sizeof before[i], "%s", zone_leases(&f, ZONES[i]));
	struct hf_sync sync;
	sync_open(&sync, HF_SYNC_FULL, "east", "*");
	cr_assert_eq(sync_list(&sync, ""), HF_OK);
	cr_assert_eq(sync_run(&f, &sync, NULL), HF_OK);
	snprintf(released, sizeof released, "%s", sync_summary(&sync));
	cr_expect_str_eq(released, "released=5");
	cr_expect(sync_is_what_is_read(&f, &sync));
	for (size_t i = 0; i < N_ZONES; i++)
		if (strcmp(ZONES[i], "east") != 0)
			cr_expect_str_eq(zone_leases(&f, ZONES[i]), before[i], "%s", ZONES[i]);
	hf_sync_free(&sync);
}

static const struct {
	const char *name, *list, *results;
	int revisions;
} DELTAS[] = {
	{"removed", "-a", "a=released@241.0.0.0", 1},
	{"removed and others", "-a b=two new", "a=released@241.0.0.0 b=updated@241.0.0.1 new=created@241.0.0.4", 3},
	{"removed, though it is not there", "-absent", "absent=unchanged", 0},
	{"removed, though it is in quarantine", "-gone", "gone=unchanged@241.0.0.2", 0},
	{"removed elsewhere", "-m1/a -+a", "m1/a=released@241.0.0.3 +a=released@242.0.0.0", 2},
	{"removed twice", "-a -a", "a=released@241.0.0.0 a=invalid-parameter", 1},
	{"removed and there", "a -a", "a=unchanged@241.0.0.0 a=invalid-parameter", 0},
	{"removed and there, the other way round", "-a a", "a=invalid-parameter a=unchanged@241.0.0.0", 0},
	{"removed, there and changed, and removed again", "-a a=two -a",
	 "a=invalid-parameter a=updated@241.0.0.0 a=invalid-parameter", 1},
	{"removed and there, though that is wrong", "-a !a", "a=invalid-parameter a=invalid-address", 0},
	{"removed and there, of another kind", "-a +a", "a=released@241.0.0.0 +a=unchanged@242.0.0.0", 1},
	{"removed, and there in another zone", "-a west:a", "a=released@241.0.0.0 west:a=foreign", 1},
	{"unreadable, but what is named is done", "? -a", "?=invalid-json a=released@241.0.0.0", 1},
	{"nothing", "", "", 0},
};

Test(sync_scope, a_delta_does_what_it_names) {
	for (size_t i = 0; i < sizeof DELTAS / sizeof *DELTAS; i++) {
		struct hf_sync sync;
		bool written;
		synced(&f, HF_SYNC_DELTA, "east", "a b gone +a m1/a");
		synced(&f, HF_SYNC_DELTA, "east", "-gone");
		sync_open(&sync, HF_SYNC_DELTA, "east", "*");
		sync.kind = 0;
		cr_assert_eq(sync_list(&sync, DELTAS[i].list), HF_OK);
		cr_assert_eq(sync_run(&f, &sync, &written), HF_OK);
		cr_expect_str_eq(sync_results(&sync), DELTAS[i].results, "%s: %s", DELTAS[i].name, sync_results(&sync));
		cr_expect_eq(sync.revision, 9 + (uint64_t)DELTAS[i].revisions, "%s", DELTAS[i].name);
		cr_expect_eq(written, DELTAS[i].revisions > 0, "%s", DELTAS[i].name);
		cr_expect(sync_is_what_is_read(&f, &sync), "%s", DELTAS[i].name);
		hf_sync_free(&sync);
		verify_clean(&f, DELTAS[i].name);
		fixture_remove(&f);
		setup();
	}
}

/* The zone has a (version 7), b (none), bare (no configuration) and gone (in quarantine). */
static const struct {
	const char *name, *list, *needed, *unlisted;
	uint64_t unchanged;
} MANIFESTS[] = {
	{"by version", "a%7", "", "default/b default/bare", 1},
	{"by another version", "a%8", "default/a", "default/b default/bare", 0},
	{"by a version that begins alike", "a%77", "default/a", "default/b default/bare", 0},
	{"by fingerprint", "a b", "", "default/bare", 2},
	{"by another fingerprint", "a=two b=two", "default/a default/b", "default/bare", 0},
	{"a version, where the lease has none", "b%7", "default/b", "default/a default/bare", 0},
	{"a fingerprint, where the lease has none", "bare", "default/bare", "default/a default/b", 0},
	{"of quarantined ones", "gone a", "default/gone", "default/b default/bare", 1},
	{"of new ones", "new a b bare%7", "default/new default/bare", "", 2},
	{"nothing", "", "", "default/a default/b default/bare", 0},
};

Test(sync_scope, a_manifest_tells_what_is_needed_and_writes_nothing) {
	synced(&f, HF_SYNC_DELTA, "east", "a b gone");
	synced(&f, HF_SYNC_DELTA, "east", "-gone");
	struct hf_acquire version = acquire_request(identity("east", "default", "a"), "{}");
	struct hf_acquire bare = acquire_request(identity("east", "default", "bare"), "");
	version.want.has_version = true;
	strcpy(version.want.version, "7");
	cr_assert_eq(acquire(&f, &version), HF_OK);
	cr_assert_eq(acquire(&f, &bare), HF_OK);
	struct hf_digest before = fixture_digest(&f);
	for (size_t i = 0; i < sizeof MANIFESTS / sizeof *MANIFESTS; i++) {
		struct hf_sync sync;
		bool write = true;
		sync_open(&sync, HF_SYNC_MANIFEST, "east", "default");
		cr_assert_eq(sync_list(&sync, MANIFESTS[i].list), HF_OK);
		cr_assert_eq(sync_peek(&f, &sync, &write), HF_OK);
		cr_expect(!write, "%s", MANIFESTS[i].name);
		cr_expect_str_eq(names_of(sync.first, HF_SYNC_NEEDED), MANIFESTS[i].needed, "%s", MANIFESTS[i].name);
		cr_expect_str_eq(names_of(sync.released, HF_SYNC_RELEASED), MANIFESTS[i].unlisted, "%s", MANIFESTS[i].name);
		cr_expect_eq(sync.summary.of[HF_SYNC_UNCHANGED], MANIFESTS[i].unchanged, "%s", MANIFESTS[i].name);
		cr_expect(sync_is_what_is_read(&f, &sync), "%s", MANIFESTS[i].name);
		hf_sync_free(&sync);
	}
	struct hf_digest after = fixture_digest(&f);
	cr_expect(hf_digest_equal(&before, &after));
}
