/* media.c — media types. */
#include "media.h"

#include <string.h>

static size_t length(const char *text) { return strcspn(text, "; \t"); }

bool hf_media_type_is(const char *text, const char *type) {
	return length(text) == strlen(type) && strncasecmp(text, type, strlen(type)) == 0;
}

bool hf_media_type_is_json(const char *text) {
	size_t len = length(text);
	return hf_media_type_is(text, "application/json") ||
	       (len > 17 && strncasecmp(text, "application/", 12) == 0 && strncasecmp(text + len - 5, "+json", 5) == 0);
}
