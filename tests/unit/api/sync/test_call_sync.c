/* Syncs and manifests through the API without a socket: bodies in pieces, answers to the letter, refusals, what is remembered. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/call_support.h"

#define SYNC "/v1/zones/east/sync"
#define FULL SYNC "?mode=full&mesh=default"
#define DELTA SYNC "?mode=delta"
#define MANIFEST "/v1/zones/east/manifest?mesh=default"
#define NDJSON "application/x-ndjson"

#define SERVICE(name) "{\"type\":\"MeshService\",\"name\":\"" name "\",\"spec\":{\"ports\":[]}}"
#define CHANGED(name) "{\"type\":\"MeshService\",\"name\":\"" name "\",\"spec\":{\"ports\":[{\"port\":1}]}}"
#define CLAIMS(name, ip) "{\"type\":\"MeshService\",\"name\":\"" name "\",\"spec\":{},\"status\":{\"vips\":[{\"ip\":\"" ip "\"}]}}"
#define FOREIGN(name, zone)                                                                                                        \
	"{\"type\":\"MeshService\",\"name\":\"" name "\",\"labels\":{\"kuma.io/zone\":\"" zone "\"},\"spec\":{}}"

static struct world w;
static char events[8192];

static void on_event(enum hf_event_level level, const char *message, const char *pairs) {
	size_t len = strlen(events);
	static const char *const LEVELS[] = {"debug", "info", "warn", "error"};
	snprintf(events + len, sizeof events - len, "%s %s %s\n", LEVELS[level], message, pairs);
}

static size_t used_bytes(void) { return hf_syncs_budget(w.api.syncs)->used_bytes; }

static void open_with(struct hf_syncs_options options) {
	world_open_with(&w, &options);
	w.api.event = on_event;
	events[0] = '\0';
}

static void setup(void) { open_with((struct hf_syncs_options){SYNC_BODY_MAX, SYNC_ITEMS_MAX, SYNC_MEMORY}); }

static void teardown(void) {
	cr_expect_eq(used_bytes(), 0, "a request kept %zu bytes", used_bytes());
	verify_clean(&w.f, "at the end");
	world_close(&w);
}

TestSuite(call_sync, .init = setup, .fini = teardown);

/* A POST of NDJSON or JSON; the type is told from the body's beginning. */
static struct answer post(const char *target, const char *body) {
	w.content_type = strncmp(body, "{\"items\"", 8) == 0 ? "application/json" : NDJSON;
	return request(&w, HF_POST, target, body);
}

/* An answer as the tables below have it: ' for ", # in place of digests, times and durations. */
static const char *masked(char *text) {
	for (char *at; (at = strstr(text, "sha256:"));)
		memmove(at + 1, at + 71, strlen(at + 71) + 1), *at = '#';
	for (char *at = text; (at = strstr(at, "duration"));) {
		at += strcspn(at, "0123456789");
		size_t digits = strspn(at, "0123456789");
		memmove(at + 1, at + digits, strlen(at + digits) + 1), *at = '#';
	}
	for (char *at = text; *at; at++)
		*at = *at == '"' ? '\'' : *at;
	return text;
}

