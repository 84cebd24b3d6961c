/* lease_filter.c — filters, and walks over the leases that can pass them. */
#include "lease_filter.h"

#include "storage/tables/lease_table.h"

/* Writes the longest prefix common to all keys that can pass the filter: zone, mesh, kind and service up to the first one not
 * stated. */
static void filter_prefix(const struct hf_filter *filter, struct hf_key *ret) {
	struct hf_identity id = {.kind = filter->has_kind ? filter->kind : HF_MESH_SERVICE};
	memcpy(id.zone, filter->zone, sizeof id.zone);
	memcpy(id.mesh, filter->mesh, sizeof id.mesh);
	memcpy(id.service, filter->service, sizeof id.service);
	hf_identity_encode(&id, ret);
	if (!filter->zone[0])
		ret->len = 0;
	else if (!filter->mesh[0])
		ret->len = (uint16_t)(strlen(filter->zone) + 1);
	else if (!filter->has_kind)
		ret->len = ret->scope_len - 1;
}

bool hf_filter_passes(const struct hf_filter *filter, const struct hf_lease *lease) {
	const struct hf_identity *id = &lease->id;
	if (filter->service[0] || filter->service_is_prefix) {
		bool same = filter->service_is_prefix ? strncmp(id->service, filter->service, strlen(filter->service)) == 0
						      : strcmp(id->service, filter->service) == 0;
		if (!same)
			return false;
	}
	return (!filter->has_kind || id->kind == filter->kind) && (!filter->zone[0] || strcmp(id->zone, filter->zone) == 0) &&
	       (!filter->mesh[0] || strcmp(id->mesh, filter->mesh) == 0) &&
	       (!filter->pool[0] || strcmp(lease->pool, filter->pool) == 0) && (!filter->state || lease->state == filter->state);
}

static void walk_check(struct hf_lease_walk *walk, bool found) {
	const struct hf_slice *key = &walk->cursor.key;
	walk->at_entry = found && key->len >= walk->prefix.len && memcmp(key->data, walk->prefix.bytes, walk->prefix.len) == 0;
}

void hf_lease_walk_begin(struct hf_lease_walk *walk, struct hf_txn *txn, const struct hf_filter *filter,
			 const struct hf_key *after) {
	filter_prefix(filter, &walk->prefix);
	hf_cursor_open(txn, HF_LEASES, &walk->cursor);
	struct hf_slice start = {walk->prefix.bytes, walk->prefix.len},
			last = {after ? after->bytes : NULL, after ? after->len : 0};
	bool from_prefix = start.len > 0 && (!after || hf_slice_compare(last, start) < 0);
	walk_check(walk, from_prefix ? hf_cursor_seek(&walk->cursor, start) : hf_cursor_seek_after(&walk->cursor, last));
}

void hf_lease_walk_next(struct hf_lease_walk *walk) { walk_check(walk, hf_cursor_next(&walk->cursor)); }

bool hf_lease_walk_read(struct hf_lease_walk *walk, struct hf_lease *ret) { return hf_lease_at(&walk->cursor, true, ret); }
