/* openapi.h — api/openapi.yaml as it was when the program was built. */
#ifndef HF_API_RESOURCES_OPENAPI_H
#define HF_API_RESOURCES_OPENAPI_H

#include <stddef.h>

extern const unsigned char hf_openapi_yaml[];
extern const size_t hf_openapi_yaml_len; /* in bytes */

#endif
