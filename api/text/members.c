/* members.c — reading an object's members strictly. */
#include "members.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timetext.h"

#define LIST_TEXT 192 /* bytes of the names that a message lists */

/* Appends to a text of LIST_TEXT bytes, cut at its size. */
static void list(char *ret, const char *text) {
	size_t len = strlen(ret);
	snprintf(ret + len, LIST_TEXT - len, "%s%s", len > 0 ? ", " : "", text);
}

/* Fails with the object's name, if it has one, before the words. */
static void fail(struct hf_members *m, enum hf_err err, const char *words) {
	if (m->err)
		return;
	if (m->of)
		m->err = hf_fail(m->why, err, "\"%s\": %.230s", m->of, words);
	else
		m->err = hf_fail(m->why, err, "%s", words);
}

void hf_members_fail(struct hf_members *m, enum hf_err err, const char *name, const char *words) {
	char said[320];
	snprintf(said, sizeof said, "\"%.40s\" %s", name, words);
	fail(m, err, said);
}

struct hf_members hf_members_begin(const json_t *value, const char *of, struct hf_why *why) {
	struct hf_members m = {.object = value, .of = of, .why = why};
	if (!json_is_object(value))
		m.err = of ? hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" is not an object", of)
			   : hf_fail(why, HF_E_INVALID_PARAMETER, "it is not an object");
	return m;
}

static bool is_in(const char *const *names, int n, const char *name) {
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int count(const char *const *names) {
	int n = 0;
	while (names && names[n])
		n++;
	return n;
}

static void check_names(struct hf_members *m, const char *const *known, int n, const char *const *ignored) {
	const char *name;
	json_t *value;
	char said[320], all[LIST_TEXT] = "";
	int n_ignored = count(ignored);
	json_object_foreach ((json_t *)m->object, name, value) {
		if (is_in(known, n, name) || is_in(ignored, n_ignored, name))
			continue;
		for (int i = 0; i < n; i++)
			list(all, known[i]);
		snprintf(said, sizeof said, "member \"%.40s\" is unknown; known: %s", name, all);
		fail(m, HF_E_INVALID_PARAMETER, said);
		return;
	}
}

void hf_members_allow(struct hf_members *m, const char *const *known, const char *const *ignored) {
	if (!m->err)
		check_names(m, known, count(known), ignored);
	m->checked = true;
}

bool hf_members_has(const struct hf_members *m, const char *name) { return json_object_get(m->object, name) != NULL; }

const json_t *hf_members_take(struct hf_members *m, const char *name) {
	if (m->err)
		return NULL;
	const json_t *value = json_object_get(m->object, name);
	if (!value)
		hf_members_fail(m, HF_E_INVALID_PARAMETER, name, "is missing");
	if (m->n == HF_MEMBERS_MAX)
		abort(); /* no object has so many */
	m->taken[m->n++] = name;
	return value;
}

const char *hf_members_text(struct hf_members *m, const char *name) {
	const json_t *value = hf_members_take(m, name);
	if (value && !json_is_string(value))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, name, "is not a string");
	return m->err ? "" : json_string_value(value);
}

void hf_members_copy(struct hf_members *m, const char *name, size_t max, char *ret) {
	char words[64];
	const char *text = hf_members_text(m, name);
	size_t len = strlen(text);
	if (len == 0 || len > max) {
		snprintf(words, sizeof words, "has %zu bytes; 1 to %zu are allowed", len, max);
		hf_members_fail(m, HF_E_INVALID_PARAMETER, name, words);
		text = "";
		len = 0;
	}
	memcpy(ret, text, len + 1);
}

void hf_members_name(struct hf_members *m, const char *name, size_t max, char *ret) {
	const char *text = hf_members_text(m, name);
	struct hf_why said;
	ret[0] = '\0';
	if (m->err)
		return;
	enum hf_err err = hf_name_set(name, text, max, &said, ret);
	if (err)
		fail(m, err, said.text);
}

