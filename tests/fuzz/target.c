/* target.c — request targets: split, then decoded (RFC 3986; the absolute form, RFC 9112, 3.2.2). */
#include "api/call/target.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "naive.h"

#define PARAMS "pool address* version"

/* A text without its percent escapes; NULL: they are broken, or it is not text. */
static const char *decoded(const char *text, size_t len) {
	char *copy = naive_take(len + 1);
	size_t n = 0, n_points;
	for (size_t i = 0; i < len; i++, n++) {
		unsigned code;
		if (text[i] != '%') {
			copy[n] = text[i];
			continue;
		}
		if (len - i < 3 || strspn(text + i + 1, "0123456789abcdefABCDEF") < 2 || sscanf(text + i + 1, "%2x", &code) != 1)
			return NULL;
		copy[n] = (char)code;
		i += 2;
	}
	return strlen(copy) == n && naive_code_points(copy, n, &n_points, NULL) ? copy : NULL;
}

/* The pieces between separators; how many. NULL where one cannot be decoded. */
static int pieces(const char *text, char separator, const char *const **ret) {
	const char **of = naive_take((strlen(text) + 2) * sizeof *of);
	int n = 0;
	for (const char *at = text, *end; at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, separator);
		of[n++] = decoded(at, (size_t)(end - at));
	}
	*ret = of;
	return n;
}

static const char *difference_of_path(const struct hf_call *call, enum hf_err err, const char *path) {
	const char *const *of;
	int n = pieces(path[0] ? path + 1 : path, '/', &of);
	for (int i = 0; i < n && i < HF_SEGMENTS_MAX; i++)
		if (!of[i])
			return err == HF_E_INVALID_NAME ? NULL : "whether the path can be decoded";
	if (n > HF_SEGMENTS_MAX)
		return err == HF_E_NOT_FOUND ? NULL : "whether the path has too many parts";
	if (err || call->n_segments != n)
		return "the number of the path's parts";
	for (int i = 0; i < n; i++)
		if (strcmp(call->segments[i], of[i]) != 0)
			return "a part of the path";
	return NULL;
}

/* One parameter after the other, as far as they are as they should be. */
static const char *difference_of_query(struct hf_call *call, const char *query) {
	enum hf_err err = hf_target_split_query(call, NULL);
	bool good = true, known = true;
	int n = 0, of_pool = 0, of_version = 0;
	for (const char *at = query, *end; at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, '&');
		const char *equals = memchr(at, '=', (size_t)(end - at)), *stop = equals ? equals : end;
		const char *name = decoded(at, (size_t)(stop - at));
		const char *value = equals ? decoded(equals + 1, (size_t)(end - equals - 1)) : "";
		if (end == at)
			continue;
		if (!name || !value || n == HF_PARAMS_MAX) {
			good = false;
			break;
		}
		if (!err &&
		    (n >= call->n_params || strcmp(call->params[n].name, name) != 0 || strcmp(call->params[n].value, value) != 0))
			return "a parameter";
		of_pool += strcmp(name, "pool") == 0;
		of_version += strcmp(name, "version") == 0;
		known = known && (strcmp(name, "pool") == 0 || strcmp(name, "version") == 0 || strcmp(name, "address") == 0);
		n++;
	}
	if (err != (good ? HF_OK : HF_E_INVALID_PARAMETER) || (good && call->n_params != n))
		return "the query";
	if (good && (hf_target_check_params(call, PARAMS, NULL) == HF_OK) != (known && of_pool < 2 && of_version < 2))
		return "whether the parameters are known and given once";
	return NULL;
}

static const char *difference(struct hf_call *call, const char *target) {
	static const char form[] = "^https?://([^/]*)";
	static regex_t absolute;
	static bool compiled;
	regmatch_t parts[2];
	if (!compiled)
		compiled = regcomp(&absolute, form, REG_EXTENDED | REG_ICASE) == 0;
	char *path = strcpy(naive_take(strlen(target) + 1), target), *query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	bool is_absolute = regexec(&absolute, path, 2, parts, 0) == 0;
	const char *authority = NULL;
	enum hf_err err = hf_target_split(call, NULL);
	if (is_absolute && parts[1].rm_so == parts[1].rm_eo)
		return err == HF_E_INVALID_PARAMETER ? NULL : "whether a host is named";
	if (is_absolute) {
		authority = strncpy(naive_take(strlen(path) + 1), path + parts[1].rm_so, (size_t)(parts[1].rm_eo - parts[1].rm_so));
		path += parts[1].rm_eo;
	}
	if (!is_absolute && path[0] != '/')
		return err == HF_E_INVALID_NAME ? NULL : "whether the path begins with a slash";
	const char *differs = difference_of_path(call, err, path);
	if (differs || err)
		return differs;
	if (!authority != !call->authority || (authority && strcmp(authority, call->authority) != 0))
		return "the host";
	return query ? difference_of_query(call, query) : call->query ? "whether there is a query" : NULL;
}

const char *fuzz_target(const char *text, size_t len) {
	char *target = memcpy(naive_take(len + 1), text, len);
	struct hf_call *call = hf_call_new(NULL);
	if (!call || !hf_call_start(call, target))
		abort();
	const char *differs = difference(call, target);
	hf_call_end(call);
	hf_call_free(call);
	return differs;
}
