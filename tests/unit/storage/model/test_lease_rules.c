/* The lease rules: one table for what an acquire means, one for the lease that it makes, one for a release. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

enum body { EMPTY, RAW_SAME, RAW_OTHER, READ_SAME, READ_OTHER, READ_NEWER_RULES };
enum { NONE = 0 };

#define NOW_MS 1700000999000

static const struct hf_zone UNMANAGED = {.name = "east", .state = HF_ZONE_UNMANAGED};
static const struct hf_zone CONNECTED = {.name = "east", .state = HF_ZONE_ONLINE, .epoch = 7};
static const struct hf_zone OFFLINE = {.name = "east", .state = HF_ZONE_OFFLINE, .epoch = 7};

/* The lease that every row begins with: generation 3, revision 17, version "v1". */
static struct hf_lease current_lease(int state) {
	struct hf_lease lease = sample_lease();
	lease.state = (enum hf_lease_state)state;
	lease.n_vips = 1;
	lease.vips[1] = (struct hf_addr){0};
	lease.quarantined_until_ms = 0;
	if (state == HF_QUARANTINED)
		lease.quarantined_until_ms = NOW_MS + 1000;
	return lease;
}

static struct hf_condition condition(const char *tag) {
	struct hf_condition c = {0};
	struct hf_lease lease = current_lease(HF_ACTIVE);
	if (!tag)
		return c;
	c.stated = true;
	c.any = strcmp(tag, "*") == 0;
	if (c.any)
		return c;
	snprintf(c.tags[c.n++], HF_ETAG_TEXT, "\"1\"");
	if (strcmp(tag, "current") == 0)
		hf_lease_etag(&lease, c.tags[c.n++]);
	return c;
}

static void set_body(struct hf_lease_request *request, enum body body) {
	if (body == EMPTY)
		return;
	request->has_config = true;
	request->raw = body == RAW_SAME ? hf_digest_of("raw", 3) : hf_digest_of("another raw", 11);
	if (body < READ_SAME)
		return;
	request->has_fingerprint = true;
	request->fingerprint_version = body == READ_NEWER_RULES ? 2 : 1;
	request->fingerprint = body == READ_OTHER ? hf_digest_of("other", 5) : hf_digest_of("config", 6);
}

struct acquire_row {
	const char *name;
	int state; /* of the current lease; NONE: there is none */
	enum body body;
	uint64_t epoch;			      /* of the guard; 0: not fenced. The zone's is 7 */
	const char *if_match, *if_none_match; /* "*", "current", or another tag */
	const char *pool, *address, *version;
	enum hf_err err;
	int action, outcome; /* if HF_OK */
	const char *why;     /* what the words contain */
};

static struct hf_lease_request request_of(const struct acquire_row *row) {
	struct hf_lease_request request = {.id = identity("east", "default", "redis")};
	request.guard.has_epoch = row->epoch != 0;
	request.guard.epoch = row->epoch;
	request.guard.if_match = condition(row->if_match);
	request.guard.if_none_match = condition(row->if_none_match);
	snprintf(request.pool, sizeof request.pool, "%s", row->pool ? row->pool : "");
	if (row->address)
		request.addresses[request.n_addresses++] = addr(row->address);
	request.has_version = row->version != NULL;
	snprintf(request.version, sizeof request.version, "%s", row->version ? row->version : "");
	set_body(&request, row->body);
	return request;
}

#define STALE HF_E_STALE_EPOCH
#define FAILED HF_E_PRECONDITION_FAILED
#define EXISTS HF_E_LEASE_EXISTS

