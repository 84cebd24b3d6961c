/* Names, kinds, and the identity bytes. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "storage/base/identity.h"

static const struct {
	const char *name, *text;
	size_t repeat; /* > 0: the text's first character so many times */
	size_t max;
	const char *why; /* NULL: accepted */
} NAMES[] = {
	{"one letter", "a", 0, HF_NAME_MAX, NULL},
	{"one digit", "0", 0, HF_NAME_MAX, NULL},
	{"all that is allowed", "a0._-z9", 0, HF_NAME_MAX, NULL},
	{"63", "a", 63, HF_NAME_MAX, NULL},
	{"64", "a", 64, HF_NAME_MAX, "has 64 characters; at most 63"},
	{"a service of 64", "a", 64, HF_SERVICE_MAX, NULL},
	{"a service of 317", "a", 317, HF_SERVICE_MAX, NULL},
	{"a service of 318", "a", 318, HF_SERVICE_MAX, "has 318 characters; at most 317"},
	{"empty", "", 0, HF_NAME_MAX, "is empty"},
	{"upper case", "Redis", 0, HF_NAME_MAX, "character 1 is not one of"},
	{"upper case inside", "rEdis", 0, HF_NAME_MAX, "character 2 is not one of"},
	{"a space", "a b", 0, HF_NAME_MAX, "character 2"},
	{"a slash", "a/b", 0, HF_NAME_MAX, "character 2"},
	{"a control character", "a\001b", 0, HF_NAME_MAX, "character 2"},
	{"UTF-8", "caf\303\251", 0, HF_NAME_MAX, "character 4"},
	{"a quote", "a\"", 0, HF_NAME_MAX, "character 2"},
	{"begins with a dash", "-a", 0, HF_NAME_MAX, "does not begin and end"},
	{"begins with a dot", ".a", 0, HF_NAME_MAX, "does not begin and end"},
	{"ends with a dash", "a-", 0, HF_NAME_MAX, "does not begin and end"},
	{"ends with a dot", "a.", 0, HF_NAME_MAX, "does not begin and end"},
	{"ends with an underscore", "a_", 0, HF_NAME_MAX, "does not begin and end"},
	{"only a dot", ".", 0, HF_NAME_MAX, "does not begin and end"},
};

Test(identity, names_are_accepted_or_refused_as_the_table_says) {
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		char text[400] = "", copy[HF_SERVICE_MAX + 1] = "before";
		struct hf_why why = {""};
		memset(text, NAMES[i].text[0], NAMES[i].repeat);
		if (!NAMES[i].repeat)
			strcpy(text, NAMES[i].text);
		enum hf_err err = hf_name_set("mesh", text, NAMES[i].max, &why, copy);
		cr_expect_eq(err, NAMES[i].why ? HF_E_INVALID_NAME : HF_OK, "%s", NAMES[i].name);
		cr_expect_eq(hf_name_check("mesh", text, NAMES[i].max, NULL), err, "%s", NAMES[i].name);
		cr_expect_str_eq(copy, err ? "before" : text, "%s", NAMES[i].name);
		if (NAMES[i].why)
			cr_expect(strncmp(why.text, "mesh", 4) == 0 && strstr(why.text, NAMES[i].why), "%s: says \"%s\"",
				  NAMES[i].name, why.text);
	}
}

Test(identity, kinds_have_kumas_names) {
	static const char *const names[] = {"MeshService", "MeshExternalService", "MeshMultiZoneService"};
	enum hf_kind kind;
	for (int i = 0; i < HF_KINDS; i++) {
		cr_assert(hf_kind_parse(names[i], &kind));
		cr_assert_eq((int)kind, i + 1);
		cr_assert_str_eq(hf_kind_name(kind), names[i]);
	}
	cr_assert(!hf_kind_parse("meshservice", &kind));
	cr_assert(!hf_kind_parse("", &kind));
}

/* In the order of their keys: zone, mesh, kind, service. */
static const struct hf_identity ORDERED[] = {
	{HF_MESH_MULTIZONE_SERVICE, "a", "z", "z"}, {HF_MESH_SERVICE, "a-b", "a", "a"}, {HF_MESH_SERVICE, "ab", "a", "a"},
	{HF_MESH_SERVICE, "ab", "a", "a.b"},	    {HF_MESH_SERVICE, "ab", "a", "ab"}, {HF_MESH_EXTERNAL_SERVICE, "ab", "a", "a"},
	{HF_MESH_SERVICE, "ab", "a.b", "a"},	    {HF_MESH_SERVICE, "ab", "ab", "a"}, {HF_MESH_SERVICE, "b", "a", "a"},
};

static int compare(const struct hf_key *a, const struct hf_key *b) {
	int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
	return order ? order : a->len - b->len;
}

