/* request.c — reads a request's headers, and checks which body it may have. */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "media.h"
#include "request.h"
#include "route.h"

static const struct {
	const char *name;
	bool is_list;
} HEADERS[] = {
	[HF_CONTENT_TYPE] = {"Content-Type", false},
	[HF_CONTENT_ENCODING] = {"Content-Encoding", true},
	[HF_ACCEPT] = {"Accept", true},
	[HF_IF_MATCH] = {"If-Match", true},
	[HF_IF_NONE_MATCH] = {"If-None-Match", true},
	[HF_ZONE_EPOCH] = {"Holdfast-Zone-Epoch", false},
	[HF_HOST] = {"Host", false},
	[HF_ORIGIN] = {"Origin", false},
	[HF_SEC_FETCH_SITE] = {"Sec-Fetch-Site", false},
	[HF_AUTHORIZATION] = {"Authorization", false},
};

const char *hf_request_header_name(enum hf_request_header header) { return HEADERS[header].name; }

/* Appends a line to the list of earlier lines. */
static enum hf_err join(struct hf_request *request, enum hf_request_header header, const char *value, struct hf_why *why) {
	const char *before = request->headers[header];
	size_t len = strlen(before), more = strlen(value);
	char *joined = realloc(request->joined[header], len + more + 3);
	if (!joined)
		return hf_no_memory(why);
	if (!request->joined[header])
		memcpy(joined, before, len);
	memcpy(joined + len, ", ", 2);
	memcpy(joined + len + 2, value, more + 1);
	request->headers[header] = request->joined[header] = joined;
	request->has_joined = true;
	return HF_OK;
}

enum hf_err hf_call_header(struct hf_call *call, enum hf_request_header header, const char *value) {
	struct hf_request *request = &call->request;
	if (request->headers[header] && HEADERS[header].is_list)
		return join(request, header, value, &call->why);
	if (request->headers[header])
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "header %s is given twice", HEADERS[header].name);
	request->headers[header] = value;
	return HF_OK;
}

void hf_request_free_joined(struct hf_request *request) {
	for (int i = 0; request->has_joined && i < HF_REQUEST_HEADERS; i++)
		free(request->joined[i]);
}

/* Returns whether a list of content codings consists only of `identity`, which means no coding (RFC 9110, 8.4.1). */
static bool is_identity(const char *list) {
	for (const char *at = list + strspn(list, " \t,"); *at; at += strspn(at, " \t,")) {
		size_t len = strcspn(at, " \t,");
		if (len != 8 || strncasecmp(at, "identity", len) != 0)
			return false;
		at += len;
	}
	return true;
}

static enum hf_err check_type(enum hf_body body, const char *type, struct hf_why *why) {
	const char *wanted = body == HF_BODY_LIST ? "application/json or application/x-ndjson" : "application/json";
	if (!type)
		return hf_fail(why, HF_E_UNSUPPORTED_MEDIA_TYPE, "the body has no Content-Type; send %s", wanted);
	if (hf_media_type_is_json(type) || (body == HF_BODY_LIST && hf_media_type_is(type, "application/x-ndjson")))
		return HF_OK;
	return hf_fail(why, HF_E_UNSUPPORTED_MEDIA_TYPE, "Content-Type: \"%.80s\" is not %s", type, wanted);
}

enum hf_err hf_request_check_body(struct hf_call *call, bool certain) {
	const char *encoding = call->request.headers[HF_CONTENT_ENCODING], *type = call->request.headers[HF_CONTENT_TYPE];
	if (call->route->body == HF_BODY_NONE)
		return HF_OK;
	if (encoding && !is_identity(encoding))
		return hf_fail(&call->why, HF_E_UNSUPPORTED_MEDIA_TYPE,
			       "Content-Encoding: \"%.60s\" is not supported; send the body as it is, without one", encoding);
	return type || certain ? check_type(call->route->body, type, &call->why) : HF_OK;
}
