/* labels.c — finding the labels of a document. */
#include "labels.h"

const struct hf_value *hf_labels_of(const struct hf_value *document) {
	const struct hf_value *labels = hf_value_member(document, "labels");
	if (labels && !hf_value_is(labels, HF_NULL))
		return labels;
	labels = hf_value_member(hf_value_member(document, "metadata"), "labels");
	return hf_value_is(labels, HF_NULL) ? NULL : labels;
}
