/* configuration.c — whatever the bytes are, api/ and the oracle must read the same configuration from them, or give the same reason
 * why there is none.
 *
 * The fuzzer that is guided by coverage (clang 14 with libclang-rt-14-dev):
 *
 *	CC=clang cmake -S . -B build/libfuzzer -G Ninja -DHOLDFAST_LIBFUZZER=ON
 *	ninja -C build/libfuzzer fuzz fuzz_configuration
 *	mkdir -p build/corpus
 *	build/libfuzzer/tests/fuzz --write build/corpus
 *	build/libfuzzer/tests/fuzz_configuration -dict=tests/fuzz/json.dict -max_total_time=180 build/corpus
 *
 * It writes what made it stop to crash-…; give it that file as its only argument to see the difference again. ctest's `fuzz` runs
 * main.c on the same function, without guidance.
 */
#include "configuration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/lists/skim.h"
#include "oracle.h"

#define ZONE "east"
#define UNTOUCHED "untouched"

/* What one side makes of a text. */
struct reading {
	enum hf_err config_err, canonical_err, document_err;
	struct hf_why config_why, canonical_why, document_why;
	struct hf_config config;
	struct hf_buf canonical;
	struct hf_document document;
};

static const struct reading EMPTY = {
	.config_why = {UNTOUCHED},
	.canonical_why = {UNTOUCHED},
	.document_why = {UNTOUCHED},
	.config = {.claims = {.n = -1}},
	.document = {.has_identity = true, .config = {.claims = {.n = -1}}},
};

static struct reading read_by_api(const char *text, size_t len) {
	struct reading r = EMPTY;
	r.config_err = hf_config_read(text, len, &r.config_why, &r.config);
	r.canonical_err = hf_config_canonical(text, len, &r.canonical_why, &r.canonical);
	r.document_err = hf_document_read(text, len, ZONE, &r.document_why, &r.document);
	return r;
}

static struct reading read_by_oracle(const char *text, size_t len) {
	struct reading r = EMPTY;
	r.config_err = oracle_config_read(text, len, &r.config_why, &r.config);
	r.canonical_err = oracle_config_canonical(text, len, &r.canonical_why, &r.canonical);
	r.document_err = oracle_document_read(text, len, ZONE, &r.document_why, &r.document);
	return r;
}

