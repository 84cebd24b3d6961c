/* change_json.h — a change as JSON, in the feed and in an export. Pure. */
#ifndef HF_API_SHAPES_CHANGE_JSON_H
#define HF_API_SHAPES_CHANGE_JSON_H

#include "api/text/json.h"
#include "storage/model/change.h"

void hf_json_change(struct hf_json *json, const struct hf_change *change);

#endif
