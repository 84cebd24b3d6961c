/* head.h — the bytes of a request's head as they came: is it what RFC 9112 allows, and nothing that others would read differently?
 *
 * libmicrohttpd 0.9.75 is lenient: it joins folded lines, in the wrong place; takes a line that begins with a colon for the head's
 * end; a bare LF for a line's end; a NUL for the end of a value, and passes over what follows it; blanks before a colon for a part
 * of the name. A proxy that reads such a head differently lets somebody put a second request into it. But it leaves the head where
 * it was received, with NUL for each delimiter, and its notes of names and values point into it. So one walk over both sees all of
 * that: what is not where it must be refuses the request.
 *
 * Two things leave no trace, as both of their bytes become NUL like CR LF: a NUL before a bare LF, and, as the head's last line, a
 * colon before one. docs/running.md says what a proxy must do. Not thread-safe.
 */
#ifndef HF_SERVER_HTTP_HEAD_H
#define HF_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/base/err.h"

/* A walk over a head of `size` bytes. */
struct hf_head {
	const char *at, *end;
	const char *name; /* of the last header, for messages */
};

/* Begins with the request line: method, target and version as libmicrohttpd hands them over, and the target as it was sent, before
 * it was split. HF_E_INVALID_PARAMETER: a method that is no token, blanks or control characters in the line, or a line's end that
 * is wrong. */
enum hf_err hf_head_begin(struct hf_head *head, const char *method, size_t size, const char *target, const char *sent,
			  const char *version, struct hf_why *why) HF_CHECKED;

/* Takes the next header, in order, from libmicrohttpd's notes. HF_E_INVALID_PARAMETER: there is something else in its place, its
 * name is no token, or its value has a control character. */
enum hf_err hf_head_take(struct hf_head *head, const char *name, size_t name_len, const char *value, size_t value_len,
			 struct hf_why *why) HF_CHECKED;

/* After the last one: does the head end there? HF_E_INVALID_PARAMETER. */
enum hf_err hf_head_end(const struct hf_head *head, struct hf_why *why) HF_CHECKED;

#endif
