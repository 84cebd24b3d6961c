/* What is unchanged writes nothing: revision, feed and file stay as they were; a new version string alone is stored silently. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/requests/lease_query.h"
#include "storage/requests/totals.h"
#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(unchanged, .init = setup, .fini = teardown);

/* All that a write would show itself in. */
struct trace {
	struct hf_digest file;
	uint64_t revision, changes;
};

static struct hf_digest digest_file(void) {
	char path[160];
	snprintf(path, sizeof path, "%s/data.mdb", f.dir);
	FILE *file = fopen(path, "rb");
	cr_assert(file && fseek(file, 0, SEEK_END) == 0);
	size_t len = (size_t)ftell(file);
	void *data = malloc(len);
	rewind(file);
	cr_assert_eq(fread(data, 1, len, file), len);
	fclose(file);
	struct hf_digest digest = hf_digest_of(data, len);
	free(data);
	return digest;
}

static struct trace trace(void) {
	struct hf_totals totals;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	struct trace t = {digest_file(), hf_meta_read(f.reader).revision, 0};
	cr_assert_eq(hf_totals_read(f.reader, NULL, &totals), HF_OK);
	hf_reader_end(f.reader);
	t.changes = totals.changes;
	return t;
}

static struct hf_acquire request(const char *config, const char *version) {
	struct hf_acquire a = acquire_request(identity("east", "default", "redis"), config);
	a.want.has_version = version != NULL;
	snprintf(a.want.version, sizeof a.want.version, "%s", version ? version : "");
	return a;
}

static const struct {
	const char *name, *config, *version;
	bool other_bytes, release; /* release: is let go twice before, and once after */
} SAME[] = {
	{"the same bytes", "one", NULL, false, false},
	{"the same bytes and version", "one", "v1", false, false},
	{"other bytes of the same configuration", "one", NULL, true, false},
	{"an empty body", "", NULL, false, false},
	{"an empty body and the same version", "", "v1", false, false},
	{"a repeated release", "one", NULL, false, true},
};

Test(unchanged, an_unchanged_write_writes_nothing) {
	struct hf_acquire first = request("one", "v1");
	cr_assert_eq(acquire(&f, &first), HF_OK);
	for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
		struct hf_acquire again = request(SAME[i].config, SAME[i].version);
		if (SAME[i].other_bytes)
			again.want.raw = hf_digest_of("with other white space", 22);
		if (SAME[i].release)
			cr_assert_eq(release(&f, again.want.id, false, NULL), HF_OK);
		struct trace before = trace();
		f.now_ms += 1000;
		if (SAME[i].release) {
			cr_assert_eq(release(&f, again.want.id, false, NULL), HF_OK);
		} else {
			cr_assert_eq(acquire(&f, &again), HF_OK);
			cr_expect_eq(again.outcome, HF_UNCHANGED, "%s", SAME[i].name);
			cr_expect_eq(again.lease.revision, first.lease.revision, "%s", SAME[i].name);
		}
		struct trace after = trace();
		cr_expect(hf_digest_equal(&after.file, &before.file), "%s: the file changed", SAME[i].name);
		cr_expect_eq(after.revision, before.revision, "%s", SAME[i].name);
		cr_expect_eq(after.changes, before.changes, "%s", SAME[i].name);
	}
}

Test(unchanged, a_refused_write_writes_nothing) {
	struct hf_acquire first = request("one", NULL), other = request("two", NULL);
	cr_assert_eq(acquire(&f, &first), HF_OK);
	struct trace before = trace();
	snprintf(other.want.pool, sizeof other.want.pool, "meshexternalservice");
	cr_assert_eq(acquire(&f, &other), HF_E_LEASE_EXISTS);
	cr_assert_eq(release(&f, identity("east", "default", "nobody"), false, NULL), HF_E_NOT_FOUND);
	POOL_PUT_REQUEST put = pool_request("overlapping", "241.1.0.0/16", "", 0);
	cr_assert_eq(commit(&f, &put.write), HF_E_POOL_OVERLAP);
	struct trace after = trace();
	cr_assert(hf_digest_equal(&after.file, &before.file));
	cr_assert_eq(after.revision, before.revision);
}

Test(unchanged, relabel_stores_the_version_without_revision_or_change) {
	struct hf_acquire first = request("one", "v1"), again = request("one", "v2");
	cr_assert_eq(acquire(&f, &first), HF_OK);
	struct trace before = trace();
	f.now_ms += 1000;
	cr_assert_eq(acquire(&f, &again), HF_OK);
	cr_assert_eq(again.outcome, HF_UNCHANGED);
	struct trace after = trace();
	cr_assert(!hf_digest_equal(&after.file, &before.file), "it was not stored");
	cr_assert_eq(after.revision, before.revision);
	cr_assert_eq(after.changes, before.changes);
	struct hf_lease lease;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_lease_get(f.reader, &first.want.id, NULL, &lease), HF_OK);
	hf_reader_end(f.reader);
	cr_assert_str_eq(lease.version, "v2");
	cr_assert_eq(lease.revision, first.lease.revision);
	cr_assert_eq(lease.modified_ms, first.lease.modified_ms);
	char old_tag[HF_ETAG_TEXT], tag[HF_ETAG_TEXT];
	hf_lease_etag(&first.lease, old_tag);
	hf_lease_etag(&lease, tag);
	cr_assert_str_neq(tag, old_tag, "the entity tag tells versions apart");
}

Test(unchanged, a_version_is_dropped_when_the_configuration_changes_without_one) {
	struct hf_acquire first = request("one", "v1"), second = request("two", NULL), third = request("three", "v3");
	cr_assert_eq(acquire(&f, &first), HF_OK);
	cr_assert_eq(acquire(&f, &second), HF_OK);
	cr_assert_str_empty(second.lease.version);
	cr_assert_eq(acquire(&f, &third), HF_OK);
	cr_assert_str_eq(third.lease.version, "v3");
}

Test(unchanged, peek_answers_what_needs_no_write) {
	struct hf_acquire first = request("one", NULL), same = request("one", NULL), unread = request("two", NULL);
	struct hf_release gone = {.want.id = first.want.id}, absent = {.want.id = identity("east", "default", "nobody")};
	enum hf_peek peek;
	unread.want.has_fingerprint = false;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_acquire_peek(f.reader, &first, NULL, &peek), HF_OK);
	cr_assert_eq(peek, HF_PEEK_WRITE);
	hf_reader_end(f.reader);
	cr_assert_eq(acquire(&f, &first), HF_OK);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_acquire_peek(f.reader, &same, NULL, &peek), HF_OK);
	cr_assert_eq(peek, HF_PEEK_DONE);
	cr_assert_eq(same.outcome, HF_UNCHANGED);
	cr_assert_eq(same.lease.vips[0].n, first.lease.vips[0].n);
	cr_assert_eq(hf_acquire_peek(f.reader, &unread, NULL, &peek), HF_OK);
	cr_assert_eq(peek, HF_PEEK_READ_BODY);
	cr_assert_eq(hf_release_peek(f.reader, &gone, NULL, &peek), HF_OK);
	cr_assert_eq(peek, HF_PEEK_WRITE);
	cr_assert_eq(hf_release_peek(f.reader, &absent, NULL, &peek), HF_E_NOT_FOUND);
	hf_reader_end(f.reader);
	cr_assert_eq(release(&f, first.want.id, false, NULL), HF_OK);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_release_peek(f.reader, &gone, NULL, &peek), HF_OK);
	cr_assert_eq(peek, HF_PEEK_DONE);
	hf_reader_end(f.reader);
}
