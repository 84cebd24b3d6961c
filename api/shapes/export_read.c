/* export_read.c — reading the lines of an export. */
#include "export_read.h"

#include <stdlib.h>
#include <string.h>

#include "api/text/members.h"
#include "export_json.h"
#include "pool_json.h"

static void read_moves(struct hf_members *m, struct hf_moves *moves) {
	const json_t *value = hf_members_take(m, "vipChanges");
	if (value && !json_is_object(value))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, "vipChanges", "is not an object");
	if (m->err)
		return;
	struct hf_members counts = hf_members_begin(value, "vipChanges", m->why);
	for (int cause = 1; cause <= HF_CAUSES; cause++) {
		const char *name = hf_cause_name((enum hf_cause)cause);
		if (hf_members_has(&counts, name))
			moves->by_cause[cause] = hf_members_uint(&counts, name, 1, INT64_MAX);
	}
	m->err = hf_members_end(&counts);
}

static enum hf_err read_store(const json_t *document, struct hf_why *why, struct hf_meta *meta, struct hf_moves *moves) {
	struct hf_members m = hf_members_begin(document, "store", why);
	size_t len;
	memset(meta, 0, sizeof *meta);
	memset(moves, 0, sizeof *moves);
	hf_members_uint(&m, "holdfastExport", 1, HF_EXPORT_VERSION);
	const char *id = hf_members_text(&m, "storeId");
	if (!m.err && (!hf_hex_decode(id, sizeof meta->store_id, meta->store_id, &len) || len != sizeof meta->store_id))
		hf_members_fail(&m, HF_E_INVALID_PARAMETER, "storeId", "is not 32 hexadecimal digits");
	meta->store_epoch = hf_members_uint(&m, "storeEpoch", 1, INT64_MAX);
	meta->revision = hf_members_uint(&m, "revision", 0, INT64_MAX);
	meta->compacted = hf_members_uint(&m, "compactedRevision", 0, INT64_MAX);
	meta->next_pool_id = (uint32_t)hf_members_uint(&m, "nextPoolId", 1, UINT32_MAX);
	meta->created_ms = hf_members_time(&m, "createdAt");
	if (hf_members_has(&m, "restoredAt"))
		meta->restored_ms = hf_members_time(&m, "restoredAt");
	if (hf_members_has(&m, "vipChanges"))
		read_moves(&m, moves);
	return hf_members_end(&m);
}

static struct hf_addr read_cursor(struct hf_members *m, const char *name) {
	return hf_members_has(m, name) ? hf_members_address(m, name) : (struct hf_addr){0};
}

static enum hf_err read_pool_members(const json_t *value, struct hf_why *why, struct hf_pool *pool) {
	static const char *const config[] = {"cidrs", "strategy", "quarantineSeconds", "reserved", "kinds", "meshes", "zones"};
	struct hf_members m = hf_members_begin(value, "pool", why);
	hf_members_name(&m, "pool", HF_NAME_MAX, pool->name);
	pool->id = (uint32_t)hf_members_uint(&m, "id", 1, UINT32_MAX);
	for (size_t i = 0; i < sizeof config / sizeof *config; i++)
		hf_members_take(&m, config[i]);
	if (!m.err)
		m.err = hf_pool_config_members(value, why, &pool->config);
	hf_members_take(&m, "draining");
	if (!m.err)
		m.err = hf_pool_ranges_member(value, "draining", false, why, &pool->draining);
	const json_t *cursors = hf_members_take(&m, "cursor");
	if (cursors && !json_is_object(cursors))
		hf_members_fail(&m, HF_E_INVALID_PARAMETER, "cursor", "is not an object");
	if (!m.err) {
		struct hf_members cursor = hf_members_begin(cursors, "cursor", why);
		pool->count[HF_IPV4].cursor = read_cursor(&cursor, "ipv4");
		pool->count[HF_IPV6].cursor = read_cursor(&cursor, "ipv6");
		m.err = hf_members_end(&cursor);
	}
	pool->revision = hf_members_uint(&m, "revision", 1, INT64_MAX);
	pool->created_ms = hf_members_time(&m, "createdAt");
	pool->modified_ms = hf_members_time(&m, "modifiedAt");
	return hf_members_end(&m);
}

static enum hf_err read_pool(const json_t *value, struct hf_why *why, struct hf_pool *pool) {
	memset(pool, 0, sizeof *pool);
	enum hf_err err = read_pool_members(value, why, pool);
	if (err)
		hf_pool_drop(pool);
	return err;
}

