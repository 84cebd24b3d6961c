/* export_json.c — writing the lines of an export. */
#include "export_json.h"

#include "api/text/json.h"
#include "change_json.h"
#include "pool_json.h"

/* A writer that notes values that could not be read back. */
struct writer {
	struct hf_json json;
	bool out_of_range;
};

static void put_uint(struct writer *w, const char *name, uint64_t value) {
	if (value > INT64_MAX)
		w->out_of_range = true;
	hf_json_member_uint(&w->json, name, value);
}

static void put_time(struct writer *w, const char *name, int64_t ms) {
	if (ms < 0 || ms > HF_TIME_MAX_MS) {
		w->out_of_range = true;
		return;
	}
	hf_json_member_time(&w->json, name, ms);
}

static void put_address(struct writer *w, const char *name, struct hf_addr a) {
	char text[HF_ADDR_TEXT];
	hf_addr_format(a, text);
	hf_json_member(&w->json, name, text);
}

static void write_moves(struct writer *w, const struct hf_moves *moves) {
	hf_json_member_open(&w->json, "vipChanges", '{');
	for (int cause = 1; cause <= HF_CAUSES; cause++)
		if (moves->by_cause[cause])
			put_uint(w, hf_cause_name((enum hf_cause)cause), moves->by_cause[cause]);
	hf_json_close(&w->json, '}');
}

static void write_store(struct writer *w, const struct hf_meta *meta, const struct hf_moves *moves) {
	char id[2 * sizeof meta->store_id + 1];
	hf_hex_encode(meta->store_id, sizeof meta->store_id, id);
	put_uint(w, "holdfastExport", HF_EXPORT_VERSION);
	hf_json_member(&w->json, "storeId", id);
	put_uint(w, "storeEpoch", meta->store_epoch);
	put_uint(w, "revision", meta->revision);
	put_uint(w, "compactedRevision", meta->compacted);
	put_uint(w, "nextPoolId", meta->next_pool_id);
	put_time(w, "createdAt", meta->created_ms);
	if (meta->restored_ms)
		put_time(w, "restoredAt", meta->restored_ms);
	if (hf_moves_any(moves))
		write_moves(w, moves);
}

static void write_pool(struct writer *w, const struct hf_pool *pool) {
	static const char *const families[HF_FAMILIES] = {[HF_IPV4] = "ipv4", [HF_IPV6] = "ipv6"};
	hf_json_member(&w->json, "pool", pool->name);
	put_uint(w, "id", pool->id);
	hf_json_pool_config(&w->json, pool);
	hf_json_member_open(&w->json, "cursor", '{');
	for (int family = 0; family < HF_FAMILIES; family++)
		if (pool->count[family].cursor.n != 0)
			put_address(w, families[family], pool->count[family].cursor);
	hf_json_close(&w->json, '}');
	put_uint(w, "revision", pool->revision);
	put_time(w, "createdAt", pool->created_ms);
	put_time(w, "modifiedAt", pool->modified_ms);
}

static void write_zone(struct writer *w, const struct hf_zone *zone) {
	hf_json_member(&w->json, "zone", zone->name);
	hf_json_member(&w->json, "state", hf_zone_state_name(zone->state));
	put_uint(w, "epoch", zone->epoch);
	put_uint(w, "reconnects", zone->reconnects);
	put_uint(w, "storeEpoch", zone->store_epoch);
	hf_json_member_open(&w->json, "instances", '[');
	for (int i = 0; i < zone->n_instances; i++)
		hf_json_string(&w->json, zone->instances[i]);
	hf_json_close(&w->json, ']');
	if (zone->ttl_ms)
		hf_json_member_duration(&w->json, "ttl", zone->ttl_ms);
	put_time(w, "createdAt", zone->created_ms);
	put_time(w, "changedAt", zone->changed_ms);
}

static void write_scope(struct writer *w, const struct hf_identity *scope) {
	hf_json_member(&w->json, "kind", hf_kind_name(scope->kind));
	hf_json_member(&w->json, "mesh", scope->mesh);
	hf_json_member(&w->json, "zone", scope->zone);
}

/* Writes addresses that are bound to the lease, from one to before another: the current ones, or the previous ones. */
static void write_vips(struct writer *w, const char *name, const struct hf_line *line, int from, int to) {
	const struct hf_lease *lease = &line->lease;
	hf_json_member_open(&w->json, name, '[');
	for (int i = from; i < to; i++) {
		hf_json_open(&w->json, '{');
		put_address(w, "ip", hf_lease_bound_at(lease, i));
		put_uint(w, "fromRevision", line->bound[i].from_revision);
		put_time(w, "from", line->bound[i].from_ms);
		hf_json_member(&w->json, "by", hf_by_name(line->bound[i].by));
		if (i >= lease->n_vips) {
			put_time(w, "until", lease->previous[i - lease->n_vips].until_ms);
			put_uint(w, "overlapSeconds", lease->previous[i - lease->n_vips].overlap_seconds);
		}
		hf_json_close(&w->json, '}');
	}
	hf_json_close(&w->json, ']');
}