/* One after the other: the zone east is empty at first. */
static const struct {
	const char *name, *target, *body;
	enum hf_step first;
	int status;
	const char *answer;
} STEPS[] = {
	{"new ones", FULL, SERVICE("a") "\n" SERVICE("b") "\n", HF_STEP_COMMIT, 200,
	 "{'zone':'east','mode':'full','dryRun':false,'revision':5,'digest':'#','summary':{'created':2,'adopted':0,'unchanged':0,'"
	 "updated':0,'restored':0,'released':0,'foreign':0,'rejected':0,'transferred':0,'releaseSkipped':0},'results':[{'kind':'"
	 "MeshService','mesh'"
	 ":'default','service':'a','outcome':'created','vips':[{'ip':'241.0.0.0'}]},{'kind':'MeshService','mesh':'default','"
	 "service':'b','outcome':'created','vips':[{'ip':'241.0.0.1'}]}]}\n"},
	{"unchanged", FULL, "{\"items\":[" SERVICE("b") "," SERVICE("a") "]}", HF_STEP_DONE, 200,
	 "{'zone':'east','mode':'full','dryRun':false,'revision':5,'digest':'#','summary':{'created':0,'adopted':0,'unchanged':2,'"
	 "updated':0,'restored':0,'released':0,'foreign':0,'rejected':0,'transferred':0,'releaseSkipped':0},'results':[]}\n"},
	{"unchanged, all asked for", FULL "&return=all", "{\"items\":[" SERVICE("b") "," SERVICE("a") "]}", HF_STEP_DONE, 200,
	 "{'zone':'east','mode':'full','dryRun':false,'revision':5,'digest':'#','summary':{'created':0,'adopted':0,'unchanged':2,'"
	 "updated':0,'restored':0,'released':0,'foreign':0,'rejected':0,'transferred':0,'releaseSkipped':0},'results':[{'kind':'"
	 "MeshService','mesh'"
	 ":'default','service':'b','outcome':'unchanged','vips':[{'ip':'241.0.0.1'}]},{'kind':'MeshService','mesh':'default','"
	 "service':'a','outcome':'unchanged','vips':[{'ip':'241.0.0.0'}]}]}\n"},
	{"a dry run", FULL "&dryRun=true&maxRelease=100", CHANGED("a") "\n", HF_STEP_COMMIT, 200,
	 "{'zone':'east','mode':'full','dryRun':true,'revision':7,'digest':'#','summary':{'created':0,'adopted':0,'unchanged':0,'"
	 "updated':1,'restored':0,'released':1,'foreign':0,'rejected':0,'transferred':0,'releaseSkipped':0},'results':[{'kind':'"
	 "MeshService','mesh'"
	 ":'default','service':'a','outcome':'updated','vips':[{'ip':'241.0.0.0'}]},{'kind':'MeshService','mesh':'default','"
	 "service':'b','outcome':'released','vips':[{'ip':'241.0.0.1'}]}]}\n"},
	{"and the real one", FULL, CHANGED("a") "\n", HF_STEP_COMMIT, 200,
	 "{'zone':'east','mode':'full','dryRun':false,'revision':7,'digest':'#','summary':{'created':0,'adopted':0,'unchanged':0,'"
	 "updated':1,'restored':0,'released':1,'foreign':0,'rejected':0,'transferred':0,'releaseSkipped':0},'results':[{'kind':'"
	 "MeshService','mesh'"
	 ":'default','service':'a','outcome':'updated','vips':[{'ip':'241.0.0.0'}]},{'kind':'MeshService','mesh':'default','"
	 "service':'b','outcome':'released','vips':[{'ip':'241.0.0.1'}]}]}\n"},
	{"restored, adopted, a claim refused", DELTA, SERVICE("b") "\n" CLAIMS("c", "241.5.5.5") "\n" CLAIMS("d", "241.0.0.0") "\n",
	 HF_STEP_COMMIT, 200,
	 "{'zone':'east','mode':'delta','dryRun':false,'revision':10,'digest':'#','summary':{'created':1,'adopted':1,'unchanged':0,"
	 "'updated':0,'restored':1,'released':0,'foreign':0,'rejected':0,'transferred':0,'releaseSkipped':0},'results':[{'kind':'"
	 "MeshService','"
	 "mesh':'default','service':'b','outcome':'restored','vips':[{'ip':'241.0.0.1'}]},{'kind':'MeshService','mesh':'default','"
	 "service':'c','outcome':'adopted','vips':[{'ip':'241.5.5.5'}]},{'kind':'MeshService','mesh':'default','service':'d','"
	 "outcome':'created','vips':[{'ip':'241.0.0.2'}],'claimRefused':[{'address':'241.0.0.0','reason':'address-taken'}]}]}\n"},
	{"removed, foreign, rejected", DELTA,
	 "{\"removed\":{\"mesh\":\"default\",\"service\":\"b\"}}\n\n" FOREIGN("x", "west") "\n{\n" SERVICE("NO") "\n",
	 HF_STEP_COMMIT, 200,
	 "{'zone':'east','mode':'delta','dryRun':false,'revision':11,'digest':'#','summary':{'created':0,'adopted':0,'unchanged':0,"
	 "'updated':0,'restored':0,'released':1,'foreign':1,'rejected':2,'transferred':0,'releaseSkipped':0},'results':[{'kind':'"
	 "MeshService','"
	 "mesh':'default','service':'b','outcome':'released','vips':[{'ip':'241.0.0.1'}]},{'kind':'MeshService','mesh':'default','"
	 "zone':'west','service':'x','outcome':'foreign','vips':null},{'outcome':'rejected','vips':null,'line':4,'problem':{'type':"
	 "'urn:holdfast:problem:invalid-json','title':'The body is not valid "
	 "JSON','status':400,'code':'invalid-json','detail':'the document, line 1, column 1: string or '}' expected near end of "
	 "file'}},{'outcome':'rejected','vips':null,'line':5,'problem':{'type':'urn:holdfast:problem:invalid-name','title':'A name "
	 "is out of form','status':400,'code':'invalid-name','detail':'service \\'NO\\': character 1 is not one of a-z 0-9 . _ "
	 "-'}}]}\n"},
	{"of two arrays the place", DELTA "&kind=MeshService",
	 "{\"items\":[" SERVICE(
		 "a") ",{\"type\":\"MeshService\",\"name\":\"z\",\"spec\":{},\"spec\":{}}],\"removed\":[{\"mesh\":1}]}",
	 HF_STEP_COMMIT, 200,
	 "{'zone':'east','mode':'delta','dryRun':false,'revision':12,'digest':'#','summary':{'created':0,'adopted':0,'unchanged':0,"
	 "'updated':1,'restored':0,'released':0,'foreign':0,'rejected':2,'transferred':0,'releaseSkipped':0},'results':[{'kind':'"
	 "MeshService','"
	 "mesh':'default','service':'a','outcome':'updated','vips':[{'ip':'241.0.0.0'}]},{'kind':'MeshService','mesh':'default','"
	 "service':'z','outcome':'rejected','vips':null,'item':"
	 "2,'problem':{'type':'urn:holdfast:problem:invalid-json','title':'The body is not valid "
	 "JSON','status':400,'code':'invalid-json','detail':'the document, line 1, column 49: duplicate object key near "
	 "'\\'spec\\'''}},{'outcome':'rejected','vips':null,'removed':1,'problem':{'type':'urn:holdfast:problem:invalid-parameter',"
	 "'title':'A parameter is not valid','status':400,'code':'invalid-parameter','detail':'\\'mesh\\' is not a string'}}]}\n"},
	{"nothing of it to be told", DELTA "&return=none", SERVICE("e") "\n", HF_STEP_COMMIT, 200,
	 "{'zone':'east','mode':'delta','dryRun':false,'revision':13,'digest':'#','summary':{'created':1,'adopted':0,'unchanged':0,"
	 "'updated':0,'restored':0,'released':0,'foreign':0,'rejected':0,'transferred':0,'releaseSkipped':0},'results':[]}\n"},
	{"one that nobody knows holds back all releases", FULL "&return=none",
	 SERVICE("a") "\n{\"spec\":{}}\n" CLAIMS("c", "241.5.5.5"), HF_STEP_DONE, 200,
	 "{'zone':'east','mode':'full','dryRun':false,'revision':13,'digest':'#','summary':{'created':0,'adopted':0,'unchanged':2,'"
	 "updated':0,'restored':0,'released':0,'foreign':0,'rejected':1,'transferred':0,'releaseSkipped':2},'results':[]}\n"},
	{"in a dry run nobody is warned", FULL "&return=none&dryRun=true", "{\"items\":[" SERVICE("a") ",[]]}", HF_STEP_DONE, 200,
	 "{'zone':'east','mode':'full','dryRun':true,'revision':13,'digest':'#','summary':{'created':0,'adopted':0,'unchanged':1,'"
	 "updated':0,'restored':0,'released':0,'foreign':0,'rejected':1,'transferred':0,'releaseSkipped':3},'results':[]}\n"},
	{"nothing at all", FULL "&maxRelease=100", "", HF_STEP_DONE, 400,
	 "{'type':'urn:holdfast:problem:invalid-json','title':'The body is not valid "
	 "JSON','status':400,'code':'invalid-json','detail':'"
	 "the body has no documents; to state an empty list, send {\\'items\\':[]} as application/json'}\n"},
	{"the guard", FULL, "{\"items\":[]}", HF_STEP_DONE, 409,
	 "{'type':'urn:holdfast:problem:mass-release-guard','title':'Too many leases would be "
	 "released','status':409,'code':'mass-release-guard','detail':'the sync would release 4 of 4 active leases, as it lists "
	 "none "
	 "of "
	 "the zone's services there; maxRelease allows 20 percent. Nothing was "
	 "changed','summary':{'created':0,'adopted':0,'unchanged':0,'updated':0,'restored':0,'released':4,'foreign':0,'rejected':0,"
	 "'transferred':0,'releaseSkipped':0}}\n"},
	{"a manifest", MANIFEST,
	 "{\"mesh\":\"default\",\"service\":\"a\",\"version\":\"7\"}\n{\"mesh\":\"default\",\"service\":\"n\",\"version\":\"7\"}\n",
	 HF_STEP_DONE, 200,
	 "{'needed':[{'kind':'MeshService','mesh':'default','service':'a'},{'kind':'MeshService','mesh':'default','service':'n'}],'"
	 "unlisted':[{'kind':'MeshService','mesh':'default','service':'c'},{'kind':'MeshService','mesh':'default','service':'d'},{'"
	 "kind':'MeshService','mesh':'default','service':'e'}],'unchanged':0,'digest':'#','revision':13}\n"},
	{"not for all meshes at once", "/v1/zones/east/sync?mode=full", "", HF_STEP_DONE, 400,
	 "{'type':'urn:holdfast:problem:invalid-parameter','title':'A parameter is not "
	 "valid','status':400,'code':'invalid-parameter','detail':'mesh: it is missing; state a mesh's name, or * for all "
	 "meshes'}\n"},
};

