/* media.h — media types of bodies (RFC 9110, 8.3.1), and which of them Accept prefers (12.5.1). Pure. */
#ifndef HF_API_CALL_MEDIA_H
#define HF_API_CALL_MEDIA_H

#include <stdbool.h>

/* Returns whether a Content-Type names the type, ignoring parameters and case. */
bool hf_media_type_is(const char *text, const char *type);

/* Returns whether a Content-Type is JSON: application/json or a type that ends in +json. */
bool hf_media_type_is_json(const char *text);

/* Returns how much an Accept header wants a type, in thousandths: the weight of the range that matches it most closely, 0 if none
 * does. Ignores a range whose weight is malformed. Sets *ret_named if the header names the type itself, not only a range such as
 * application/ and *. */
int hf_media_quality(const char *accept, const char *type, bool *ret_named);

#endif
