/* tokens.c — reads a tokens file, and finds tokens in it. */
#include "tokens.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/text/timetext.h"
#include "storage/base/digest.h"

#define NEVER INT64_MAX
#define LINE_MAX_BYTES 4096
#define SECRET_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* A line of the file. */
struct entry {
	struct hf_principal principal;
	struct hf_digest digest; /* of the secret */
	int64_t expires_ms;
	unsigned line;
};

struct hf_tokens {
	int n, cap;
	struct entry *entries; /* by id, then by line; at most two of an id */
};

void hf_tokens_free(struct hf_tokens *tokens) {
	if (tokens)
		free(tokens->entries);
	free(tokens);
}

int hf_tokens_count(const struct hf_tokens *tokens) { return tokens->n; }

/* The members of a line, as bits: which it has. */
enum { ID = 1, ROLE = 2, ZONES = 4, PERMISSIONS = 8, CREATED = 16, EXPIRES = 32, SHA256 = 64 };

static const struct {
	int member;
	const char *name;
} MEMBERS[] = {{ID, "id"},	     {ROLE, "role"},	   {ZONES, "zones"},  {PERMISSIONS, "permissions"},
	       {CREATED, "created"}, {EXPIRES, "expires"}, {SHA256, "sha256"}};

static enum hf_err read_id(const char *value, struct entry *entry, struct hf_why *why) {
	static const char *const reserved[] = {HF_RESERVED_IDS};
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strcmp(value, reserved[i]) == 0)
			return hf_fail(why, HF_E_INVALID_PARAMETER, "id: \"%s\" is a name of Holdfast's own", reserved[i]);
	if (hf_name_set("id", value, HF_NAME_MAX, NULL, entry->principal.id))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "id: it is not a name of 1 to %d characters of a-z 0-9 . _ -",
			       HF_NAME_MAX);
	return HF_OK;
}

/* Takes the next word off a list separated by commas, which may not have an empty one. Returns NULL after the last. */
static char *next_word(char **at) {
	char *word = *at, *comma = word ? strchr(word, ',') : NULL;
	if (comma)
		*comma = '\0';
	*at = comma ? comma + 1 : NULL;
	return word;
}

static enum hf_err read_zones(char *value, struct entry *entry, struct hf_why *why) {
	struct hf_principal *principal = &entry->principal;
	for (char *at = value, *word; (word = next_word(&at));) {
		if (principal->n_zones == HF_PRINCIPAL_ZONES_MAX)
			return hf_fail(why, HF_E_INVALID_PARAMETER, "zones: there are more than %d", HF_PRINCIPAL_ZONES_MAX);
		if (hf_name_set("zone", word, HF_NAME_MAX, NULL, principal->zones[principal->n_zones]))
			return hf_fail(why, HF_E_INVALID_PARAMETER, "zones: one is not a zone's name");
		principal->n_zones++;
	}
	return HF_OK;
}

static enum hf_err read_permissions(char *value, struct entry *entry, struct hf_why *why) {
	enum hf_permission permission;
	for (char *at = value, *word; (word = next_word(&at));) {
		if (!hf_permission_parse(word, &permission))
			return hf_fail(why, HF_E_INVALID_PARAMETER,
				       "permissions: one is neither zone:force, zone:purge nor zone:maxrelease");
		entry->principal.permissions |= permission;
	}
	return HF_OK;
}

static enum hf_err read_member(int member, char *value, struct entry *entry, struct hf_why *why) {
	int64_t created_ms;
	size_t len;
	switch (member) {
	case ID:
		return read_id(value, entry, why);
	case ROLE:
		if (hf_role_parse(value, &entry->principal.role))
			return HF_OK;
		return hf_fail(why, HF_E_INVALID_PARAMETER, "role: it is neither read, zone nor admin");
	case ZONES:
		return read_zones(value, entry, why);
	case PERMISSIONS:
		return read_permissions(value, entry, why);
	case CREATED:
		if (hf_time_parse(value, &created_ms))
			return HF_OK;
		return hf_fail(why, HF_E_INVALID_PARAMETER, "created: it is not a time such as 2026-11-28T14:00:00Z");
	case EXPIRES:
		if (hf_time_parse(value, &entry->expires_ms))
			return HF_OK;
		return hf_fail(why, HF_E_INVALID_PARAMETER, "expires: it is not a time such as 2026-11-28T14:00:00Z");
	default:
		if (hf_hex_decode(value, HF_DIGEST_BYTES, entry->digest.bytes, &len) && len == HF_DIGEST_BYTES)
			return HF_OK;
		return hf_fail(why, HF_E_INVALID_PARAMETER, "sha256: it is not 64 hexadecimal digits");
	}
}

