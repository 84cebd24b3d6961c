/* identity.c — who holds a lease. */
#include "identity.h"

#include <stdio.h>
#include <string.h>

static const char *const KINDS[] = {
	[HF_MESH_SERVICE] = "MeshService",
	[HF_MESH_EXTERNAL_SERVICE] = "MeshExternalService",
	[HF_MESH_MULTIZONE_SERVICE] = "MeshMultiZoneService",
};

const char *hf_kind_name(enum hf_kind kind) { return KINDS[kind]; }

bool hf_kind_parse(const char *text, enum hf_kind *ret) {
	for (int kind = 1; kind <= HF_KINDS; kind++)
		if (strcmp(text, KINDS[kind]) == 0) {
			*ret = (enum hf_kind)kind;
			return true;
		}
	return false;
}

static bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

enum hf_err hf_name_check(const char *what, const char *text, size_t max, struct hf_why *why) {
	size_t len = strlen(text);
	if (len == 0)
		return hf_fail(why, HF_E_INVALID_NAME, "%s is empty", what);
	if (len > max)
		return hf_fail(why, HF_E_INVALID_NAME, "%s \"%.40s…\" has %zu characters; at most %zu are allowed", what, text, len,
			       max);
	for (size_t i = 0; i < len; i++)
		if (!is_alphanumeric(text[i]) && !strchr("._-", text[i]))
			return hf_fail(why, HF_E_INVALID_NAME, "%s \"%.60s\": character %zu is not one of a-z 0-9 . _ -", what,
				       text, i + 1);
	if (!is_alphanumeric(text[0]) || !is_alphanumeric(text[len - 1]))
		return hf_fail(why, HF_E_INVALID_NAME, "%s \"%.60s\" does not begin and end with a letter or digit", what, text);
	return HF_OK;
}

enum hf_err hf_name_set(const char *what, const char *text, size_t max, struct hf_why *why, char *ret) {
	enum hf_err err = hf_name_check(what, text, max, why);
	if (!err)
		memcpy(ret, text, strlen(text) + 1);
	return err;
}

const char *hf_identity_words(const struct hf_identity *id, char *ret, size_t size) {
	static const char format[] = "%s \"%.*s%s\" of zone \"%s\", mesh \"%s\"", more[] = "…";
	int len = snprintf(ret, size, format, hf_kind_name(id->kind), HF_SERVICE_MAX, id->service, "", id->zone, id->mesh);
	if (len < 0 || (size_t)len < size)
		return ret;
	int kept = (int)strlen(id->service) - (len - (int)size) - (int)sizeof more; /* names are ASCII */
	snprintf(ret, size, format, hf_kind_name(id->kind), kept, id->service, more, id->zone, id->mesh);
	return ret;
}

bool hf_identity_equal(const struct hf_identity *a, const struct hf_identity *b) {
	return a->kind == b->kind && strcmp(a->zone, b->zone) == 0 && strcmp(a->mesh, b->mesh) == 0 &&
	       strcmp(a->service, b->service) == 0;
}

static uint8_t *put_name(uint8_t *at, const char *name) {
	size_t len = strlen(name) + 1;
	memcpy(at, name, len);
	return at + len;
}

void hf_identity_encode(const struct hf_identity *id, struct hf_key *ret) {
	uint8_t *at = put_name(put_name(ret->bytes, id->zone), id->mesh);
	*at++ = (uint8_t)id->kind;
	ret->scope_len = (uint16_t)(at - ret->bytes);
	size_t len = strlen(id->service);
	memcpy(at, id->service, len);
	ret->len = (uint16_t)(ret->scope_len + len);
}

/* Reads a NUL-terminated name of 1 to `max` bytes and moves *at past it. */
static bool read_name(const uint8_t **at, const uint8_t *end, size_t max, char *ret) {
	const uint8_t *nul = memchr(*at, 0, (size_t)(end - *at));
	if (!nul || nul == *at || (size_t)(nul - *at) > max)
		return false;
	memcpy(ret, *at, (size_t)(nul - *at) + 1);
	*at = nul + 1;
	return true;
}

bool hf_identity_decode(const uint8_t *bytes, size_t len, struct hf_identity *ret) {
	const uint8_t *at = bytes, *end = bytes + len;
	if (!read_name(&at, end, HF_NAME_MAX, ret->zone) || !read_name(&at, end, HF_NAME_MAX, ret->mesh))
		return false;
	size_t rest = (size_t)(end - at);
	if (rest < 2 || rest > HF_SERVICE_MAX + 1 || at[0] < 1 || at[0] > HF_KINDS || memchr(at + 1, 0, rest - 1))
		return false;
	ret->kind = (enum hf_kind)at[0];
	memcpy(ret->service, at + 1, rest - 1);
	ret->service[rest - 1] = '\0';
	return true;
}
