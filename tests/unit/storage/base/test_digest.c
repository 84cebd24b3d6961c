/* SHA-256 as bytes and as text. */
#include <criterion/criterion.h>
#include <string.h>

#include "storage/base/digest.h"

/* FIPS 180-4's examples. */
static const struct {
	const char *name, *data, *text;
} VECTORS[] = {
	{"nothing", "", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

Test(digest, digests_are_sha256) {
	for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
		struct hf_digest digest = hf_digest_of(VECTORS[i].data, strlen(VECTORS[i].data)), back;
		char text[HF_DIGEST_TEXT];
		hf_digest_format(&digest, text);
		cr_expect_str_eq(text, VECTORS[i].text, "%s", VECTORS[i].name);
		cr_expect(hf_digest_parse(text, &back) && hf_digest_equal(&digest, &back), "%s", VECTORS[i].name);
	}
}

/* Short ones are put together first, long ones hashed in two steps. */
Test(digest, two_pieces_have_the_digest_of_the_whole) {
	static char text[16384];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 31 + i / 256);
	for (size_t first = 0; first < 6; first += 5)
		for (size_t len = 4090; len <= 4103; len++) {
			struct hf_digest two = hf_digest_of_two(text, first, text + first, len - first),
					 whole = hf_digest_of(text, len);
			cr_expect(hf_digest_equal(&two, &whole), "%zu and %zu bytes", first, len - first);
		}
	struct hf_digest two = hf_digest_of_two(text, 5000, text + 5000, sizeof text - 5000),
			 whole = hf_digest_of(text, sizeof text);
	cr_expect(hf_digest_equal(&two, &whole));
}

#define HEX63 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"

static const struct {
	const char *name, *text;
} REFUSED[] = {
	{"empty", ""},
	{"no prefix", HEX63 "5"},
	{"another algorithm", "sha512:" HEX63 "5"},
	{"upper-case prefix", "SHA256:" HEX63 "5"},
	{"too short", "sha256:" HEX63},
	{"too long", "sha256:" HEX63 "55"},
	{"no hexadecimal digit", "sha256:" HEX63 "g"},
	{"a space", "sha256:" HEX63 " "},
	{"a space before", "sha256: " HEX63},
};

Test(digest, other_texts_are_refused) {
	for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
		struct hf_digest digest = {{7}};
		cr_expect(!hf_digest_parse(REFUSED[i].text, &digest), "%s", REFUSED[i].name);
		cr_expect_eq(digest.bytes[0], 7, "%s: the output was touched", REFUSED[i].name);
	}
}

Test(digest, xor_is_its_own_inverse) {
	struct hf_digest a = hf_digest_of("a", 1), b = hf_digest_of("b", 1), sum = a;
	hf_digest_xor(&sum, &b);
	cr_assert(!hf_digest_equal(&sum, &a));
	hf_digest_xor(&sum, &b);
	cr_assert(hf_digest_equal(&sum, &a));
	hf_digest_xor(&sum, &a);
	static const struct hf_digest none;
	cr_assert(hf_digest_equal(&sum, &none));
}

Test(digest, random_bytes_differ) {
	uint8_t a[16], b[16];
	cr_assert(hf_random(a, sizeof a) == HF_OK && hf_random(b, sizeof b) == HF_OK);
	cr_assert_arr_neq(a, b, sizeof a);
}
