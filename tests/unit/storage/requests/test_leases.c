/* The verbs on one lease, from an empty store to quarantine and back. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(leases, .init = setup, .fini = teardown);

static struct hf_identity service(const char *name) { return identity("east", "default", name); }

static struct hf_meta meta(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	struct hf_meta m = hf_meta_read(f.reader);
	hf_reader_end(f.reader);
	return m;
}

static void put_pool(const char *name, const char *cidrs, const char *reserved) {
	POOL_PUT_REQUEST put = pool_request(name, cidrs, reserved, 3600);
	cr_assert_eq(commit(&f, &put.write), HF_OK, "%s", put.write.why.text);
}

static struct hf_acquire acquired(struct hf_identity id, const char *config) {
	struct hf_acquire request = acquire_request(id, config);
	cr_assert_eq(acquire(&f, &request), HF_OK, "%s", request.write.why.text);
	return request;
}

static struct hf_acquire acquired_in(const char *pool, const char *name) {
	struct hf_acquire request = acquire_request(service(name), "{}");
	snprintf(request.want.pool, sizeof request.want.pool, "%s", pool);
	cr_assert_eq(acquire(&f, &request), HF_OK, "%s", request.write.why.text);
	return request;
}

Test(leases, first_lease_gets_the_first_address) {
	struct hf_acquire a = acquired(service("redis"), "{}");
	cr_assert_eq(a.outcome, HF_CREATED);
	cr_assert_str_eq(vip_text(&a.lease, 0), "241.0.0.0");
	cr_assert_eq(a.lease.generation, 1);
	cr_assert_eq(a.lease.revision, 4, "three pools were written before");
	cr_assert_eq(a.lease.created_ms, f.now_ms);
	cr_assert_eq(a.lease.modified_ms, f.now_ms);
	cr_assert_str_eq(a.lease.pool, "meshservice");
}

Test(leases, a_changed_configuration_keeps_the_vip) {
	struct hf_acquire a = acquired(service("redis"), "one");
	f.now_ms += 5000;
	struct hf_acquire b = acquired(service("redis"), "two");
	cr_assert_eq(b.outcome, HF_UPDATED);
	cr_assert_eq(b.lease.generation, 2);
	cr_assert_eq(b.lease.revision, a.lease.revision + 1);
	cr_assert_eq(b.lease.vips[0].n, a.lease.vips[0].n);
	cr_assert_eq(b.lease.created_ms, a.lease.created_ms);
	cr_assert_eq(b.lease.modified_ms, f.now_ms);
	cr_assert_eq(hf_store_vip_changes(f.store, HF_CAUSE_REQUEST), 0);
}

Test(leases, reacquire_in_quarantine_gives_the_same_vip) {
	struct hf_acquire a = acquired(service("redis"), "one");
	cr_assert_eq(release(&f, service("redis"), false, NULL), HF_OK);
	struct hf_acquire b = acquired(service("other"), "one");
	cr_assert_str_eq(vip_text(&b.lease, 0), "241.0.0.1");
	struct hf_acquire again = acquired(service("redis"), "one");
	cr_assert_eq(again.outcome, HF_RESTORED);
	cr_assert_eq(again.lease.generation, 1);
	cr_assert_eq(again.lease.state, HF_ACTIVE);
	cr_assert_eq(again.lease.quarantined_until_ms, 0);
	cr_assert_eq(again.lease.vips[0].n, a.lease.vips[0].n);
}

Test(leases, restore_with_a_changed_configuration_bumps_the_generation) {
	struct hf_acquire a = acquired(service("redis"), "one");
	cr_assert_eq(release(&f, service("redis"), false, NULL), HF_OK);
	struct hf_acquire again = acquired(service("redis"), "two");
	cr_assert_eq(again.outcome, HF_RESTORED);
	cr_assert_eq(again.lease.generation, 2);
	cr_assert_eq(again.lease.vips[0].n, a.lease.vips[0].n);
}

Test(leases, an_empty_body_states_nothing) {
	struct hf_acquire a = acquired(service("redis"), "");
	cr_assert_eq(a.outcome, HF_CREATED);
	cr_assert_eq(a.lease.fingerprint_version, 0);
	cr_assert_eq(acquired(service("redis"), "").outcome, HF_UNCHANGED);
	struct hf_acquire first = acquired(service("redis"), "one");
	cr_assert_eq(first.outcome, HF_UPDATED);
	cr_assert_eq(first.lease.generation, 2);
	cr_assert_eq(acquired(service("redis"), "").outcome, HF_UNCHANGED);
	cr_assert_eq(release(&f, service("redis"), false, NULL), HF_OK);
	struct hf_acquire back = acquired(service("redis"), "");
	cr_assert_eq(back.outcome, HF_RESTORED);
	cr_assert(hf_digest_equal(&back.lease.fingerprint, &first.lease.fingerprint));
	cr_assert_eq(back.lease.generation, 2);
}

Test(leases, a_free_claim_is_adopted_and_the_cursor_does_not_move) {
	struct hf_acquire a = acquire_request(service("redis"), "{}");
	a.want.claims[a.want.n_claims++] = addr("241.7.7.7");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	cr_assert_eq(a.outcome, HF_ADOPTED);
	cr_assert_str_eq(vip_text(&a.lease, 0), "241.7.7.7");
	struct hf_acquire b = acquired(service("next"), "{}");
	cr_assert_str_eq(vip_text(&b.lease, 0), "241.0.0.0");
}

static const struct {
	const char *name, *claims[3];
	const char *adopted; /* NULL: none of them */
} CLAIMS[] = {
	{"held by another", {"241.0.0.0"}, NULL},
	{"held, then a free one", {"241.0.0.0", "241.9.0.1"}, "241.9.0.1"},
	{"two free ones", {"241.9.0.2", "241.9.0.1"}, "241.9.0.2"},
	{"outside every pool", {"10.0.0.1"}, NULL},
	{"in another pool", {"242.0.0.5"}, NULL},
	{"of a family that the pool has not", {"fd00::1", "241.9.0.3"}, "241.9.0.3"},
	{"in quarantine of another", {"241.0.0.200", "241.0.0.0"}, NULL},
};

