/* Transfers: leases go to other identities with everything they have, all of them or none. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/requests/lease_query.h"
#include "storage/requests/move.h"
#include "storage/requests/transfer.h"
#include "storage/tables/change_table.h"
#include "storage/tables/holders.h"
#include "tests/unit/support.h"

static struct fixture f;
static struct hf_budget budget = {.max_bytes = 1 << 20};

static void setup(void) { fixture_new(&f); }

static void teardown(void) {
	verify_clean(&f, "at the end");
	fixture_remove(&f);
}

TestSuite(transfer, .init = setup, .fini = teardown);

static struct hf_identity east(const char *name) { return identity("east", "default", name); }

static struct hf_lease acquired(struct hf_identity id, const char *config) {
	struct hf_acquire request = acquire_request(id, config);
	cr_assert_eq(acquire(&f, &request), HF_OK, "%s", request.write.why.text);
	return request.lease;
}

static bool has_lease(struct hf_identity id, struct hf_lease *ret) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	enum hf_err err = hf_lease_get(f.reader, &id, NULL, ret);
	hf_reader_end(f.reader);
	return err == HF_OK;
}

static uint64_t revision(void) { return hf_store_meta(f.store)->revision; }

struct pair {
	struct hf_identity from, to;
};

/* Runs a transfer of pairs whose other members the caller has set. */
static enum hf_err transfer(struct hf_transfer *t, const struct pair *pairs, int n) {
	enum hf_err err = HF_OK;
	for (int i = 0; !err && i < n; i++)
		err = hf_transfer_add(t, &pairs[i].from, &pairs[i].to, &t->write.why);
	if (!err)
		err = hf_transfer_close_list(t, &t->write.why);
	if (err)
		return err;
	hf_transfer_begin(t);
	return commit(&f, &t->write);
}

static enum hf_err transfer_one(struct hf_identity from, struct hf_identity to) {
	struct hf_transfer t;
	hf_transfer_init(&t, &budget);
	enum hf_err err = transfer(&t, &(struct pair){from, to}, 1);
	hf_transfer_free(&t);
	return err;
}

static void keep(void *context, const struct hf_change *change) { *(struct hf_change *)context = *change; }

Test(transfer, everything_goes_along) {
	struct hf_lease before = acquired(east("api.shop"), "one"), after;
	before = acquired(east("api.shop"), "two");
	struct hf_move move = {.want = {.id = east("api.shop"), .overlap_seconds = 60}};
	hf_move_begin(&move);
	cr_assert_eq(commit(&f, &move.write), HF_OK);
	f.now_ms += 5000;
	f.monotonic_ms += 5000;
	cr_assert_eq(transfer_one(east("api.shop"), identity("east", "payments", "api.shop-v2")), HF_OK);
	cr_assert_not(has_lease(east("api.shop"), &after));
	cr_assert(has_lease(identity("east", "payments", "api.shop-v2"), &after));
	cr_assert_eq(after.vips[0].n, move.lease.vips[0].n);
	cr_assert_eq(after.n_previous, 1);
	cr_assert_eq(after.previous[0].address.n, before.vips[0].n);
	cr_assert_eq(after.generation, 2);
	cr_assert_eq(after.created_ms, before.created_ms);
	cr_assert(hf_digest_equal(&after.fingerprint, &before.fingerprint));
	cr_assert_not(hf_digest_equal(&after.raw, &before.raw), "the old document names the old service");
	cr_assert_eq(hf_store_vip_changes(f.store, HF_CAUSE_REQUEST), 0);
	struct hf_feed_query query = {.since = revision() - 1, .limit = 1, .mesh = "default"};
	struct hf_feed_page page;
	struct hf_change change = {.type = HF_CHANGE_NONE};
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_feed_read(f.reader, &query, keep, &change, NULL, &page), HF_OK);
	struct hf_holder holders[HF_HISTORY_HOLDERS];
	int n = hf_holders_read(f.reader, after.vips[0], -1, f.now_ms, holders);
	hf_reader_end(f.reader);
	cr_assert_eq(change.type, HF_CHANGE_TRANSFERRED, "who watches the old mesh sees it");
	cr_assert(hf_identity_equal(&change.from, &before.id) && hf_identity_equal(&change.id, &after.id));
	cr_assert(n == 2 && hf_identity_equal(&holders[0].id, &after.id) && hf_identity_equal(&holders[1].id, &before.id) &&
		  holders[1].to_ms == holders[0].from_ms);
}

