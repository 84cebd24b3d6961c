/* page.h — lists of what has a name, page by page: limit, continue, and an end when a page has become large. */
#ifndef HF_API_CALL_PAGE_H
#define HF_API_CALL_PAGE_H

#include "api/text/json.h"
#include "call.h"

struct hf_page {
	struct hf_json json;
	uint64_t limit, n;
	char after[HF_NAME_MAX + 1]; /* what the page before ended with; "" at the start */
	char last[HF_NAME_MAX + 1];  /* what this one ends with so far */
};

/* Reads the parameters and begins the answer. HF_E_INVALID_PARAMETER. */
enum hf_err hf_page_begin(struct hf_call *call, struct hf_page *ret) HF_CHECKED;

/* Whether the page takes one more; then it is to be written to its json. */
bool hf_page_takes(struct hf_page *page, const char *name);

/* Ends the answer; `more`: there was one that it did not take. */
void hf_page_end(struct hf_page *page, bool more, uint64_t revision);

#endif