uint64_t hf_members_uint(struct hf_members *m, const char *name, uint64_t min, uint64_t max) {
	char words[96];
	const json_t *value = hf_members_take(m, name);
	json_int_t number = json_integer_value(value);
	if (value && (!json_is_integer(value) || number < 0 || (uint64_t)number < min || (uint64_t)number > max)) {
		snprintf(words, sizeof words, "is not a whole number from %" PRIu64 " to %" PRIu64, min, max);
		hf_members_fail(m, HF_E_INVALID_PARAMETER, name, words);
	}
	return m->err ? min : (uint64_t)number;
}

int64_t hf_members_time(struct hf_members *m, const char *name) {
	const char *text = hf_members_text(m, name);
	int64_t ms = 0;
	if (!m->err && !hf_time_parse(text, &ms))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, name, "is not an RFC 3339 time such as 2026-01-31T12:00:00.000Z");
	return m->err ? 0 : ms;
}

int64_t hf_members_duration(struct hf_members *m, const char *name, int min_s, int max_s) {
	char words[80];
	int64_t ms = 0;
	const char *text = hf_members_text(m, name);
	if (!m->err && hf_duration_parse(text, &ms) && ms >= (int64_t)min_s * 1000 && ms <= (int64_t)max_s * 1000)
		return ms;
	snprintf(words, sizeof words, "is not a duration from %ds to %ds, such as 30s or 2m", min_s, max_s);
	hf_members_fail(m, HF_E_INVALID_PARAMETER, name, words);
	return 0;
}

struct hf_addr hf_members_address(struct hf_members *m, const char *name) {
	const char *text = hf_members_text(m, name);
	char words[320];
	struct hf_addr a = {0};
	struct hf_why said;
	if (m->err)
		return a;
	enum hf_err err = hf_addr_parse(text, &said, &a);
	if (err) {
		snprintf(words, sizeof words, "\"%s\": %s", name, said.text);
		fail(m, err, words);
	}
	return a;
}

struct hf_digest hf_members_digest(struct hf_members *m, const char *name) {
	const char *text = hf_members_text(m, name);
	struct hf_digest digest = {{0}};
	if (!m->err && !hf_digest_parse(text, &digest))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, name, "is not \"sha256:\" and 64 hexadecimal digits");
	return digest;
}

enum hf_kind hf_members_kind(struct hf_members *m, const char *name) {
	const char *text = hf_members_text(m, name);
	enum hf_kind kind = HF_MESH_SERVICE;
	char words[128];
	if (!m->err && !hf_kind_parse(text, &kind)) {
		snprintf(words, sizeof words, "is \"%.40s\"; known: MeshService, MeshExternalService, MeshMultiZoneService", text);
		hf_members_fail(m, HF_E_INVALID_PARAMETER, name, words);
	}
	return kind;
}

int hf_members_choice(struct hf_members *m, const char *name, const char *const *texts, int n) {
	const char *text = hf_members_text(m, name);
	char words[256], all[LIST_TEXT] = "";
	for (int i = 0; !m->err && i < n; i++)
		if (texts[i] && strcmp(texts[i], text) == 0)
			return i;
	for (int i = 0; !m->err && i < n; i++)
		if (texts[i])
			list(all, texts[i]);
	snprintf(words, sizeof words, "is \"%.40s\"; known: %s", text, all);
	hf_members_fail(m, HF_E_INVALID_PARAMETER, name, words);
	return 0;
}

void hf_members_identity(struct hf_members *m, bool with_service, struct hf_identity *ret) {
	*ret = (struct hf_identity){.kind = hf_members_kind(m, "kind")};
	hf_members_name(m, "mesh", HF_NAME_MAX, ret->mesh);
	hf_members_name(m, "zone", HF_NAME_MAX, ret->zone);
	if (with_service)
		hf_members_name(m, "service", HF_SERVICE_MAX, ret->service);
}

enum hf_err hf_members_end(struct hf_members *m) {
	if (!m->err && !m->checked && json_object_size(m->object) != (size_t)m->n)
		check_names(m, m->taken, m->n, NULL);
	return m->err;
}
