/* canonical.c — the canonical configuration, fingerprint version 1. */
#include "canonical.h"

#include <stdlib.h>
#include <string.h>

#include "api/text/json.h"
#include "labels.h"

/* Returns whether a member of the given name is kept; each kind of object has its rule. */
typedef bool keep_rule(const char *name);

static bool keep_all(const char *name) {
	(void)name;
	return true;
}

static bool keep_in_spec(const char *name) { return strcmp(name, "state") != 0 && strcmp(name, "identities") != 0; }

static bool keep_label(const char *name) { return strncmp(name, "kuma.io/", 8) != 0 && strncmp(name, "k8s.kuma.io/", 12) != 0; }

static bool keep_without_spec(const char *name) { return strcmp(name, "status") != 0; }

static void write_value(struct hf_buf *out, const struct hf_value *value, keep_rule *keep);

static void write_string(struct hf_buf *out, const struct hf_value *value) {
	if (value->escaped) {
		hf_json_quote(out, value->text, value->len);
		return;
	}
	hf_buf_add(out, "\"", 1);
	hf_buf_add(out, value->text, value->len);
	hf_buf_add(out, "\"", 1);
}

static void write_object(struct hf_buf *out, const struct hf_value *object, keep_rule *keep) {
	const char *before = "{";
	for (const struct hf_value *name = hf_value_sorted(object); name; name = hf_value_sorted(name)) {
		if (!keep(name->text))
			continue;
		hf_buf_add(out, before, 1);
		write_string(out, name);
		hf_buf_add(out, ":", 1);
		write_value(out, name + 1, keep_all);
		before = ",";
	}
	hf_buf_text(out, before[0] == '{' ? "{}" : "}");
}

static void write_array(struct hf_buf *out, const struct hf_value *array) {
	const struct hf_value *item = array + 1;
	hf_buf_add(out, "[", 1);
	for (uint32_t i = 0; i < array->len; i++, item = hf_value_after(item)) {
		if (i > 0)
			hf_buf_add(out, ",", 1);
		write_value(out, item, keep_all);
	}
	hf_buf_add(out, "]", 1);
}

/* A document's integers have no leading zeros. */
static void write_integer(struct hf_buf *out, const struct hf_value *value) {
	bool minus_zero = value->len == 2 && memcmp(value->text, "-0", 2) == 0;
	hf_buf_add(out, value->text + minus_zero, value->len - minus_zero);
}

static void write_value(struct hf_buf *out, const struct hf_value *value, keep_rule *keep) {
	switch ((enum hf_value_type)value->type) {
	case HF_OBJECT:
		write_object(out, value, keep);
		break;
	case HF_ARRAY:
		write_array(out, value);
		break;
	case HF_STRING:
		write_string(out, value);
		break;
	case HF_INTEGER:
		write_integer(out, value);
		break;
	case HF_REAL:
		hf_buf_printf(out, "%.17g", strtod(value->text, NULL));
		break;
	case HF_TRUE:
	case HF_FALSE:
		hf_buf_text(out, value->type == HF_TRUE ? "true" : "false");
		break;
	case HF_NULL:
		hf_buf_text(out, "null");
	}
}

/* Returns the labels; NULL if none of them is kept, so that a document without labels and one with only Kuma's are the same. */
static const struct hf_value *user_labels(const struct hf_value *document) {
	const struct hf_value *labels = hf_labels_of(document);
	if (!hf_value_is(labels, HF_OBJECT))
		return labels;
	for (const struct hf_value *name = hf_value_sorted(labels); name; name = hf_value_sorted(name))
		if (keep_label(name->text))
			return labels;
	return NULL;
}

static void write_document(struct hf_buf *out, const struct hf_value *document) {
	const struct hf_value *spec = hf_value_member(document, "spec");
	if (!spec) {
		write_object(out, document, keep_without_spec);
		return;
	}
	const struct hf_value *kind = hf_value_member(document, "kind"), *labels = user_labels(document);
	if (!kind)
		kind = hf_value_member(document, "type");
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

enum hf_err hf_config_of(const struct hf_value *document, struct hf_why *why, struct hf_config *ret) {
	struct hf_config config = {0};
	struct hf_buf text = {0};
	write_document(&text, document);
	if (text.failed)
		return hf_no_memory(why);
	config.fingerprint = hf_digest_of(text.data, text.len);
	hf_buf_free(&text);
	hf_claims_read(document, &config.claims);
	*ret = config;
	return HF_OK;
}

enum hf_err hf_config_read(const char *body, size_t len, struct hf_why *why, struct hf_config *ret) {
	struct hf_tape tape;
	enum hf_err err = hf_tape_open(body, len, "the configuration", why, &tape);
	if (err)
		return err;
	err = hf_config_of(tape.values, why, ret);
	hf_tape_close(&tape);
	return err;
}

enum hf_err hf_config_canonical(const char *body, size_t len, struct hf_why *why, struct hf_buf *ret) {
	struct hf_tape tape;
	struct hf_buf text = {0};
	enum hf_err err = hf_tape_open(body, len, "the configuration", why, &tape);
	if (err)
		return err;
	write_document(&text, tape.values);
	hf_tape_close(&tape);
	if (text.failed)
		return hf_no_memory(why);
	*ret = text;
	return HF_OK;
}
