/* parse.h — reading JSON with jansson, equally strict everywhere (RFC 8259 in UTF-8; no duplicate members). Thread-safe.
 *
 * Two readers share the work. This one builds a tree; use it for what is rare: bodies of pools, zones and look-ups, references,
 * lines of an import. members.h reads a tree's objects. tape.h is for what is hot, the configurations of every PUT and every sync:
 * it fills a flat row without allocating, and falls back on this reader only to explain why a text is wrong. Both accept the same
 * texts; tests/fuzz compares them.
 */
#ifndef HF_API_TEXT_PARSE_H
#define HF_API_TEXT_PARSE_H

#include <jansson.h>

#include "storage/base/err.h"

#define HF_JSON_DEPTH_MAX 64 /* containers within containers, the outermost included */

/* Parses an object; `what` names the text in messages. The caller drops the reference.
 * Fails with HF_E_INVALID_JSON if it is not accepted JSON; `why` has line and column.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_parse_object(const char *body, size_t len, const char *what, struct hf_why *why, json_t **ret) HF_CHECKED;

/* Explains a byte order mark at the start of a text, or of the part of one that has arrived so far. Returns a static string, or
 * NULL if the text does not begin with one. */
const char *hf_parse_mark(const char *text, size_t len);

#endif