static const struct acquire_row ACQUIRES[] = {
	/* What there is, against what is sent. */
	{"no lease, no body", NONE, EMPTY, .action = HF_DO_CREATE, .outcome = HF_CREATED},
	{"no lease, body not read", NONE, RAW_SAME, .action = HF_DO_READ_BODY, .outcome = HF_CREATED},
	{"no lease, body read", NONE, READ_SAME, .action = HF_DO_CREATE, .outcome = HF_CREATED},
	{"active, no body", HF_ACTIVE, EMPTY, .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"active, the very bytes", HF_ACTIVE, RAW_SAME, .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"active, other bytes not read", HF_ACTIVE, RAW_OTHER, .action = HF_DO_READ_BODY},
	{"active, other bytes, same configuration", HF_ACTIVE, READ_SAME, .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"active, another configuration", HF_ACTIVE, READ_OTHER, .action = HF_DO_CHANGE, .outcome = HF_UPDATED},
	{"active, fingerprint by other rules", HF_ACTIVE, READ_NEWER_RULES, .action = HF_DO_CHANGE, .outcome = HF_UPDATED},
	{"quarantined, no body", HF_QUARANTINED, EMPTY, .action = HF_DO_CHANGE, .outcome = HF_RESTORED},
	{"quarantined, a raw match does not count", HF_QUARANTINED, RAW_SAME, .action = HF_DO_READ_BODY},
	{"quarantined, same configuration", HF_QUARANTINED, READ_SAME, .action = HF_DO_CHANGE, .outcome = HF_RESTORED},
	{"quarantined, another configuration", HF_QUARANTINED, READ_OTHER, .action = HF_DO_CHANGE, .outcome = HF_RESTORED},
	/* The caller's version. */
	{"same version", HF_ACTIVE, RAW_SAME, .version = "v1", .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"new version, the very bytes", HF_ACTIVE, RAW_SAME, .version = "v2", .action = HF_DO_RELABEL, .outcome = HF_UNCHANGED},
	{"new version, no body", HF_ACTIVE, EMPTY, .version = "v2", .action = HF_DO_RELABEL, .outcome = HF_UNCHANGED},
	{"new version, not read", HF_ACTIVE, RAW_OTHER, .version = "v2", .action = HF_DO_READ_BODY},
	{"new version, new configuration", HF_ACTIVE, READ_OTHER, .version = "v2", .action = HF_DO_CHANGE, .outcome = HF_UPDATED},
	{"new version, quarantined", HF_QUARANTINED, EMPTY, .version = "v2", .action = HF_DO_CHANGE, .outcome = HF_RESTORED},
	/* Epochs. */
	{"the current epoch", HF_ACTIVE, EMPTY, .epoch = 7, .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"an older epoch", HF_ACTIVE, EMPTY, .epoch = 6, .err = STALE, .why = "epoch is 7, not 6"},
	{"a later epoch", HF_ACTIVE, EMPTY, .epoch = 8, .err = STALE, .why = "epoch is 7, not 8"},
	{"an older epoch, no lease", NONE, EMPTY, .epoch = 6, .err = STALE},
	/* Conditions. */
	{"If-Match, current", HF_ACTIVE, EMPTY, .if_match = "current", .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"If-Match, another", HF_ACTIVE, EMPTY, .if_match = "another", .err = FAILED,
	 .why = "If-Match does not hold: the entity tag is \"17-"},
	{"If-Match: *", HF_ACTIVE, EMPTY, .if_match = "*", .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"If-Match: *, quarantined", HF_QUARANTINED, EMPTY, .if_match = "*", .action = HF_DO_CHANGE, .outcome = HF_RESTORED},
	{"If-Match: *, no lease", NONE, EMPTY, .if_match = "*", .err = FAILED, .why = "the lease does not exist"},
	{"If-Match, no lease", NONE, EMPTY, .if_match = "current", .err = FAILED},
	{"If-None-Match: *, no lease", NONE, EMPTY, .if_none_match = "*", .action = HF_DO_CREATE, .outcome = HF_CREATED},
	{"If-None-Match: *, active", HF_ACTIVE, EMPTY, .if_none_match = "*", .err = FAILED, .why = "If-None-Match does not hold"},
	{"If-None-Match: *, quarantined", HF_QUARANTINED, EMPTY, .if_none_match = "*", .err = FAILED},
	{"If-None-Match, current", HF_ACTIVE, EMPTY, .if_none_match = "current", .err = FAILED},
	{"If-None-Match, another", HF_ACTIVE, EMPTY, .if_none_match = "another", .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	/* Pool and address. */
	{"its own pool", HF_ACTIVE, EMPTY, .pool = "blue", .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"another pool", HF_ACTIVE, EMPTY, .pool = "red", .err = EXISTS, .why = "in pool \"blue\", not in \"red\""},
	{"another pool, quarantined", HF_QUARANTINED, EMPTY, .pool = "red", .err = EXISTS},
	{"another pool, no lease", NONE, EMPTY, .pool = "red", .action = HF_DO_CREATE, .outcome = HF_CREATED},
	{"its own address", HF_ACTIVE, EMPTY, .address = "241.0.0.7", .action = HF_DO_NOTHING, .outcome = HF_UNCHANGED},
	{"another address", HF_ACTIVE, EMPTY, .address = "241.0.0.8", .err = EXISTS, .why = "on 241.0.0.7, not on 241.0.0.8"},
	{"another address, quarantined", HF_QUARANTINED, EMPTY, .address = "241.0.0.8", .err = EXISTS},
	{"a family that it has not", HF_ACTIVE, EMPTY, .address = "fd00::1", .err = EXISTS, .why = "fd00::1"},
	{"any address, no lease", NONE, EMPTY, .address = "241.0.0.8", .action = HF_DO_CREATE, .outcome = HF_CREATED},
	/* The order: epoch, conditions, pool, address, and only then the configuration. */
	{"epoch before conditions", HF_ACTIVE, READ_OTHER, 6, "another", NULL, "red", "241.0.0.8", "v2", .err = STALE},
	{"conditions before pool", HF_ACTIVE, READ_OTHER, 7, "another", NULL, "red", "241.0.0.8", "v2", .err = FAILED},
	{"If-Match before If-None-Match", HF_ACTIVE, EMPTY, 7, "another", "*", .err = FAILED, .why = "If-Match"},
	{"pool before address", HF_ACTIVE, READ_OTHER, 7, "current", NULL, "red", "241.0.0.8", .err = EXISTS, .why = "\"red\""},
	{"address before the body", HF_ACTIVE, RAW_OTHER, 7, "current", NULL, "blue", "241.0.0.8", .err = EXISTS,
	 .why = "241.0.0.8"},
	{"a raw match excuses no epoch", HF_ACTIVE, RAW_SAME, .epoch = 6, .err = STALE},
	{"a raw match excuses no pool", HF_ACTIVE, RAW_SAME, .pool = "red", .err = EXISTS},
};

Test(lease_rules, acquire_is_judged_as_the_table_says) {
	for (size_t i = 0; i < sizeof ACQUIRES / sizeof *ACQUIRES; i++) {
		const struct acquire_row *row = &ACQUIRES[i];
		struct hf_lease_request request = request_of(row);
		struct hf_lease lease = current_lease(row->state);
		struct hf_decision d = {0};
		struct hf_why why = {""};
		enum hf_err err = hf_rules_acquire(row->state ? &lease : NULL, &CONNECTED, &request, &why, &d);
		cr_expect_eq(err, row->err, "%s: %s, %s", row->name, hf_err_slug(err), why.text);
		if (row->why)
			cr_expect(strstr(why.text, row->why), "%s: says \"%s\"", row->name, why.text);
		if (err)
			continue;
		cr_expect_eq((int)d.action, row->action, "%s: action %d", row->name, (int)d.action);
		if (row->action != HF_DO_READ_BODY)
			cr_expect_eq((int)d.outcome, row->outcome, "%s: %s", row->name, hf_outcome_name(d.outcome));
		cr_expect_str_empty(why.text, "%s: words without an error", row->name);
	}
}

Test(lease_rules, a_zone_that_never_connected_has_epoch_zero) {
	struct hf_lease_request request = {.id = identity("east", "default", "redis"), .guard = {.has_epoch = true, .epoch = 1}};
	struct hf_decision d;
	cr_assert_eq(hf_rules_acquire(NULL, &UNMANAGED, &request, NULL, &d), HF_E_STALE_EPOCH);
	request.guard.epoch = 0;
	cr_assert_eq(hf_rules_acquire(NULL, &UNMANAGED, &request, NULL, &d), HF_OK);
}

Test(lease_rules, a_raw_digest_of_zeros_matches_nothing) {
	struct hf_lease lease = current_lease(HF_ACTIVE);
	struct hf_lease_request request = {.id = lease.id, .has_config = true};
	struct hf_decision d;
	memset(&lease.raw, 0, sizeof lease.raw);
	cr_assert_eq(hf_rules_acquire(&lease, &UNMANAGED, &request, NULL, &d), HF_OK);
	cr_assert_eq(d.action, HF_DO_READ_BODY);
}

Test(lease_rules, the_first_configuration_of_a_lease_without_one_is_an_update) {
	struct hf_lease lease = current_lease(HF_ACTIVE);
	struct hf_lease_request request = {.id = lease.id};
	struct hf_decision d;
	lease.fingerprint_version = 0;
	memset(&lease.raw, 0, sizeof lease.raw);
	memset(&lease.fingerprint, 0, sizeof lease.fingerprint);
	set_body(&request, READ_SAME);
	cr_assert_eq(hf_rules_acquire(&lease, &UNMANAGED, &request, NULL, &d), HF_OK);
	cr_assert_eq(d.outcome, HF_UPDATED);
	cr_assert_eq(hf_rules_changed(&lease, &request, d, NOW_MS).generation, 4);
}

static const struct {
	const char *name;
	int state;
	enum body body;
	const char *version; /* the request's */
	uint64_t generation; /* what becomes of it */
	const char *new_version;
	bool new_raw, modified;
} CHANGES[] = {
	{"updated: generation up, version dropped", HF_ACTIVE, READ_OTHER, NULL, 4, "", true, true},
	{"updated with a version", HF_ACTIVE, READ_OTHER, "v2", 4, "v2", true, true},
	{"restored, no body: nothing else changes", HF_QUARANTINED, EMPTY, NULL, 3, "v1", false, true},
	{"restored, same configuration", HF_QUARANTINED, READ_SAME, NULL, 3, "v1", true, true},
	{"restored, another configuration", HF_QUARANTINED, READ_OTHER, NULL, 4, "", true, true},
	{"restored, no body but a version", HF_QUARANTINED, EMPTY, "v2", 3, "v2", false, true},
	{"relabelled, no body", HF_ACTIVE, EMPTY, "v2", 3, "v2", false, false},
	{"relabelled, other bytes: they are kept too", HF_ACTIVE, READ_SAME, "v2", 3, "v2", true, false},
};

Test(lease_rules, the_changed_lease_is_as_the_table_says) {
	for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
		struct acquire_row row = {.state = CHANGES[i].state, .body = CHANGES[i].body, .version = CHANGES[i].version};
		struct hf_lease_request request = request_of(&row);
		struct hf_lease before = current_lease(row.state);
		struct hf_decision d;
		cr_assert_eq(hf_rules_acquire(&before, &UNMANAGED, &request, NULL, &d), HF_OK);
		struct hf_lease after = hf_rules_changed(&before, &request, d, NOW_MS);
		const char *name = CHANGES[i].name;
		cr_expect_eq(after.generation, CHANGES[i].generation, "%s", name);
		cr_expect_str_eq(after.version, CHANGES[i].new_version, "%s", name);
		cr_expect_eq(hf_digest_equal(&after.raw, &before.raw), !CHANGES[i].new_raw, "%s", name);
		cr_expect_eq(after.modified_ms, CHANGES[i].modified ? NOW_MS : before.modified_ms, "%s", name);
		cr_expect_eq(after.state, HF_ACTIVE, "%s", name);
		cr_expect_eq(after.quarantined_until_ms, 0, "%s", name);
		cr_expect_eq(after.vips[0].n, before.vips[0].n, "%s: the VIP moved", name);
		cr_expect_eq(after.created_ms, before.created_ms, "%s", name);
		cr_expect_str_eq(after.pool, before.pool, "%s", name);
	}
}

