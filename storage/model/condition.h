/* condition.h — preconditions of a request: If-Match and If-None-Match (RFC 9110, 13.1), judged against an entity tag. Pure. */
#ifndef HF_STORAGE_MODEL_CONDITION_H
#define HF_STORAGE_MODEL_CONDITION_H

#include <stdbool.h>

#include "storage/base/err.h"

#define HF_ETAG_TEXT 40 /* longest entity tag, quoted, with its NUL */
#define HF_CONDITION_TAGS_MAX 8

/* One of the two headers, with tags as the entity's own are written. */
struct hf_condition {
	bool stated, any; /* any: "*" */
	bool weak;	  /* If-Match only: a weak tag was sent, which matches nothing */
	int n;
	char tags[HF_CONDITION_TAGS_MAX][HF_ETAG_TEXT];
};

/* Returns whether a condition names the entity that has this tag (NULL: it does not exist). GET uses it for If-None-Match. */
bool hf_condition_matches(const struct hf_condition *condition, const char *tag);

/* Judges the condition of each header for the entity that has this tag; NULL: it does not exist. `what` is the entity's kind. A
 * read judges only the first. Fails with HF_E_PRECONDITION_FAILED if it does not hold; `why` names the header and the current tag.
 */
enum hf_err hf_condition_if_match(const struct hf_condition *condition, const char *tag, const char *what,
				  struct hf_why *why) HF_CHECKED;
enum hf_err hf_condition_if_none_match(const struct hf_condition *condition, const char *tag, const char *what,
				       struct hf_why *why) HF_CHECKED;

#endif