Test(identity, keys_sort_by_zone_mesh_kind_service) {
	struct hf_key keys[2];
	for (size_t i = 0; i + 1 < sizeof ORDERED / sizeof *ORDERED; i++) {
		hf_identity_encode(&ORDERED[i], &keys[0]);
		hf_identity_encode(&ORDERED[i + 1], &keys[1]);
		cr_expect_lt(compare(&keys[0], &keys[1]), 0, "%zu", i);
	}
}

static bool decodes_to(const struct hf_key *key, const struct hf_identity *id) {
	struct hf_identity back;
	return hf_identity_decode(key->bytes, key->len, &back) && back.kind == id->kind && strcmp(back.zone, id->zone) == 0 &&
	       strcmp(back.mesh, id->mesh) == 0 && strcmp(back.service, id->service) == 0;
}

Test(identity, what_is_encoded_is_decoded) {
	struct hf_key key;
	struct hf_identity longest = {.kind = HF_MESH_SERVICE};
	for (size_t i = 0; i < sizeof ORDERED / sizeof *ORDERED; i++) {
		hf_identity_encode(&ORDERED[i], &key);
		cr_expect(decodes_to(&key, &ORDERED[i]), "%zu", i);
		cr_expect_eq(key.scope_len, strlen(ORDERED[i].zone) + strlen(ORDERED[i].mesh) + 3);
	}
	memset(longest.zone, 'z', HF_NAME_MAX);
	memset(longest.mesh, 'm', HF_NAME_MAX);
	memset(longest.service, 's', HF_SERVICE_MAX);
	hf_identity_encode(&longest, &key);
	cr_assert_eq(key.len, HF_KEY_MAX);
	cr_assert(decodes_to(&key, &longest));
}

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t len;
} DAMAGED[] = {
	{"nothing", BYTES("")},
	{"a zone alone", BYTES("east")},
	{"no mesh", BYTES("east\0")},
	{"a mesh without an end", BYTES("east\0default")},
	{"no kind", BYTES("east\0default\0")},
	{"no service", BYTES("east\0default\0\1")},
	{"kind 0", BYTES("east\0default\0\0redis")},
	{"kind 4", BYTES("east\0default\0\4redis")},
	{"an empty zone", BYTES("\0default\0\1redis")},
	{"an empty mesh", BYTES("east\0\0\1redis")},
	{"a NUL in the service", BYTES("east\0default\0\1re\0dis")},
	{"a NUL behind the service", BYTES("east\0default\0\1redis\0")},
	{"a zone of 64", BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0default\0\1redis")},
};

Test(identity, damaged_bytes_are_not_decoded) {
	struct hf_identity id;
	for (size_t i = 0; i < sizeof DAMAGED / sizeof *DAMAGED; i++) {
		uint8_t *copy = malloc(DAMAGED[i].len + 1); /* so that a sanitizer sees a read behind its end */
		uint8_t *end = copy + 1;
		memcpy(end, DAMAGED[i].bytes, DAMAGED[i].len);
		cr_expect(!hf_identity_decode(end, DAMAGED[i].len, &id), "%s", DAMAGED[i].name);
		free(copy);
	}
	uint8_t too_long[HF_KEY_MAX + 1];
	struct hf_key key;
	struct hf_identity longest = {.kind = HF_MESH_SERVICE, .zone = "e", .mesh = "d"};
	memset(longest.service, 's', HF_SERVICE_MAX);
	hf_identity_encode(&longest, &key);
	memcpy(too_long, key.bytes, key.len);
	too_long[key.len] = 's';
	cr_assert(!hf_identity_decode(too_long, key.len + 1u, &id), "a service of 318");
}

Test(identity, words_name_all_four_and_cut_only_the_service) {
	char words[HF_IDENTITY_WORDS_MAX], few[HF_IDENTITY_WORDS_MIN], name[HF_NAME_MAX + 1];
	struct hf_identity id = {.kind = HF_MESH_SERVICE, .zone = "east", .mesh = "default", .service = "web"};
	cr_assert_str_eq(hf_identity_words(&id, few, sizeof few), "MeshService \"web\" of zone \"east\", mesh \"default\"");
	struct hf_identity longest = {.kind = HF_MESH_MULTIZONE_SERVICE};
	memset(longest.service, 's', HF_SERVICE_MAX);
	memset(longest.zone, 'z', HF_NAME_MAX);
	memset(longest.mesh, 'm', HF_NAME_MAX);
	cr_assert(strstr(hf_identity_words(&longest, words, sizeof words), longest.service), "nothing is cut");
	cr_assert_str_eq(words + strlen(words) - 2, "m\"");
	hf_identity_words(&longest, few, sizeof few);
	cr_assert_eq(strlen(few), sizeof few - 1, "as much as fits");
	cr_assert(strstr(few, "ss…\" of zone \"z"));
	memset(name, 'm', HF_NAME_MAX);
	name[HF_NAME_MAX] = '\0';
	cr_assert(strstr(few, name), "the mesh is whole");
}
