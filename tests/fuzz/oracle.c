/* oracle.c — configurations and documents, read naively. */
#include "oracle.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

/* Parsing. */

static bool too_deep(const json_t *value, int left) {
	const char *name;
	json_t *item;
	size_t i;
	if (!json_is_object(value) && !json_is_array(value))
		return false;
	if (left == 0)
		return true;
	json_object_foreach ((json_t *)value, name, item) {
		if (too_deep(item, left - 1))
			return true;
	}
	json_array_foreach (value, i, item) {
		if (too_deep(item, left - 1))
			return true;
	}
	return false;
}

/* Whether a text is a byte order mark and more, or the beginning of one. */
static bool is_marked(const char *text, size_t len, const char *mark) {
	for (size_t i = 0; mark[i] && i < len; i++)
		if (text[i] != mark[i])
			return false;
	return true;
}

static enum hf_err parse(const char *body, size_t len, const char *what, struct hf_why *why, json_t **ret) {
	json_error_t error;
	if (len == 0)
		return hf_fail(why, HF_E_INVALID_JSON, "%s is empty", what);
	if (is_marked(body, len, "\xEF\xBB\xBF"))
		return hf_fail(why, HF_E_INVALID_JSON,
			       "%s: it begins with a byte order mark (U+FEFF), which JSON must not have; send UTF-8 without one",
			       what);
	if (is_marked(body, len, "\xFF\xFE") || is_marked(body, len, "\xFE\xFF"))
		return hf_fail(why, HF_E_INVALID_JSON, "%s: it begins with a byte order mark of UTF-16; send UTF-8 without one",
			       what);
	json_t *document = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!document)
		return hf_fail(why, HF_E_INVALID_JSON, "%s, line %d, column %d: %s", what, error.line, error.column, error.text);
	enum hf_err err = HF_OK;
	if (!json_is_object(document))
		err = hf_fail(why, HF_E_INVALID_JSON, "%s is not a JSON object", what);
	else if (too_deep(document, DEPTH_MAX))
		err = hf_fail(why, HF_E_INVALID_JSON, "%s is nested deeper than %d levels", what, DEPTH_MAX);
	else if (memchr(body, '\0', len)) /* jansson passes over one right behind a number or a word */
		err = hf_fail(why, HF_E_INVALID_JSON, "%s has a NUL in it", what);
	if (err)
		json_decref(document);
	else
		*ret = document;
	return err;
}

/* The canonical text. */

enum part { ALL, SPEC, LABELS, NO_SPEC };

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Whether a member of such an object is kept. */
static bool keep(enum part part, const char *name) {
	switch (part) {
	case SPEC:
		return strcmp(name, "state") != 0 && strcmp(name, "identities") != 0;
	case LABELS:
		return !begins(name, "kuma.io/") && !begins(name, "k8s.kuma.io/");
	case NO_SPEC:
		return strcmp(name, "status") != 0;
	default:
		return true;
	}
}