Test(leases, a_claim_that_cannot_be_had_is_no_error) {
	struct hf_acquire gone = acquire_request(service("gone"), "{}");
	gone.want.addresses[gone.want.n_addresses++] = addr("241.0.0.200");
	cr_assert_eq(acquire(&f, &gone), HF_OK);
	cr_assert_eq(release(&f, service("gone"), false, NULL), HF_OK);
	acquired(service("first"), "{}");
	for (size_t i = 0; i < sizeof CLAIMS / sizeof *CLAIMS; i++) {
		struct hf_acquire a = acquire_request(service("claimer"), "{}");
		for (int k = 0; k < 3 && CLAIMS[i].claims[k]; k++)
			a.want.claims[a.want.n_claims++] = addr(CLAIMS[i].claims[k]);
		cr_assert_eq(acquire(&f, &a), HF_OK, "%s", CLAIMS[i].name);
		cr_expect_eq(a.outcome, CLAIMS[i].adopted ? HF_ADOPTED : HF_CREATED, "%s", CLAIMS[i].name);
		if (CLAIMS[i].adopted)
			cr_expect_str_eq(vip_text(&a.lease, 0), CLAIMS[i].adopted, "%s", CLAIMS[i].name);
		for (int k = 0; !CLAIMS[i].adopted && k < a.want.n_claims; k++)
			cr_expect_neq(a.lease.vips[0].n, a.want.claims[k].n, "%s", CLAIMS[i].name);
		cr_assert_eq(release(&f, service("claimer"), true, NULL), HF_OK);
	}
}

static const struct {
	const char *name, *pool, *address;
	enum hf_err err;
	const char *why;
} REQUESTS[] = {
	{"free", "", "241.1.2.3", HF_OK, ""},
	{"held", "", "241.0.0.0", HF_E_ADDRESS_TAKEN,
	 "241.0.0.0 is bound to MeshService \"first\" of zone \"east\", mesh \"default\""},
	{"in quarantine", "", "241.0.0.1", HF_E_ADDRESS_TAKEN, "241.0.0.1 is bound to MeshService \"second\""},
	{"outside the pool", "", "10.0.0.1", HF_E_ADDRESS_OUTSIDE_POOL, "10.0.0.1"},
	{"in another pool", "", "242.0.0.1", HF_E_ADDRESS_OUTSIDE_POOL, "242.0.0.1 is not in pool \"meshservice\""},
	{"of a family that the pool has not", "", "fd00::1", HF_E_ADDRESS_OUTSIDE_POOL, "fd00::1"},
	{"reserved", "dual", "10.1.0.1", HF_E_ADDRESS_TAKEN, "10.1.0.1 is reserved in pool \"dual\""},
	{"one of two families", "dual", "10.1.0.9", HF_OK, ""},
	{"a pool that is not there", "absent", "241.1.2.4", HF_E_NO_POOL, "\"absent\""},
};

Test(leases, an_explicit_address_is_had_or_refused_by_name) {
	put_pool("dual", "10.1.0.0/24 fd00:1::/64", "10.1.0.0-10.1.0.3");
	acquired(service("first"), "{}");
	acquired(service("second"), "{}");
	cr_assert_eq(release(&f, service("second"), false, NULL), HF_OK);
	for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++) {
		struct hf_acquire a = acquire_request(service("asker"), "{}");
		snprintf(a.want.pool, sizeof a.want.pool, "%s", REQUESTS[i].pool);
		a.want.addresses[a.want.n_addresses++] = addr(REQUESTS[i].address);
		uint64_t before = meta().revision;
		enum hf_err err = acquire(&f, &a);
		cr_expect_eq(err, REQUESTS[i].err, "%s: %s, %s", REQUESTS[i].name, hf_err_slug(err), a.write.why.text);
		cr_expect(strstr(a.write.why.text, REQUESTS[i].why), "%s: says \"%s\"", REQUESTS[i].name, a.write.why.text);
		if (err) {
			cr_expect_eq(meta().revision, before, "%s: a refusal wrote", REQUESTS[i].name);
			continue;
		}
		cr_expect_eq(a.outcome, HF_CREATED, "%s", REQUESTS[i].name);
		cr_expect_str_eq(vip_text(&a.lease, 0), REQUESTS[i].address, "%s", REQUESTS[i].name);
		cr_assert_eq(release(&f, service("asker"), true, NULL), HF_OK);
	}
}

