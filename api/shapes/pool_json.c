/* pool_json.c — pools from and to JSON. */
#include "pool_json.h"

#include <stdlib.h>
#include <string.h>

#include "api/text/members.h"
#include "api/text/parse.h"

static const char *const WRITABLE[] = {"cidrs", "strategy", "quarantineSeconds", "reserved", "kinds", "meshes", "zones", NULL};
static const char *const READ_ONLY[] = {"pool", "draining", "ipv4", "ipv6", "leases", "revision", "createdAt", "modifiedAt", NULL};

/* Calls `read` for each text of an array; a missing array counts as empty. */
static enum hf_err each_text(const json_t *document, const char *name, int max, struct hf_why *why,
			     enum hf_err (*read)(struct hf_pool_config *config, const char *text, struct hf_why *why),
			     struct hf_pool_config *config) {
	const json_t *array = json_object_get(document, name);
	if (array && !json_is_array(array))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" is not an array", name);
	if (json_array_size(array) > (size_t)max)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" has %zu members; at most %d are allowed", name,
			       json_array_size(array), max);
	for (size_t i = 0; i < json_array_size(array); i++) {
		struct hf_why said = {""};
		const char *text = json_string_value(json_array_get(array, i));
		enum hf_err err = text ? read(config, text, &said) : hf_fail(&said, HF_E_INVALID_PARAMETER, "it is not a string");
		if (err)
			return hf_fail(why, err, "\"%s\", number %zu: %.200s", name, i + 1, said.text);
	}
	return HF_OK;
}

/* A CIDR or FIRST-LAST; an address alone is more likely a CIDR that was not written to its end. */
static enum hf_err parse_cidr(const char *text, struct hf_why *why, struct hf_range *ret) {
	if (strchr(text, '/') || strchr(text, '-'))
		return hf_range_parse(text, why, ret);
	return hf_fail(why, HF_E_INVALID_ADDRESS,
		       "\"%.60s\" is neither a CIDR such as 241.0.0.0/8 nor a range such as "
		       "10.0.0.10-10.0.0.99",
		       text);
}

static enum hf_err parse_member(const json_t *value, bool alone, struct hf_why *why, struct hf_range *ret) {
	const char *text = json_string_value(value);
	if (!text)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "it is not a string");
	return alone ? hf_range_parse(text, why, ret) : parse_cidr(text, why, ret);
}

enum hf_err hf_pool_ranges_member(const json_t *document, const char *name, bool alone, struct hf_why *why, struct hf_ranges *ret) {
	const json_t *array = json_object_get(document, name);
	size_t n = json_array_size(array);
	if (array && !json_is_array(array))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" is not an array", name);
	if (n > HF_POOL_RANGES_MAX)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" has %zu members; at most %d are allowed", name, n,
			       HF_POOL_RANGES_MAX);
	struct hf_range *list = malloc(sizeof *list * (n + 1));
	enum hf_err err = list ? HF_OK : hf_no_memory(why);
	for (size_t i = 0; !err && i < n; i++) {
		struct hf_why said = {""};
		err = parse_member(json_array_get(array, i), alone, &said, &list[i]);
		if (err)
			err = hf_fail(why, err, "\"%s\", number %zu: %.200s", name, i + 1, said.text);
	}
	if (!err && !hf_ranges_make(list, (int)n, ret))
		err = hf_no_memory(why);
	free(list);
	return err;
}

static enum hf_err read_kind(struct hf_pool_config *config, const char *text, struct hf_why *why) {
	enum hf_kind kind;
	if (!hf_kind_parse(text, &kind))
		return hf_fail(why, HF_E_INVALID_PARAMETER,
			       "\"%.40s\" is not MeshService, MeshExternalService or MeshMultiZoneService", text);
	config->kinds |= 1u << kind;
	return HF_OK;
}

static enum hf_err read_mesh(struct hf_pool_config *config, const char *text, struct hf_why *why) {
	return hf_name_set("mesh", text, HF_NAME_MAX, why, config->meshes.names[config->meshes.n++]);
}

static enum hf_err read_zone(struct hf_pool_config *config, const char *text, struct hf_why *why) {
	return hf_name_set("zone", text, HF_NAME_MAX, why, config->zones.names[config->zones.n++]);
}

static enum hf_err read_scalars(const json_t *document, struct hf_why *why, struct hf_pool_config *config) {
	static const char *const strategies[] = {[HF_SEQUENTIAL] = "sequential", [HF_HASHED] = "hashed"};
	struct hf_members m = hf_members_begin(document, NULL, why);
	config->strategy = HF_SEQUENTIAL;
	if (hf_members_has(&m, "strategy"))
		config->strategy = (enum hf_strategy)hf_members_choice(&m, "strategy", strategies, HF_HASHED + 1);
	if (hf_members_has(&m, "quarantineSeconds"))
		config->quarantine_seconds = (uint32_t)hf_members_uint(&m, "quarantineSeconds", 0, HF_QUARANTINE_MAX_SECONDS);
	return m.err;
}