static void read_instances(struct hf_members *m, struct hf_zone *zone) {
	const json_t *array = hf_members_take(m, "instances");
	if (array && (!json_is_array(array) || json_array_size(array) > HF_INSTANCES_KEPT))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, "instances", "is not an array of at most 9 names");
	for (size_t i = 0; !m->err && i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));
		size_t len = text ? strlen(text) : 0;
		if (len == 0 || len > HF_INSTANCE_MAX)
			hf_members_fail(m, HF_E_INVALID_PARAMETER, "instances", "has a member that is not 1 to 128 bytes of text");
		else
			memcpy(zone->instances[zone->n_instances++], text, len + 1);
	}
}

static enum hf_err read_zone(const json_t *value, struct hf_why *why, struct hf_zone *zone) {
	static const char *const states[] = {NULL, "unmanaged", "online", "offline", "retired"};
	struct hf_members m = hf_members_begin(value, "zone", why);
	memset(zone, 0, sizeof *zone);
	hf_members_name(&m, "zone", HF_NAME_MAX, zone->name);
	zone->state = (enum hf_zone_state)hf_members_choice(&m, "state", states, HF_ZONE_STATES);
	zone->epoch = hf_members_uint(&m, "epoch", 0, INT64_MAX);
	zone->reconnects = hf_members_uint(&m, "reconnects", 0, INT64_MAX);
	zone->store_epoch = hf_members_uint(&m, "storeEpoch", 0, INT64_MAX);
	read_instances(&m, zone);
	if (hf_members_has(&m, "ttl"))
		zone->ttl_ms = hf_members_duration(&m, "ttl", HF_TTL_MIN_SECONDS, HF_TTL_MAX_SECONDS);
	zone->created_ms = hf_members_time(&m, "createdAt");
	zone->changed_ms = hf_members_time(&m, "changedAt");
	return hf_members_end(&m);
}

static enum hf_err read_scope(const json_t *value, struct hf_why *why, struct hf_identity *scope) {
	struct hf_members m = hf_members_begin(value, "scope", why);
	hf_members_identity(&m, false, scope);
	return hf_members_end(&m);
}

/* Reads who asked for a change; exports before number 3 do not say. */
static void read_by(struct hf_members *m, char ret[HF_BY_MAX + 1]) {
	ret[0] = '\0';
	if (hf_members_has(m, "by"))
		hf_members_copy(m, "by", HF_BY_MAX, ret);
	if (strcmp(ret, HF_BY_ANONYMOUS) == 0)
		ret[0] = '\0';
}

/* Reads an address that is bound to a lease; `previous` is where a previous one's end goes, NULL for a current one. */
static enum hf_err read_vip(const json_t *value, struct hf_why *why, struct hf_addr *ret, struct hf_bound *bound,
			    struct hf_previous *previous) {
	struct hf_members m = hf_members_begin(value, previous ? "previousVips" : "vips", why);
	*ret = hf_members_address(&m, "ip");
	bound->from_revision = hf_members_uint(&m, "fromRevision", 1, INT64_MAX);
	bound->from_ms = hf_members_time(&m, "from");
	read_by(&m, bound->by);
	if (previous) {
		previous->until_ms = hf_members_time(&m, "until");
		previous->overlap_seconds = (uint32_t)hf_members_uint(&m, "overlapSeconds", 0, HF_OVERLAP_MAX_SECONDS);
	}
	return hf_members_end(&m);
}

static void read_vips(struct hf_members *m, struct hf_line *line) {
	const json_t *array = hf_members_take(m, "vips");
	if (array && (!json_is_array(array) || json_array_size(array) < 1 || json_array_size(array) > HF_FAMILIES))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, "vips", "is not an array of one or two addresses");
	for (size_t i = 0; !m->err && i < json_array_size(array); i++)
		m->err = read_vip(json_array_get(array, i), m->why, &line->lease.vips[i], &line->bound[i], NULL);
	line->lease.n_vips = (int)json_array_size(array);
}

static void read_previous(struct hf_members *m, struct hf_line *line) {
	struct hf_lease *lease = &line->lease;
	const json_t *array = hf_members_take(m, "previousVips");
	if (array && (!json_is_array(array) || json_array_size(array) < 1 || json_array_size(array) > HF_PREVIOUS_MAX))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, "previousVips", "is not an array of 1 to 8 addresses");
	for (size_t i = 0; !m->err && i < json_array_size(array); i++)
		m->err = read_vip(json_array_get(array, i), m->why, &lease->previous[i].address,
				  &line->bound[lease->n_vips + (int)i], &lease->previous[i]);
	lease->n_previous = m->err ? 0 : (int)json_array_size(array);
}

/* Reads a member that is either true or left out. */
static bool read_true(struct hf_members *m, const char *name) {
	if (!hf_members_has(m, name))
		return false;
	if (!json_is_true(hf_members_take(m, name)))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, name, "is not true; it is left out otherwise");
	return true;
}

