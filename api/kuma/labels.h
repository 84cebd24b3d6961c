/* labels.h — finding the labels of a document. Pure and thread-safe. */
#ifndef HF_API_KUMA_LABELS_H
#define HF_API_KUMA_LABELS_H

#include "api/text/tape.h"

/* Returns a document's `labels`, else its `metadata.labels`; the value may be of any type and is borrowed from the tape. NULL if
 * both are missing or null. */
const struct hf_value *hf_labels_of(const struct hf_value *document);

#endif
