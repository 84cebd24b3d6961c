/* Exports, and stores made of them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/admin/restore.h"
#include "storage/store/open.h"
#include "storage/store/upkeep.h"
#include "tests/unit/dump_support.h"

static struct fixture f, g;
static char *text;

static void setup(void) {
	fixture_dir(&f);
	f.options.changes_max = 30;
	fixture_open(&f);
	rich_store(&f);
	text = export_text(&f);
	fixture_dir(&g);
	g.now_ms = f.now_ms;
	g.options.clock = f.options.clock;
	g.options.clock.context = &g;
}

static void teardown(void) {
	free(text);
	fixture_remove(&f);
	fixture_remove(&g);
}

TestSuite(export, .init = setup, .fini = teardown, .timeout = 600);

static bool exists(const char *name) {
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", g.dir, name);
	return access(path, F_OK) == 0;
}

Test(export, the_rich_store_has_something_of_everything) {
	static const char *const parts[] = {"{\"holdfastExport\":3,\"storeId\":\"",
					    "\"draining\":[\"10.1.0.0/",
					    "\"reserved\":[\"10.0.0.0/30\"]",
					    "\"reserved\":[\"fd01::1-fd01::2\"]",
					    "\"strategy\":\"hashed\"",
					    "\"cursor\":{\"ipv4\":\"241.0.0.",
					    "\"cursor\":{\"ipv4\":\"10.",
					    "\"state\":\"offline\",\"epoch\":3",
					    "\"state\":\"online\"",
					    "\"instances\":[\"east-1\"],\"ttl\":\"5500ms\",\"createdAt\"",
					    "\"vipChanges\":{\"admin\":3}",
					    "\"state\":\"retired\",\"epoch\":1",
					    "\"forced\":true",
					    "\"state\":\"unmanaged\"",
					    "west-\u00fc \\\"1\\\"",
					    "{\"scope\":{\"kind\":\"MeshService\",\"mesh\":\"default\",\"zone\":\"south\"}}",
					    "\"state\":\"quarantined\"",
					    "\"quarantinedUntil\":\"",
					    "\"version\":\"v\u00e9 \\\"1\\\"\"",
					    "\"generation\":2",
					    "\"fingerprintVersion\":1",
					    "\"document\":\"sha256:",
					    "\"ip\":\"fd01::1\"",
					    "{\"holder\":{\"address\":\"",
					    "\"by\":\"anonymous\"}],\"state\"",
					    "\"by\":\"zone-\u00fc \\\"1\\\"\"}],\"state\"",
					    "Z\",\"by\":\"zone-\u00fc \\\"1\\\"\"}}",
					    "\"cause\":\"request\",\"by\":\"zone-\u00fc \\\"1\\\"\",",
					    "\"cause\":\"deadline\",\"by\":\"holdfast\",",
					    "\"type\":\"updated\"",
					    "\"type\":\"expired\"",
					    "\"type\":\"purged\"",
					    "{\"end\":{\"pools\":5,\"zones\":5,\"scopes\":1,"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		cr_expect(strstr(text, parts[i]), "no %s in\n%s", parts[i], text);
	cr_expect(!strstr(text, "\"compactedRevision\":0,"), "the feed is not compacted");
	cr_expect(!strstr(text, "\"restoredAt\""), "it was never restored");
}

/* Imports the text into g's directory, and compares everything. */
static void expect_the_same(const char *when) {
	struct hf_import im = {.dry_run = false};
	struct hf_why why;
	cr_assert_eq(import_text(&g, text, &im, &why), HF_OK, "%s: %s", when, why.text);
	cr_assert(im.applied && !im.merged, "%s", when);
	fixture_open(&g);
	struct hf_digest before = fixture_digest(&f), after = fixture_digest(&g);
	char *again = export_text(&g), *report = verify_text(&f), *report_again = verify_text(&g);
	cr_expect_str_eq(again, text, "%s", when);
	cr_expect_str_eq(report_again, report, "%s", when);
	cr_expect(hf_digest_equal(&before, &after), "%s: a table differs", when);
	cr_expect(!exists("importing"), "%s: its workplace is left", when);
	free(again);
	free(report);
	free(report_again);
}

Test(export, an_empty_directory_gets_the_very_store) {
	expect_the_same("an empty directory");
	struct hf_acquire a = acquire_request(identity("north", "default", "a"), "a");
	cr_assert_eq(acquire(&g, &a), HF_OK);
	cr_assert_eq(a.outcome, HF_RESTORED);
	verify_clean(&g, "after it went on");
}

