/* headers.c — reading a request's headers, and checking them. */
#include "headers.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Behind the API's headers come two that are the server's own. */
enum { LENGTH = HF_REQUEST_HEADERS, ENCODING, HEADERS };

static const char *name_of(int header) {
	return header == LENGTH	    ? MHD_HTTP_HEADER_CONTENT_LENGTH
	       : header == ENCODING ? MHD_HTTP_HEADER_TRANSFER_ENCODING
				    : hf_request_header_name((enum hf_request_header)header);
}

struct seen {
	const char *values[HEADERS]; /* NULL: not yet */
	int twice;		     /* -1: none of those that may be there only once */
};

static enum MHD_Result see(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
	struct seen *seen = context;
	(void)kind;
	for (int i = 0; i < HEADERS; i++) {
		const char *known = name_of(i);
		if ((name[0] | 0x20) != (known[0] | 0x20) || strcasecmp(name, known) != 0)
			continue;
		if (!seen->values[i])
			seen->values[i] = value ? value : "";
		else if (i != HF_ACCEPT)
			seen->twice = i;
		break;
	}
	return MHD_YES;
}

/* Nothing is carried out whose answer would find no room. */
static enum hf_err check_size(struct MHD_Connection *connection, struct hf_why *why) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	int n = MHD_get_connection_values(connection, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND, NULL, NULL);
	size_t bytes = info ? info->header_size : 0, with_notes = bytes + HF_NOTE_BYTES * (size_t)n;
	if (bytes > HF_HEADERS_MAX_BYTES)
		return hf_fail(why, HF_E_HEADERS_TOO_LARGE, "request line and headers have %zu bytes; at most %d are allowed",
			       bytes, HF_HEADERS_MAX_BYTES);
	if (with_notes > HF_CONNECTION_MEMORY_BYTES - HF_ANSWER_HEADER_BYTES)
		return hf_fail(why, HF_E_HEADERS_TOO_LARGE,
			       "there are %d headers and query parameters; with %zu bytes in all at most %zu are allowed", n, bytes,
			       (HF_CONNECTION_MEMORY_BYTES - HF_ANSWER_HEADER_BYTES - bytes) / HF_NOTE_BYTES);
	return HF_OK;
}

enum hf_err hf_headers_read(struct MHD_Connection *connection, struct hf_why *why, const char *ret[HF_REQUEST_HEADERS],
			    const char **ret_length) {
	struct seen seen = {.twice = -1};
	enum hf_err err = check_size(connection, why);
	if (err)
		return err;
	MHD_get_connection_values(connection, MHD_HEADER_KIND, see, &seen);
	if (seen.twice >= 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "header %s is given twice", name_of(seen.twice));
	if (seen.values[ENCODING] && strcasecmp(seen.values[ENCODING], "chunked") != 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "Transfer-Encoding: \"%.40s\" is not supported; chunked is",
			       seen.values[ENCODING]);
	if (seen.values[ENCODING] && seen.values[LENGTH])
		return hf_fail(why, HF_E_INVALID_PARAMETER, "Content-Length and Transfer-Encoding exclude each other");
	memcpy(ret, seen.values, sizeof *ret * HF_REQUEST_HEADERS);
	*ret_length = seen.values[LENGTH];
	return HF_OK;
}
