/* conditions.c — reads the headers that guard a request. */
#include "conditions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

static enum hf_err malformed(struct hf_call *call, const char *name, const char *text) {
	return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "%s: \"%.80s\" is neither * nor a list of at most %d quoted entity tags",
		       name, text, HF_CONDITION_TAGS_MAX);
}

static enum hf_err read_tags(struct hf_call *call, enum hf_request_header header, bool weakly, struct hf_condition *ret) {
	const char *text = call->request.headers[header], *name = hf_request_header_name(header);
	if (!text)
		return HF_OK;
	ret->stated = true;
	const char *at = text + strspn(text, " \t");
	if (*at == '*') {
		ret->any = true;
		return at[1 + strspn(at + 1, " \t")] == '\0' ? HF_OK : malformed(call, name, text);
	}
	at += strspn(at, " \t,"); /* a list may have empty members (RFC 9110, 5.6.1) */
	for (bool more = true; more;) {
		bool weak = strncmp(at, "W/", 2) == 0;
		at += weak ? 2 : 0;
		const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
		if (!end)
			return malformed(call, name, text);
		size_t len = (size_t)(end + 1 - at);
		if (ret->n == HF_CONDITION_TAGS_MAX)
			return malformed(call, name, text);
		ret->weak = ret->weak || (weak && !weakly);
		if ((!weak || weakly) && len < HF_ETAG_TEXT) { /* skip a longer tag, which cannot match */
			memcpy(ret->tags[ret->n], at, len);
			ret->tags[ret->n++][len] = '\0';
		}
		at = end + 1 + strspn(end + 1, " \t");
		more = *at == ',';
		at += strspn(at, " \t,");
		more = more && *at != '\0';
	}
	return *at == '\0' ? HF_OK : malformed(call, name, text);
}

enum hf_err hf_conditions_read_epoch(struct hf_call *call, bool *ret_has, uint64_t *ret) {
	const char *text = call->request.headers[HF_ZONE_EPOCH];
	char *end;
	if (!text)
		return HF_OK;
	errno = 0;
	uint64_t epoch = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || end[strspn(end, " \t")] || errno)
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "Holdfast-Zone-Epoch: \"%.40s\" is not a whole number", text);
	*ret_has = true;
	*ret = epoch;
	return HF_OK;
}

enum hf_err hf_conditions_read_tags(struct hf_call *call, struct hf_condition *ret_if_match,
				    struct hf_condition *ret_if_none_match) {
	enum hf_err err = read_tags(call, HF_IF_MATCH, false, ret_if_match);
	return err ? err : read_tags(call, HF_IF_NONE_MATCH, true, ret_if_none_match);
}

enum hf_err hf_conditions_read(struct hf_call *call, struct hf_guard *ret) {
	enum hf_err err = hf_conditions_read_tags(call, &ret->if_match, &ret->if_none_match);
	if (err || call->request.method == HF_GET) /* only writes are fenced */
		return err;
	return hf_conditions_read_epoch(call, &ret->has_epoch, &ret->epoch);
}
