/* Tests for api/access/tokens.c. */
#include "api/access/tokens.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/base/digest.h"

#define SECRET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP_"
#define OTHER "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP-"

static struct hf_tokens *read_tokens(const char *members, const char *secret) {
	char text[512], hex[2 * HF_DIGEST_BYTES + 1];
	struct hf_tokens *tokens = NULL;
	struct hf_digest digest = hf_digest_of(secret, HF_TOKEN_SECRET_LEN);
	hf_hex_encode(digest.bytes, HF_DIGEST_BYTES, hex);
	snprintf(text, sizeof text, "%s sha256=%s", members, hex);
	cr_assert_eq(hf_tokens_read(text, strlen(text), NULL, &tokens), HF_OK);
	return tokens;
}

Test(tokens, an_expired_one_is_not_found) {
	struct hf_tokens *tokens = read_tokens("id=a role=read expires=1970-01-01T00:00:10Z", SECRET);
	struct hf_principal found = {0};
	cr_expect(hf_tokens_find(tokens, "Bearer hf_a_" SECRET, 9999, &found));
	cr_expect_eq(found.role, HF_ROLE_READ);
	cr_expect_str_eq(found.id, "a");
	cr_expect_not(hf_tokens_find(tokens, "Bearer hf_a_" SECRET, 10000, &found));
	hf_tokens_free(tokens);
}

Test(tokens, only_the_whole_token_is_found) {
	static const char *const headers[] = {NULL,
					      "",
					      "Bearer",
					      "Bearer ",
					      "Bearer hf_a_",
					      "Bearer hf_a_" OTHER,
					      "Bearer hf_b_" SECRET,
					      "Bearer hf__" SECRET,
					      "Bearer hf_a" SECRET,
					      "Bearerhf_a_" SECRET,
					      "Basic hf_a_" SECRET,
					      "Bearer hf_a_" SECRET "x",
					      "Bearer hf_a_" SECRET " x",
					      "Bearer, hf_a_" SECRET,
					      "Bearer\thf_a_" SECRET,
					      "hf_a_" SECRET,
					      "Bearer hf_aa_" SECRET,
					      "Bearer hf_A_" SECRET};
	struct hf_tokens *tokens = read_tokens("id=a role=admin", SECRET);
	struct hf_principal found = {0};
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		cr_expect_not(hf_tokens_find(tokens, headers[i], 0, &found), "%s", headers[i] ? headers[i] : "none");
	cr_expect_eq(found.role, HF_ROLE_NONE);
	cr_expect(hf_tokens_find(tokens, "bearer  hf_a_" SECRET " \t", 0, &found));
	hf_tokens_free(tokens);
}

Test(tokens, the_id_may_have_underscores) {
	struct hf_tokens *tokens = read_tokens("id=a_b__c role=zone zones=east,west permissions=zone:purge", SECRET);
	struct hf_principal found = {0};
	cr_assert(hf_tokens_find(tokens, "Bearer hf_a_b__c_" SECRET, 0, &found));
	cr_expect_eq(found.n_zones, 2);
	cr_expect_str_eq(found.zones[1], "west");
	cr_expect_eq(found.permissions, HF_MAY_PURGE);
	hf_tokens_free(tokens);
}

Test(tokens, digests_are_compared_whole) {
	struct hf_digest a = hf_digest_of("a", 1), b = a;
	cr_expect(hf_digest_equal_secretly(&a, &b));
	for (int i = 0; i < HF_DIGEST_BYTES; i++) {
		b.bytes[i] ^= 1;
		cr_expect_not(hf_digest_equal_secretly(&a, &b));
		b.bytes[i] ^= 1;
	}
}
