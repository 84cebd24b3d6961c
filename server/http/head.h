/* head.h — checks the raw bytes of a request's head: they must be what RFC 9112 allows, and nothing that others would read
 * differently.
 *
 * libmicrohttpd 0.9.75 is lenient: it joins folded lines in the wrong place, takes a line that begins with a colon for the end of
 * the head, a bare LF for the end of a line, a NUL for the end of a value (and skips what follows), and blanks before a colon for a
 * part of the name. A proxy that reads such a head differently lets a client smuggle in a second request. But libmicrohttpd leaves
 * the head where it was received, with NUL in place of each delimiter, and its records of names and values point into it. So one
 * walk over both notices all of these: a name or value that is not where it must be refuses the request.
 *
 * Two cases leave no trace, because both of their bytes become NUL as CR LF does: a NUL before a bare LF, and, as the head's last
 * line, a colon before a bare LF. docs/running.md says what a proxy must do. Not thread-safe.
 */
#ifndef HF_SERVER_HTTP_HEAD_H
#define HF_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/base/err.h"

/* A walk over a head. */
struct hf_head {
	const char *at, *end;
	const char *name; /* of the last header, for messages */
};

/* Begins with the request line, in a head of `size` bytes: method, target and version as libmicrohttpd passes them, and the target
 * as it was sent, before it was split.
 * Fails with HF_E_INVALID_PARAMETER if the method is not a token, the line has a control character or a misplaced space, or its
 * end is wrong. */
enum hf_err hf_head_begin(struct hf_head *head, const char *method, size_t size, const char *target, const char *sent,
			  const char *version, struct hf_why *why) HF_CHECKED;

/* Takes the next of libmicrohttpd's records of headers, in order.
 * Fails with HF_E_INVALID_PARAMETER if the head has something else in its place, its name is not a token, or its value has a
 * control character. */
enum hf_err hf_head_take(struct hf_head *head, const char *name, size_t name_len, const char *value, size_t value_len,
			 struct hf_why *why) HF_CHECKED;

/* Ends the walk after the last header.
 * Fails with HF_E_INVALID_PARAMETER if the head does not end there. */
enum hf_err hf_head_end(const struct hf_head *head, struct hf_why *why) HF_CHECKED;

#endif