static const char EVENTS[] =
	"info sync zone=east mode=full epoch=0 outcome=changed created=2 adopted=0 unchanged=0 updated=0 "
	"restored=0 released=0 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=full epoch=0 outcome=unchanged created=0 adopted=0 unchanged=2 updated=0 "
	"restored=0 released=0 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=full epoch=0 outcome=unchanged created=0 adopted=0 unchanged=2 updated=0 "
	"restored=0 released=0 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=full epoch=0 outcome=dry-run created=0 adopted=0 unchanged=0 updated=1 "
	"restored=0 released=1 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=full epoch=0 outcome=changed created=0 adopted=0 unchanged=0 updated=1 "
	"restored=0 released=1 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=delta epoch=0 outcome=changed created=1 adopted=1 unchanged=0 updated=0 "
	"restored=1 released=0 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=delta epoch=0 outcome=changed created=0 adopted=0 unchanged=0 updated=0 "
	"restored=0 released=1 foreign=1 rejected=2 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=delta epoch=0 outcome=changed created=0 adopted=0 unchanged=0 updated=1 "
	"restored=0 released=0 foreign=0 rejected=2 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=delta epoch=0 outcome=changed created=1 adopted=0 unchanged=0 updated=0 "
	"restored=0 released=0 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=#\n"
	"info sync zone=east mode=full epoch=0 outcome=unchanged created=0 adopted=0 unchanged=2 updated=0 "
	"restored=0 released=0 foreign=0 rejected=1 transferred=0 release_skipped=2 duration_ms=#\n"
	"warn releases skipped zone=east release_skipped=2 unreadable=1 line=2 code=invalid-parameter\n"
	"info sync zone=east mode=full epoch=0 outcome=dry-run created=0 adopted=0 unchanged=1 updated=0 "
	"restored=0 released=0 foreign=0 rejected=1 transferred=0 release_skipped=3 duration_ms=#\n"
	"info sync zone=east mode=full epoch=0 outcome=refused created=0 adopted=0 unchanged=0 updated=0 "
	"restored=0 released=0 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=# code=invalid-json\n"
	"info sync zone=east mode=full epoch=0 outcome=refused created=0 adopted=0 unchanged=0 updated=0 "
	"restored=0 released=4 foreign=0 rejected=0 transferred=0 release_skipped=0 duration_ms=# code=mass-release-guard\n";