static void write_string(struct hf_buf *out, const char *text) {
	hf_buf_text(out, "\"");
	for (; *text; text++) {
		static const char plain[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
		const char *place = strchr(plain, *text);
		if (place)
			hf_buf_printf(out, "\\%c", letters[place - plain]);
		else if ((unsigned char)*text < 0x20)
			hf_buf_printf(out, "\\u%04x", *text);
		else
			hf_buf_add(out, text, 1);
	}
	hf_buf_text(out, "\"");
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void write_value(struct hf_buf *out, const json_t *value, enum part part);

static void write_object(struct hf_buf *out, const json_t *object, enum part part) {
	const char *name;
	json_t *value;
	size_t n = 0;
	const char **names = malloc(sizeof *names * (json_object_size(object) + 1));
	if (!names)
		abort();
	json_object_foreach ((json_t *)object, name, value) {
		if (keep(part, name))
			names[n++] = name;
	}
	qsort(names, n, sizeof *names, by_bytes);
	hf_buf_text(out, "{");
	for (size_t i = 0; i < n; i++) {
		hf_buf_text(out, i > 0 ? "," : "");
		write_string(out, names[i]);
		hf_buf_text(out, ":");
		write_value(out, json_object_get(object, names[i]), ALL);
	}
	hf_buf_text(out, "}");
	free(names);
}

static void write_array(struct hf_buf *out, const json_t *array) {
	hf_buf_text(out, "[");
	for (size_t i = 0; i < json_array_size(array); i++) {
		hf_buf_text(out, i > 0 ? "," : "");
		write_value(out, json_array_get(array, i), ALL);
	}
	hf_buf_text(out, "]");
}

static void write_value(struct hf_buf *out, const json_t *value, enum part part) {
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(out, value, part);
		break;
	case JSON_ARRAY:
		write_array(out, value);
		break;
	case JSON_STRING:
		write_string(out, json_string_value(value));
		break;
	case JSON_INTEGER:
		hf_buf_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
		break;
	case JSON_REAL:
		hf_buf_printf(out, "%.17g", json_real_value(value));
		break;
	case JSON_TRUE:
		hf_buf_text(out, "true");
		break;
	case JSON_FALSE:
		hf_buf_text(out, "false");
		break;
	case JSON_NULL:
		hf_buf_text(out, "null");
	}
}

static const json_t *find_labels(const json_t *document) {
	const json_t *labels = json_object_get(document, "labels");
	if (!labels || json_is_null(labels))
		labels = json_object_get(json_object_get(document, "metadata"), "labels");
	return json_is_null(labels) ? NULL : labels;
}

/* Whether there are labels that are the user's: any text or number in their place is. */
static bool has_user_labels(const json_t *labels) {
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *)labels, name, value) {
		if (keep(LABELS, name))
			return true;
	}
	return labels && !json_is_object(labels);
}

static void write_document(struct hf_buf *out, const json_t *document) {
	const json_t *kind = json_object_get(document, "kind"), *labels = find_labels(document);
	const json_t *spec = json_object_get(document, "spec");
	if (!spec) {
		write_object(out, document, NO_SPEC);
		return;
	}
	if (!kind)
		kind = json_object_get(document, "type");
	hf_buf_text(out, "{");
	if (kind) {
		hf_buf_text(out, "\"kind\":");
		write_value(out, kind, ALL);
		hf_buf_text(out, ",");
	}
	if (has_user_labels(labels)) {
		hf_buf_text(out, "\"labels\":");
		write_value(out, labels, LABELS);
		hf_buf_text(out, ",");
	}
	hf_buf_text(out, "\"spec\":");
	write_value(out, spec, SPEC);
	hf_buf_text(out, "}");
}

/* Claims. */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The address that a text is, however it is written; false: none. */
static bool address_of(const char *text, struct hf_addr *ret) {
	char copy[128] = "";
	struct in_addr v4;
	struct in6_addr v6;
	while (is_blank(*text))
		text++;
	if (strlen(text) >= sizeof copy)
		return false;
	strcpy(copy, text);
	for (size_t n = strlen(copy); n > 0 && is_blank(copy[n - 1]); n--)
		copy[n - 1] = '\0';
	const char *suffix = strchr(copy, ':') ? "/128" : "/32";
	size_t n = strlen(copy), m = strlen(suffix);
	if (n >= m && strcmp(copy + n - m, suffix) == 0)
		copy[n - m] = '\0';
	if (inet_pton(AF_INET, copy, &v4) == 1)
		ret->n = (hf_u128)0xffff << 32 | ntohl(v4.s_addr);
	else if (inet_pton(AF_INET6, copy, &v6) == 1)
		for (int i = 0; i < 16; i++)
			ret->n = ret->n << 8 | v6.s6_addr[i];
	else
		return false;
	return true;
}

static void note_wrong(struct hf_claims *claims, enum hf_refusal reason, const char *text) {
	if (claims->wrong.n == HF_WRONG_CLAIMS_MAX) {
		claims->wrong.more++;
		return;
	}
	claims->wrong.of[claims->wrong.n].reason = reason;
	snprintf(claims->wrong.of[claims->wrong.n++].text, HF_CLAIM_TEXT, "%s", text);
}

