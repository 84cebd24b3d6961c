/* export.c — walks over the tables. */
#include "export.h"

#include <stdlib.h>

#include "storage/tables/pool_table.h"

struct dump {
	struct hf_txn *reader;
	enum hf_err (*each)(void *context, const struct hf_line *line, struct hf_why *why);
	void *context;
	struct hf_why *why;
	uint64_t counts[HF_LINE_SORTS];
	struct hf_line line;
};

const char *hf_line_name(enum hf_line_sort sort) {
	static const char *const names[] = {
		[HF_LINE_STORE] = "store", [HF_LINE_POOL] = "pool",	[HF_LINE_ZONE] = "zone",     [HF_LINE_SCOPE] = "scope",
		[HF_LINE_LEASE] = "lease", [HF_LINE_HOLDER] = "holder", [HF_LINE_CHANGE] = "change", [HF_LINE_END] = "end"};
	return names[sort];
}

/* Reads when each of the lease's addresses was bound. */
static bool read_bounds(struct dump *d) {
	struct hf_line *line = &d->line;
	struct hf_holder holder;
	struct hf_key ours, theirs;
	hf_identity_encode(&line->lease.id, &ours);
	for (int i = 0; i < hf_lease_bound(&line->lease); i++) {
		if (!hf_holders_present(d->reader, hf_lease_bound_at(&line->lease, i), &holder))
			return false;
		hf_identity_encode(&holder.id, &theirs);
		if (ours.len != theirs.len || memcmp(ours.bytes, theirs.bytes, ours.len) != 0)
			return false;
		line->bound[i] = (struct hf_bound){holder.from_revision, holder.from_ms, ""};
		memcpy(line->bound[i].by, holder.by, sizeof holder.by);
	}
	return true;
}

void hf_line_drop(struct hf_line *line) {
	if (line->sort == HF_LINE_POOL)
		hf_pool_drop(&line->pool);
}

/* Whether the address of the past holder at hand is remembered for it. */
static bool is_remembered(struct dump *d) {
	const struct hf_line *line = &d->line;
	struct hf_memory memory;
	struct hf_holder last;
	struct hf_key id;
	hf_identity_encode(&line->holder.id, &id);
	return hf_affinity_read(d->reader, &id, &memory) && hf_memory_has(&memory, line->address) &&
	       hf_holders_last_past(d->reader, line->address, &last) && last.from_revision == line->holder.from_revision;
}

static bool read_row(struct dump *d, struct hf_cursor *cursor, bool *ret_skip) {
	struct hf_slice key = cursor->key, value = cursor->value;
	struct hf_line *line = &d->line;
	struct hf_scope scope;
	*ret_skip = false;
	switch (cursor->table) {
	case HF_POOLS:
		return hf_pool_at(cursor, &line->pool);
	case HF_ZONES:
		return hf_zone_decode(key, value, &line->zone);
	case HF_SCOPES:
		if (!hf_scope_key_decode(key, &line->scope) || !hf_scope_decode(value, &scope))
			return false;
		*ret_skip = scope.active + scope.quarantined > 0;
		return true;
	case HF_LEASES:
		if (!hf_lease_decode(key, value, &line->lease))
			return false;
		if (!read_bounds(d))
			hf_txn_corrupt(d->reader, HF_ADDRESSES, "a lease's address has another holder");
		return true;
	case HF_HISTORY:
		if (!hf_holders_decode(key, value, &line->address, &line->holder))
			return false;
		line->remembered = is_remembered(d);
		return true;
	default:
		return hf_change_decode(key, value, &line->change);
	}
}

static enum hf_err dump_table(struct dump *d, enum hf_line_sort sort, enum hf_table table) {
	bool skip;
	HF_CURSOR cursor;
	hf_cursor_open(d->reader, table, &cursor);
	d->line.sort = sort;
	while (hf_cursor_next(&cursor)) {
		if (!read_row(d, &cursor, &skip)) {
			hf_txn_damaged(d->reader, table);
			break;
		}
		enum hf_err err = hf_txn_fault(d->reader, d->why);
		if (!err && !skip) {
			d->counts[sort]++;
			err = d->each(d->context, &d->line, d->why);
		}
		hf_line_drop(&d->line);
		if (err)
			return err;
	}
	return hf_txn_fault(d->reader, d->why);
}

static enum hf_err dump_all(struct dump *d) {
	static const enum hf_table tables[HF_LINE_SORTS] = {
		[HF_LINE_POOL] = HF_POOLS,   [HF_LINE_ZONE] = HF_ZONES,	    [HF_LINE_SCOPE] = HF_SCOPES,
		[HF_LINE_LEASE] = HF_LEASES, [HF_LINE_HOLDER] = HF_HISTORY, [HF_LINE_CHANGE] = HF_CHANGES};
	d->line.sort = HF_LINE_STORE;
	d->line.store = hf_meta_read(d->reader);
	d->line.moves = hf_moves_read(d->reader);
	enum hf_err err = hf_txn_fault(d->reader, d->why);
	if (!err)
		err = d->each(d->context, &d->line, d->why);
	for (enum hf_line_sort sort = HF_LINE_POOL; !err && sort < HF_LINE_END; sort++)
		err = dump_table(d, sort, tables[sort]);
	if (err)
		return err;
	d->line.sort = HF_LINE_END;
	memcpy(d->line.counts, d->counts, sizeof d->counts);
	return d->each(d->context, &d->line, d->why);
}

enum hf_err hf_dump(struct hf_txn *reader, enum hf_err (*each)(void *context, const struct hf_line *line, struct hf_why *why),
		    void *context, struct hf_why *why) {
	struct dump *d = calloc(1, sizeof *d);
	if (!d)
		return hf_no_memory(why);
	d->reader = reader;
	d->each = each;
	d->context = context;
	d->why = why;
	enum hf_err err = dump_all(d);
	free(d);
	return err;
}