static const char ZONE[] =
	"{'zone':'east','state':'unmanaged','epoch':0,'instance':null,'ttl':null,'leases':{'active':4,'quarantined':1},'digest':'#'"
	",'"
	"reconnects':0,'createdAt':'2023-11-14T22:13:20.000Z','changedAt':'2023-11-14T22:13:20.000Z','lastSync':{'at':'2023-11-"
	"14T22:13:20.000Z','mode':'full','epoch':0,'durationMs':#,'revision':13,'summary':{'created':0,'adopted':0,'unchanged':2,'"
	"updated':0,'restored':0,'released':0,'foreign':0,'rejected':1,'transferred':0,'releaseSkipped':2}}}\n";

static const char METRICS[] =
	"# HELP holdfast_syncs_total Syncs of zones that have leases or have connected, by how they ended.\n"
	"# TYPE holdfast_syncs_total counter\n"
	"holdfast_syncs_total{zone='east',outcome='changed'} 6\n"
	"holdfast_syncs_total{zone='east',outcome='unchanged'} 3\n"
	"holdfast_syncs_total{zone='east',outcome='dry-run'} 2\n"
	"holdfast_syncs_total{zone='east',outcome='refused'} 2\n"
	"# HELP holdfast_sync_items_total Items of syncs that were carried out, by outcome.\n"
	"# TYPE holdfast_sync_items_total counter\n"
	"holdfast_sync_items_total{outcome='created'} 4\n"
	"holdfast_sync_items_total{outcome='adopted'} 1\n"
	"holdfast_sync_items_total{outcome='unchanged'} 6\n"
	"holdfast_sync_items_total{outcome='updated'} 2\n"
	"holdfast_sync_items_total{outcome='restored'} 1\n"
	"holdfast_sync_items_total{outcome='released'} 2\n"
	"holdfast_sync_items_total{outcome='foreign'} 1\n"
	"holdfast_sync_items_total{outcome='rejected'} 5\n"
	"holdfast_sync_items_total{outcome='transferred'} 0\n"
	"# HELP holdfast_sync_reallocations_avoided_total Services in syncs that did not claim the "
	"address that they hold, and kept it.\n"
	"# TYPE holdfast_sync_reallocations_avoided_total counter\n"
	"holdfast_sync_reallocations_avoided_total 8\n"
	"# HELP holdfast_sync_releases_skipped_total Leases that full syncs did not list and did not release, "
	"because an item could not be identified.\n"
	"# TYPE holdfast_sync_releases_skipped_total counter\n"
	"holdfast_sync_releases_skipped_total 2\n"
	"# HELP holdfast_sync_memory_bytes Memory that running syncs use.\n"
	"# TYPE holdfast_sync_memory_bytes gauge\n"
	"holdfast_sync_memory_bytes 0\n";

