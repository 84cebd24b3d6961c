/* conditions.h — the headers that guard a request: If-Match, If-None-Match (RFC 9110, 13.1) and Holdfast-Zone-Epoch. */
#ifndef HF_API_CALL_CONDITIONS_H
#define HF_API_CALL_CONDITIONS_H

#include "call.h"
#include "storage/model/lease_rules.h"

/* Reads the headers into a guard; reads the epoch only for a write. If-Match compares strongly (a weak tag never matches),
 * If-None-Match weakly.
 * Fails with HF_E_INVALID_PARAMETER if a header is malformed, or has more than HF_CONDITION_TAGS_MAX tags. */
enum hf_err hf_conditions_read(struct hf_call *call, struct hf_guard *ret) HF_CHECKED;

/* Reads only If-Match and If-None-Match. Fails likewise. */
enum hf_err hf_conditions_read_tags(struct hf_call *call, struct hf_condition *ret_if_match,
				    struct hf_condition *ret_if_none_match) HF_CHECKED;

/* Reads only the epoch. Leaves *ret_has and *ret unchanged if the header is absent.
 * Fails with HF_E_INVALID_PARAMETER if the header is malformed. */
enum hf_err hf_conditions_read_epoch(struct hf_call *call, bool *ret_has, uint64_t *ret) HF_CHECKED;

#endif
