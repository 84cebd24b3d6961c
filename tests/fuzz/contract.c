/* contract.c — documents, by the contract. */
#include "contract.h"

#include <gnutls/crypto.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const char *pattern, const char *text) {
	static struct {
		const char *pattern;
		regex_t form;
	} known[8];
	int i = 0;
	while (known[i].pattern && known[i].pattern != pattern)
		i++;
	if (!known[i].pattern && regcomp(&known[i].form, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	known[i].pattern = pattern;
	return regexec(&known[i].form, text, 0, NULL, 0) == 0;
}

static char *copy_of(const char *text, size_t len) { return memcpy(naive_take(len + 1), text, len); }

static bool is_name(const char *text, size_t max) {
	static const char form[] = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$";
	return strlen(text) <= max && matches(form, text);
}

/* --- addresses --- */

static bool read_ipv4(const char *text, contract_address *ret) {
	static const char form[] =
		"^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$";
	if (!matches(form, text))
		return false;
	*ret = 0;
	for (int i = 0; i < 4; i++, text = strchr(text, '.') ? strchr(text, '.') + 1 : text)
		*ret = *ret << 8 | (unsigned)atoi(text);
	return true;
}

/* The groups of one side of "::", the last of which may be an IPv4 address; how many, or -1. */
static int read_groups(char *text, contract_address *ret) {
	static const char group[] = "^[0-9a-fA-F]{1,4}$";
	int n = 0;
	*ret = 0;
	for (char *next = text; next && *text; text = next) {
		contract_address v4;
		if ((next = strchr(text, ':')))
			*next++ = '\0';
		if (next && !*next)
			return -1; /* a colon at the end */
		if (!next && read_ipv4(text, &v4)) {
			*ret = *ret << 32 | v4;
			n += 2;
		} else if (matches(group, text)) {
			*ret = *ret << 16 | strtoul(text, NULL, 16);
			n++;
		} else {
			return -1;
		}
	}
	return n;
}

static bool read_ipv6(char *text, contract_address *ret) {
	contract_address front, back = 0;
	char *gap = strstr(text, "::");
	if (gap)
		*gap = '\0';
	if (gap && strchr(text, '.'))
		return false; /* an IPv4 address ends what it is in */
	int n_front = read_groups(text, &front), n_back = gap ? read_groups(gap + 2, &back) : 0;
	if (n_front < 0 || n_back < 0 || (gap ? n_front + n_back > 7 : n_front != 8))
		return false;
	*ret = gap && n_front > 0 ? front << 16 * (8 - n_front) | back : gap ? back : front;
	return true;
}

bool contract_address_read(const char *text, size_t len, bool takes_mapped, contract_address *ret) {
	char *copy = copy_of(text, len);
	contract_address a;
	if (strlen(copy) != len)
		return false;
	if (read_ipv4(copy, &a)) {
		*ret = (contract_address)0xffff << 32 | a;
		return true;
	}
	if (!read_ipv6(copy, &a) || (!takes_mapped && a >> 32 == 0xffff))
		return false;
	*ret = a;
	return true;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool contract_address_read_loosely(const char *text, contract_address *ret) {
	while (is_blank(*text))
		text++;
	size_t len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	const char *suffix = memchr(text, ':', len) ? "/128" : "/32";
	size_t suffix_len = strlen(suffix);
	if (len > suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0)
		len -= suffix_len;
	return contract_address_read(text, len, true, ret);
}

/* --- claims --- */

static void refuse(struct contract_claims *claims, bool too_many, const char *text) {
	if (claims->n_wrong == CONTRACT_WRONG_MAX) {
		claims->more++;
		return;
	}
	claims->wrong[claims->n_wrong].too_many = too_many;
	claims->wrong[claims->n_wrong++].text = text;
}

static void claim_text(struct contract_claims *claims, const char *text) {
	contract_address a;
	if (text[strspn(text, " \t\r\n")] == '\0')
		return;
	if (!contract_address_read_loosely(text, &a)) {
		refuse(claims, false, text);
		return;
	}
	for (int i = 0; i < claims->n; i++)
		if (claims->of[i] == a)
			return;
	if (claims->n == CONTRACT_CLAIMS_MAX)
		refuse(claims, true, text);
	else
		claims->of[claims->n++] = a;
}

static void claim(struct contract_claims *claims, const struct naive *value) {
	switch (value ? value->type : NAIVE_NULL) {
	case NAIVE_NULL:
		break;
	case NAIVE_FALSE:
		refuse(claims, false, "false");
		break;
	case NAIVE_TRUE:
		refuse(claims, false, "true");
		break;
	case NAIVE_INTEGER:
	case NAIVE_REAL:
		refuse(claims, false, value->text);
		break;
	case NAIVE_STRING:
		claim_text(claims, value->text);
		break;
	case NAIVE_ARRAY:
		for (size_t i = 0; i < value->n; i++)
			claim(claims, value->of[i]);
		break;
	case NAIVE_OBJECT:
		claim(claims, naive_member(value, "ip"));
	}
}

static const struct naive *stated(const struct naive *value) { return value && value->type == NAIVE_NULL ? NULL : value; }

static const struct naive *labels_of(const struct naive *document) {
	const struct naive *labels = stated(naive_member(document, "labels"));
	return labels ? labels : stated(naive_member(naive_member(document, "metadata"), "labels"));
}

/* A MeshService that its own Kubernetes cluster gave its addresses. */
static bool is_in_cluster(const struct naive *document) {
	const struct naive *labels = labels_of(document);
	const char *kind = naive_text(naive_member(document, "kind"));
	if (!kind || !*kind)
		kind = naive_text(naive_member(document, "type"));
	if (naive_is(naive_member(labels, "kuma.io/origin"), "global") || (kind && *kind && strcmp(kind, "MeshService") != 0))
		return false;
	return naive_is(naive_member(labels, "kuma.io/managed-by"), "k8s-controller") ||
	       naive_is(naive_member(labels, "k8s.kuma.io/is-headless-service"), "true");
}

static void read_claims(const struct naive *document, struct contract_claims *ret) {
	const struct naive *status = naive_member(document, "status");
	claim(ret, naive_member(status, "vips"));
	claim(ret, naive_member(status, "vip"));
	if (ret->n + ret->n_wrong > 0 && is_in_cluster(document))
		*ret = (struct contract_claims){.in_cluster = true};
}

/* --- the canonical text --- */

static bool is_state(const char *name) { return strcmp(name, "state") == 0 || strcmp(name, "identities") == 0; }

static bool is_status(const char *name) { return strcmp(name, "status") == 0; }

static bool is_kumas(const char *name) { return matches("^(k8s[.])?kuma[.]io/", name); }

static bool has_own(const struct naive *labels) {
	for (size_t i = 0; labels->type == NAIVE_OBJECT && i < labels->n; i++)
		if (!is_kumas(labels->names[i]))
			return true;
	return labels->type != NAIVE_OBJECT;
}

static void write_canonical(FILE *out, const struct naive *document) {
	const struct naive *kind = naive_member(document, "kind"), *labels = labels_of(document);
	const struct naive *spec = naive_member(document, "spec");
	if (!spec) {
		naive_write(out, document, is_status);
		return;
	}
	kind = kind ? kind : naive_member(document, "type");
	fputs("{", out);
	if (kind) {
		fputs("\"kind\":", out);
		naive_write(out, kind, NULL);
		fputs(",", out);
	}
	if (labels && has_own(labels)) {
		fputs("\"labels\":", out);
		naive_write(out, labels, is_kumas);
		fputs(",", out);
	}
	fputs("\"spec\":", out);
	naive_write(out, spec, is_state);
	fputs("}", out);
}

static void make_canonical(const struct naive *document, struct contract *ret) {
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		abort();
	write_canonical(out, document);
	if (fclose(out) != 0)
		abort();
	ret->canonical = copy_of(text, len);
	ret->canonical_len = len;
	free(text);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, ret->canonical, len, ret->fingerprint) != 0)
		abort();
}