Test(transfer, a_quarantine_goes_along) {
	struct hf_lease released, after;
	acquired(east("a"), "{}");
	cr_assert_eq(release(&f, east("a"), false, &released), HF_OK);
	cr_assert_eq(transfer_one(east("a"), east("b")), HF_OK);
	cr_assert(has_lease(east("b"), &after));
	cr_assert_eq(after.state, HF_QUARANTINED);
	cr_assert_eq(after.quarantined_until_ms, released.quarantined_until_ms);
}

Test(transfer, one_bad_item_refuses_all) {
	struct hf_pool_put only = pool_request("a-only", "10.0.0.0/24", "", 60);
	only.config.meshes = (struct hf_names){.n = 1, .names = {"a"}};
	cr_assert_eq(commit(&f, &only.write), HF_OK);
	hf_pool_put_end(&only);
	acquired(east("x"), "{}");
	acquired(east("y"), "{}");
	acquired(identity("east", "a", "p"), "{}");
	struct hf_identity p = identity("east", "a", "p");
	const struct {
		const char *name;
		struct pair pairs[2];
		enum hf_err err;
		uint32_t failed;
	} cases[] = {
		{"onto itself", {{east("x"), east("x1")}, {east("y"), east("y")}}, HF_E_INVALID_PARAMETER, 1},
		{"onto an existing lease", {{east("x"), east("y")}, {east("y"), east("z")}}, HF_E_LEASE_EXISTS, 0},
		{"in a circle", {{east("x"), east("y")}, {east("y"), east("x")}}, HF_E_LEASE_EXISTS, 0},
		{"one twice", {{east("x"), east("x1")}, {east("x"), east("x2")}}, HF_E_INVALID_PARAMETER, 1},
		{"two onto one", {{east("x"), east("z")}, {east("y"), east("z")}}, HF_E_INVALID_PARAMETER, 1},
		{"no lease", {{east("x"), east("x1")}, {east("n"), east("n1")}}, HF_E_NOT_FOUND, 1},
		{"to whom the pool does not serve", {{east("x"), east("x1")}, {p, east("p")}}, HF_E_ADDRESS_OUTSIDE_POOL, 1},
	};
	struct hf_digest before = fixture_digest(&f);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hf_transfer t;
		hf_transfer_init(&t, &budget);
		cr_expect_eq(transfer(&t, cases[i].pairs, 2), cases[i].err, "%s: %s", cases[i].name, t.write.why.text);
		cr_expect_eq(t.failed, cases[i].failed, "%s: item %u", cases[i].name, t.failed);
		hf_transfer_free(&t);
	}
	struct hf_digest after = fixture_digest(&f);
	cr_assert(hf_digest_equal(&before, &after));
	cr_assert_eq(budget.used_bytes, 0);
}

Test(transfer, a_dry_run_writes_nothing) {
	struct hf_lease lease;
	struct hf_transfer t;
	acquired(east("a"), "{}");
	struct hf_digest before = fixture_digest(&f);
	hf_transfer_init(&t, &budget);
	t.dry_run = true;
	cr_assert_eq(transfer(&t, &(struct pair){east("a"), identity("west", "default", "a")}, 1), HF_OK, "%s", t.write.why.text);
	cr_assert_eq(t.first->n_vips, 1);
	cr_assert(t.write.discard);
	hf_transfer_free(&t);
	struct hf_digest after = fixture_digest(&f);
	cr_assert(hf_digest_equal(&before, &after));
	cr_assert(has_lease(east("a"), &lease));
}

