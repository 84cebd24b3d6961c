/* canonical_internal.h — reading a configuration that is read into a tape already. Thread-safe. */
#ifndef HF_API_KUMA_CANONICAL_INTERNAL_H
#define HF_API_KUMA_CANONICAL_INTERNAL_H

#include "canonical.h"

/* hf_config_read() of an object of a tape. HF_E_OVERLOADED: out of memory. */
enum hf_err hf_config_of(const struct hf_value *document, struct hf_why *why, struct hf_config *ret) HF_CHECKED;

/* A document's labels: `labels`, else `metadata.labels`; of any type, borrowed; NULL if both are missing or null. */
const struct hf_value *hf_config_labels(const struct hf_value *document);

#endif
