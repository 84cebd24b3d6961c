/* zone.c — records of zones and scopes. The layouts are storage/FORMAT.md's tables "zones" and "scopes". */
#include "zone.h"

/* Version 1 has no ttl, and is still written for a zone without one. */
#define RECORD_VERSION 1
#define RECORD_VERSION_TTL 2
#define SCOPE_RECORD_VERSION 1

const char *hf_zone_state_name(enum hf_zone_state state) {
	static const char *const names[] = {[HF_ZONE_UNMANAGED] = "unmanaged",
					    [HF_ZONE_ONLINE] = "online",
					    [HF_ZONE_OFFLINE] = "offline",
					    [HF_ZONE_RETIRED] = "retired"};
	return names[state];
}

struct hf_slice hf_zone_encode(const struct hf_zone *zone, uint8_t buffer[HF_ZONE_RECORD_MAX]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, zone->ttl_ms ? RECORD_VERSION_TTL : RECORD_VERSION, 1);
	hf_put_uint(&w, zone->state, 1);
	hf_put_uint(&w, zone->epoch, 8);
	hf_put_uint(&w, zone->reconnects, 8);
	hf_put_uint(&w, zone->store_epoch, 8);
	hf_put_uint(&w, (uint64_t)zone->created_ms, 8);
	hf_put_uint(&w, (uint64_t)zone->changed_ms, 8);
	hf_put_uint(&w, (uint64_t)zone->n_instances, 1);
	for (int i = 0; i < zone->n_instances; i++)
		hf_put_text(&w, zone->instances[i]);
	if (zone->ttl_ms)
		hf_put_uint(&w, (uint64_t)zone->ttl_ms, 4);
	return hf_writer_end(&w);
}

bool hf_zone_decode(struct hf_slice key, struct hf_slice value, struct hf_zone *ret) {
	struct hf_parser p = hf_parser_begin(value);
	uint64_t version = hf_take_uint(&p, 1);
	if (key.len == 0 || key.len > HF_NAME_MAX || (version != RECORD_VERSION && version != RECORD_VERSION_TTL))
		return false;
	*ret = (struct hf_zone){0};
	memcpy(ret->name, key.data, key.len);
	ret->state = (enum hf_zone_state)hf_take_uint(&p, 1);
	ret->epoch = hf_take_uint(&p, 8);
	ret->reconnects = hf_take_uint(&p, 8);
	ret->store_epoch = hf_take_uint(&p, 8);
	ret->created_ms = (int64_t)hf_take_uint(&p, 8);
	ret->changed_ms = (int64_t)hf_take_uint(&p, 8);
	ret->n_instances = (int)hf_take_uint(&p, 1);
	if (ret->state < HF_ZONE_UNMANAGED || ret->state > HF_ZONE_RETIRED || ret->n_instances > HF_INSTANCES_KEPT)
		return false;
	for (int i = 0; i < ret->n_instances; i++)
		hf_take_text(&p, HF_INSTANCE_MAX, ret->instances[i]);
	if (version == RECORD_VERSION_TTL)
		ret->ttl_ms = (int64_t)hf_take_uint(&p, 4);
	return hf_parser_end(&p);
}

struct hf_slice hf_scope_encode(const struct hf_scope *scope, uint8_t buffer[HF_SCOPE_RECORD_MAX]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, SCOPE_RECORD_VERSION, 1);
	hf_put_uint(&w, scope->active, 8);
	hf_put_uint(&w, scope->quarantined, 8);
	hf_put_bytes(&w, scope->digest.bytes, HF_DIGEST_BYTES);
	return hf_writer_end(&w);
}

bool hf_scope_decode(struct hf_slice value, struct hf_scope *ret) {
	struct hf_parser p = hf_parser_begin(value);
	if (hf_take_uint(&p, 1) != SCOPE_RECORD_VERSION)
		return false;
	ret->active = hf_take_uint(&p, 8);
	ret->quarantined = hf_take_uint(&p, 8);
	hf_take_copy(&p, ret->digest.bytes, HF_DIGEST_BYTES);
	return hf_parser_end(&p);
}

bool hf_scope_key_decode(struct hf_slice key, struct hf_identity *ret) {
	uint8_t bytes[HF_SCOPE_MAX + 1];
	if (key.len == 0 || key.len > HF_SCOPE_MAX)
		return false;
	memcpy(bytes, key.data, key.len);
	bytes[key.len] = 's'; /* append any service, to make it a whole identity */
	return hf_identity_decode(bytes, key.len + 1, ret) && ret->service[1] == '\0';
}
