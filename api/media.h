/* media.h — media types of bodies (RFC 9110, 8.3.1). Pure. */
#ifndef HF_API_MEDIA_H
#define HF_API_MEDIA_H

#include <stdbool.h>

/* Whether a Content-Type names the type, whatever its parameters and case. */
bool hf_media_type_is(const char *text, const char *type);

/* Whether it is JSON: application/json or a type that ends in +json. */
bool hf_media_type_is_json(const char *text);

#endif
