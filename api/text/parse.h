/* parse.h — reading JSON with jansson, as strictly everywhere as the design's section 5 asks. Thread-safe. */
#ifndef HF_API_TEXT_PARSE_H
#define HF_API_TEXT_PARSE_H

#include <jansson.h>

#include "storage/base/err.h"

/* Parses an object; the caller drops the reference. HF_E_INVALID_JSON with line and column; `what` names the document. */
enum hf_err hf_parse_object(const char *body, size_t len, const char *what, struct hf_why *why, json_t **ret) HF_CHECKED;

/* What is wrong with a text that begins with a byte order mark, or with as much of one as has come; NULL if it does not. */
const char *hf_parse_mark(const char *text, size_t len);

/* Reads a member that must be a string if it is there; *ret stays NULL if it is missing. Borrowed. HF_E_INVALID_PARAMETER. */
enum hf_err hf_parse_string(const json_t *object, const char *name, struct hf_why *why, const char **ret) HF_CHECKED;

#endif
