/* target.c — splits and decodes the request target. */
#include "target.h"

#include <string.h>

#include "api/text/json.h"

static int hex_digit(char c) {
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place. Returns NULL, or a description of the error. */
static const char *decode(char *text) {
	while (*text && *text != '%' && !(*text & 0x80)) /* the usual case: nothing to decode */
		text++;
	char *to = text;
	for (const char *at = text; *at; at++) {
		if (*at != '%') {
			*to++ = *at;
			continue;
		}
		int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
		if (low < 0)
			return "a percent sign without two hexadecimal digits";
		if (high == 0 && low == 0)
			return "a percent-encoded NUL";
		*to++ = (char)(high << 4 | low);
		at += 2;
	}
	*to = '\0';
	for (const char *at = text; *at;) {
		size_t n = hf_utf8_length(at, strlen(at));
		if (n == 0)
			return "bytes that are not UTF-8";
		at += n;
	}
	return NULL;
}

static enum hf_err split_path(struct hf_call *call, char *path, struct hf_why *why) {
	char *at = path;
	if (*at++ != '/')
		return hf_fail(why, HF_E_INVALID_NAME, "the path does not begin with a slash");
	for (char *next; at; at = next) {
		next = strchr(at, '/');
		if (next)
			*next++ = '\0';
		if (call->n_segments == HF_SEGMENTS_MAX)
			return hf_fail(why, HF_E_NOT_FOUND, "the path has more parts than any known path");
		const char *fault = decode(at);
		if (fault)
			return hf_fail(why, HF_E_INVALID_NAME, "path, part %d: %s", call->n_segments + 1, fault);
		call->segments[call->n_segments++] = at;
	}
	return HF_OK;
}

static enum hf_err split_query(struct hf_call *call, char *query, struct hf_why *why) {
	for (char *at = query, *next; at; at = next) {
		next = strchr(at, '&');
		if (next)
			*next++ = '\0';
		if (!*at)
			continue;
		if (call->n_params == HF_PARAMS_MAX)
			return hf_fail(why, HF_E_INVALID_PARAMETER, "there are more than %d query parameters", HF_PARAMS_MAX);
		char *value = strchr(at, '=');
		if (value)
			*value++ = '\0';
		else
			value = at + strlen(at);
		const char *fault = decode(at);
		if (!fault)
			fault = decode(value);
		if (fault)
			return hf_fail(why, HF_E_INVALID_PARAMETER, "query parameter %d: %s", call->n_params + 1, fault);
		call->params[call->n_params++] = (struct hf_param){at, value};
	}
	return HF_OK;
}

/* Splits the absolute form, http://AUTHORITY/PATH, which the client of a proxy sends (RFC 9112, 3.2.2). Moves the authority to the
 * front to make room for a missing slash before the path. */
static enum hf_err split_authority(struct hf_call *call, char **path, struct hf_why *why) {
	char *target = call->request.target.data;
	size_t scheme = strncasecmp(target, "http://", 7) == 0 ? 7 : strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
	if (scheme == 0)
		return HF_OK;
	size_t len = strcspn(target + scheme, "/");
	char *at = target + scheme + len;
	if (len == 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the request's target names no host after its scheme");
	memmove(target, target + scheme, len);
	target[len] = '\0';
	if (!*at)
		*--at = '/';
	call->authority = target;
	*path = at;
	return HF_OK;
}

enum hf_err hf_target_split(struct hf_call *call, struct hf_why *why) {
	char *path = call->request.target.data;
	call->query = strchr(path, '?');
	if (call->query)
		*call->query++ = '\0';
	enum hf_err err = split_authority(call, &path, why);
	return err ? err : split_path(call, path, why);
}

enum hf_err hf_target_split_query(struct hf_call *call, struct hf_why *why) {
	return call->query ? split_query(call, call->query, why) : HF_OK;
}

/* Finds a word in a list separated by spaces. Sets *ret_repeatable if a * follows it. */
static bool is_listed(const char *list, const char *word, bool *ret_repeatable) {
	size_t len = strlen(word);
	for (const char *at = list; *at;) {
		size_t n = strcspn(at, " *");
		if (n == len && memcmp(at, word, n) == 0) {
			*ret_repeatable = at[n] == '*';
			return true;
		}
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	return false;
}

enum hf_err hf_target_check_params(const struct hf_call *call, const char *allowed, struct hf_why *why) {
	for (int i = 0; i < call->n_params; i++) {
		const char *name = call->params[i].name;
		bool repeatable;
		if (!is_listed(allowed, name, &repeatable))
			return hf_fail(why, HF_E_INVALID_PARAMETER, "query parameter \"%.60s\" is unknown here; known: %s", name,
				       allowed[0] ? allowed : "none");
		for (int k = 0; !repeatable && k < i; k++)
			if (strcmp(call->params[k].name, name) == 0)
				return hf_fail(why, HF_E_INVALID_PARAMETER, "query parameter \"%s\" is given twice", name);
	}
	return HF_OK;
}
