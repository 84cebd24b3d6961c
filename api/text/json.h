/* json.h — writing JSON into a buffer, and the escapes that canonical form shares.
 *
 * The writer puts the commas; the caller puts things in the right order. Text that is not UTF-8 is written with U+FFFD in place of
 * each bad byte, so that what is answered is always valid JSON.
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
	bool comma; /* the next item needs one before it */
};

void hf_json_open(struct hf_json *json, char bracket); /* '{' or '[' */
void hf_json_close(struct hf_json *json, char bracket);
void hf_json_key(struct hf_json *json, const char *name); /* a name that needs no escape */
void hf_json_string(struct hf_json *json, const char *text);
void hf_json_uint(struct hf_json *json, uint64_t value);
void hf_json_bool(struct hf_json *json, bool value);
void hf_json_null(struct hf_json *json);

/* key and value at once */
void hf_json_member(struct hf_json *json, const char *name, const char *text);
void hf_json_member_uint(struct hf_json *json, const char *name, uint64_t value);
void hf_json_member_time(struct hf_json *json, const char *name, int64_t ms); /* RFC 3339, UTC, milliseconds */
void hf_json_count(struct hf_json *json, const char *name, hf_u128 n);	      /* a decimal string */

void hf_json_member_digest(struct hf_json *json, const char *name, const struct hf_digest *digest); /* "sha256:…" */

/* [{"ip":"…"},…]: the shape of Kuma's status.vips. */
void hf_json_vips(struct hf_json *json, const struct hf_addr *vips, int n);

/* The four members of an identity, within an open object. */
void hf_json_identity(struct hf_json *json, const struct hf_identity *id);

/* A quoted string with the escapes of RFC 8785, 3.2.2.2: \b \t \n \f \r \" \\, \u00xx for other controls, all else as it is. */
void hf_json_quote(struct hf_buf *out, const char *text, size_t len);

/* How many bytes of a text, from its first on, are ASCII that stands for itself in a string: no quote, backslash or control. */
size_t hf_json_plain_length(const char *text, size_t len);

/* Writes a text quoted for a log or a terminal, which then obeys nothing in it: quotes and backslashes have a backslash before
 * them; controls, C1 controls, what turns the direction of writing or ends a line, and what is not UTF-8 are bytes such as \\x1b.
 * Cut to `size`, 8 at least. Returns ret. */
const char *hf_text_quote(const char *text, char *ret, size_t size);

/* The place behind the character `c`, if that is the first at `at` that is no whitespace of JSON's; else NULL. */
const char *hf_text_next(const char *at, const char *end, char c);

/* The length in bytes of the well-formed UTF-8 sequence (RFC 3629) at `text`, or 0. */
size_t hf_utf8_length(const char *text, size_t len);

#endif