Test(call_sync, answers_to_the_letter) {
	for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
		struct answer a = post(STEPS[i].target, STEPS[i].body);
		cr_expect_eq(a.status, STEPS[i].status, "%s: %d", STEPS[i].name, a.status);
		cr_expect_eq(a.first, STEPS[i].first, "%s", STEPS[i].name);
		masked(a.body);
		cr_expect_str_eq(a.body, STEPS[i].answer, "%s: %s", STEPS[i].name, a.body);
	}
	cr_expect_str_eq(masked(events), EVENTS, "%s", events);
	struct answer zone = request(&w, HF_GET, "/v1/zones/east", "");
	cr_expect_str_eq(masked(zone.body), ZONE, "%s", zone.body);
	struct hf_buf metrics = {0};
	hf_syncs_write_metrics(w.api.syncs, &metrics);
	hf_buf_add(&metrics, "", 1);
	cr_expect_str_eq(masked(metrics.data), METRICS, "%s", metrics.data);
	hf_buf_free(&metrics);
}

/* The table's bodies in every form, cut in two at every place and into single bytes, are one body. */
static const struct {
	const char *name, *body;
} CUT[] = {
	{"ndjson",
	 SERVICE("a") "\n" CLAIMS("b", "241.1.1.1") "\r\n\n{\"removed\":{\"mesh\":\"default\",\"service\":\"c\"}}\n" FOREIGN(
		 "d", "west") "\n{broken\n" SERVICE("\\u00e9") "\n" SERVICE("a")},
	{"a list", "{\"items\":[" SERVICE("a") " , " CLAIMS("b", "241.1.1.1") ",{\"broken\":}," FOREIGN(
			   "d", "west") "],\"next\":null, \"removed\" : [{\"mesh\":\"default\",\"service\":\"c\"},[]]}"},
	{"a Kubernetes list", "{\"items\":[{\"kind\":\"MeshService\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"},\"spec\":{}}"
			      "],\"kind\":\"List\"}"},
};

static struct answer in_pieces(const char *body, size_t first, size_t piece) {
	size_t len = strlen(body), at = first;
	w.content_type = body[2] == 'i' ? "application/json; charset=utf-8" : NDJSON;
	struct hf_call *call = routed(&w, HF_POST, DELTA "&dryRun=true&return=all");
	hf_call_body(call, body, first);
	for (; at < len; at += piece)
		hf_call_body(call, body + at, len - at < piece ? len - at : piece);
	return answered(&w, call);
}

