/* storage/FORMAT.md's examples of records with previous addresses. */
#include <criterion/criterion.h>
#include <string.h>

#include "storage/model/change.h"
#include "tests/unit/format_support.h"

#define T0 1700000000000
#define T1 (T0 + 1000)
#define UNTIL (T1 + 3600000)

static struct hf_lease moved_lease(void) {
	return (struct hf_lease){.id = identity("east", "default", "redis"),
				 .pool = "blue",
				 .state = HF_ACTIVE,
				 .n_vips = 1,
				 .vips = {addr("241.0.0.7")},
				 .generation = 1,
				 .revision = 20,
				 .created_ms = T0,
				 .modified_ms = T1,
				 .n_previous = 2,
				 .previous = {{addr("241.0.0.5"), UNTIL, 3600}, {addr("241.0.0.6"), UNTIL + 1, 7}}};
}

static bool same_previous(const struct hf_previous *a, const struct hf_previous *b) {
	return a->address.n == b->address.n && a->until_ms == b->until_ms && a->overlap_seconds == b->overlap_seconds;
}

Test(format_previous, leases) {
	uint8_t buffer[HF_LEASE_RECORD_MAX], key_bytes[VECTOR_MAX], value_bytes[VECTOR_MAX];
	struct hf_lease lease = moved_lease(), back;
	struct hf_key key;
	hf_identity_encode(&lease.id, &key);
	expect_bytes("leases moved key", (struct hf_slice){key.bytes, key.len});
	expect_bytes("leases moved value", hf_lease_encode(&lease, buffer));
	struct hf_slice at = vector("leases moved key", key_bytes), value = vector("leases moved value", value_bytes);
	cr_assert(hf_lease_decode(at, value, &back));
	cr_expect(back.n_vips == 1 && back.vips[0].n == lease.vips[0].n && back.n_previous == 2);
	cr_expect(same_previous(&back.previous[0], &lease.previous[0]) && same_previous(&back.previous[1], &lease.previous[1]));
	for (size_t len = 0; len < value.len; len++)
		cr_expect(!hf_lease_decode(at, (struct hf_slice){value.data, len}, &back), "cut at %zu", len);
	value_bytes[0] = 1; /* version 1 ends before them */
	cr_expect(!hf_lease_decode(at, value, &back));
	value_bytes[0] = 3;
	cr_expect(!hf_lease_decode(at, value, &back), "an unknown version is damage");
}

Test(format_previous, a_lease_without_any_is_of_version_1) {
	uint8_t buffer[HF_LEASE_RECORD_MAX], key_bytes[VECTOR_MAX];
	struct hf_lease lease = moved_lease(), back;
	lease.n_previous = 0;
	struct hf_slice value = hf_lease_encode(&lease, buffer);
	cr_expect_eq(buffer[0], 1);
	cr_assert(hf_lease_decode(vector("leases moved key", key_bytes), value, &back));
	cr_expect_eq(back.n_previous, 0);
	buffer[0] = 2; /* which has at least one, in a number that is missing here */
	cr_expect(!hf_lease_decode(vector("leases moved key", key_bytes), value, &back));
}

Test(format_previous, changes) {
	uint8_t record[HF_CHANGE_RECORD_MAX], key_bytes[VECTOR_MAX], value_bytes[VECTOR_MAX], change_key[HF_CHANGE_KEY_BYTES];
	struct hf_lease lease = moved_lease();
	struct hf_change back, change = {.type = HF_CHANGE_MOVED,
					 .cause = HF_CAUSE_ADMIN,
					 .at_ms = T1,
					 .pool = "blue",
					 .has_lease = true,
					 .id = lease.id,
					 .generation = 1,
					 .n_vips = 1,
					 .vips = {lease.vips[0]},
					 .n_previous = 1,
					 .previous = {lease.previous[0]}};
	expect_bytes("changes moved key", hf_change_key(20, change_key));
	expect_bytes("changes moved value", hf_change_encode(&change, record));
	struct hf_slice key = vector("changes moved key", key_bytes), value = vector("changes moved value", value_bytes);
	cr_assert(hf_change_decode(key, value, &back));
	cr_expect(back.revision == 20 && back.type == HF_CHANGE_MOVED && back.cause == HF_CAUSE_ADMIN && back.by[0] == '\0');
	cr_expect(back.n_vips == 1 && back.vips[0].n == lease.vips[0].n && hf_identity_equal(&back.id, &lease.id));
	cr_expect(back.n_previous == 1 && back.previous[0].address.n == lease.previous[0].address.n);
	cr_expect_eq(back.previous[0].until_ms, UNTIL);
	for (size_t len = 0; len < value.len - strlen("redis") + 1; len++)
		cr_expect(!hf_change_decode(key, (struct hf_slice){value.data, len}, &back), "cut at %zu", len);
	value_bytes[0] = 4;
	cr_expect(!hf_change_decode(key, value, &back), "an unknown version is damage");
}

Test(format_previous, the_longest_records_fit) {
	uint8_t key_bytes[HF_CHANGE_KEY_BYTES], record[HF_CHANGE_RECORD_MAX], lease_record[HF_LEASE_RECORD_MAX];
	struct hf_lease lease = moved_lease(), lease_back;
	struct hf_change back, change = {.type = HF_CHANGE_TRANSFERRED, .cause = HF_CAUSE_REQUEST, .has_lease = true, .n_vips = 2};
	memset(lease.pool, 'p', HF_NAME_MAX);
	memset(lease.version, 'v', HF_VERSION_MAX);
	memset(lease.id.zone, 'z', HF_NAME_MAX);
	memset(lease.id.mesh, 'm', HF_NAME_MAX);
	memset(lease.id.service, 's', HF_SERVICE_MAX);
	lease.n_vips = 2;
	lease.vips[1] = addr("fd00::7");
	lease.n_previous = change.n_previous = HF_PREVIOUS_MAX;
	for (int i = 0; i < HF_PREVIOUS_MAX; i++)
		change.previous[i] = lease.previous[i] = (struct hf_previous){addr("fd00::8"), UNTIL, HF_OVERLAP_MAX_SECONDS};
	memset(change.by, 'b', HF_BY_MAX);
	memcpy(change.pool, lease.pool, sizeof change.pool);
	change.id = change.from = lease.id;
	struct hf_slice value = hf_change_encode(&change, record);
	cr_assert_leq(value.len, sizeof record);
	cr_assert(hf_change_decode(hf_change_key(7, key_bytes), value, &back));
	cr_expect(back.n_previous == HF_PREVIOUS_MAX && hf_identity_equal(&back.from, &lease.id));
	struct hf_key key;
	hf_identity_encode(&lease.id, &key);
	value = hf_lease_encode(&lease, lease_record);
	cr_assert_leq(value.len, sizeof lease_record);
	cr_assert(hf_lease_decode((struct hf_slice){key.bytes, key.len}, value, &lease_back));
	cr_expect_eq(lease_back.n_previous, HF_PREVIOUS_MAX);
	for (int count = 0; count < 256; count++) { /* each has 28 bytes, which are not there, or are too many */
		lease_record[value.len - HF_PREVIOUS_MAX * 28 - 1] = (uint8_t)count;
		cr_expect_eq(hf_lease_decode((struct hf_slice){key.bytes, key.len}, value, &lease_back), count == HF_PREVIOUS_MAX);
	}
}
