/* headers.c — checks of a request's headers. */
#include "headers.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *const ONCE[] = {"Content-Length", "Transfer-Encoding", "Content-Type",
				   "If-Match",	     "If-None-Match",	  "Holdfast-Zone-Epoch"};
#define N_ONCE ((int)(sizeof ONCE / sizeof *ONCE))
enum { LENGTH, ENCODING }; /* the first two of them */

struct seen {
	const char *values[N_ONCE]; /* NULL: not yet */
	int twice;		    /* -1: none */
};

static enum MHD_Result see(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
	struct seen *seen = context;
	(void)kind;
	for (int i = 0; i < N_ONCE; i++) {
		if (strcasecmp(name, ONCE[i]) != 0)
			continue;
		if (seen->values[i])
			seen->twice = i;
		seen->values[i] = value ? value : "";
	}
	return MHD_YES;
}

enum hf_err hf_headers_check(struct MHD_Connection *connection, struct hf_why *why) {
	struct seen seen = {.twice = -1};
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (info && info->header_size > HF_HEADERS_MAX_BYTES)
		return hf_fail(why, HF_E_HEADERS_TOO_LARGE, "request line and headers have %zu bytes; at most %d are allowed",
			       info->header_size, HF_HEADERS_MAX_BYTES);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, see, &seen);
	if (seen.twice >= 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "header %s is given twice", ONCE[seen.twice]);
	if (seen.values[ENCODING] && strcasecmp(seen.values[ENCODING], "chunked") != 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "Transfer-Encoding: \"%.40s\" is not supported; chunked is",
			       seen.values[ENCODING]);
	if (seen.values[ENCODING] && seen.values[LENGTH])
		return hf_fail(why, HF_E_INVALID_PARAMETER, "Content-Length and Transfer-Encoding exclude each other");
	return HF_OK;
}
