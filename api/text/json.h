/* json.h — writing JSON into a buffer, and the escapes that canonical form shares.
 *
 * The writer adds the commas; the caller writes items in the right order. In text that is not UTF-8, U+FFFD replaces each bad byte,
 * so that an answer is always valid JSON. Thread-safe: one buffer a thread.
 */
#ifndef HF_API_TEXT_JSON_H
#define HF_API_TEXT_JSON_H

#include <stdint.h>

#include "buf.h"
#include "storage/base/address.h"
#include "storage/base/digest.h"
#include "storage/base/identity.h"

struct hf_json {
	struct hf_buf *out;
	bool comma; /* the next item needs a comma before it */
};

void hf_json_open(struct hf_json *json, char bracket); /* '{' or '[' */
void hf_json_close(struct hf_json *json, char bracket);
void hf_json_member_open(struct hf_json *json, const char *name, char bracket); /* a key, and the beginning of its value */
void hf_json_key(struct hf_json *json, const char *name);			/* the name must not need escapes */
void hf_json_string(struct hf_json *json, const char *text);
void hf_json_uint(struct hf_json *json, uint64_t value);
void hf_json_bool(struct hf_json *json, bool value);
void hf_json_null(struct hf_json *json);

/* Each of these writes a key and its value. */
void hf_json_member(struct hf_json *json, const char *name, const char *text);
void hf_json_member_or_null(struct hf_json *json, const char *name, const char *text); /* null if the text is empty */
void hf_json_member_bool(struct hf_json *json, const char *name, bool value);
void hf_json_member_uint(struct hf_json *json, const char *name, uint64_t value);
void hf_json_member_time(struct hf_json *json, const char *name, int64_t ms);	  /* RFC 3339, UTC, milliseconds */
void hf_json_member_duration(struct hf_json *json, const char *name, int64_t ms); /* "30s"; null if 0 */
void hf_json_count(struct hf_json *json, const char *name, hf_u128 n);		  /* a decimal string */

void hf_json_member_digest(struct hf_json *json, const char *name, const struct hf_digest *digest); /* "sha256:…" */

/* Writes [{"ip":"…"},…], the shape of Kuma's status.vips. */
void hf_json_vips(struct hf_json *json, const struct hf_addr *vips, int n);

/* Writes the four members of an identity into an open object. */
void hf_json_identity(struct hf_json *json, const struct hf_identity *id);

/* Writes a quoted string with the escapes of RFC 8785, 3.2.2.2: \b \t \n \f \r \" \\, and \u00xx for other controls. */
void hf_json_quote(struct hf_buf *out, const char *text, size_t len);

/* Returns the number of leading bytes that are ASCII and need no escape: not a quote, a backslash or a control. */
size_t hf_json_plain_length(const char *text, size_t len);

/* Quotes a text so that it cannot control a log or a terminal: a backslash precedes quotes and backslashes; controls, C1 controls,
 * characters that change the writing direction or end a line, and bytes that are not UTF-8 become escapes such as \\x1b.
 * Cut to `size` bytes, at least 8. Returns ret. */
const char *hf_text_quote(const char *text, char *ret, size_t size);

/* If the first non-whitespace byte at `at` is `c`, returns the position after it, else NULL. */
const char *hf_text_next(const char *at, const char *end, char c);

/* Returns the length in bytes of the well-formed UTF-8 sequence (RFC 3629) at `text`; 0 if it is not one. */
size_t hf_utf8_length(const char *text, size_t len);

#endif