Test(leases, a_lease_in_the_way_is_not_moved) {
	struct hf_acquire a = acquired(service("redis"), "{}");
	struct hf_acquire pool = acquire_request(service("redis"), "{}"), address = pool;
	snprintf(pool.want.pool, sizeof pool.want.pool, "meshexternalservice");
	cr_assert_eq(acquire(&f, &pool), HF_E_LEASE_EXISTS);
	cr_assert(strstr(pool.write.why.text, "meshexternalservice"));
	address.want.addresses[address.want.n_addresses++] = addr("241.0.0.5");
	cr_assert_eq(acquire(&f, &address), HF_E_LEASE_EXISTS);
	cr_assert(strstr(address.write.why.text, "241.0.0.5"));
	cr_assert_eq(acquired(service("redis"), "{}").outcome, HF_UNCHANGED);
	cr_assert_eq(meta().revision, a.lease.revision);
}

Test(leases, release_is_idempotent) {
	struct hf_lease first, second;
	acquired(service("redis"), "{}");
	cr_assert_eq(release(&f, service("redis"), false, &first), HF_OK);
	cr_assert_eq(first.state, HF_QUARANTINED);
	cr_assert_eq(first.quarantined_until_ms, f.now_ms + 3600 * 1000);
	f.now_ms += 1000;
	cr_assert_eq(release(&f, service("redis"), false, &second), HF_OK);
	cr_assert_eq(second.quarantined_until_ms, first.quarantined_until_ms, "repeating it does not prolong it");
	cr_assert_eq(second.revision, first.revision);
	cr_assert_eq(meta().revision, first.revision);
	cr_assert_eq(release(&f, service("never"), false, NULL), HF_E_NOT_FOUND);
}

Test(leases, purge_frees_the_address_at_once) {
	for (int quarantined = 0; quarantined <= 1; quarantined++) {
		struct hf_acquire a = acquired(service("redis"), "{}");
		struct hf_lease was;
		if (quarantined)
			cr_assert_eq(release(&f, service("redis"), false, NULL), HF_OK);
		cr_assert_eq(release(&f, service("redis"), true, &was), HF_OK);
		cr_assert_eq(was.vips[0].n, a.lease.vips[0].n);
		cr_assert_eq(release(&f, service("redis"), true, NULL), HF_E_NOT_FOUND);
		struct hf_acquire taker = acquire_request(service("taker"), "{}");
		taker.want.addresses[taker.want.n_addresses++] = a.lease.vips[0];
		cr_assert_eq(acquire(&f, &taker), HF_OK, "%s", taker.write.why.text);
		cr_assert_eq(release(&f, service("taker"), true, NULL), HF_OK);
	}
}

Test(leases, a_dual_stack_lease_gets_all_its_families_or_none) {
	put_pool("dual", "10.1.0.0/31 fd00:1::/64", "");
	struct hf_acquire a = acquired_in("dual", "a");
	cr_assert_eq(a.lease.n_vips, 2);
	cr_assert_str_eq(vip_text(&a.lease, 0), "10.1.0.0");
	cr_assert_str_eq(vip_text(&a.lease, 1), "fd00:1::");
	acquired_in("dual", "b");
	struct hf_acquire c = acquire_request(service("c"), "{}");
	snprintf(c.want.pool, sizeof c.want.pool, "dual");
	cr_assert_eq(acquire(&f, &c), HF_E_POOL_EXHAUSTED);
	cr_assert(strstr(c.write.why.text, "IPv4"), "%s", c.write.why.text);
	HF_POOL pool = {.id = 0};
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_pool_read(f.reader, "dual", NULL, &pool), HF_OK);
	hf_reader_end(f.reader);
	cr_assert_eq(pool.count[HF_IPV6].leased, 2, "a refused lease kept an IPv6 address");
	cr_assert_str_eq((vip_text(&(struct hf_lease){.vips = {pool.count[HF_IPV6].cursor}}, 0)), "fd00:1::2");
}

Test(leases, exhaustion_never_takes_from_quarantine) {
	put_pool("tiny", "10.1.0.0/31", "");
	struct hf_acquire a = acquired_in("tiny", "a");
	acquired_in("tiny", "b");
	cr_assert_eq(release(&f, service("a"), false, NULL), HF_OK);
	struct hf_acquire c = acquire_request(service("c"), "{}");
	snprintf(c.want.pool, sizeof c.want.pool, "tiny");
	cr_assert_eq(acquire(&f, &c), HF_E_POOL_EXHAUSTED);
	struct hf_acquire back = acquired(service("a"), "{}");
	cr_assert_eq(back.outcome, HF_RESTORED);
	cr_assert_eq(back.lease.vips[0].n, a.lease.vips[0].n);
}