static void write_lease(struct writer *w, const struct hf_line *line) {
	static const struct hf_digest none;
	const struct hf_lease *lease = &line->lease;
	hf_json_identity(&w->json, &lease->id);
	hf_json_member(&w->json, "pool", lease->pool);
	write_vips(w, "vips", line, 0, lease->n_vips);
	if (lease->n_previous)
		write_vips(w, "previousVips", line, lease->n_vips, hf_lease_bound(lease));
	hf_json_member(&w->json, "state", lease->state == HF_ACTIVE ? "active" : "quarantined");
	put_uint(w, "generation", lease->generation);
	if (lease->fingerprint_version) {
		hf_json_member_digest(&w->json, "fingerprint", &lease->fingerprint);
		put_uint(w, "fingerprintVersion", lease->fingerprint_version);
	}
	if (!hf_digest_equal(&lease->raw, &none))
		hf_json_member_digest(&w->json, "document", &lease->raw);
	if (lease->version[0])
		hf_json_member(&w->json, "version", lease->version);
	put_uint(w, "revision", lease->revision);
	put_time(w, "createdAt", lease->created_ms);
	put_time(w, "modifiedAt", lease->modified_ms);
	if (lease->state == HF_QUARANTINED)
		put_time(w, "quarantinedUntil", lease->quarantined_until_ms);
	if (lease->forced)
		hf_json_member_bool(&w->json, "forced", true);
}

static void write_holder(struct writer *w, const struct hf_line *line) {
	put_address(w, "address", line->address);
	hf_json_identity(&w->json, &line->holder.id);
	put_uint(w, "fromRevision", line->holder.from_revision);
	put_time(w, "from", line->holder.from_ms);
	put_time(w, "to", line->holder.to_ms);
	hf_json_member(&w->json, "by", hf_by_name(line->holder.by));
	if (line->remembered) {
		hf_json_key(&w->json, "remembered");
		hf_json_bool(&w->json, true);
	}
}

static void write_change(struct writer *w, const struct hf_change *change) {
	if (change->revision > INT64_MAX || change->generation > INT64_MAX || change->at_ms < 0 || change->at_ms > HF_TIME_MAX_MS)
		w->out_of_range = true;
	else
		hf_json_change(&w->json, change);
}

static void write_end(struct writer *w, const uint64_t counts[HF_LINE_SORTS]) {
	static const char *const names[HF_LINE_SORTS] = {
		[HF_LINE_POOL] = "pools",   [HF_LINE_ZONE] = "zones",	  [HF_LINE_SCOPE] = "scopes",
		[HF_LINE_LEASE] = "leases", [HF_LINE_HOLDER] = "holders", [HF_LINE_CHANGE] = "changes"};
	for (enum hf_line_sort sort = HF_LINE_POOL; sort < HF_LINE_END; sort++)
		put_uint(w, names[sort], counts[sort]);
}

static void write_members(struct writer *w, const struct hf_line *line) {
	switch (line->sort) {
	case HF_LINE_STORE:
		write_store(w, &line->store, &line->moves);
		break;
	case HF_LINE_POOL:
		write_pool(w, &line->pool);
		break;
	case HF_LINE_ZONE:
		write_zone(w, &line->zone);
		break;
	case HF_LINE_SCOPE:
		write_scope(w, &line->scope);
		break;
	case HF_LINE_LEASE:
		write_lease(w, line);
		break;
	case HF_LINE_HOLDER:
		write_holder(w, line);
		break;
	case HF_LINE_CHANGE: /* with its own brackets */
		write_change(w, &line->change);
		break;
	case HF_LINE_END:
		write_end(w, line->counts);
	}
}

enum hf_err hf_export_write(struct hf_buf *out, const struct hf_line *line, struct hf_why *why) {
	struct writer w = {.json = {.out = out}};
	bool wrapped = line->sort != HF_LINE_STORE, bare = line->sort == HF_LINE_CHANGE;
	hf_json_open(&w.json, '{');
	if (wrapped)
		hf_json_key(&w.json, hf_line_name(line->sort));
	if (wrapped && !bare)
		hf_json_open(&w.json, '{');
	write_members(&w, line);
	if (wrapped && !bare)
		hf_json_close(&w.json, '}');
	hf_json_close(&w.json, '}');
	hf_buf_add(out, "\n", 1);
	if (w.out_of_range)
		return hf_fail(why, HF_E_CORRUPT, "a record of kind %s is damaged: it has an impossible time or number",
			       hf_line_name(line->sort));
	return out->failed ? hf_no_memory(why) : HF_OK;
}
