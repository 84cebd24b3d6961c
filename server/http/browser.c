/* browser.c — headers for browsers. */
#include "browser.h"

#include <string.h>

#include "api/call/route.h"

void hf_browser_headers(const struct hf_call *call, void (*add)(void *context, const char *name, const char *value),
			void *context) {
	add(context, "X-Content-Type-Options", "nosniff");
	add(context, "Cross-Origin-Resource-Policy", "same-origin");
	add(context, "Referrer-Policy", "no-referrer");
	if (!call->route || strncmp(call->route->pattern, "/v1/", 4) == 0)
		add(context, "Cache-Control", "no-store");
}