Test(export, a_store_that_nobody_used_gets_the_very_store_and_is_kept_aside) {
	struct hf_import im = {.dry_run = false};
	struct hf_why why;
	fixture_open(&g);
	fixture_close(&g);
	cr_assert_eq(import_text(&g, text, &im, &why), HF_OK, "%s", why.text);
	cr_assert(strstr(im.aside, "data.mdb.before-import-"), "%s", im.aside);
	cr_assert_eq(access(im.aside, R_OK), 0);
	fixture_open(&g);
	struct hf_digest before = fixture_digest(&f), after = fixture_digest(&g);
	cr_assert(hf_digest_equal(&before, &after));
}

Test(export, a_cursor_behind_the_last_address_round_trips) {
	POOL_PUT_REQUEST put = pool_request("top", "255.255.255.252/30 ::fffe:ffff:fffc/126", "", 60);
	char name[8];
	cr_assert_eq(commit(&f, &put.write), HF_OK, "%s", put.write.why.text);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "top%d", i);
		struct hf_acquire a = acquire_request(identity("east", "default", name), "{}");
		strcpy(a.want.pool, "top");
		cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
	}
	verify_clean(&f, "the pool is full");
	free(text);
	text = export_text(&f);
	cr_assert(strstr(text, "\"cursor\":{\"ipv4\":\"::1:0:0:0\",\"ipv6\":\"0.0.0.0\"}"), "%s", line_of(text, "\"top\""));
	expect_the_same("a full pool at the end");
}

Test(export, a_restored_store_round_trips) {
	fixture_close(&f);
	struct hf_store *store;
	cr_assert_eq(hf_store_open(f.dir, &f.options, NULL, &store), HF_OK);
	cr_assert_eq(hf_store_raise_epoch(store, 7, NULL), HF_OK);
	hf_store_close(store);
	fixture_open(&f);
	struct hf_acquire a = acquire_request(identity("east", "default", "since"), "x");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	free(text);
	text = export_text(&f);
	cr_assert(strstr(text, "\"storeEpoch\":7,") && strstr(text, "\"restoredAt\":\"2023-11-14T"));
	expect_the_same("a restored store");
}

Test(export, an_import_of_the_past_raises_the_store_epoch) {
	struct hf_import im = {.restored = true, .store_epoch = 5};
	struct hf_why why;
	cr_assert_eq(import_text(&g, text, &im, &why), HF_OK, "%s", why.text);
	cr_assert_eq(im.meta.store_epoch, 5);
	fixture_open(&g);
	verify_clean(&g, "imported as restored");
	cr_assert_eq(hf_reader_begin(g.reader, NULL), HF_OK);
	struct hf_meta meta = hf_meta_read(g.reader);
	hf_reader_end(g.reader);
	cr_assert(meta.store_epoch == 5 && meta.revision == im.meta.revision && meta.revision > (uint64_t)1 << 32);
}

Test(export, a_dry_run_changes_nothing) {
	struct hf_import im = {.dry_run = true};
	struct hf_why why;
	cr_assert_eq(import_text(&g, text, &im, &why), HF_OK, "%s", why.text);
	cr_assert(!im.applied && !im.merged);
	cr_assert(!exists("data.mdb") && !exists("importing"));
	cr_assert_gt(im.lines[HF_LINE_LEASE], 10);
}

