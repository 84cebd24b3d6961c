/* Moves: a lease goes to another address, and keeps the old one for the overlap. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/requests/address_query.h"
#include "storage/requests/lease_query.h"
#include "storage/requests/move.h"
#include "storage/store/upkeep.h"
#include "storage/tables/change_table.h"
#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) {
	fixture_new(&f);
	struct hf_pool_put blue = pool_request("blue", "10.0.0.0/24 fd00::/64", "10.0.0.0-10.0.0.3", 60);
	struct hf_pool_put red = pool_request("red", "10.1.0.0/30", "", 60);
	cr_assert_eq(commit(&f, &blue.write), HF_OK);
	cr_assert_eq(commit(&f, &red.write), HF_OK);
	hf_pool_put_end(&blue);
	hf_pool_put_end(&red);
}

static void teardown(void) {
	verify_clean(&f, "at the end");
	fixture_remove(&f);
}

TestSuite(move, .init = setup, .fini = teardown);

static struct hf_lease acquired(const char *name, const char *pool) {
	struct hf_acquire request = acquire_request(identity("east", "default", name), "{}");
	snprintf(request.want.pool, sizeof request.want.pool, "%s", pool);
	cr_assert_eq(acquire(&f, &request), HF_OK, "%s", request.write.why.text);
	return request.lease;
}

static struct hf_move move_request(const char *name, const char *pool, const char *address, uint32_t overlap_seconds) {
	struct hf_move request = {.want = {.id = identity("east", "default", name), .overlap_seconds = overlap_seconds}};
	snprintf(request.want.pool, sizeof request.want.pool, "%s", pool);
	if (*address)
		request.want.addresses[request.want.n_addresses++] = addr(address);
	return request;
}

/* Peeks, and commits what is to be written; both judge alike. */
static enum hf_err move(struct hf_move *request) {
	enum hf_peek peek = HF_PEEK_WRITE;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	enum hf_err err = hf_move_peek(f.reader, request, &request->write.why, &peek);
	hf_reader_end(f.reader);
	if (err || peek == HF_PEEK_DONE)
		return err;
	hf_move_begin(request);
	return commit(&f, &request->write);
}

static struct hf_lease moved(const char *name, const char *pool, const char *address, uint32_t overlap_seconds) {
	struct hf_move request = move_request(name, pool, address, overlap_seconds);
	cr_assert_eq(move(&request), HF_OK, "%s", request.write.why.text);
	return request.lease;
}

static struct hf_address_info look_up(const char *address) {
	struct hf_address_info info;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_address_read(f.reader, addr(address), NULL, &info), HF_OK);
	hf_reader_end(f.reader);
	return info;
}

static struct hf_lease lease_of(const char *name) {
	struct hf_identity id = identity("east", "default", name);
	struct hf_lease lease;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_lease_get(f.reader, &id, NULL, &lease), HF_OK);
	hf_reader_end(f.reader);
	return lease;
}

/* Its counters alone. */
static struct hf_pool pool_now(const char *name) {
	struct hf_pool pool;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_pool_read(f.reader, name, NULL, &pool), HF_OK);
	hf_reader_end(f.reader);
	hf_pool_drop(&pool);
	return pool;
}

static uint64_t revision(void) { return hf_store_meta(f.store)->revision; }

static void pass(int seconds) {
	f.now_ms += seconds * 1000;
	f.monotonic_ms += seconds * 1000;
	cr_assert_eq(hf_upkeep_run(f.store, NULL), HF_OK);
}

static void keep(void *context, const struct hf_change *change) { *(struct hf_change *)context = *change; }

static struct hf_change last_change(void) {
	struct hf_feed_query query = {.since = revision() - 1, .limit = 1};
	struct hf_feed_page page;
	struct hf_change change;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_feed_read(f.reader, &query, keep, &change, NULL, &page), HF_OK);
	hf_reader_end(f.reader);
	return change;
}

