/* pool_json.h — reading a pool's configuration from JSON, and writing a pool as JSON. Thread-safe. */
#ifndef HF_API_SHAPES_POOL_JSON_H
#define HF_API_SHAPES_POOL_JSON_H

#include <jansson.h>

#include "api/text/json.h"
#include "storage/model/pool.h"

/* Reads and checks a configuration, which the caller drops. A missing member has its default: sequential, `quarantine_seconds` (in
 * seconds), nothing reserved, everything selected. Members that an answer adds (name, counts, times) are ignored, so that an answer
 * can be edited and sent back. `why` names the member. Fails with HF_E_INVALID_JSON if it is not a JSON object. Fails with
 * HF_E_INVALID_PARAMETER if a member is unknown or wrong. Fails with HF_E_INVALID_ADDRESS if a text is not a range or a CIDR. Fails
 * with HF_E_INVALID_NAME if a mesh or zone is not a name. Fails with HF_E_POOL_OVERLAP if two ranges overlap. Fails with
 * HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_pool_config_read(const char *body, size_t len, uint32_t quarantine_seconds, struct hf_why *why,
				struct hf_pool_config *ret) HF_CHECKED;

/* Reads a parsed document into *ret (zeros); unknown members are ignored. Errors as hf_pool_config_read(). */
enum hf_err hf_pool_config_members(const json_t *document, struct hf_why *why, struct hf_pool_config *ret) HF_CHECKED;

/* Reads a member that is a list of ranges; a missing one is empty. The caller drops it. `alone`: an address alone is a range.
 * Errors as hf_pool_config_read(). */
enum hf_err hf_pool_ranges_member(const json_t *document, const char *name, bool alone, struct hf_why *why,
				  struct hf_ranges *ret) HF_CHECKED;

/* Writes the members of its configuration and its draining ranges into an open object. */
void hf_json_pool_config(struct hf_json *json, const struct hf_pool *pool);
void hf_json_pool(struct hf_json *json, const struct hf_pool *pool);

#endif