/* One edit each; what is wrong, and in which line. */
static const struct {
	const char *name, *part, *by, *says;
} EDITS[] = {
	{"no object", "{\"pool\":{\"pool\":\"blue\"", "[{\"pool\":{\"pool\":\"blue\"", "line 2: column"},
	{"another version", "\"holdfastExport\":3", "\"holdfastExport\":4", "line 1: \"store\": \"holdfastExport\""},
	{"no first line", "{\"holdfastExport\":3", "\n{\"holdfastExport\":3", "line 1: column"},
	{"a count of no cause", "\"vipChanges\":{\"admin\":3}", "\"vipChanges\":{\"chance\":3}",
	 "line 1: \"vipChanges\": member \"chance\" is unknown"},
	{"a count of nothing", "\"vipChanges\":{\"admin\":3}", "\"vipChanges\":{\"admin\":0}", "line 1: \"vipChanges\": \"admin\""},
	{"counts that are none", "\"vipChanges\":{\"admin\":3}", "\"vipChanges\":3", "\"vipChanges\""},
	{"not forced", "\"forced\":true", "\"forced\":false", "\"lease\": \"forced\""},
	{"an unknown member", "{\"zone\":\"east\"", "{\"colour\":\"red\",\"zone\":\"east\"",
	 "\"zone\": member \"colour\" is unknown"},
	{"an unknown sort", "{\"lease\":{", "{\"leash\":{", "\"leash\" is not a known kind of line"},
	{"two sorts", "{\"lease\":{", "{\"x\":1,\"lease\":{", "one member, which names its kind; this has 2"},
	{"a member twice", "\"state\":\"active\"", "\"state\":\"active\",\"state\":\"active\"", "duplicate"},
	{"a member is missing", "\"state\":\"active\",", "", "\"lease\": \"state\" is missing"},
	{"a number as text", "\"generation\":1", "\"generation\":\"1\"", "\"generation\" is not a whole number"},
	{"a number too small", "\"generation\":1", "\"generation\":0", "from 1 to"},
	{"a number of a kind", "\"generation\":1", "\"generation\":1.0", "\"generation\" is not a whole number"},
	{"a time", "\"createdAt\":\"2023-", "\"createdAt\":\"23-", "\"createdAt\" is not an RFC 3339 time"},
	{"a name", "\"service\":\"b\"", "\"service\":\"B\"", "\"lease\": service \"B\""},
	{"a kind", "{\"lease\":{\"kind\":\"MeshService\"", "{\"lease\":{\"kind\":\"Service\"",
	 "\"kind\" is \"Service\"; known: MeshService, MeshExternalService"},
	{"a state", "\"state\":\"quarantined\"", "\"state\":\"idle\"", "\"state\" is \"idle\""},
	{"an address", "\"ip\":\"241.0.0.0\"", "\"ip\":\"241.0.0\"", "\"vips\": \"ip\": "},
	{"a digest", "\"fingerprint\":\"sha256:", "\"fingerprint\":\"sha1:", "\"fingerprint\" is not \"sha256:\""},
	{"a fingerprint of a version to come", ",\"fingerprintVersion\":1", ",\"fingerprintVersion\":2",
	 "\"fingerprintVersion\" is not a whole number from 1 to 1"},
	{"a store epoch", "\"storeEpoch\":1", "\"storeEpoch\":1073741825", "line 1: the store epoch 1073741825 is too large"},
	{"a revision too large", "\"revision\":", "\"revision\":46116860227223553", "line 1: the revision 46116860227223553"},
	{"a zone's epoch", "\"epoch\":3", "\"epoch\":4611686022722355200", "the epoch 4611686022722355200 is too large"},
	{"a cursor's family", "\"cursor\":{\"ipv4\":\"10.", "\"cursor\":{\"ipv4\":\"fd01::10.", "its IPv4 cursor is fd01::"},
	{"a fingerprint of no version", ",\"fingerprintVersion\":1", "", "\"fingerprintVersion\" is missing"},
	{"an end of quarantine too many", "\"state\":\"quarantined\"", "\"state\":\"active\"",
	 "member \"quarantinedUntil\" is unknown"},
	{"outside the pool", "\"ip\":\"241.0.0.0\"", "\"ip\":\"9.0.0.0\"", "9.0.0.0 lies in no range of pool \"meshservice\""},
	{"an address twice", "\"ip\":\"241.0.0.0\"", "\"ip\":\"241.0.0.3\"", "241.0.0.3 is in two leases"},
	{"no such pool", "\"pool\":\"meshservice\",\"vips\"", "\"pool\":\"nowhere\",\"vips\"", "pool \"nowhere\" does not exist"},
	{"no such zone", "{\"zone\":{\"zone\":\"north\"", "{\"zone\":{\"zone\":\"north-2\"", "zone \"north\" does not exist"},
	{"a ttl too short", "\"ttl\":\"5500ms\"", "\"ttl\":\"4999ms\"", "\"zone\": \"ttl\" is not a duration from 5s to 3600s"},
	{"a ttl too long", "\"ttl\":\"5500ms\"", "\"ttl\":\"61m\"", "\"ttl\" is not a duration"},
	{"a caller without a letter", "\"by\":\"anonymous\"", "\"by\":\"\"", "\"vips\": \"by\" has 0 bytes; 1 to 64 are allowed"},
	{"a caller that is none", "\"by\":\"anonymous\"", "\"by\":7", "\"by\""},
	{"a transfer from nowhere", "\"type\":\"acquired\"", "\"type\":\"transferred\"", "\"change\": \"from\" is missing"},
	{"a revision ahead", "\"fromRevision\":", "\"fromRevision\":9", "is not one of the store's"},
	{"a pool's id", "{\"pool\":{\"pool\":\"blue\",\"id\":4", "{\"pool\":{\"pool\":\"blue\",\"id\":1",
	 "id 1 is also that of pool"},
	{"a pool's id to come", "{\"pool\":{\"pool\":\"blue\",\"id\":4", "{\"pool\":{\"pool\":\"blue\",\"id\":400",
	 "was never assigned"},
	{"a pool's range", "\"cidrs\":[\"242.0.0.0/8\"]", "\"cidrs\":[\"10.0.0.0/8\"]", "overlaps 10.0.0.0/24 of pool \"blue\""},
	{"a draining range", "\"draining\":[\"10.1.0.0/", "\"draining\":[\"10.0.0.0/25\",\"10.1.0.0/",
	 "line 3: 10.0.0.0/25 overlaps 10.0.0.0/24 of pool \"blue\""},
	{"a draining range of its own", "\"draining\":[]", "\"draining\":[\"10.0.0.0/25\"]",
	 "line 2: its draining range 10.0.0.0/25 overlaps its range 10.0.0.0/24"},
	{"a draining range twice", "\"draining\":[\"10.1.0.0/", "\"draining\":[\"10.1.0.0/24\",\"10.1.0.0/",
	 "line 3: its draining range 10.1.0.0/"},
	{"a pool's range alone", "\"cidrs\":[\"242.0.0.0/8\"]", "\"cidrs\":[\"242.0.0.1/8\"]", "\"cidrs\", number 1"},
	{"no draining", "\"draining\":[],", "", "\"draining\" is missing"},
	{"a control character", "{\"zone\":\"east\"", "{\"\\u001b[2J\\u007f\\u009b1m\":1,\"zone\":\"east\"",
	 "\"zone\": member \"?[2J???1m\" is unknown"},
	{"a raw control character", "{\"zone\":\"east\"", "{\"zone\":\"east\x1b[2J\"", "column"},
	{"no cursor", "\"cursor\":{},", "", "\"pool\": \"cursor\" is missing"},
	{"a cursor that is none", "\"cursor\":{}", "\"cursor\":7", "\"pool\": \"cursor\" is not an object"},
	{"a cursor", "\"cursor\":{}", "\"cursor\":{\"ipv5\":\"10.0.0.1\"}", "\"cursor\": member \"ipv5\" is unknown"},
	{"a scope with leases", "\"zone\":\"south\"}}", "\"zone\":\"north\"}}", "have no lease"},
	{"a gap in the feed", "{\"change\":{\"revision\":", "{\"change\":{\"revision\":9", "was expected"},
	{"a change of no type", "\"type\":\"acquired\"", "\"type\":\"had\"", "\"type\" is \"had\""},
	{"a change without a lease", "\"type\":\"acquired\"", "\"type\":\"pool-written\"", "is unknown"},
	{"the end counts", "{\"end\":{\"pools\":5", "{\"end\":{\"pools\":6", "the end counts 6 lines of sort pool; there were 5"},
	{"a revision of the store", "\"revision\":", "\"revision\":9", "the changes end with revision"},
	{"what only verify sees", "\"epoch\":3", "\"epoch\":0", "invariants, the first: zones: zone \"west\""},
};