/* --- whose it is --- */

/* A text; NULL if it is missing, null or "". Notes what is not a text, and of what is not an object. */
static const char *text_in(struct contract *c, const struct naive *object, const char *name) {
	const struct naive *value = stated(naive_member(object, name));
	const char *text = naive_text(value);
	if ((object && object->type != NAIVE_OBJECT) || (value && !text))
		c->malformed = true;
	return text && *text ? text : NULL;
}

static const char *first(const char *a, const char *b, const char *c, const char *d) { return a ? a : b ? b : c ? c : d; }

static void read_identity(const struct naive *document, const char *zone, struct contract *c) {
	const struct naive *metadata = stated(naive_member(document, "metadata")), *labels = labels_of(document);
	const struct naive *annotations = stated(naive_member(metadata, "annotations"));
	const char *kind = text_in(c, document, "kind"), *type = text_in(c, document, "type");
	const char *mesh = text_in(c, document, "mesh"), *mesh_label = text_in(c, labels, "kuma.io/mesh");
	const char *origin = text_in(c, labels, "kuma.io/origin"), *env = text_in(c, labels, "kuma.io/env");
	const char *zone_label = text_in(c, labels, "kuma.io/zone"), *labelled = text_in(c, labels, "k8s.kuma.io/namespace");
	const char *found_in = text_in(c, metadata, "namespace");
	const char *shown = text_in(c, labels, "kuma.io/display-name"), *noted = text_in(c, annotations, "kuma.io/display-name");
	const char *name = text_in(c, document, "name"), *metadata_name = text_in(c, metadata, "name");
	bool global = origin && strcmp(origin, "global") == 0, copied = global || (env && strcmp(env, "universal") == 0);
	const char *namespace = labelled ? labelled : copied ? NULL : found_in;
	c->kind = first(kind, type, "MeshService", NULL);
	c->zone = first(zone_label, global ? "global" : zone, NULL, NULL);
	c->mesh = first(mesh, mesh_label, "default", NULL);
	name = first(shown, noted, name, metadata_name);
	c->unknown_kind = !matches("^Mesh(External|MultiZone)?Service$", c->kind);
	c->nameless = !name;
	if (!name)
		return;
	char *service = naive_take(strlen(name) + (namespace ? strlen(namespace) : 0) + 2);
	strcat(strcat(strcpy(service, name), namespace ? "." : ""), namespace ? namespace : "");
	c->service = service;
	c->bad_name = !is_name(service, 317) || !is_name(c->mesh, 63) || !is_name(c->zone, 63);
}

struct contract contract_read(const struct naive *document, const char *zone) {
	struct contract c = {.malformed = false};
	make_canonical(document, &c);
	read_claims(document, &c.claims);
	read_identity(document, zone, &c);
	return c;
}