Test(call_sync, where_a_body_is_cut_makes_no_difference) {
	post(DELTA, SERVICE("c"));
	for (size_t i = 0; i < sizeof CUT / sizeof *CUT; i++) {
		size_t len = strlen(CUT[i].body);
		struct answer whole = in_pieces(CUT[i].body, len, 1), bytes = in_pieces(CUT[i].body, 0, 1);
		cr_expect_eq(whole.status, 200, "%s: %s", CUT[i].name, whole.body);
		cr_expect_str_eq(bytes.body, whole.body, "%s in single bytes", CUT[i].name);
		for (size_t at = 0; at <= len; at++) {
			struct answer a = in_pieces(CUT[i].body, at, len);
			cr_assert_str_eq(a.body, whole.body, "%s, cut at %zu: %s", CUT[i].name, at, a.body);
		}
	}
}

/* A body that ends too early is no shorter list: nothing is done, wherever it ends. */
Test(call_sync, a_body_that_ends_too_early_is_refused) {
	static const char body[] = "{\"items\":[" SERVICE("a") "," SERVICE("b") "]}";
	char part[sizeof body];
	post(FULL, SERVICE("a") "\n" SERVICE("c"));
	struct hf_digest before = fixture_digest(&w.f);
	for (size_t len = 9; len < sizeof body - 1; len++) {
		memcpy(part, body, len);
		part[len] = '\0';
		w.content_type = "application/json";
		struct answer a = request(&w, HF_POST, FULL "&maxRelease=100", part);
		cr_assert(a.status == 400 && a.first == HF_STEP_DONE, "%s: %s", part, a.body);
	}
	struct hf_digest after = fixture_digest(&w.f);
	cr_expect(hf_digest_equal(&before, &after));
}

/* Documents that are restored as they were, with the claims they make: VIP stands for the address that the service has. */
static const struct {
	const char *name, *rest;
	bool refused;
	int kept; /* reallocations avoided */
} CLAIMING[] = {
	{"none", "", false, 1},
	{"empty", ",\"status\":{\"vips\":[ ]}", false, 1},
	{"null", ",\"status\":{\"vips\":null}", false, 1},
	{"its own", ",\"status\":{\"vips\":[{\"ip\":\"VIP\"}]}", false, 0},
	{"its own, spread out", ",\"status\" : {\"vips\" : [ { \"ip\" :\t\"VIP\" } ]}", false, 0},
	{"another", ",\"status\":{\"vips\":[{\"ip\":\"10.9.9.9\"}]}", true, 1},
	{"its own and another", ",\"status\":{\"vips\":[{\"ip\":\"VIP\"},{\"ip\":\"10.9.9.9\"}]}", true, 0},
	{"its own and one of a family that it has not", ",\"status\":{\"vips\":[{\"ip\":\"VIP\"},{\"ip\":\"fd00::9\"}]}", true, 0},
	{"another, and its own elsewhere", ",\"note\":\"VIP\",\"status\":{\"vips\":[{\"ip\":\"10.9.9.9\"}]}", true, 1},
	{"no claim, though it looks like one", ",\"note\":\"vips\",\"more\":[\"VIP\"]", false, 1},
	{"one behind escapes", ",\"status\":{\"vips\":[{\"\\u0069p\":\"10.9.9.9\"}],\"x\":\"VIP\"}", true, 1},
};

/* The document with VIP replaced. */
static void claiming(size_t i, const char *vip, char *ret, size_t max) {
	const char *rest = CLAIMING[i].rest, *at = strstr(rest, "VIP");
	int before = at ? (int)(at - rest) : (int)strlen(rest);
	snprintf(ret, max, "{\"type\":\"MeshService\",\"name\":\"it\",\"spec\":{\"n\":%zu}%.*s%s%s}\n", i, before, rest,
		 at ? vip : "", at ? at + 3 : "");
}

static int avoided(void) {
	struct hf_buf metrics = {0};
	hf_syncs_write_metrics(w.api.syncs, &metrics);
	hf_buf_add(&metrics, "", 1);
	const char *at = strstr(metrics.data, "\nholdfast_sync_reallocations_avoided_total ");
	int n = atoi(at + strlen("\nholdfast_sync_reallocations_avoided_total "));
	hf_buf_free(&metrics);
	return n;
}

