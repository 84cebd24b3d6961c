/* openapi.h — api/openapi.yaml, compiled into the program. */
#ifndef HF_API_RESOURCES_OPENAPI_H
#define HF_API_RESOURCES_OPENAPI_H

#include <stddef.h>

extern const unsigned char hf_openapi_yaml[];
extern const size_t hf_openapi_yaml_len; /* in bytes */

#endif