static bool same_text(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* The oracle does not know how a number was written. */
static bool same_wrong(const struct hf_wrong_claims *a, const struct hf_wrong_claims *b) {
	bool same = a->n == b->n && a->more == b->more;
	for (int i = 0; same && i < a->n; i++)
		same = a->of[i].reason == b->of[i].reason &&
		       (!b->of[i].text[0] || strncmp(a->of[i].text, b->of[i].text, strlen(a->of[i].text)) == 0);
	return same;
}

static bool same_claims(const struct hf_config *a, const struct hf_config *b) {
	bool same = a->claims.n == b->claims.n && a->claims.in_cluster == b->claims.in_cluster;
	for (int i = 0; same && i < a->claims.n; i++)
		same = a->claims.of[i].n == b->claims.of[i].n;
	return same && (a->claims.n < 0 || same_wrong(&a->claims.wrong, &b->claims.wrong));
}

/* What is told from a text without parsing it leaves out no claim. */
static const char *difference_of_peek(const char *text, size_t len, const struct hf_claims *claims) {
	const struct hf_addr vips[] = {{(hf_u128)0xffff << 32 | 0xf1000001}, {(hf_u128)0xfd << 120 | 1}};
	int mask = hf_claims_peek(text, len, vips, 2);
	if (mask < 0)
		return NULL;
	for (int i = 0; i < claims->n; i++)
		if (!(mask & 1 && claims->of[i].n == vips[0].n) && !(mask & 2 && claims->of[i].n == vips[1].n))
			return "a claim that is told from the text";
	return claims->wrong.n > 0 ? "a wrong claim that is told from the text" : NULL;
}

static bool same_buf(const struct hf_buf *a, const struct hf_buf *b) {
	return a->len == b->len && a->failed == b->failed && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool same_identity(const struct hf_identity *a, const struct hf_identity *b) {
	return a->kind == b->kind && same_text(a->zone, b->zone) && same_text(a->mesh, b->mesh) &&
	       same_text(a->service, b->service);
}

static const char *difference_of_configs(const struct reading *a, const struct reading *b) {
	if (a->config_err != b->config_err)
		return "the configuration's error";
	if (!same_text(a->config_why.text, b->config_why.text))
		return "the configuration's message";
	if (!hf_digest_equal(&a->config.fingerprint, &b->config.fingerprint))
		return "the configuration's fingerprint";
	if (!same_claims(&a->config, &b->config))
		return "the configuration's claims";
	if (a->canonical_err != b->canonical_err)
		return "the canonical text's error";
	if (!same_text(a->canonical_why.text, b->canonical_why.text))
		return "the canonical text's message";
	return same_buf(&a->canonical, &b->canonical) ? NULL : "the canonical text";
}

static const char *difference_of_documents(const struct reading *a, const struct reading *b) {
	if (a->document_err != b->document_err)
		return "the document's error";
	if (!same_text(a->document_why.text, b->document_why.text))
		return "the document's message";
	if (a->document.has_identity != b->document.has_identity)
		return "whether the document has an identity";
	if (a->document.has_identity && !same_identity(&a->document.id, &b->document.id))
		return "the document's identity";
	if (a->document_err)
		return NULL; /* nothing is said of its configuration */
	if (!hf_digest_equal(&a->document.config.fingerprint, &b->document.config.fingerprint))
		return "the document's fingerprint";
	return same_claims(&a->document.config, &b->document.config) ? NULL : "the document's claims";
}

/* Nobody need ask why. */
static const char *difference_without_why(const char *text, size_t len, const struct reading *r) {
	struct hf_config config;
	struct hf_document document;
	if (hf_config_read(text, len, NULL, &config) != r->config_err)
		return "the configuration's error without a message";
	if (hf_document_read(text, len, ZONE, NULL, &document) != r->document_err)
		return "the document's error without a message";
	return NULL;
}

/* What a skim leaves says whose the document is as the whole does. A name with an escape makes it give up. */
static const char *difference_of_skim(const char *text, size_t len, const struct reading *r) {
	struct hf_skim skim = {.depth = 0};
	struct hf_document document = {.has_identity = false};
	size_t left_len;
	hf_skim_feed(&skim, text, len / 2);
	hf_skim_feed(&skim, text + len / 2, len - len / 2);
	const char *left = hf_skim_end(&skim, &left_len);
	bool read = left && (hf_document_read(left, left_len, ZONE, NULL, &document) == HF_OK || document.nobodys);
	hf_skim_free(&skim);
	if (r->document.has_identity && left && !(read && same_identity(&document.id, &r->document.id)))
		return "the identity that a skim leaves";
	if (r->document.nobodys && left && !document.nobodys)
		return "that a skim leaves nobody's";
	return left || memchr(text, '\\', len) || !r->document.has_identity ? NULL : "that a skim can be read";
}

/* A copy with nothing behind it, so that the address sanitizer sees who reads on. */
static char *exact_copy(const uint8_t *data, size_t len) {
	char *copy = malloc(len);
	if (len > 0 && !copy)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

struct outcome configuration_compare(const uint8_t *data, size_t len) {
	char *text = exact_copy(data, len);
	struct reading api = read_by_api(text, len), oracle = read_by_oracle(text, len);
	struct outcome outcome = {.accepted = !oracle.config_err, .identified = !oracle.document_err};
	outcome.differs = difference_of_configs(&api, &oracle);
	if (!outcome.differs)
		outcome.differs = difference_of_skim(text, len, &api);
	if (!outcome.differs)
		outcome.differs = difference_of_documents(&api, &oracle);
	if (!outcome.differs && !oracle.config_err)
		outcome.differs = difference_of_peek(text, len, &oracle.config.claims);
	if (!outcome.differs && oracle.document_err)
		outcome.differs = difference_without_why(text, len, &oracle);
	if (!outcome.differs && (len > 0 && memcmp(text, data, len) != 0))
		outcome.differs = "the text itself: it was written to";
	hf_buf_free(&api.canonical);
	hf_buf_free(&oracle.canonical);
	free(text);
	return outcome;
}

static void print_config(const char *what, enum hf_err err, const struct hf_why *why, const struct hf_config *config) {
	char text[HF_DIGEST_TEXT], address[HF_ADDR_TEXT];
	hf_digest_format(&config->fingerprint, text);
	fprintf(stderr, "  %s: %s, \"%s\"\n    %s, %d claims:", what, hf_err_slug(err), why->text, text, config->claims.n);
	for (int i = 0; i < config->claims.n; i++) {
		hf_addr_format(config->claims.of[i], address);
		fprintf(stderr, " %s", address);
	}
	fprintf(stderr, "\n");
}

static void print_reading(const char *side, const struct reading *r) {
	const struct hf_identity *id = &r->document.id;
	fprintf(stderr, "%s:\n", side);
	print_config("configuration", r->config_err, &r->config_why, &r->config);
	fprintf(stderr, "  canonical text: %s, \"%s\"\n    %.*s\n", hf_err_slug(r->canonical_err), r->canonical_why.text,
		(int)r->canonical.len, r->canonical.data ? r->canonical.data : "");
	print_config("document", r->document_err, &r->document_why, &r->document.config);
	if (r->document.has_identity && r->document_err == HF_OK)
		fprintf(stderr, "    %s, mesh %s, zone %s, service %s\n", hf_kind_name(id->kind), id->mesh, id->zone, id->service);
}

void configuration_print_text(const uint8_t *data, size_t len) {
	fprintf(stderr, "text, %zu bytes: ", len);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, data[i] >= 0x20 && data[i] < 0x7f ? "%c" : "<%02x>", data[i]);
	fprintf(stderr, "\nhex: ");
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%02x", data[i]);
	fprintf(stderr, "\n");
}

void configuration_print(const uint8_t *data, size_t len) {
	configuration_print_text(data, len);
	char *text = exact_copy(data, len);
	struct reading oracle = read_by_oracle(text, len), api = read_by_api(text, len);
	print_reading("oracle", &oracle);
	print_reading("api", &api);
	hf_buf_free(&api.canonical);
	hf_buf_free(&oracle.canonical);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	struct outcome outcome = configuration_compare(data, len);
	if (outcome.differs) {
		fprintf(stderr, "api and oracle differ in %s\n", outcome.differs);
		configuration_print(data, len);
		abort();
	}
	return 0;
}