/* Alone it is parsed; behind enough others, which all bring what they have, it is known. */
Test(call_sync, claims_are_told_the_same_whether_a_document_is_parsed_or_known) {
	char others[4096] = "", body[8192], document[512];
	for (int i = 0; i < 20; i++)
		snprintf(others + strlen(others), sizeof others - strlen(others), "{\"name\":\"s%d\",\"spec\":{}}\n", i);
	post(DELTA, others);
	for (size_t i = 0; i < sizeof CLAIMING / sizeof *CLAIMING; i++) {
		struct answer first = post(DELTA, SERVICE("it"));
		const char *vip = strstr(first.body, "\"ip\":\"");
		char address[64] = "";
		cr_assert(vip && sscanf(vip + 6, "%63[0-9.]", address) == 1, "%s", first.body);
		claiming(i, address, document, sizeof document);
		post(DELTA, document);
		for (int known = 0; known <= 1; known++) {
			post(DELTA, "{\"removed\":{\"mesh\":\"default\",\"service\":\"it\"}}");
			snprintf(body, sizeof body, "%s%s", known ? others : "", document);
			int before = avoided();
			struct answer a = post(DELTA, body);
			cr_expect(strstr(a.body, "\"outcome\":\"restored\""), "%s: %s", CLAIMING[i].name, a.body);
			cr_expect_eq(strstr(a.body, "claimRefused") != NULL, CLAIMING[i].refused, "%s, %s: %s", CLAIMING[i].name,
				     known ? "known" : "parsed", a.body);
			cr_expect_eq(avoided() - before - (known ? 20 : 0), CLAIMING[i].kept, "%s, %s", CLAIMING[i].name,
				     known ? "known" : "parsed");
		}
	}
}

/* Items that are rejected: what a full list of a and the item releases of a, b, c and d. LARGE stands for more than one item may
 * have. */
static const struct {
	const char *name, *item;
	const char *released; /* how many; or, behind a minus, how many are held back */
	const char *listed;   /* the service that it is rejected as; NULL: none */
} ODD[] = {
	{"a name that no lease can have", "{\"name\":\"Test-Server\"}", "3", NULL},
	{"… as the name shown", "{\"name\":\"b\",\"labels\":{\"kuma.io/display-name\":\"B\"}}", "3", NULL},
	{"… with its namespace", "{\"name\":\"b\",\"labels\":{\"k8s.kuma.io/namespace\":\"N\"}}", "3", NULL},
	{"a mesh that none can be", "{\"name\":\"b\",\"mesh\":\"Default\"}", "3", NULL},
	{"a zone that none can be", "{\"name\":\"b\",\"labels\":{\"kuma.io/zone\":\"East\"}}", "3", NULL},
	{"another kind", "{\"kind\":\"HostnameGenerator\",\"metadata\":{\"name\":\"b\"}}", "3", NULL},
	{"another kind without a name", "{\"kind\":\"Secret\"}", "3", NULL},
	{"another kind of ours", "{\"type\":\"MeshExternalService\",\"name\":\"b\"}", "3", "b"},
	{"another mesh", "{\"name\":\"b\",\"mesh\":\"other\"}", "3", "b"},
	{"a configuration that is none", "{\"name\":\"b\",\"labels\":{\"x\":1},\"spec\":{\"n\":1e400}}", "2", "b"},
	{"a number out of range", "{\"name\":\"b\",\"spec\":{\"n\":9223372036854775808}}", "2", "b"},
	{"a NUL", "{\"spec\":\"\\u0000\",\"name\":\"b\"}", "2", "b"},
	{"the same member twice", "{\"name\":\"b\",\"spec\":1,\"spec\":2}", "2", "b"},
	{"a NUL, of nobody's", "{\"spec\":\"\\u0000\",\"name\":\"B\"}", "3", NULL},
	{"too large", "{\"name\":\"b\",\"x\":\"LARGE\"}", "2", "b"},
	{"too large, its name behind", "{\"x\":[\"LARGE\",{\"name\":\"a\"}],\"name\":\"b\"}", "2", "b"},
	{"too large, of another zone", "{\"name\":\"b\",\"labels\":{\"l\":\"LARGE\",\"kuma.io/zone\":\"west\"}}", "3", "b"},
	{"too large, of another kind", "{\"kind\":\"Dataplane\",\"x\":\"LARGE\",\"name\":\"b\"}", "3", NULL},
	{"too large for a name", "{\"name\":\"LARGE\"}", "3", NULL},
	{"too large, without a name", "{\"x\":\"LARGE\"}", "-3", NULL},
	{"too large, of two names", "{\"name\":\"b\",\"x\":\"LARGE\",\"name\":\"c\"}", "-3", NULL},
	{"too large, no object", "[\"LARGE\"]", "-3", NULL},
	{"no name", "{\"mesh\":\"default\"}", "-3", NULL},
	{"an empty name", "{\"name\":\"\"}", "-3", NULL},
	{"a name that is none", "{\"name\":5}", "-3", NULL},
	{"a mesh that is none", "{\"name\":\"b\",\"mesh\":5}", "-3", NULL},
	{"two names", "{\"name\":\"b\",\"name\":\"c\"}", "-3", NULL},
	{"a name with a NUL", "{\"name\":\"b\\u0000\"}", "-3", NULL},
	{"no object", "[]", "-3", NULL},
	{"no JSON", "{\"name\":\"b\",}", "-3", NULL},
};

