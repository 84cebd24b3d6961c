/* oracle.h — what api/kuma/canonical.h and api/kuma/document.h promise, once more: with jansson's trees, slow, and meant to be
 * obviously right.
 *
 * Nothing of api/ is in it but its structs and its buffer, so that a fault there is not in both. Functions, errors and messages are
 * those of the same name in api/.
 */
#ifndef HF_TESTS_ORACLE_H
#define HF_TESTS_ORACLE_H

#include "api/kuma/canonical.h"
#include "api/kuma/document.h"

enum hf_err oracle_config_read(const char *body, size_t len, struct hf_why *why, struct hf_config *ret) HF_CHECKED;
enum hf_err oracle_config_canonical(const char *body, size_t len, struct hf_why *why, struct hf_buf *ret) HF_CHECKED;
enum hf_err oracle_document_read(const char *text, size_t len, const char *zone, struct hf_why *why,
				 struct hf_document *ret) HF_CHECKED;

#endif
