/* configuration.c — documents: whatever the bytes are, api/ reads from them what the contract says, or refuses them for its reason.
 */
#include <string.h>

#include "api/kuma/document.h"
#include "api/lists/skim.h"
#include "contract.h"
#include "fuzz.h"

#define ZONE "east"
#define UNTOUCHED "untouched"

static bool is(const struct hf_why *why, const char *text) { return strcmp(why->text, text) == 0; }

/* A failure has words, and success leaves them alone. The API's two readers of JSON agree on what is JSON, or there is no place in
 * them. */
static bool is_said(enum hf_err err, const struct hf_why *why) {
	if (!err)
		return is(why, UNTOUCHED);
	return why->text[0] && !is(why, UNTOUCHED) && !is(why, "the configuration cannot be read") &&
	       !is(why, "the document cannot be read");
}

static bool same_wrong(const struct hf_wrong_claims *a, const struct contract_claims *b) {
	bool same = a->n == b->n_wrong && a->more == b->more;
	for (int i = 0; same && i < a->n; i++) {
		size_t len = strlen(a->of[i].text), all = strlen(b->wrong[i].text), cut = HF_CLAIM_TEXT - 1;
		if (all < cut)
			cut = all;
		while (cut < all && (b->wrong[i].text[cut] & 0xc0) == 0x80) /* not in the middle of a character */
			cut--;
		same = a->of[i].reason == (b->wrong[i].too_many ? HF_CLAIM_TOO_MANY : HF_CLAIM_NO_ADDRESS) && len == cut &&
		       memcmp(a->of[i].text, b->wrong[i].text, len) == 0;
	}
	return same;
}

static bool same_claims(const struct hf_claims *a, const struct contract_claims *b) {
	bool same = a->n == b->n && a->in_cluster == b->in_cluster;
	for (int i = 0; same && i < a->n; i++)
		same = a->of[i].n == b->of[i];
	return same && same_wrong(&a->wrong, b);
}

static bool same_config(const struct hf_config *a, const struct contract *b) {
	return memcmp(a->fingerprint.bytes, b->fingerprint, sizeof b->fingerprint) == 0 && same_claims(&a->claims, &b->claims);
}

static const char *difference_of_configs(const char *text, size_t len, const struct contract *c) {
	struct hf_config config;
	struct hf_why why = {UNTOUCHED};
	struct hf_buf canonical = {0};
	enum hf_err expected = c ? HF_OK : HF_E_INVALID_JSON, err = hf_config_read(text, len, &why, &config);
	if (err != expected || hf_config_read(text, len, NULL, &config) != expected)
		return "whether it is a configuration";
	if (!is_said(err, &why))
		return "what is said of the configuration";
	if (c && !same_config(&config, c))
		return "the fingerprint, or the claims,";
	if (hf_config_canonical(text, len, &why, &canonical) != expected)
		return "whether it has a canonical text";
	bool same = !c || (canonical.len == c->canonical_len && memcmp(canonical.data, c->canonical, canonical.len) == 0);
	hf_buf_free(&canonical);
	return same ? NULL : "the canonical text";
}

static bool same_identity(const struct hf_identity *a, const struct contract *c) {
	return strcmp(hf_kind_name(a->kind), c->kind) == 0 && strcmp(a->zone, c->zone) == 0 && strcmp(a->mesh, c->mesh) == 0 &&
	       strcmp(a->service, c->service) == 0;
}

/* What a name fails with comes after all else that is wrong. */
static enum hf_err expected_err(const struct contract *c) {
	if (!c)
		return HF_E_INVALID_JSON;
	if (c->malformed || c->unknown_kind || c->nameless)
		return HF_E_INVALID_PARAMETER;
	return c->bad_name ? HF_E_INVALID_NAME : HF_OK;
}

static const char *difference_of_documents(const char *text, size_t len, const struct contract *c, struct hf_document *ret) {
	struct hf_document again;
	struct hf_why why = {UNTOUCHED};
	enum hf_err expected = expected_err(c), err = hf_document_read(text, len, ZONE, &why, ret);
	if (err != expected || hf_document_read(text, len, ZONE, NULL, &again) != expected)
		return "whether it is a document";
	if (!is_said(err, &why))
		return "what is said of the document";
	if (ret->nobodys != (c && !c->malformed && (c->unknown_kind || c->bad_name)))
		return "whether no lease can be the document's";
	if (ret->has_identity != !err || (!err && !same_identity(&ret->id, c)))
		return "the identity";
	return err || same_config(&ret->config, c) ? NULL : "the document's fingerprint, or its claims,";
}

/* What a skim leaves says whose the document is, as the whole does. A name with an escape makes it give up. */
static const char *difference_of_skim(const char *text, size_t len, const struct contract *c, const struct hf_document *whole) {
	struct hf_skim skim = {.depth = 0};
	struct hf_document document = {.has_identity = false};
	size_t left_len;
	hf_skim_feed(&skim, text, len / 2);
	hf_skim_feed(&skim, text + len / 2, len - len / 2);
	const char *left = hf_skim_end(&skim, &left_len);
	bool read = left && (hf_document_read(left, left_len, ZONE, NULL, &document) == HF_OK || document.nobodys);
	hf_skim_free(&skim);
	if (whole->has_identity && left && !(read && same_identity(&document.id, c)))
		return "the identity that a skim leaves";
	if (whole->nobodys && left && !document.nobodys)
		return "that a skim leaves nobody's";
	return left || memchr(text, '\\', len) || !whole->has_identity ? NULL : "whether a skim can be read";
}

/* What is read of the claims without parsing leaves out none. */
static const char *difference_of_peek(const char *text, size_t len, const struct contract_claims *claims) {
	const struct hf_addr vips[] = {{(hf_u128)0xffff << 32 | 0xf1000001}, {(hf_u128)0xfd << 120 | 1}};
	int mask = hf_claims_peek(text, len, vips, 2);
	if (mask < 0)
		return NULL;
	for (int i = 0; i < claims->n; i++)
		if (!(mask & 1 && claims->of[i] == vips[0].n) && !(mask & 2 && claims->of[i] == vips[1].n))
			return "a claim that is read without parsing";
	return claims->n_wrong > 0 ? "a wrong claim that is read without parsing" : NULL;
}

const char *fuzz_configuration(const char *text, size_t len) {
	struct hf_document document;
	struct contract contract;
	const struct naive *value = naive_read(text, len, NAIVE_DEPTH_MAX);
	bool is_object = value && value->type == NAIVE_OBJECT;
	if (is_object)
		contract = contract_read(value, ZONE);
	const char *differs = difference_of_configs(text, len, is_object ? &contract : NULL);
	if (!differs)
		differs = difference_of_documents(text, len, is_object ? &contract : NULL, &document);
	if (!differs)
		differs = difference_of_skim(text, len, is_object ? &contract : NULL, &document);
	if (!differs && is_object)
		differs = difference_of_peek(text, len, &contract.claims);
	return differs;
}
