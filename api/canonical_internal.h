/* canonical_internal.h — reading a configuration that is parsed already. Thread-safe. */
#ifndef HF_API_CANONICAL_INTERNAL_H
#define HF_API_CANONICAL_INTERNAL_H

#include <jansson.h>

#include "canonical.h"

/* hf_config_read() of an object from hf_parse_object(). HF_E_OVERLOADED: out of memory. */
enum hf_err hf_config_of(const json_t *document, struct hf_why *why, struct hf_config *ret) HF_CHECKED;

/* A document's labels: `labels`, else `metadata.labels`; of any type, borrowed; NULL if both are missing or null. */
const json_t *hf_config_labels(const json_t *document);

#endif