/* Reads KEY=VALUE, which is cut at its equals sign. */
static enum hf_err read_pair(char *pair, struct entry *entry, int *members, struct hf_why *why) {
	char *value = strchr(pair, '=');
	if (!value)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "it is not pairs of KEY=VALUE separated by blanks");
	*value++ = '\0';
	for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
		if (strcmp(pair, MEMBERS[i].name) != 0)
			continue;
		if (*members & MEMBERS[i].member)
			return hf_fail(why, HF_E_INVALID_PARAMETER, "%s is stated twice", MEMBERS[i].name);
		*members |= MEMBERS[i].member;
		return read_member(MEMBERS[i].member, value, entry, why);
	}
	return hf_fail(why, HF_E_INVALID_PARAMETER,
		       "it has an unknown key; known: id role zones permissions created expires sha256");
}

static enum hf_err check_members(int members, const struct hf_principal *principal, struct hf_why *why) {
	bool is_zone = principal->role == HF_ROLE_ZONE;
	if ((members & (ID | ROLE | SHA256)) != (ID | ROLE | SHA256))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "id, role or sha256 is missing");
	if (is_zone && !(members & ZONES))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "role zone needs zones");
	if (!is_zone && (members & (ZONES | PERMISSIONS)))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "zones and permissions are for role zone alone");
	return HF_OK;
}

/* Reads a line, which is cut into its words. Sets *ret_empty if it has none. */
static enum hf_err read_line(char *line, struct entry *entry, struct hf_why *why, bool *ret_empty) {
	int members = 0;
	enum hf_err err = HF_OK;
	char *at = line + strspn(line, " \t");
	*ret_empty = *at == '\0' || *at == '#';
	if (*ret_empty)
		return HF_OK;
	while (!err && *at) {
		char *pair = at;
		at += strcspn(at, " \t");
		if (*at)
			*at++ = '\0';
		at += strspn(at, " \t");
		err = read_pair(pair, entry, &members, why);
	}
	return err ? err : check_members(members, &entry->principal, why);
}

static struct entry *make_room(struct hf_tokens *tokens) {
	if (tokens->n == tokens->cap) {
		int cap = tokens->cap ? tokens->cap * 2 : 4;
		struct entry *entries = realloc(tokens->entries, (size_t)cap * sizeof *entries);
		if (!entries)
			return NULL;
		tokens->entries = entries;
		tokens->cap = cap;
	}
	return memset(&tokens->entries[tokens->n], 0, sizeof *tokens->entries);
}

static enum hf_err take_line(struct hf_tokens *tokens, unsigned number, const char *text, size_t len, struct hf_why *why) {
	char line[LINE_MAX_BYTES + 1];
	struct hf_why said = {""};
	bool empty = false;
	struct entry *entry = make_room(tokens);
	if (!entry)
		return hf_no_memory(why);
	entry->line = number;
	entry->expires_ms = NEVER;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len > LINE_MAX_BYTES || memchr(text, '\0', len))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "line %u: it has a NUL, or more than %d bytes", number, LINE_MAX_BYTES);
	memcpy(line, text, len);
	line[len] = '\0';
	enum hf_err err = read_line(line, entry, &said, &empty);
	if (err)
		return hf_fail(why, err, "line %u: %.200s", number, said.text);
	if (!empty && tokens->n == HF_TOKENS_MAX)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "line %u: there are more than %d secrets", number, HF_TOKENS_MAX);
	tokens->n += !empty;
	return HF_OK;
}

static int by_id(const void *a, const void *b) {
	const struct entry *left = a, *right = b;
	int order = strcmp(left->principal.id, right->principal.id);
	return order ? order : left->line < right->line ? -1 : 1;
}