Test(move, the_old_address_stays_bound_for_the_overlap) {
	acquired("a", "red");
	f.now_ms += 1000;
	f.monotonic_ms += 1000;
	struct hf_lease lease = moved("a", "red", "10.1.0.3", 30);
	cr_assert_str_eq(vip_text(&lease, 0), "10.1.0.3");
	cr_assert_eq(lease.generation, 1);
	cr_assert_eq(lease.n_previous, 1);
	cr_assert_eq(lease.previous[0].address.n, addr("10.1.0.0").n);
	cr_assert_eq(lease.previous[0].until_ms, f.now_ms + 30000);
	struct hf_change change = last_change();
	cr_assert(change.type == HF_CHANGE_MOVED && change.cause == HF_CAUSE_ADMIN && change.vips[0].n == addr("10.1.0.3").n);
	cr_assert_eq(hf_store_vip_changes(f.store, HF_CAUSE_ADMIN), 1);
	struct hf_address_info info = look_up("10.1.0.0");
	cr_assert(info.state == HF_ADDRESS_LEASED && hf_identity_equal(&info.lease.id, &lease.id));
	cr_assert_eq(pool_now("red").count[HF_IPV4].leased, 2);
	cr_assert_eq(pool_now("red").count[HF_IPV4].previous, 1);
	verify_clean(&f, "within the overlap");
	pass(29);
	cr_assert_eq(lease_of("a").n_previous, 1);
	pass(1);
	lease = lease_of("a");
	cr_assert(lease.n_previous == 0 && lease.revision == revision());
	change = last_change();
	cr_assert(change.type == HF_CHANGE_UPDATED && change.cause == HF_CAUSE_DEADLINE);
	cr_assert_eq(look_up("10.1.0.0").state, HF_ADDRESS_FREE);
	cr_assert_eq(pool_now("red").count[HF_IPV4].leased, 1);
	cr_assert_eq(hf_store_vip_changes(f.store, HF_CAUSE_DEADLINE), 0, "the end of an overlap moves nothing");
}

Test(move, without_an_overlap_the_old_address_is_free_at_once) {
	acquired("a", "red");
	struct hf_lease lease = moved("a", "", "", 0);
	cr_assert_str_eq(vip_text(&lease, 0), "10.1.0.1");
	cr_assert_eq(lease.n_previous, 0);
	cr_assert_eq(look_up("10.1.0.0").state, HF_ADDRESS_FREE);
}

Test(move, to_another_pool_it_gets_all_of_its_families) {
	acquired("a", "red");
	struct hf_lease lease = moved("a", "blue", "", 30);
	cr_assert_str_eq(lease.pool, "blue");
	cr_assert_str_eq(look_up("10.1.0.0").pool, "red");
	cr_assert_eq(lease.n_vips, 2);
	cr_assert_str_eq(vip_text(&lease, 0), "10.0.0.4");
	cr_assert_str_eq(vip_text(&lease, 1), "fd00::");
	cr_assert_eq(pool_now("red").active, 0);
	cr_assert_eq(pool_now("red").count[HF_IPV4].previous, 1);
	struct hf_pool_delete drop = {.name = "red"};
	hf_pool_delete_begin(&drop);
	cr_assert_eq(commit(&f, &drop.write), HF_E_POOL_IN_USE, "a previous address lies in it");
	uint64_t before = revision();
	moved("a", "blue", "", 30);
	cr_assert_eq(revision(), before, "it is there already: nothing is written");
	pass(30);
	hf_pool_delete_begin(&drop);
	cr_assert_eq(commit(&f, &drop.write), HF_OK, "%s", drop.write.why.text);
	hf_pool_delete_end(&drop);
}

Test(move, an_address_of_one_family_leaves_the_other) {
	acquired("a", "blue");
	struct hf_lease lease = moved("a", "", "fd00::7", 10);
	cr_assert_str_eq(vip_text(&lease, 0), "10.0.0.4");
	cr_assert_str_eq(vip_text(&lease, 1), "fd00::7");
	cr_assert_eq(lease.n_previous, 1);
	cr_assert_eq(lease.previous[0].address.n, addr("fd00::").n);
}

