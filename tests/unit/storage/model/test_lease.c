/* The lease's record, its entity tag and its share of the digests. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/support.h"

static void expect_equal(const struct hf_lease *a, const struct hf_lease *b, const char *name) {
	cr_expect(strcmp(a->id.zone, b->id.zone) == 0 && strcmp(a->id.mesh, b->id.mesh) == 0 && a->id.kind == b->id.kind &&
			  strcmp(a->id.service, b->id.service) == 0,
		  "%s: identity", name);
	cr_expect_str_eq(a->pool, b->pool, "%s", name);
	cr_expect_str_eq(a->version, b->version, "%s", name);
	cr_expect(a->state == b->state && a->n_vips == b->n_vips && a->vips[0].n == b->vips[0].n, "%s: state, vips", name);
	cr_expect(a->n_vips < 2 || a->vips[1].n == b->vips[1].n, "%s: second vip", name);
	cr_expect(a->generation == b->generation && a->revision == b->revision, "%s: numbers", name);
	cr_expect(a->fingerprint_version == b->fingerprint_version && hf_digest_equal(&a->fingerprint, &b->fingerprint) &&
			  hf_digest_equal(&a->raw, &b->raw),
		  "%s: digests", name);
	cr_expect(a->created_ms == b->created_ms && a->modified_ms == b->modified_ms &&
			  a->quarantined_until_ms == b->quarantined_until_ms,
		  "%s: times", name);
}

static bool roundtrip(const struct hf_lease *lease, struct hf_lease *ret) {
	uint8_t buffer[HF_LEASE_RECORD_MAX];
	struct hf_key key;
	hf_identity_encode(&lease->id, &key);
	struct hf_slice value = hf_lease_encode(lease, buffer);
	cr_assert_leq(value.len, HF_LEASE_RECORD_MAX);
	return hf_lease_decode((struct hf_slice){key.bytes, key.len}, value, ret);
}

Test(lease, what_is_encoded_is_decoded) {
	struct hf_lease full = sample_lease(), bare = sample_lease(), longest = sample_lease(), back;
	bare.state = HF_ACTIVE;
	bare.n_vips = 1;
	bare.version[0] = '\0';
	bare.fingerprint_version = 0;
	bare.fingerprint = bare.raw = (struct hf_digest){{0}};
	bare.quarantined_until_ms = 0;
	memset(longest.pool, 'p', HF_NAME_MAX);
	memset(longest.version, 'v', HF_VERSION_MAX);
	longest.generation = longest.revision = UINT64_MAX;
	longest.created_ms = -1;
	cr_assert(roundtrip(&full, &back));
	expect_equal(&full, &back, "full");
	cr_assert(roundtrip(&bare, &back));
	expect_equal(&bare, &back, "bare");
	cr_assert(roundtrip(&longest, &back));
	expect_equal(&longest, &back, "longest");
}

Test(lease, a_record_cut_anywhere_is_not_decoded) {
	uint8_t buffer[HF_LEASE_RECORD_MAX];
	struct hf_lease lease = sample_lease(), back;
	struct hf_key key;
	hf_identity_encode(&lease.id, &key);
	struct hf_slice k = {key.bytes, key.len}, value = hf_lease_encode(&lease, buffer);
	for (size_t len = 0; len < value.len; len++)
		cr_expect(!hf_lease_decode(k, (struct hf_slice){buffer, len}, &back), "cut at %zu", len);
	buffer[value.len] = 0;
	cr_expect(!hf_lease_decode(k, (struct hf_slice){buffer, value.len + 1}, &back), "a byte too many");
	cr_expect(!hf_lease_decode((struct hf_slice){"east", 4}, value, &back), "a damaged key");
}

static const struct {
	const char *name;
	size_t at;
	uint8_t byte;
} DAMAGES[] = {
	{"record version 0", 0, 0},
	{"a newer record", 0, 2},
	{"state 0", 1, 0},
	{"state 4", 1, 4},
	{"no address", 3, 0},
	{"three addresses", 3, 3},
	{"fewer addresses", 3, 1},
	{"a pool's name too long", 140, 64},
	{"a pool's name too short", 140, 3},
};

Test(lease, a_damaged_or_newer_record_is_not_decoded) {
	uint8_t buffer[HF_LEASE_RECORD_MAX];
	struct hf_lease lease = sample_lease(), back;
	struct hf_key key;
	hf_identity_encode(&lease.id, &key);
	for (size_t i = 0; i < sizeof DAMAGES / sizeof *DAMAGES; i++) {
		struct hf_slice value = hf_lease_encode(&lease, buffer);
		cr_assert_eq(buffer[140], 4, "the length of \"blue\"");
		buffer[DAMAGES[i].at] = DAMAGES[i].byte;
		cr_expect(!hf_lease_decode((struct hf_slice){key.bytes, key.len}, value, &back), "%s", DAMAGES[i].name);
	}
}

static const struct {
	const char *name;
	uint64_t revision;
	const char *version, *etag;
} ETAGS[] = {
	{"no version", 17, "", "\"17\""},
	{"a version", 17, "abc", "\"17-ba7816bf\""}, /* SHA-256("abc") */
	{"the largest", UINT64_MAX, "abc", "\"18446744073709551615-ba7816bf\""},
};

Test(lease, the_entity_tag_is_revision_and_version_hash) {
	for (size_t i = 0; i < sizeof ETAGS / sizeof *ETAGS; i++) {
		struct hf_lease lease = {.revision = ETAGS[i].revision};
		char tag[HF_ETAG_TEXT];
		strcpy(lease.version, ETAGS[i].version);
		hf_lease_etag(&lease, tag);
		cr_expect_str_eq(tag, ETAGS[i].etag, "%s: %s", ETAGS[i].name, tag);
	}
}

Test(lease, its_digest_is_of_identity_and_fingerprint_alone) {
	struct hf_lease lease = sample_lease(), other = sample_lease();
	uint8_t text[] = "east\0default\0\1redis\0................................";
	memcpy(text + 20, lease.fingerprint.bytes, HF_DIGEST_BYTES);
	struct hf_digest digest = hf_lease_digest(&lease), want = hf_digest_of(text, 20 + HF_DIGEST_BYTES), again;
	cr_assert(hf_digest_equal(&digest, &want));
	other.revision = 99;
	other.vips[0].n++;
	other.version[0] = '\0';
	again = hf_lease_digest(&other);
	cr_assert(hf_digest_equal(&digest, &again));
	other.id.kind = HF_MESH_EXTERNAL_SERVICE;
	again = hf_lease_digest(&other);
	cr_assert(!hf_digest_equal(&digest, &again));
}

Test(lease, its_address_of_a_family_is_found) {
	struct hf_lease lease = sample_lease();
	struct hf_addr a;
	cr_assert(hf_lease_vip(&lease, HF_IPV4, &a) && a.n == addr("241.0.0.7").n);
	cr_assert(hf_lease_vip(&lease, HF_IPV6, &a) && a.n == addr("fd00::7").n);
	lease.n_vips = 1;
	cr_assert(!hf_lease_vip(&lease, HF_IPV6, &a));
}