static enum hf_err read_lease(const json_t *value, struct hf_why *why, struct hf_line *line) {
	static const char *const states[] = {NULL, "active", "quarantined"};
	struct hf_members m = hf_members_begin(value, "lease", why);
	struct hf_lease *lease = &line->lease;
	memset(lease, 0, sizeof *lease);
	hf_members_identity(&m, true, &lease->id);
	hf_members_name(&m, "pool", HF_NAME_MAX, lease->pool);
	read_vips(&m, line);
	if (!m.err && hf_members_has(&m, "previousVips"))
		read_previous(&m, line);
	lease->state = (enum hf_lease_state)hf_members_choice(&m, "state", states, 3);
	lease->generation = hf_members_uint(&m, "generation", 1, INT64_MAX);
	if (hf_members_has(&m, "fingerprint") || hf_members_has(&m, "fingerprintVersion")) {
		lease->fingerprint = hf_members_digest(&m, "fingerprint");
		lease->fingerprint_version = (uint8_t)hf_members_uint(&m, "fingerprintVersion", 1, HF_FINGERPRINT_VERSION);
	}
	if (hf_members_has(&m, "document"))
		lease->raw = hf_members_digest(&m, "document");
	if (hf_members_has(&m, "version"))
		hf_members_copy(&m, "version", HF_VERSION_MAX, lease->version);
	lease->revision = hf_members_uint(&m, "revision", 1, INT64_MAX);
	lease->created_ms = hf_members_time(&m, "createdAt");
	lease->modified_ms = hf_members_time(&m, "modifiedAt");
	if (lease->state == HF_QUARANTINED)
		lease->quarantined_until_ms = hf_members_time(&m, "quarantinedUntil");
	if (lease->state == HF_QUARANTINED)
		lease->forced = read_true(&m, "forced");
	return hf_members_end(&m);
}

static enum hf_err read_holder(const json_t *value, struct hf_why *why, struct hf_line *line) {
	struct hf_members m = hf_members_begin(value, "holder", why);
	struct hf_holder *holder = &line->holder;
	line->address = hf_members_address(&m, "address");
	hf_members_identity(&m, true, &holder->id);
	holder->from_revision = hf_members_uint(&m, "fromRevision", 1, INT64_MAX);
	holder->from_ms = hf_members_time(&m, "from");
	holder->to_ms = hf_members_time(&m, "to");
	read_by(&m, holder->by);
	line->remembered = read_true(&m, "remembered");
	return hf_members_end(&m);
}

static void read_change_vips(struct hf_members *m, struct hf_change *change) {
	const json_t *array = hf_members_take(m, "vips");
	if (array && (!json_is_array(array) || json_array_size(array) > HF_FAMILIES))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, "vips", "is not an array of at most two addresses");
	for (size_t i = 0; !m->err && i < json_array_size(array); i++) {
		struct hf_members vip = hf_members_begin(json_array_get(array, i), "vips", m->why);
		change->vips[change->n_vips++] = hf_members_address(&vip, "ip");
		m->err = hf_members_end(&vip);
	}
}

static void read_change_previous(struct hf_members *m, struct hf_change *change) {
	const json_t *array = hf_members_take(m, "previousVips");
	if (array && (!json_is_array(array) || json_array_size(array) < 1 || json_array_size(array) > HF_PREVIOUS_MAX))
		hf_members_fail(m, HF_E_INVALID_PARAMETER, "previousVips", "is not an array of 1 to 8 addresses");
	for (size_t i = 0; !m->err && i < json_array_size(array); i++) {
		struct hf_members vip = hf_members_begin(json_array_get(array, i), "previousVips", m->why);
		struct hf_previous *previous = &change->previous[change->n_previous++];
		previous->address = hf_members_address(&vip, "ip");
		previous->until_ms = hf_members_time(&vip, "until");
		m->err = hf_members_end(&vip);
	}
}

static void read_from(struct hf_members *m, struct hf_change *change) {
	const json_t *value = hf_members_take(m, "from");
	if (m->err)
		return;
	struct hf_members from = hf_members_begin(value, "from", m->why);
	hf_members_identity(&from, true, &change->from);
	m->err = hf_members_end(&from);
}