Test(move, back_to_a_previous_address_swaps_them) {
	acquired("a", "red");
	moved("a", "", "10.1.0.2", 30);
	struct hf_lease lease = moved("a", "", "10.1.0.0", 60);
	cr_assert_str_eq(vip_text(&lease, 0), "10.1.0.0");
	cr_assert_eq(lease.n_previous, 1);
	cr_assert_eq(lease.previous[0].address.n, addr("10.1.0.2").n);
	verify_clean(&f, "after it moved back");
	pass(60);
	cr_assert_eq(look_up("10.1.0.2").state, HF_ADDRESS_FREE);
	cr_assert_eq(look_up("10.1.0.0").state, HF_ADDRESS_LEASED);
}

Test(move, what_cannot_be_had_is_refused) {
	acquired("a", "red");
	acquired("b", "red");
	acquired("c", "red");
	acquired("d", "blue");
	release(&f, identity("east", "default", "c"), false, &(struct hf_lease){0});
	static const struct {
		const char *name, *service, *pool, *address;
		enum hf_err err;
	} cases[] = {
		{"held", "a", "", "10.1.0.1", HF_E_ADDRESS_TAKEN},
		{"in quarantine", "a", "", "10.1.0.2", HF_E_ADDRESS_TAKEN},
		{"reserved", "d", "", "10.0.0.1", HF_E_ADDRESS_TAKEN},
		{"in no pool", "a", "", "192.0.2.1", HF_E_ADDRESS_OUTSIDE_POOL},
		{"in another pool than the one named", "a", "red", "10.0.0.9", HF_E_ADDRESS_OUTSIDE_POOL},
		{"of a family that the pool lacks", "a", "red", "fd00::1", HF_E_ADDRESS_OUTSIDE_POOL},
		{"an unknown pool", "a", "green", "", HF_E_NO_POOL},
		{"no lease", "z", "", "", HF_E_NOT_FOUND},
		{"a lease in quarantine", "c", "", "", HF_E_LEASE_EXISTS},
	};
	uint64_t before = revision();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hf_move request = move_request(cases[i].service, cases[i].pool, cases[i].address, 10);
		cr_expect_eq(move(&request), cases[i].err, "%s: %s", cases[i].name, request.write.why.text);
	}
	cr_assert_eq(revision(), before);
	moved("a", "", "", 600);
	struct hf_move full = move_request("a", "", "", 600);
	cr_assert_eq(move(&full), HF_E_POOL_EXHAUSTED, "two of its four addresses are its own");
}

Test(move, an_offline_zone_holds_what_it_has) {
	acquired("a", "red");
	cr_assert_eq(connect_zone(&f, "east", "one", &(struct hf_zone_connect){0}), HF_OK);
	moved("a", "", "10.1.0.1", 30);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	struct hf_move request = move_request("a", "", "10.1.0.2", 30);
	cr_assert_eq(move(&request), HF_E_ZONE_OFFLINE);
	pass(3600);
	cr_assert_eq(lease_of("a").n_previous, 1, "an overlap does not end while the zone is away");
	cr_assert_eq(connect_zone(&f, "east", "two", &(struct hf_zone_connect){0}), HF_OK);
	pass(29);
	cr_assert_eq(lease_of("a").n_previous, 1, "nor within its length after the zone came back");
	pass(31);
	cr_assert_eq(lease_of("a").n_previous, 0);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	request.want.force = true;
	cr_assert_eq(move(&request), HF_OK, "%s", request.write.why.text);
}

Test(move, a_release_keeps_previous_addresses_until_the_quarantine_ends) {
	struct hf_lease lease;
	acquired("a", "red");
	moved("a", "", "10.1.0.1", 600);
	cr_assert_eq(release(&f, identity("east", "default", "a"), false, &lease), HF_OK);
	cr_assert_eq(lease.quarantined_until_ms, f.now_ms + 600000, "not before the overlap ends");
	verify_clean(&f, "in quarantine");
	cr_assert_eq(look_up("10.1.0.0").state, HF_ADDRESS_QUARANTINED);
	struct hf_acquire again = acquire_request(identity("east", "default", "a"), "{}");
	cr_assert_eq(acquire(&f, &again), HF_OK);
	cr_assert(again.outcome == HF_RESTORED && again.lease.n_previous == 1);
	cr_assert_eq(release(&f, identity("east", "default", "a"), true, &lease), HF_OK);
	cr_assert_eq(look_up("10.1.0.0").state, HF_ADDRESS_FREE, "a purge frees all");
}