static void claim(struct hf_claims *claims, const json_t *value) {
	struct hf_addr a = {0};
	const char *text = json_string_value(value);
	size_t blanks = 0;
	bool known = false;
	if (json_is_array(value))
		for (size_t i = 0; i < json_array_size(value); i++)
			claim(claims, json_array_get(value, i));
	if (json_is_object(value) && json_object_get(value, "ip"))
		claim(claims, json_object_get(value, "ip"));
	if (json_is_number(value) || json_is_boolean(value))
		note_wrong(claims, HF_CLAIM_NO_ADDRESS, json_is_number(value) ? "" : json_is_true(value) ? "true" : "false");
	while (text && is_blank(text[blanks]))
		blanks++;
	if (!text || !text[blanks])
		return;
	bool right = address_of(text, &a);
	for (int i = 0; right && i < claims->n; i++)
		known = known || claims->of[i].n == a.n;
	if (!right)
		note_wrong(claims, HF_CLAIM_NO_ADDRESS, text);
	else if (!known && claims->n == HF_CLAIMS_MAX)
		note_wrong(claims, HF_CLAIM_TOO_MANY, text);
	else if (!known)
		claims->of[claims->n++] = a;
}

static bool has(const json_t *object, const char *name, const char *text) {
	const char *is = json_string_value(json_object_get(object, name));
	return is && strcmp(is, text) == 0;
}

/* Whether the addresses that are shown are those of a Kubernetes cluster. */
static bool shows_cluster(const json_t *document) {
	const json_t *labels = find_labels(document);
	const char *kind = json_string_value(json_object_get(document, "kind"));
	if (!kind || strlen(kind) == 0)
		kind = json_string_value(json_object_get(document, "type"));
	bool other = kind && strlen(kind) > 0 && strcmp(kind, "MeshService") != 0;
	return !other && !has(labels, "kuma.io/origin", "global") &&
	       (has(labels, "kuma.io/managed-by", "k8s-controller") || has(labels, "k8s.kuma.io/is-headless-service", "true"));
}

static struct hf_config read_config(const json_t *document) {
	struct hf_config config = {0};
	struct hf_buf text = {0};
	claim(&config.claims, json_object_get(json_object_get(document, "status"), "vips"));
	claim(&config.claims, json_object_get(json_object_get(document, "status"), "vip"));
	if (config.claims.n + config.claims.wrong.n > 0 && shows_cluster(document))
		config.claims = (struct hf_claims){.in_cluster = true};
	write_document(&text, document);
	config.fingerprint = hf_digest_of(text.data, text.len);
	hf_buf_free(&text);
	return config;
}

enum hf_err oracle_config_read(const char *body, size_t len, struct hf_why *why, struct hf_config *ret) {
	json_t *document;
	enum hf_err err = parse(body, len, "the configuration", why, &document);
	if (err)
		return err;
	*ret = read_config(document);
	json_decref(document);
	return HF_OK;
}

enum hf_err oracle_config_canonical(const char *body, size_t len, struct hf_why *why, struct hf_buf *ret) {
	json_t *document;
	enum hf_err err = parse(body, len, "the configuration", why, &document);
	if (err)
		return err;
	*ret = (struct hf_buf){0};
	write_document(ret, document);
	json_decref(document);
	return HF_OK;
}

/* The identity. */

/* A text of a document; what is null or "" is missing. */
static enum hf_err find_text(const json_t *object, const char *where, const char *name, struct hf_why *why, const char **ret) {
	const json_t *value = json_object_get(object, name);
	*ret = NULL;
	if (value && !json_is_string(value) && !json_is_null(value))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" in %s is not a string", name, where);
	if (json_is_string(value) && json_string_length(value) > 0)
		*ret = json_string_value(value);
	return HF_OK;
}

static enum hf_err check_object(const json_t *value, const char *name, struct hf_why *why) {
	if (!value || json_is_null(value) || json_is_object(value))
		return HF_OK;
	return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" is not an object", name);
}

