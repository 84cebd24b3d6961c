/* page.c — pages whose token is the last name in hex: opaque to the client. */
#include "page.h"

#include <string.h>

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 5000
#define LARGE_BYTES ((size_t)1 << 20) /* a page of this size ends early */

static enum hf_err read_token(struct hf_call *call, char ret[HF_NAME_MAX + 1]) {
	const char *token = hf_call_param(call, "continue");
	uint8_t bytes[HF_NAME_MAX];
	size_t len = 0;
	if (!token)
		return HF_OK;
	bool good = hf_hex_decode(token, sizeof bytes, bytes, &len) && !memchr(bytes, 0, len);
	if (good) {
		memcpy(ret, bytes, len);
		ret[len] = '\0';
	}
	if (!good || hf_name_check("continue", ret, HF_NAME_MAX, NULL))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "continue: this is not a token that a page ended with");
	return HF_OK;
}

enum hf_err hf_page_begin(struct hf_call *call, struct hf_page *ret) {
	struct hf_page page = {.limit = LIMIT_DEFAULT};
	enum hf_err err = hf_call_param_uint(call, "limit", 1, LIMIT_MAX, &page.limit);
	if (!err)
		err = read_token(call, page.after);
	if (err)
		return err;
	page.json = hf_call_json(call, 200);
	hf_json_open(&page.json, '{');
	hf_json_member_open(&page.json, "items", '[');
	*ret = page;
	return HF_OK;
}

bool hf_page_takes(struct hf_page *page, const char *name) {
	if (page->n == page->limit || page->json.out->len >= LARGE_BYTES)
		return false;
	page->n++;
	strcpy(page->last, name); /* both buffers hold a stored name */
	return true;
}

void hf_page_end(struct hf_page *page, bool more, uint64_t revision) {
	char token[2 * HF_NAME_MAX + 1] = "";
	hf_json_close(&page->json, ']');
	if (more)
		hf_hex_encode((const uint8_t *)page->last, strlen(page->last), token);
	hf_json_member_or_null(&page->json, "continue", token);
	hf_json_member_uint(&page->json, "revision", revision);
	hf_json_close(&page->json, '}');
}
