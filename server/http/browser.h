/* browser.h — the headers of every answer that keep browsers from guessing, sharing or storing what it has. */
#ifndef HF_SERVER_HTTP_BROWSER_H
#define HF_SERVER_HTTP_BROWSER_H

#include "api/call/call.h"

/* Calls `add` for each of them. Answers of /v1, and those without a route, are not to be stored. */
void hf_browser_headers(const struct hf_call *call, void (*add)(void *context, const char *name, const char *value), void *context);

#endif