struct texts {
	const char *kind, *type, *mesh, *name, *metadata_name, *namespace;		  /* the document, and metadata */
	const char *display_name, *display_name_annotation;				  /* kuma.io/display-name */
	const char *mesh_label, *zone_label, *namespace_label, *origin_label, *env_label; /* the other labels */
};

static enum hf_err find_texts(const json_t *document, struct hf_why *why, struct texts *ret) {
	const json_t *metadata = json_object_get(document, "metadata"), *labels = find_labels(document);
	const json_t *annotations = json_object_get(metadata, "annotations");
	const struct {
		const json_t *object;
		const char *where, *name;
		const char **text;
	} places[] = {
		{document, "the document", "kind", &ret->kind},
		{document, "the document", "type", &ret->type},
		{document, "the document", "mesh", &ret->mesh},
		{document, "the document", "name", &ret->name},
		{metadata, "metadata", "name", &ret->metadata_name},
		{metadata, "metadata", "namespace", &ret->namespace},
		{labels, "labels", "kuma.io/display-name", &ret->display_name},
		{annotations, "metadata.annotations", "kuma.io/display-name", &ret->display_name_annotation},
		{labels, "labels", "kuma.io/mesh", &ret->mesh_label},
		{labels, "labels", "kuma.io/zone", &ret->zone_label},
		{labels, "labels", "k8s.kuma.io/namespace", &ret->namespace_label},
		{labels, "labels", "kuma.io/origin", &ret->origin_label},
		{labels, "labels", "kuma.io/env", &ret->env_label},
	};
	enum hf_err err = check_object(metadata, "metadata", why);
	if (!err)
		err = check_object(labels, "labels", why);
	if (!err)
		err = check_object(annotations, "metadata.annotations", why);
	for (size_t i = 0; i < sizeof places / sizeof *places && !err; i++)
		err = find_text(places[i].object, places[i].where, places[i].name, why, places[i].text);
	return err;
}

static bool is(const char *text, const char *word) { return text && strcmp(text, word) == 0; }

/* The first that there is. */
static const char *first_of(const char *a, const char *b, const char *c, const char *d) { return a ? a : b ? b : c ? c : d; }

static enum hf_err read_service(const struct texts *t, struct hf_why *why, char *ret) {
	const char *name = first_of(t->display_name, t->display_name_annotation, t->name, t->metadata_name);
	bool copied = is(t->origin_label, "global") || is(t->env_label, "universal");
	const char *namespace = first_of(t->namespace_label, copied ? NULL : t->namespace, NULL, NULL);
	char *service;
	if (!name)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the document has no name");
	if ((namespace ? asprintf(&service, "%s.%s", name, namespace) : asprintf(&service, "%s", name)) < 0)
		abort();
	enum hf_err err = hf_name_set("service", service, HF_SERVICE_MAX, why, ret);
	free(service);
	return err;
}

static enum hf_err read_identity(const json_t *document, const char *zone, struct hf_why *why, struct hf_identity *ret) {
	struct texts t;
	enum hf_err err = find_texts(document, why, &t);
	if (err)
		return err;
	const char *kind = first_of(t.kind, t.type, "MeshService", NULL);
	if (!hf_kind_parse(kind, &ret->kind))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "kind \"%.40s\" is unknown", kind);
	err = read_service(&t, why, ret->service);
	if (!err)
		err = hf_name_set("mesh", first_of(t.mesh, t.mesh_label, "default", NULL), HF_NAME_MAX, why, ret->mesh);
	if (!err)
		err = hf_name_set("zone", first_of(t.zone_label, is(t.origin_label, "global") ? "global" : NULL, zone, NULL),
				  HF_NAME_MAX, why, ret->zone);
	return err;
}

enum hf_err oracle_document_read(const char *text, size_t len, const char *zone, struct hf_why *why, struct hf_document *ret) {
	json_t *document;
	struct hf_identity id = {0};
	*ret = (struct hf_document){0};
	enum hf_err err = parse(text, len, "the document", why, &document);
	if (err)
		return err;
	err = read_identity(document, zone, why, &id);
	if (!err)
		*ret = (struct hf_document){.config = read_config(document), .id = id, .has_identity = true};
	json_decref(document);
	return err;
}