/* Sorts the entries, and checks those of one id. */
static enum hf_err sort(struct hf_tokens *tokens, struct hf_why *why) {
	struct entry *of = tokens->entries;
	if (tokens->n > 1)
		qsort(of, (size_t)tokens->n, sizeof *of, by_id);
	for (int i = 1; i < tokens->n; i++) {
		if (strcmp(of[i - 1].principal.id, of[i].principal.id) != 0)
			continue;
		if (i > 1 && strcmp(of[i - 2].principal.id, of[i].principal.id) == 0)
			return hf_fail(why, HF_E_INVALID_PARAMETER,
				       "line %u: its id has two other secrets, and may have two at most", of[i].line);
		if (memcmp(&of[i - 1].principal, &of[i].principal, sizeof of->principal) != 0)
			return hf_fail(why, HF_E_INVALID_PARAMETER,
				       "line %u: line %u has the same id with another role, or other zones or permissions",
				       of[i].line, of[i - 1].line);
	}
	return HF_OK;
}

enum hf_err hf_tokens_read(const char *text, size_t len, struct hf_why *why, struct hf_tokens **ret) {
	struct hf_tokens *tokens = calloc(1, sizeof *tokens);
	enum hf_err err = HF_OK;
	unsigned number = 0;
	if (!tokens)
		return hf_no_memory(why);
	if (len > HF_TOKENS_FILE_MAX_BYTES)
		err = hf_fail(why, HF_E_INVALID_PARAMETER, "it has more than %zu bytes", HF_TOKENS_FILE_MAX_BYTES);
	for (const char *at = text, *end = text + len; !err && at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
		err = take_line(tokens, ++number, at, (size_t)(stop - at), why);
		at = newline ? newline + 1 : end;
	}
	if (!err)
		err = sort(tokens, why);
	if (err)
		hf_tokens_free(tokens);
	else
		*ret = tokens;
	return err;
}

bool hf_token_split(const char *authorization, const char **ret_id, size_t *ret_id_len, const char **ret_secret) {
	static const char scheme[] = "Bearer", prefix[] = "hf_";
	if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
		return false;
	const char *at = authorization + sizeof scheme - 1;
	size_t blanks = strspn(at, " ");
	at += blanks;
	size_t len = strcspn(at, " \t");
	if (blanks == 0 || at[len + strspn(at + len, " \t")] != '\0' || len < sizeof prefix - 1 + 1 + 1 + HF_TOKEN_SECRET_LEN ||
	    strncmp(at, prefix, sizeof prefix - 1) != 0)
		return false;
	const char *secret = at + len - HF_TOKEN_SECRET_LEN;
	size_t id_len = (size_t)(secret - 1 - at) - (sizeof prefix - 1);
	if (secret[-1] != '_' || id_len > HF_NAME_MAX || strspn(secret, SECRET_CHARACTERS) < HF_TOKEN_SECRET_LEN)
		return false;
	*ret_id = at + sizeof prefix - 1;
	*ret_id_len = id_len;
	*ret_secret = secret;
	return true;
}

/* Returns the first entry whose id is not before the given one. */
static int lower_bound(const struct hf_tokens *tokens, const char *id) {
	int low = 0, high = tokens->n;
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (strcmp(tokens->entries[middle].principal.id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool hf_tokens_find(const struct hf_tokens *tokens, const char *authorization, int64_t now_ms, struct hf_principal *ret) {
	static const struct entry dummy = {.expires_ms = INT64_MIN}; /* for unknown ids: always expired */
	const char *id, *secret;
	size_t id_len;
	char name[HF_NAME_MAX + 1];
	if (!hf_token_split(authorization, &id, &id_len, &secret))
		return false;
	memcpy(name, id, id_len);
	name[id_len] = '\0';
	struct hf_digest digest = hf_digest_of(secret, HF_TOKEN_SECRET_LEN);
	const struct entry *found = &dummy;
	for (int i = 0, at = lower_bound(tokens, name); i < 2; i++, at++) {
		const struct entry *entry = &dummy;
		if (at < tokens->n && strcmp(tokens->entries[at].principal.id, name) == 0)
			entry = &tokens->entries[at];
		bool equal = hf_digest_equal_secretly(&entry->digest, &digest);
		if (equal & (now_ms < entry->expires_ms))
			found = entry;
	}
	if (found == &dummy)
		return false;
	*ret = found->principal;
	return true;
}
