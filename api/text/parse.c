/* parse.c — reading JSON. */
#include "parse.h"

#include <stdbool.h>
#include <string.h>

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

const char *hf_parse_mark(const char *text, size_t len) {
	static const char eight[] = "\xEF\xBB\xBF", *const sixteen[] = {"\xFF\xFE", "\xFE\xFF"};
	if (len > 0 && memcmp(text, eight, len < 3 ? len : 3) == 0)
		return "it begins with a byte order mark (U+FEFF), which JSON must not have; send UTF-8 without one";
	for (int i = 0; i < 2; i++)
		if (len > 0 && memcmp(text, sixteen[i], len < 2 ? len : 2) == 0)
			return "it begins with a byte order mark of UTF-16; send UTF-8 without one";
	return NULL;
}

enum hf_err hf_parse_object(const char *body, size_t len, const char *what, struct hf_why *why, json_t **ret) {
	json_error_t error;
	if (len == 0)
		return hf_fail(why, HF_E_INVALID_JSON, "%s is empty", what);
	const char *mark = hf_parse_mark(body, len);
	if (mark)
		return hf_fail(why, HF_E_INVALID_JSON, "%s: %s", what, mark);
	json_t *document = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!document)
		return hf_fail(why, json_error_code(&error) == json_error_out_of_memory ? HF_E_OVERLOADED : HF_E_INVALID_JSON,
			       "%s, line %d, column %d: %s", what, error.line, error.column, error.text);
	enum hf_err err = HF_OK;
	if (!json_is_object(document))
		err = hf_fail(why, HF_E_INVALID_JSON, "%s is not a JSON object", what);
	else if (too_deep(document, HF_JSON_DEPTH_MAX))
		err = hf_fail(why, HF_E_INVALID_JSON, "%s is nested deeper than %d levels", what, HF_JSON_DEPTH_MAX);
	else if (memchr(body, '\0', len)) /* jansson accepts a NUL directly after a number or a word */
		err = hf_fail(why, HF_E_INVALID_JSON, "%s contains a NUL", what);
	if (err)
		json_decref(document);
	else
		*ret = document;
	return err;
}
