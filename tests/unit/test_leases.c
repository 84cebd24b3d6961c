/* The verbs on one lease, from an empty store to quarantine and back. */
#include <criterion/criterion.h>

#include "support.h"

Test(leases, first_lease_gets_the_first_address) {
	struct fixture f;
	fixture_dir(&f);
	fixture_open(&f);
	struct hf_acquire a = acquire_request(identity("east", "default", "redis"), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK, "%s", a.write.why.text);
	cr_assert_eq(a.outcome, HF_CREATED);
	cr_assert_str_eq(vip_text(&a.lease, 0), "241.0.0.0");
	fixture_remove(&f);
}

Test(leases, reacquire_in_quarantine_gives_the_same_vip) {
	struct fixture f;
	fixture_dir(&f);
	fixture_open(&f);
	struct hf_identity id = identity("east", "default", "redis");
	struct hf_acquire a = acquire_request(id, "one"), b = acquire_request(identity("east", "default", "other"), "one");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	cr_assert_eq(release(&f, id, false, NULL), HF_OK);
	cr_assert_eq(acquire(&f, &b), HF_OK);
	cr_assert_str_eq(vip_text(&b.lease, 0), "241.0.0.1");
	struct hf_acquire again = acquire_request(id, "one");
	cr_assert_eq(acquire(&f, &again), HF_OK);
	cr_assert_eq(again.outcome, HF_RESTORED);
	cr_assert_eq(again.lease.generation, 1);
	cr_assert_eq(again.lease.vips[0].n, a.lease.vips[0].n);
	fixture_remove(&f);
}