static void expect_refusal(const char *name, const char *changed, const char *says) {
	struct hf_import im = {.dry_run = false};
	struct hf_why why;
	enum hf_err err = import_text(&g, changed, &im, &why);
	cr_expect(err != HF_OK && !im.applied, "%s: was not noticed", name);
	cr_expect(strstr(why.text, says), "%s: says %s", name, why.text);
	for (const char *at = why.text; *at; at++)
		cr_expect((unsigned char)*at >= 0x20 && *at != 0x7f, "%s: has a control character", name);
	cr_expect(!exists("data.mdb") && !exists("importing"), "%s: something is left", name);
}

Test(export, each_fault_of_a_line_is_named_and_changes_nothing) {
	for (size_t i = 0; i < sizeof EDITS / sizeof *EDITS; i++) {
		char *changed = replaced(text, EDITS[i].part, EDITS[i].by);
		expect_refusal(EDITS[i].name, changed, EDITS[i].says);
		free(changed);
	}
}

Test(export, lines_out_of_order_cut_off_or_twice_are_refused) {
	char line[70000], says[64];
	int n = 1;
	for (const char *at = text; *at; n++) { /* cut behind each line, and in the midst of it */
		size_t len = strcspn(at, "\n") + 1;
		char *cut = strndup(text, (size_t)(at - text));
		snprintf(says, sizeof says, "line %d: the export was cut off", n);
		expect_refusal("cut off", cut, says);
		free(cut);
		cut = strndup(text, (size_t)(at - text) + len / 2);
		snprintf(says, sizeof says, "line %d: column", n);
		expect_refusal("cut in a line", cut, says);
		free(cut);
		snprintf(line, sizeof line, "%.*s%.*s", (int)len, at, (int)len, at);
		char *once = strndup(at, len), *twice = replaced(text, once, line);
		snprintf(says, sizeof says, "line %d: ", n + 1);
		expect_refusal("twice", twice, says);
		free(once);
		free(twice);
		at += len;
	}
	struct hf_import im = {.dry_run = true};
	struct hf_why why;
	char *open_end = strndup(text, strlen(text) - 1);
	cr_expect_eq(import_text(&g, open_end, &im, &why), HF_OK, "the last newline may be missing: %s", why.text);
	free(open_end);
	cr_assert_gt(n, 40);
}