static char odd_body[BODY_MAX + 4096];

static const char *odd_list(const char *item, bool ndjson) {
	const char *large = strstr(item, "LARGE");
	size_t before = large ? (size_t)(large - item) : strlen(item), filler = large ? BODY_MAX : 0;
	char *at = odd_body + sprintf(odd_body, ndjson ? "%.*s" : "{\"items\":[%.*s", (int)before, item);
	memset(at, 'x', filler);
	strcpy(at + filler, large ? large + strlen("LARGE") : "");
	strcat(odd_body, ndjson ? "\n" SERVICE("a") "\n" : "," SERVICE("a") "]}");
	return odd_body;
}

Test(call_sync, one_odd_item_holds_back_nothing_but_itself) {
	for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++)
		for (int ndjson = 0; ndjson <= 1; ndjson++) {
			char summary[96], service[64];
			bool held = ODD[i].released[0] == '-';
			post(DELTA, SERVICE("a") "\n" SERVICE("b") "\n" SERVICE("c") "\n" SERVICE("d"));
			struct answer a = post(FULL "&maxRelease=100", odd_list(ODD[i].item, ndjson));
			snprintf(summary, sizeof summary,
				 "\"released\":%s,\"foreign\":0,\"rejected\":1,\"transferred\":0,\"releaseSkipped\":%s}",
				 held ? "0" : ODD[i].released, held ? ODD[i].released + 1 : "0");
			cr_expect(strstr(a.body, summary), "%s: %s", ODD[i].name, a.body);
			snprintf(service, sizeof service, "\"service\":\"%s\",\"outcome\":\"rejected\"",
				 ODD[i].listed ? ODD[i].listed : "");
			cr_expect_eq(strstr(a.body, service) != NULL, ODD[i].listed != NULL, "%s: %s", ODD[i].name, a.body);
			cr_expect_eq(strstr(a.body, "[{\"outcome\":\"rejected\"") != NULL, !ODD[i].listed, "%s: %s", ODD[i].name,
				     a.body);
		}
}

/* Alone it is no list at all: nothing of it was read, so it says nothing of the zone. */
Test(call_sync, a_body_of_which_nothing_can_be_read_is_refused) {
	static const char *const BODIES[] = {"",
					     "\n",
					     " \r\n\n \t\n",
					     "nothing\n",
					     "{}\n[]\n",
					     "{\"items\":[{}]}",
					     "{\"items\":[5,\"a\"]}",
					     "{\"removed\":[{}]}",
					     "{\"removed\":{\"mesh\":\"default\"}}\n"};
	post(FULL, SERVICE("a"));
	struct hf_digest before = fixture_digest(&w.f);
	for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++)
		for (int json = 0; json <= 1; json++) {
			bool full = !strstr(BODIES[i], "removed");
			w.content_type = json || strncmp(BODIES[i], "{\"items", 8) == 0 ? "application/json" : NDJSON;
			struct answer a = request(&w, HF_POST, full ? FULL "&maxRelease=100" : DELTA, BODIES[i]);
			cr_expect_eq(a.status, 400, "%s: %s", BODIES[i], a.body);
			cr_expect(strstr(a.body, "\"code\":\"invalid-"), "%s: %s", BODIES[i], a.body);
			if (BODIES[i][strspn(BODIES[i], " \t\r\n")])
				continue;
			cr_expect_eq(request(&w, HF_POST, DELTA, BODIES[i]).status, 400, "a delta of nothing");
			a = request(&w, HF_POST, MANIFEST, BODIES[i]);
			cr_expect(a.status == 400 && strstr(a.body, "{\\\"items\\\":[]}"), "a manifest: %s", a.body);
		}
	struct hf_digest after = fixture_digest(&w.f);
	cr_expect(hf_digest_equal(&before, &after));
}