/* An acquire never asks whether the zone is there. */
Test(lease_rules, an_offline_zone_acquires_as_any_other) {
	for (int state = NONE; state <= HF_QUARANTINED; state++) {
		struct hf_lease lease = current_lease(state);
		struct hf_lease_request request = {.id = lease.id};
		struct hf_decision online, offline;
		cr_assert_eq(hf_rules_acquire(state ? &lease : NULL, &CONNECTED, &request, NULL, &online), HF_OK);
		cr_assert_eq(hf_rules_acquire(state ? &lease : NULL, &OFFLINE, &request, NULL, &offline), HF_OK);
		cr_expect_eq(online.action, offline.action, "state %d", state);
	}
}

static const struct {
	const char *name;
	int state;
	bool purge;
	uint64_t epoch;
	const char *if_match;
	enum hf_err err;
	int action;
	const struct hf_zone *zone; /* NULL: connected */
	bool force;
} RELEASES[] = {
	{"active", HF_ACTIVE, false, 0, NULL, HF_OK, .action = HF_DO_QUARANTINE},
	{"quarantined: again is nothing", HF_QUARANTINED, false, 0, NULL, HF_OK, .action = HF_DO_NOTHING},
	{"none", NONE, false, 0, NULL, HF_E_NOT_FOUND, .action = 0},
	{"purge active", HF_ACTIVE, true, 0, NULL, HF_OK, .action = HF_DO_PURGE},
	{"purge quarantined", HF_QUARANTINED, true, 0, NULL, HF_OK, .action = HF_DO_PURGE},
	{"purge none", NONE, true, 0, NULL, HF_E_NOT_FOUND, .action = 0},
	{"current epoch", HF_ACTIVE, false, 7, NULL, HF_OK, .action = HF_DO_QUARANTINE},
	{"stale epoch", HF_ACTIVE, false, 6, NULL, HF_E_STALE_EPOCH, .action = 0},
	{"stale epoch before the condition", HF_ACTIVE, true, 6, "another", HF_E_STALE_EPOCH, .action = 0},
	{"stale epoch before not found", NONE, false, 6, NULL, HF_E_STALE_EPOCH, .action = 0},
	{"If-Match holds", HF_ACTIVE, false, 0, "current", HF_OK, .action = HF_DO_QUARANTINE},
	{"If-Match does not hold", HF_ACTIVE, false, 0, "another", HF_E_PRECONDITION_FAILED, .action = 0},
	{"If-Match does not hold, quarantined", HF_QUARANTINED, false, 0, "another", HF_E_PRECONDITION_FAILED, .action = 0},
	{"If-Match before not found", NONE, false, 0, "*", HF_E_PRECONDITION_FAILED, .action = 0},
	{"a zone that never connected", HF_ACTIVE, false, 0, NULL, HF_OK, .action = HF_DO_QUARANTINE, .zone = &UNMANAGED},
	{"force changes nothing online", HF_ACTIVE, false, 0, NULL, HF_OK, .action = HF_DO_QUARANTINE, .zone = &CONNECTED,
	 .force = true},
	{"offline", HF_ACTIVE, false, 0, NULL, HF_E_ZONE_OFFLINE, .zone = &OFFLINE},
	{"offline, the current epoch", HF_ACTIVE, false, 7, NULL, HF_E_ZONE_OFFLINE, .zone = &OFFLINE},
	{"offline, forced", HF_ACTIVE, false, 0, NULL, HF_OK, .action = HF_DO_QUARANTINE, .zone = &OFFLINE, .force = true},
	{"offline, purge", HF_ACTIVE, true, 0, NULL, HF_E_ZONE_OFFLINE, .zone = &OFFLINE},
	{"offline, purge quarantined", HF_QUARANTINED, true, 0, NULL, HF_E_ZONE_OFFLINE, .zone = &OFFLINE},
	{"offline, purge, forced", HF_QUARANTINED, true, 0, NULL, HF_OK, .action = HF_DO_PURGE, .zone = &OFFLINE, .force = true},
	{"offline, quarantined: again is nothing", HF_QUARANTINED, false, 0, NULL, HF_OK, .action = HF_DO_NOTHING,
	 .zone = &OFFLINE},
	{"stale epoch before offline", HF_ACTIVE, false, 6, NULL, HF_E_STALE_EPOCH, .zone = &OFFLINE},
	{"force excuses no stale epoch", HF_ACTIVE, false, 6, NULL, HF_E_STALE_EPOCH, .zone = &OFFLINE, .force = true},
	{"If-Match before offline", HF_ACTIVE, false, 0, "another", HF_E_PRECONDITION_FAILED, .zone = &OFFLINE},
	{"not found before offline", NONE, false, 0, NULL, HF_E_NOT_FOUND, .zone = &OFFLINE},
};

Test(lease_rules, release_is_judged_as_the_table_says) {
	for (size_t i = 0; i < sizeof RELEASES / sizeof *RELEASES; i++) {
		struct hf_lease lease = current_lease(RELEASES[i].state);
		struct hf_release_request request = {.id = lease.id, .purge = RELEASES[i].purge, .force = RELEASES[i].force};
		const struct hf_zone *zone = RELEASES[i].zone ? RELEASES[i].zone : &CONNECTED;
		struct hf_decision d = {0};
		request.guard.has_epoch = RELEASES[i].epoch != 0;
		request.guard.epoch = RELEASES[i].epoch;
		request.guard.if_match = condition(RELEASES[i].if_match);
		enum hf_err err = hf_rules_release(RELEASES[i].state ? &lease : NULL, zone, &request, NULL, &d);
		cr_expect_eq(err, RELEASES[i].err, "%s: %s", RELEASES[i].name, hf_err_slug(err));
		if (!err)
			cr_expect_eq((int)d.action, RELEASES[i].action, "%s: action %d", RELEASES[i].name, (int)d.action);
	}
}