static enum hf_err read_change(const json_t *value, struct hf_why *why, struct hf_change *change) {
	const char *types[HF_CHANGE_TYPES] = {NULL}, *causes[HF_CAUSES + 1] = {NULL};
	for (int type = HF_CHANGE_NONE + 1; type < HF_CHANGE_TYPES; type++)
		types[type] = hf_change_type_name((enum hf_change_type)type);
	for (int cause = 1; cause <= HF_CAUSES; cause++)
		causes[cause] = hf_cause_name((enum hf_cause)cause);
	struct hf_members m = hf_members_begin(value, "change", why);
	memset(change, 0, sizeof *change);
	change->revision = hf_members_uint(&m, "revision", 1, INT64_MAX);
	change->at_ms = hf_members_time(&m, "at");
	change->type = (enum hf_change_type)hf_members_choice(&m, "type", types, HF_CHANGE_TYPES);
	change->cause = (enum hf_cause)hf_members_choice(&m, "cause", causes, HF_CAUSES + 1);
	read_by(&m, change->by);
	hf_members_name(&m, "pool", HF_NAME_MAX, change->pool);
	change->has_lease = change->type != HF_CHANGE_POOL_WRITTEN && change->type != HF_CHANGE_POOL_DELETED;
	if (change->has_lease) {
		hf_members_identity(&m, true, &change->id);
		change->generation = hf_members_uint(&m, "generation", 1, INT64_MAX);
		read_change_vips(&m, change);
		if (!m.err && hf_members_has(&m, "previousVips"))
			read_change_previous(&m, change);
	}
	if (change->type == HF_CHANGE_TRANSFERRED)
		read_from(&m, change);
	return hf_members_end(&m);
}

static enum hf_err read_end(const json_t *value, struct hf_why *why, uint64_t counts[HF_LINE_SORTS]) {
	struct hf_members m = hf_members_begin(value, "end", why);
	memset(counts, 0, sizeof *counts * HF_LINE_SORTS);
	counts[HF_LINE_POOL] = hf_members_uint(&m, "pools", 0, INT64_MAX);
	counts[HF_LINE_ZONE] = hf_members_uint(&m, "zones", 0, INT64_MAX);
	counts[HF_LINE_SCOPE] = hf_members_uint(&m, "scopes", 0, INT64_MAX);
	counts[HF_LINE_LEASE] = hf_members_uint(&m, "leases", 0, INT64_MAX);
	counts[HF_LINE_HOLDER] = hf_members_uint(&m, "holders", 0, INT64_MAX);
	counts[HF_LINE_CHANGE] = hf_members_uint(&m, "changes", 0, INT64_MAX);
	return hf_members_end(&m);
}

static enum hf_err read_value(const json_t *value, struct hf_why *why, struct hf_line *line) {
	switch (line->sort) {
	case HF_LINE_POOL:
		return read_pool(value, why, &line->pool);
	case HF_LINE_ZONE:
		return read_zone(value, why, &line->zone);
	case HF_LINE_SCOPE:
		return read_scope(value, why, &line->scope);
	case HF_LINE_LEASE:
		return read_lease(value, why, line);
	case HF_LINE_HOLDER:
		return read_holder(value, why, line);
	case HF_LINE_CHANGE:
		return read_change(value, why, &line->change);
	default:
		return read_end(value, why, line->counts);
	}
}

static enum hf_err read_line(const json_t *document, struct hf_why *why, struct hf_line *line) {
	if (json_object_get(document, "holdfastExport")) {
		line->sort = HF_LINE_STORE;
		return read_store(document, why, &line->store, &line->moves);
	}
	const char *name = json_object_iter_key(json_object_iter((json_t *)document));
	if (json_object_size(document) != 1)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "a line has one member, which names its kind; this has %zu",
			       json_object_size(document));
	for (line->sort = HF_LINE_POOL; line->sort <= HF_LINE_END; line->sort++)
		if (strcmp(name, hf_line_name(line->sort)) == 0)
			return read_value(json_object_get(document, name), why, line);
	return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%.40s\" is not a known kind of line", name);
}

/* Replaces control characters, C1 included: a message may quote an untrusted line and go to a terminal. */
static enum hf_err disarm(struct hf_why *why, enum hf_err err) {
	unsigned char *at = why ? (unsigned char *)why->text : NULL;
	for (; err && at && *at; at++) {
		bool is_c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
		if (is_c1)
			at[1] = '?';
		if (is_c1 || *at < 0x20 || *at == 0x7f)
			*at = '?';
	}
	return err;
}

enum hf_err hf_export_read(const char *text, size_t len, struct hf_why *why, struct hf_line *ret) {
	json_error_t error;
	json_t *document = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		return json_error_code(&error) == json_error_out_of_memory
			       ? hf_no_memory(why)
			       : disarm(why, hf_fail(why, HF_E_INVALID_JSON, "column %d: %s", error.column, error.text));
	enum hf_err err = HF_OK;
	if (!json_is_object(document))
		err = hf_fail(why, HF_E_INVALID_JSON, "this is not a JSON object");
	else if (memchr(text, '\0', len)) /* jansson accepts a NUL directly after a number or a word */
		err = hf_fail(why, HF_E_INVALID_JSON, "it contains a NUL");
	else
		err = read_line(document, why, ret);
	json_decref(document);
	return disarm(why, err);
}
