/* tokens.c — the tokens file and the Authorization header. The first line of the text is the header's value, the rest the file. */
#include "api/access/tokens.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "naive.h"

#define NOW_MS INT64_C(1769860800000) /* 2026-01-31T12:00:00Z */

static bool matches(const char *pattern, const char *text, regmatch_t parts[4]) {
	regex_t regex;
	if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
		abort();
	bool found = regexec(&regex, text, 4, parts, 0) == 0;
	regfree(&regex);
	return found;
}

/* The value of a key in a line of words; NULL: it has none. */
static const char *value_of(const char *line, const char *key) {
	char *copy = strcpy(naive_take(strlen(line) + 1), line), *rest;
	for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		size_t len = strlen(key);
		if (strncmp(word, key, len) == 0 && word[len] == '=')
			return word + len + 1;
	}
	return NULL;
}

static void digest_of(const char *secret, char ret[65]) {
	unsigned char bytes[32];
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, secret, HF_TOKEN_SECRET_LEN, bytes) != 0)
		abort();
	for (int i = 0; i < 32; i++)
		sprintf(ret + 2 * i, "%02x", bytes[i]);
}

/* Whether a file that was accepted has a line for an id and a secret; expiries are compared by the caller's luck: a line with one
 * is no proof. */
static const char *line_of(const char *file, const char *id, const char *digest, bool *ret_expires) {
	char *copy = strcpy(naive_take(strlen(file) + 1), file), *rest;
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		size_t len = strlen(line);
		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		if (line[strspn(line, " \t")] == '#')
			continue;
		const char *its_id = value_of(line, "id"), *its_digest = value_of(line, "sha256");
		if (its_id && its_digest && strcmp(its_id, id) == 0 && strcasecmp(its_digest, digest) == 0) {
			*ret_expires = value_of(line, "expires") != NULL;
			return line;
		}
	}
	return NULL;
}

static const char *difference_of_principal(const struct hf_principal *found, const char *line) {
	const char *role = value_of(line, "role"), *zones = value_of(line, "zones");
	if (strcmp(hf_role_name(found->role), role) != 0 || found->role < HF_ROLE_READ)
		return "the role";
	if ((found->role == HF_ROLE_ZONE) != (found->n_zones > 0) || (found->role == HF_ROLE_ZONE) != (zones != NULL))
		return "whether it has zones";
	for (int i = 0; i < found->n_zones; i++) {
		size_t len = strcspn(zones, ",");
		if (strlen(found->zones[i]) != len || memcmp(found->zones[i], zones, len) != 0)
			return "a zone";
		zones += len + (zones[len] == ',');
	}
	if (found->permissions && !value_of(line, "permissions"))
		return "the permissions";
	return NULL;
}

static const char *difference(const char *header, const char *file, const struct hf_tokens *tokens) {
	static const char token[] = "^[Bb][Ee][Aa][Rr][Ee][Rr] +hf_(.{1,63})_([A-Za-z0-9_-]{43})[ \t]*$";
	const char *id, *secret;
	size_t id_len;
	regmatch_t parts[4];
	bool is_token = matches(token, header, parts) &&
			!memchr(header + parts[1].rm_so, ' ', (size_t)(parts[2].rm_eo - parts[1].rm_so)) &&
			!memchr(header + parts[1].rm_so, '\t', (size_t)(parts[2].rm_eo - parts[1].rm_so));
	if (hf_token_split(header, &id, &id_len, &secret) != is_token)
		return "whether the header has a token";
	if (is_token && (id != header + parts[1].rm_so || id_len != (size_t)(parts[1].rm_eo - parts[1].rm_so) ||
			 secret != header + parts[2].rm_so))
		return "where the token's parts are";
	struct hf_principal found = {.role = HF_ROLE_NONE};
	bool is_found = tokens && hf_tokens_find(tokens, header, NOW_MS, &found), expires = false;
	if (!tokens || !is_token)
		return is_found ? "whether it is found" : NULL;
	char digest[65];
	digest_of(secret, digest);
	const char *name = strncpy(naive_take(id_len + 1), id, id_len), *line = line_of(file, name, digest, &expires);
	if (!line || is_found != true)
		return (line && !expires) || is_found ? "whether it is found" : NULL;
	return strcmp(found.id, name) != 0 ? "the id" : difference_of_principal(&found, line);
}

const char *fuzz_tokens(const char *text, size_t len) {
	const char *newline = memchr(text, '\n', len), *end = newline ? newline : text + len;
	size_t header_len = (size_t)(end - text), file_len = newline ? len - header_len - 1 : 0;
	char *header = memcpy(naive_take(header_len + 1), text, header_len), *file = naive_take(file_len + 1);
	struct hf_tokens *tokens = NULL;
	if (memchr(text, '\0', header_len)) /* a header has none */
		return NULL;
	if (file_len > 0)
		memcpy(file, newline + 1, file_len);
	struct hf_why why = {""};
	enum hf_err err = hf_tokens_read(file_len > 0 ? newline + 1 : text, file_len, &why, &tokens);
	if (err && (err != HF_E_INVALID_PARAMETER || !why.text[0] || strstr(why.text, "sha256=")))
		return "the error";
	const char *differs = difference(header, file, tokens);
	if (!differs && tokens && hf_tokens_count(tokens) > 0 && memchr(file, '\0', file_len))
		differs = "whether a NUL is refused";
	hf_tokens_free(tokens);
	return differs;
}