Test(transfer, the_guard_judges_what_leaves_a_zone_or_a_mesh) {
	struct hf_transfer t;
	char from[8], to[8];
	struct pair pairs[30];
	acquire_services(&f, 0, 40);
	for (int i = 0; i < 30; i++) {
		snprintf(from, sizeof from, "s%d", i);
		snprintf(to, sizeof to, "t%d", i);
		pairs[i] = (struct pair){east(from), east(to)};
	}
	hf_transfer_init(&t, &budget);
	t.max_release_percent = 20;
	cr_assert_eq(transfer(&t, pairs, 30), HF_OK, "within a mesh nothing leaves: %s", t.write.why.text);
	hf_transfer_free(&t);
	for (int i = 0; i < 30; i++) {
		pairs[i].from = pairs[i].to;
		pairs[i].to = identity(i % 2 ? "west" : "east", "other", pairs[i].from.service);
	}
	for (int percent = 20; percent <= 100; percent += 80) {
		hf_transfer_init(&t, &budget);
		t.max_release_percent = percent;
		enum hf_err err = transfer(&t, pairs, 30);
		cr_expect_eq(err, percent < 100 ? HF_E_MASS_RELEASE_GUARD : HF_OK, "%d: %s", percent, t.write.why.text);
		hf_transfer_free(&t);
	}
}

/* Transfers one of 40 leases after the other, until the guard refuses. Returns how many it let go. */
static int let_go(const char *to_zone, const char *to_mesh) {
	struct hf_transfer t;
	char name[8];
	enum hf_err err = HF_OK;
	int done = -1;
	acquire_services(&f, 0, 40);
	for (; !err; done++) {
		snprintf(name, sizeof name, "s%d", done + 1);
		hf_transfer_init(&t, &budget);
		t.max_release_percent = 20;
		err = transfer(&t, &(struct pair){east(name), identity(to_zone, to_mesh, name)}, 1);
		hf_transfer_free(&t);
	}
	cr_assert_eq(err, HF_E_MASS_RELEASE_GUARD);
	return done;
}

Test(transfer, small_steps_out_of_a_zone_count_together) { cr_assert_eq(let_go("west", "default"), 10, "up to 10 are few"); }

Test(transfer, small_steps_out_of_a_mesh_count_together) { cr_assert_eq(let_go("east", "other"), 10, "up to 10 are few"); }

Test(transfer, the_guard_counts_each_mesh_by_itself_in_whatever_order_its_leases_come) {
	struct hf_transfer t;
	char name[8], why[] = "3 of 4 active leases of kind MeshService in mesh \"few\"";
	struct pair pairs[6];
	acquire_services(&f, 0, 40);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "s%d", i);
		acquired(identity("east", "few", name), "x");
	}
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "s%d", 3 - i / 2);
		pairs[i].from = identity("east", i % 2 ? "few" : "default", name);
		pairs[i].to = identity("east", i % 2 ? "more" : "other", name);
	}
	hf_transfer_init(&t, &budget);
	t.max_release_percent = 20;
	cr_assert_eq(transfer(&t, pairs, 6), HF_E_MASS_RELEASE_GUARD);
	cr_assert(strstr(t.write.why.text, why), "%s", t.write.why.text);
	hf_transfer_free(&t);
	hf_transfer_init(&t, &budget);
	t.max_release_percent = 20;
	cr_assert_eq(transfer(&t, pairs, 4), HF_OK, "two are few: %s", t.write.why.text);
	hf_transfer_free(&t);
}

Test(transfer, an_epoch_is_of_one_zone) {
	struct hf_zone_connect connection;
	acquired(east("a"), "{}");
	cr_assert_eq(connect_zone(&f, "east", "one", &connection), HF_OK);
	struct hf_transfer t;
	for (int i = 0; i < 3; i++) {
		hf_transfer_init(&t, &budget);
		t.has_epoch = true;
		t.epoch = connection.info.zone.epoch + (i == 1);
		enum hf_err err = transfer(&t, &(struct pair){east("a"), i == 0 ? identity("west", "default", "a") : east("b")}, 1);
		cr_expect_eq(err,
			     i == 0   ? HF_E_INVALID_PARAMETER
			     : i == 1 ? HF_E_STALE_EPOCH
				      : HF_OK,
			     "%d: %s", i, t.write.why.text);
		hf_transfer_free(&t);
	}
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	cr_assert_eq(transfer_one(east("b"), east("c")), HF_OK, "within the zone");
	cr_assert_eq(transfer_one(east("c"), identity("west", "default", "c")), HF_E_ZONE_OFFLINE);
}
