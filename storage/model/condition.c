/* condition.c — judging preconditions. */
#include "condition.h"

#include <stdio.h>
#include <string.h>

bool hf_condition_matches(const struct hf_condition *condition, const char *tag) {
	if (!tag || condition->any)
		return tag != NULL;
	for (int i = 0; i < condition->n; i++)
		if (strcmp(condition->tags[i], tag) == 0)
			return true;
	return false;
}

static enum hf_err refuse(const struct hf_condition *condition, const char *header, const char *tag, const char *what,
			  struct hf_why *why) {
	char current[HF_ETAG_TEXT + 40];
	if (tag)
		snprintf(current, sizeof current, "%s", tag);
	else
		snprintf(current, sizeof current, "none, as the %s does not exist", what);
	return hf_fail(why, HF_E_PRECONDITION_FAILED, "%s does not hold: the entity tag is %s%s", header, current,
		       condition->weak
			       ? "; a weak tag, W/\"...\", never matches here, and a proxy that compresses makes a tag weak: "
				 "send it without the W/"
			       : "");
}

enum hf_err hf_condition_if_match(const struct hf_condition *condition, const char *tag, const char *what, struct hf_why *why) {
	return condition->stated && !hf_condition_matches(condition, tag) ? refuse(condition, "If-Match", tag, what, why) : HF_OK;
}

enum hf_err hf_condition_if_none_match(const struct hf_condition *condition, const char *tag, const char *what,
				       struct hf_why *why) {
	return condition->stated && hf_condition_matches(condition, tag) ? refuse(condition, "If-None-Match", tag, what, why)
									 : HF_OK;
}
