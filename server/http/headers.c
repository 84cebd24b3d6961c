/* headers.c — reads and checks a request's headers. */
#include "headers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/call/request.h"
#include "head.h"

/* The server's own headers follow those of the API. */
enum { LENGTH = HF_REQUEST_HEADERS, CODING, EXPECT, HEADERS };

struct reading {
	struct hf_call *call;
	struct hf_head head;
	int notes;			   /* libmicrohttpd's records: parameters, headers and cookies */
	const char *own[HEADERS - LENGTH]; /* NULL: absent */
	enum hf_err err;
};

/* Returns a known header by its name, or HEADERS. Few names have the same length, so most comparisons end there. */
static int find(const char *name, size_t len) {
	static const struct {
		int header;
		size_t len;
		const char *name;
	} known[] = {
#define KNOWN(header, name) {header, sizeof name - 1, name}
		KNOWN(HF_HOST, "Host"),
		KNOWN(HF_ACCEPT, "Accept"),
		KNOWN(HF_CONTENT_TYPE, "Content-Type"),
		KNOWN(LENGTH, "Content-Length"),
		KNOWN(HF_IF_MATCH, "If-Match"),
		KNOWN(HF_IF_NONE_MATCH, "If-None-Match"),
		KNOWN(HF_ZONE_EPOCH, "Holdfast-Zone-Epoch"),
		KNOWN(CODING, "Transfer-Encoding"),
		KNOWN(HF_CONTENT_ENCODING, "Content-Encoding"),
		KNOWN(EXPECT, "Expect"),
		KNOWN(HF_ORIGIN, "Origin"),
		KNOWN(HF_SEC_FETCH_SITE, "Sec-Fetch-Site"),
		KNOWN(HF_AUTHORIZATION, "Authorization"),
#undef KNOWN
	};
	_Static_assert(sizeof known / sizeof *known == HEADERS, "each header is known");
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].len == len && strncasecmp(known[i].name, name, len) == 0)
			return known[i].header;
	return HEADERS;
}

static enum hf_err take(struct reading *r, int header, const char *value) {
	if (header < HF_REQUEST_HEADERS)
		return hf_call_header(r->call, (enum hf_request_header)header, value);
	if (header < HEADERS && r->own[header - LENGTH] && header != EXPECT)
		return hf_fail(&r->call->why, HF_E_INVALID_PARAMETER, "header %s is given twice",
			       header == LENGTH ? "Content-Length" : "Transfer-Encoding");
	if (header < HEADERS)
		r->own[header - LENGTH] = value;
	return HF_OK;
}

static enum MHD_Result see(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
			   size_t value_len) {
	struct reading *r = context;
	r->notes++;
	if (kind != MHD_HEADER_KIND || r->err)
		return MHD_YES;
	r->err = hf_head_take(&r->head, name, name_len, value, value_len, &r->call->why);
	if (!r->err)
		r->err = take(r, find(name, name_len), value);
	return MHD_YES;
}

/* Refuses early if the answer's headers would not fit. */
static enum hf_err check_size(size_t bytes, int notes, struct hf_why *why) {
	size_t with_notes = bytes + HF_NOTE_BYTES * (size_t)notes;
	if (bytes > HF_HEADERS_MAX_BYTES)
		return hf_fail(why, HF_E_HEADERS_TOO_LARGE, "request line and headers have %zu bytes; at most %d are allowed",
			       bytes, HF_HEADERS_MAX_BYTES);
	if (with_notes > HF_CONNECTION_MEMORY_BYTES - HF_ANSWER_HEADER_BYTES)
		return hf_fail(why, HF_E_HEADERS_TOO_LARGE,
			       "%d headers and query parameters are too many; with %zu bytes in all, at most %zu are allowed",
			       notes, bytes, (HF_CONNECTION_MEMORY_BYTES - HF_ANSWER_HEADER_BYTES - bytes) / HF_NOTE_BYTES);
	return HF_OK;
}

/* Checks how the body's length is stated, and that Host is present (RFC 9112, 3.2, 6.1 and 6.3). */
static enum hf_err check_framing(const struct reading *r, bool is_1_0, struct hf_why *why) {
	const char *coding = r->own[CODING - LENGTH], *length = r->own[LENGTH - LENGTH];
	if (coding && is_1_0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "Transfer-Encoding is not allowed in HTTP/1.0");
	if (coding && strcasecmp(coding, "chunked") != 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "Transfer-Encoding: \"%.40s\" is not supported, only chunked", coding);
	if (coding && length)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "Content-Length and Transfer-Encoding exclude each other");
	if (!is_1_0 && !r->call->request.headers[HF_HOST])
		return hf_fail(why, HF_E_INVALID_PARAMETER, "header Host is missing");
	return HF_OK;
}

enum hf_err hf_headers_read(struct hf_call *call, const struct hf_request_line *line, bool *ret_expects) {
	struct hf_why *why = &call->why;
	struct reading r = {.call = call};
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(line->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	size_t size = info ? info->header_size : 0;
	r.err = hf_head_begin(&r.head, line->method, size, line->target, call->request.target.data, line->version, why);
	MHD_get_connection_values_n(line->connection, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND, see, &r);
	if (!r.err)
		r.err = hf_head_end(&r.head, why);
	if (!r.err)
		r.err = check_framing(&r, strcmp(line->version, "HTTP/1.0") == 0, why);
	if (!r.err)
		r.err = check_size(size, r.notes, why);
	if (r.err)
		return r.err;
	const char *length = r.own[LENGTH - LENGTH], *expect = r.own[EXPECT - LENGTH];
	call->request.body_comes = r.own[CODING - LENGTH] || (length && strcmp(length, "0") != 0);
	call->request.body_len = length ? strtoull(length, NULL, 10) : 0; /* libmicrohttpd has checked it: digits that fit */
	*ret_expects = expect && strcasecmp(expect, "100-continue") == 0;
	return HF_OK;
}