static enum hf_err read_members(const json_t *document, struct hf_why *why, struct hf_pool_config *config) {
	enum hf_err err = read_scalars(document, why, config);
	if (!err)
		err = hf_pool_ranges_member(document, "cidrs", false, why, &config->cidrs);
	if (!err)
		err = hf_pool_ranges_member(document, "reserved", true, why, &config->reserved);
	if (!err)
		err = each_text(document, "kinds", HF_KINDS, why, read_kind, config);
	if (!err)
		err = each_text(document, "meshes", HF_POOL_SELECTOR_MAX, why, read_mesh, config);
	if (!err)
		err = each_text(document, "zones", HF_POOL_SELECTOR_MAX, why, read_zone, config);
	return err ? err : hf_pool_config_check(config, why);
}

enum hf_err hf_pool_config_members(const json_t *document, struct hf_why *why, struct hf_pool_config *config) {
	enum hf_err err = read_members(document, why, config);
	if (err)
		hf_pool_config_drop(config);
	return err;
}

enum hf_err hf_pool_config_read(const char *body, size_t len, uint32_t quarantine_seconds, struct hf_why *why,
				struct hf_pool_config *ret) {
	json_t *document;
	enum hf_err err = hf_parse_object(body, len, "the body", why, &document);
	if (err)
		return err;
	memset(ret, 0, sizeof *ret);
	ret->quarantine_seconds = quarantine_seconds;
	struct hf_members m = hf_members_begin(document, NULL, why);
	hf_members_allow(&m, WRITABLE, READ_ONLY);
	err = hf_members_end(&m);
	if (!err)
		err = hf_pool_config_members(document, why, ret);
	json_decref(document);
	return err;
}

static void write_ranges(struct hf_json *json, const char *name, const struct hf_ranges *ranges) {
	char text[HF_RANGE_TEXT];
	hf_json_member_open(json, name, '[');
	for (int i = 0; i < ranges->n; i++) {
		hf_range_format(ranges->at[i], text);
		hf_json_string(json, text);
	}
	hf_json_close(json, ']');
}

static void write_names(struct hf_json *json, const char *name, const struct hf_names *names) {
	hf_json_member_open(json, name, '[');
	for (int i = 0; i < names->n; i++)
		hf_json_string(json, names->names[i]);
	hf_json_close(json, ']');
}

static void write_usage(struct hf_json *json, const char *name, const struct hf_pool *pool, enum hf_family family) {
	struct hf_pool_usage usage;
	hf_pool_usage(pool, family, &usage);
	if (!usage.capacity && !usage.draining)
		return;
	hf_json_member_open(json, name, '{');
	hf_json_count(json, "capacity", usage.capacity);
	hf_json_count(json, "leased", usage.leased);
	hf_json_count(json, "quarantined", usage.quarantined);
	hf_json_count(json, "reserved", usage.reserved);
	hf_json_count(json, "free", usage.free);
	hf_json_count(json, "draining", usage.draining);
	hf_json_count(json, "previous", usage.previous);
	hf_json_count(json, "remembered", usage.remembered);
	hf_json_close(json, '}');
}

void hf_json_pool_config(struct hf_json *json, const struct hf_pool *pool) {
	const struct hf_pool_config *config = &pool->config;
	write_ranges(json, "cidrs", &config->cidrs);
	write_ranges(json, "draining", &pool->draining);
	hf_json_member(json, "strategy", config->strategy == HF_HASHED ? "hashed" : "sequential");
	hf_json_member_uint(json, "quarantineSeconds", config->quarantine_seconds);
	write_ranges(json, "reserved", &config->reserved);
	hf_json_member_open(json, "kinds", '[');
	for (int kind = 1; kind <= HF_KINDS; kind++)
		if (config->kinds & 1u << kind)
			hf_json_string(json, hf_kind_name((enum hf_kind)kind));
	hf_json_close(json, ']');
	write_names(json, "meshes", &config->meshes);
	write_names(json, "zones", &config->zones);
}

void hf_json_pool(struct hf_json *json, const struct hf_pool *pool) {
	hf_json_open(json, '{');
	hf_json_member(json, "pool", pool->name);
	hf_json_pool_config(json, pool);
	write_usage(json, "ipv4", pool, HF_IPV4);
	write_usage(json, "ipv6", pool, HF_IPV6);
	hf_json_member_open(json, "leases", '{');
	hf_json_member_uint(json, "active", pool->active);
	hf_json_member_uint(json, "quarantined", pool->quarantined);
	hf_json_close(json, '}');
	hf_json_member_uint(json, "revision", pool->revision);
	hf_json_member_time(json, "createdAt", pool->created_ms);
	hf_json_member_time(json, "modifiedAt", pool->modified_ms);
	hf_json_close(json, '}');
}