Test(move, a_lease_has_so_many_previous_addresses_and_no_more) {
	acquired("a", "blue");
	char address[32];
	for (int i = 0; i < HF_PREVIOUS_MAX; i++) {
		snprintf(address, sizeof address, "10.0.0.%d", 10 + i);
		moved("a", "", address, 600);
	}
	struct hf_move request = move_request("a", "", "10.0.0.100", 600);
	cr_assert_eq(move(&request), HF_E_LEASE_EXISTS);
	request = move_request("a", "", "10.0.0.100", 0);
	cr_assert_eq(move(&request), HF_OK, "without an overlap nothing is added");
	cr_assert_eq(request.lease.n_previous, HF_PREVIOUS_MAX);
}

Test(move, conditions_are_judged_first) {
	struct hf_lease lease = acquired("a", "red");
	struct hf_move request = move_request("a", "", "", 0);
	request.want.guard.if_match = (struct hf_condition){.stated = true, .n = 1, .tags = {"\"1\""}};
	cr_assert_eq(move(&request), HF_E_PRECONDITION_FAILED);
	hf_lease_etag(&lease, request.want.guard.if_match.tags[0]);
	cr_assert_eq(move(&request), HF_OK, "%s", request.write.why.text);
	cr_assert_eq(move(&request), HF_E_PRECONDITION_FAILED, "the same request again");
}

Test(move, out_of_a_pool_that_changed_its_family_it_gets_the_new_one) {
	acquired("a", "red");
	struct hf_pool_put six = pool_request("red", "fd01::/64", "", 60);
	six.drain = true;
	cr_assert_eq(commit(&f, &six.write), HF_OK, "%s", six.write.why.text);
	hf_pool_put_end(&six);
	struct hf_lease lease = moved("a", "", "", 30);
	cr_assert_eq(lease.n_vips, 1);
	cr_assert_str_eq(vip_text(&lease, 0), "fd01::");
	cr_assert_eq(lease.n_previous, 1);
	verify_clean(&f, "within the overlap");
	pass(30);
	cr_assert_eq(lease_of("a").n_previous, 0);
	cr_assert_eq(pool_now("red").count[HF_IPV4].overlaid_draining, 0);
}

Test(move, out_of_a_pool_that_lost_one_family_it_keeps_the_other) {
	acquired("a", "blue");
	struct hf_pool_put four = pool_request("blue", "10.0.0.0/24", "10.0.0.0-10.0.0.3", 60);
	four.drain = true;
	cr_assert_eq(commit(&f, &four.write), HF_OK, "%s", four.write.why.text);
	hf_pool_put_end(&four);
	struct hf_lease lease = moved("a", "", "", 30);
	cr_assert_eq(lease.n_vips, 1);
	cr_assert_str_eq(vip_text(&lease, 0), "10.0.0.5");
	cr_assert_eq(lease.n_previous, 2);
}

Test(move, a_quarantine_that_waits_for_an_overlap_waits_after_the_zone_came_back_too) {
	struct hf_lease lease;
	acquired("a", "red");
	cr_assert_eq(connect_zone(&f, "east", "one", &(struct hf_zone_connect){0}), HF_OK);
	moved("a", "", "10.1.0.1", 600);
	cr_assert_eq(release(&f, identity("east", "default", "a"), false, &lease), HF_OK);
	cr_assert_eq(disconnect_zone(&f, "east"), HF_OK);
	pass(3600);
	cr_assert_eq(connect_zone(&f, "east", "two", &(struct hf_zone_connect){0}), HF_OK);
	pass(599);
	cr_assert_eq(look_up("10.1.0.0").state, HF_ADDRESS_QUARANTINED, "the overlap lasts as for an active lease");
	pass(1);
	cr_assert_eq(look_up("10.1.0.0").state, HF_ADDRESS_FREE);
	cr_assert_eq(look_up("10.1.0.1").state, HF_ADDRESS_FREE);
}