/* docs/export.md's examples, in their order, are an export. */
Test(export, the_documents_examples_are_an_export) {
	static char document[65536], examples[65536];
	FILE *file = fopen(EXPORT_MD, "r");
	cr_assert(file, "%s", EXPORT_MD);
	document[fread(document, 1, sizeof document - 1, file)] = '\0';
	fclose(file);
	for (char *line = strtok(document, "\n"); line; line = strtok(NULL, "\n"))
		if (line[0] == '{')
			strcat(strcat(examples, line), "\n");
	free(text);
	text = strdup(examples);
	struct hf_import im = {.dry_run = false};
	struct hf_why why;
	cr_assert_eq(import_text(&g, text, &im, &why), HF_OK, "%s", why.text);
	fixture_open(&g);
	char *again = export_text(&g);
	cr_expect_str_eq(again, text);
	free(again);
}

/* An export of number 2 names no caller. */
Test(export, an_export_of_before_names_no_caller) {
	char *old = replaced(text, "\"holdfastExport\":3", "\"holdfastExport\":2"), *at;
	struct hf_import im = {.dry_run = false};
	struct hf_why why;
	while ((at = strstr(old, ",\"by\":\""))) {
		char *end = at + strlen(",\"by\":\"");
		while (*end != '"')
			end += 1 + (*end == '\\');
		memmove(at, end + 1, strlen(end + 1) + 1);
	}
	cr_assert_eq(import_text(&g, old, &im, &why), HF_OK, "%s", why.text);
	fixture_open(&g);
	char *again = export_text(&g);
	cr_expect(strstr(again, "\"by\":\"anonymous\"") && !strstr(again, "\"by\":\"holdfast\"") &&
		  !strstr(again, "\"by\":\"zone-"));
	verify_clean(&g, "an older export");
	free(again);
	free(old);
}

static enum hf_err drop_line(void *context, const struct hf_line *line, struct hf_why *why) {
	(void)context, (void)line, (void)why;
	return HF_OK;
}

Test(export, a_store_whose_index_is_damaged_is_not_exported) {
	struct hf_batch *batch;
	uint8_t key[HF_ADDR_BYTES];
	hf_addr_put(addr("241.0.0.0"), key);
	cr_assert_eq(hf_batch_begin(f.store, NULL, &batch), HF_OK);
	hf_txn_del(hf_batch_txn(batch), HF_ADDRESSES, (struct hf_slice){key, sizeof key});
	cr_assert_eq(hf_batch_commit(batch, NULL), HF_OK);
	struct hf_why why = {""};
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_expect_eq(hf_dump(f.reader, drop_line, NULL, &why), HF_E_CORRUPT);
	cr_expect(strstr(why.text, "has another holder"), "%s", why.text);
	hf_reader_end(f.reader);
}
