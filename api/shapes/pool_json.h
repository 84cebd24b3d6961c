/* pool_json.h — a pool's configuration read from JSON, and a pool written as JSON. */
#ifndef HF_API_SHAPES_POOL_JSON_H
#define HF_API_SHAPES_POOL_JSON_H

#include <jansson.h>

#include "api/text/json.h"
#include "storage/model/pool.h"

/* Reads and checks a configuration. Members that are missing have their default: sequential, `quarantine_seconds`, nothing
 * reserved, everything selected. Members that a pool's own answer adds (its name, counts, times) are passed over, so that what was
 * read can be edited and sent back; any other is HF_E_INVALID_PARAMETER. Also HF_E_INVALID_JSON, HF_E_INVALID_ADDRESS,
 * HF_E_INVALID_NAME, HF_E_POOL_OVERLAP; `why` names the member. */
enum hf_err hf_pool_config_read(const char *body, size_t len, uint32_t quarantine_seconds, struct hf_why *why,
				struct hf_pool_config *ret) HF_CHECKED;

/* The same of a document that is read already, into zeros; it may have any other members as well. */
enum hf_err hf_pool_config_members(const json_t *document, struct hf_why *why, struct hf_pool_config *ret) HF_CHECKED;

/* Its configuration's members and its draining ranges, within an open object. */
void hf_json_pool_config(struct hf_json *json, const struct hf_pool *pool);
void hf_json_pool(struct hf_json *json, const struct hf_pool *pool);

#endif
