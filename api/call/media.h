/* media.h — media types of bodies (RFC 9110, 8.3.1), and what Accept says of them (12.5.1). Pure. */
#ifndef HF_API_CALL_MEDIA_H
#define HF_API_CALL_MEDIA_H

#include <stdbool.h>

/* Whether a Content-Type names the type, whatever its parameters and case. */
bool hf_media_type_is(const char *text, const char *type);

/* Whether it is JSON: application/json or a type that ends in +json. */
bool hf_media_type_is_json(const char *text);

/* How much an Accept header wants a type, in thousandths: the weight of the range that names it most closely, 0 if none does. A
 * range whose weight is out of form is passed over. *ret_named: the type itself is named, not only a range such as application/ and
 * *. */
int hf_media_quality(const char *accept, const char *type, bool *ret_named);

#endif
