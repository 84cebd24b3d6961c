/* canonical.c — the canonical configuration, fingerprint version 1. */
#include "canonical.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "canonical_internal.h"
#include "json.h"
#include "parse.h"

/* Whether a member is kept; what it belongs to decides. */
typedef bool keep_rule(const char *name);

static bool keep_all(const char *name) {
	(void)name;
	return true;
}

static bool keep_in_spec(const char *name) { return strcmp(name, "state") != 0 && strcmp(name, "identities") != 0; }

static bool keep_label(const char *name) { return strncmp(name, "kuma.io/", 8) != 0 && strncmp(name, "k8s.kuma.io/", 12) != 0; }

static bool keep_without_spec(const char *name) { return strcmp(name, "status") != 0; }

static int by_bytes(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void write_value(struct hf_buf *out, const json_t *value, keep_rule *keep);

static void write_object(struct hf_buf *out, const json_t *object, keep_rule *keep) {
	const char *name;
	json_t *value;
	size_t n = 0;
	const char **names = malloc(sizeof *names * (json_object_size(object) + 1));
	if (!names) {
		hf_buf_free(out);
		out->failed = true;
		return;
	}
	json_object_foreach ((json_t *)object, name, value) {
		if (keep(name))
			names[n++] = name;
	}
	qsort(names, n, sizeof *names, by_bytes);
	hf_buf_add(out, "{", 1);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			hf_buf_add(out, ",", 1);
		hf_json_quote(out, names[i], strlen(names[i]));
		hf_buf_add(out, ":", 1);
		write_value(out, json_object_get(object, names[i]), keep_all);
	}
	hf_buf_add(out, "}", 1);
	free(names);
}

static void write_array(struct hf_buf *out, const json_t *array) {
	hf_buf_add(out, "[", 1);
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			hf_buf_add(out, ",", 1);
		write_value(out, json_array_get(array, i), keep_all);
	}
	hf_buf_add(out, "]", 1);
}

static void write_value(struct hf_buf *out, const json_t *value, keep_rule *keep) {
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(out, value, keep);
		break;
	case JSON_ARRAY:
		write_array(out, value);
		break;
	case JSON_STRING:
		hf_json_quote(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		hf_buf_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
		break;
	case JSON_REAL:
		hf_buf_printf(out, "%.17g", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		hf_buf_text(out, json_is_true(value) ? "true" : "false");
		break;
	case JSON_NULL:
		hf_buf_text(out, "null");
	}
}

const json_t *hf_config_labels(const json_t *document) {
	const json_t *labels = json_object_get(document, "labels");
	if (!labels || json_is_null(labels))
		labels = json_object_get(json_object_get(document, "metadata"), "labels");
	return json_is_null(labels) ? NULL : labels;
}

/* The labels; NULL if there is none left to keep, so that no labels and no labels of the user are the same. */
static const json_t *user_labels(const json_t *document) {
	const json_t *labels = hf_config_labels(document);
	if (!json_is_object(labels))
		return labels;
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *)labels, name, value) {
		if (keep_label(name))
			return labels;
	}
	return NULL;
}

static void write_document(struct hf_buf *out, const json_t *document) {
	const json_t *spec = json_object_get(document, "spec");
	if (!spec) {
		write_object(out, document, keep_without_spec);
		return;
	}
	const json_t *kind = json_object_get(document, "kind"), *labels = user_labels(document);
	if (!kind)
		kind = json_object_get(document, "type");
	hf_buf_text(out, "{");
	if (kind) {
		hf_buf_text(out, "\"kind\":");
		write_value(out, kind, keep_all);
		hf_buf_text(out, ",");
	}
	if (labels) {
		hf_buf_text(out, "\"labels\":");
		write_value(out, labels, keep_label);
		hf_buf_text(out, ",");
	}
	hf_buf_text(out, "\"spec\":");
	write_value(out, spec, keep_in_spec);
	hf_buf_text(out, "}");
}

static void read_claims(const json_t *document, struct hf_config *config) {
	const json_t *vips = json_object_get(json_object_get(document, "status"), "vips");
	for (size_t i = 0; i < json_array_size(vips) && config->n_claims < HF_CLAIMS_MAX; i++) {
		const char *ip = json_string_value(json_object_get(json_array_get(vips, i), "ip"));
		if (ip && hf_addr_parse(ip, NULL, &config->claims[config->n_claims]) == HF_OK)
			config->n_claims++;
	}
}

static enum hf_err canonical(const json_t *document, struct hf_why *why, struct hf_buf *ret) {
	write_document(ret, document);
	return ret->failed ? hf_fail(why, HF_E_OVERLOADED, "out of memory") : HF_OK;
}

enum hf_err hf_config_of(const json_t *document, struct hf_why *why, struct hf_config *ret) {
	struct hf_config config = {0};
	struct hf_buf text = {0};
	enum hf_err err = canonical(document, why, &text);
	if (!err) {
		config.fingerprint = hf_digest_of(text.data, text.len);
		read_claims(document, &config);
		*ret = config;
	}
	hf_buf_free(&text);
	return err;
}

enum hf_err hf_config_read(const char *body, size_t len, struct hf_why *why, struct hf_config *ret) {
	json_t *document;
	enum hf_err err = hf_parse_object(body, len, "the configuration", why, &document);
	if (err)
		return err;
	err = hf_config_of(document, why, ret);
	json_decref(document);
	return err;
}

enum hf_err hf_config_canonical(const char *body, size_t len, struct hf_why *why, struct hf_buf *ret) {
	json_t *document;
	struct hf_buf text = {0};
	enum hf_err err = hf_parse_object(body, len, "the configuration", why, &document);
	if (err)
		return err;
	err = canonical(document, why, &text);
	json_decref(document);
	if (err)
		hf_buf_free(&text);
	else
		*ret = text;
	return err;
}
