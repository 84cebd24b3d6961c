/* page.h — lists of named things, page by page: limit, continue, and an early end when a page gets large. */
#ifndef HF_API_CALL_PAGE_H
#define HF_API_CALL_PAGE_H

#include "api/text/json.h"
#include "call.h"

struct hf_page {
	struct hf_json json;
	uint64_t limit, n;
	char after[HF_NAME_MAX + 1]; /* the last name of the previous page; "" at the start */
	char last[HF_NAME_MAX + 1];  /* the last name of this page so far */
};

/* Reads the parameters and begins the answer.
 * Fails with HF_E_INVALID_PARAMETER if a parameter is malformed. */
enum hf_err hf_page_begin(struct hf_call *call, struct hf_page *ret) HF_CHECKED;

/* Returns whether the page takes one more item; the caller then writes it to the page's json. */
bool hf_page_takes(struct hf_page *page, const char *name);

/* Ends the answer. `more`: an item was left for the next page. */
void hf_page_end(struct hf_page *page, bool more, uint64_t revision);

#endif
