/* repair.c — clears the derived tables, derives them again, and verifies the result. */
#include "repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "derive.h"
#include "storage/disk/datadir.h"
#include "storage/disk/file.h"
#include "storage/tables/pool_table.h"
#include "storage/verify/verify_pass.h"

static const enum hf_table DERIVED[] = {HF_ADDRESSES, HF_FREE, HF_DEADLINES, HF_SCOPES, HF_USAGE, HF_AFFINITY, HF_REMEMBERED};

struct rebuild {
	struct hf_verify before; /* reads the snapshot from before the repair */
	struct hf_txn *txn;
	struct hf_derive derive;
	struct hf_why *why;
};

/* Returns whether the existing row would pass verify's checks for a current holder. */
static bool may_stay(struct hf_verify *v, const struct hf_holder *row, const struct hf_lease *lease, const struct hf_holder *past) {
	struct hf_change change;
	if (!hf_identity_equal(&row->id, &lease->id) || row->from_revision == 0 || row->from_revision > v->meta.revision ||
	    (past && row->from_revision <= past->from_revision))
		return false;
	return row->from_revision <= v->meta.compacted || !hf_verify_change(v, row->from_revision, &change) ||
	       (change.has_lease && hf_identity_equal(&change.id, &lease->id));
}

/* Returns since when a lease has an address: as its row says or, if that is not valid, since the lease's last change, which is
 * certain. The time is then that of the lease's creation, because addresses stay, unless another lease had the address later. Who
 * asked for it is what the feed says, as long as it has that change. */
static struct hf_bound bound_of(struct hf_verify *v, const struct hf_lease *lease, struct hf_addr a) {
	struct hf_holder row = {.by = ""}, newest, *past = hf_verify_last_past(v->txn, a, &newest) ? &newest : NULL;
	struct hf_bound bound = {lease->revision, lease->created_ms, ""};
	struct hf_change change;
	if (hf_verify_holder(v, a, &row) && may_stay(v, &row, lease, past)) {
		bound.from_revision = row.from_revision;
		bound.from_ms = row.from_ms;
		memcpy(bound.by, row.by, sizeof row.by);
	} else if (past && past->to_ms > bound.from_ms) {
		bound.from_ms = past->to_ms;
	}
	if (bound.from_revision > v->meta.compacted && hf_verify_change(v, bound.from_revision, &change))
		memcpy(bound.by, change.by, sizeof change.by);
	return bound;
}

/* A pool whose counters cannot be read begins its searches at the beginning. */
static enum hf_err read_pools(struct rebuild *r) {
	struct hf_pool pool;
	enum hf_err err = HF_OK;
	HF_CURSOR pools;
	hf_cursor_open(r->before.txn, HF_POOLS, &pools);
	while (!err && hf_cursor_next(&pools)) {
		err = hf_pool_decode(pools.key, pools.value, NULL, &pool);
		if (err == HF_E_OVERLOADED)
			return hf_no_memory(r->why);
		if (!err) {
			(void)!hf_usage_read(r->before.txn, &pool);
			err = hf_derive_pool(&r->derive, &pool, r->why);
			hf_pool_drop(&pool);
		} else {
			err = HF_OK; /* verify reports it afterwards */
		}
	}
	return err;
}

/* Skips a lease from which nothing can be derived: verify reports it afterwards. */
static enum hf_err derive_leases(struct rebuild *r) {
	struct hf_bound bound[HF_BOUND_MAX];
	struct hf_lease lease;
	struct hf_why said;
	HF_CURSOR leases;
	hf_cursor_open(r->before.txn, HF_LEASES, &leases);
	while (hf_cursor_next(&leases)) {
		if (!hf_lease_decode(leases.key, leases.value, &lease))
			continue;
		for (int i = 0; i < hf_lease_bound(&lease); i++)
			bound[i] = bound_of(&r->before, &lease, hf_lease_bound_at(&lease, i));
		if (hf_derive_lease(&r->derive, r->txn, &lease, bound, &said)) {
			enum hf_err fault = hf_txn_fault(r->txn, r->why);
			if (fault)
				return fault;
		}
	}
	return HF_OK;
}

static void derive_history(struct rebuild *r) {
	struct hf_holder holder;
	struct hf_addr a;
	HF_CURSOR history;
	hf_cursor_open(r->before.txn, HF_HISTORY, &history);
	while (hf_cursor_next(&history))
		if (hf_holders_decode(history.key, history.value, &a, &holder) && holder.to_ms != 0)
			hf_derive_past(r->txn, a, &holder);
}

/* Keeps what is remembered as far as nothing contradicts it: it follows from nothing else. */
static void derive_affinity(struct rebuild *r) {
	struct hf_verify after = r->before; /* leases and holders as they are now */
	struct hf_memory memory;
	struct hf_identity id;
	struct hf_key key;
	HF_CURSOR records;
	after.txn = r->txn;
	hf_cursor_open(r->before.txn, HF_AFFINITY, &records);
	while (hf_cursor_next(&records)) {
		if (!hf_affinity_decode(records.key, records.value, &id, &memory))
			continue;
		struct hf_pool *pool = hf_derive_pool_of_id(&r->derive, memory.pool_id);
		hf_identity_encode(&id, &key);
		for (int i = 0; i < memory.n; i++)
			if (hf_verify_may_remember(&after, pool, &id, &memory, memory.addresses[i]) &&
			    !hf_affinity_add(r->txn, pool, &key, memory.freed_ms, memory.addresses[i]))
				hf_txn_corrupt(r->txn, HF_AFFINITY, "two addresses of one family are remembered for an identity");
	}
}

/* Keeps the scopes of an existing zone whose leases are gone. */
static void derive_empty_scopes(struct rebuild *r) {
	struct hf_slice value;
	struct hf_identity id;
	HF_CURSOR scopes;
	hf_cursor_open(r->before.txn, HF_SCOPES, &scopes);
	while (hf_cursor_next(&scopes))
		if (hf_scope_key_decode(scopes.key, &id) && !hf_txn_get(r->txn, HF_SCOPES, scopes.key, &value) &&
		    hf_txn_get(r->txn, HF_ZONES, (struct hf_slice){id.zone, strlen(id.zone)}, &value))
			hf_derive_empty_scope(r->txn, &id);
}

static enum hf_err rebuild(struct rebuild *r) {
	enum hf_err err = read_pools(r);
	for (size_t i = 0; !err && i < sizeof DERIVED / sizeof *DERIVED; i++)
		hf_txn_clear(r->txn, DERIVED[i]);
	if (!err)
		err = derive_leases(r);
	if (err)
		return err;
	derive_history(r);
	derive_affinity(r);
	hf_derive_end(&r->derive, r->txn);
	derive_empty_scopes(r);
	err = hf_txn_fault(r->before.txn, r->why);
	return err ? err : hf_txn_fault(r->txn, r->why);
}

/* Compares a table before and after the repair, walking both side by side. */
static struct hf_repair_rows compare(struct hf_txn *before, struct hf_txn *after, enum hf_table table) {
	struct hf_repair_rows rows = {0};
	HF_CURSOR old, new;
	hf_cursor_open(before, table, &old);
	hf_cursor_open(after, table, &new);
	bool at_old = hf_cursor_next(&old), at_new = hf_cursor_next(&new);
	while (at_old || at_new) {
		int order = !at_old ? 1 : !at_new ? -1 : hf_slice_compare(old.key, new.key);
		rows.removed += order < 0;
		rows.added += order > 0;
		rows.changed += order == 0 && hf_slice_compare(old.value, new.value) != 0;
		if (order <= 0)
			at_old = hf_cursor_next(&old);
		if (order >= 0)
			at_new = hf_cursor_next(&new);
	}
	return rows;
}

static void note_found(void *context, enum hf_table table, const char *what) {
	struct hf_repair *repair = context;
	if (repair->violation)
		repair->violation(repair->context, false, table, what);
}

static void note_remaining(void *context, enum hf_table table, const char *what) {
	struct hf_repair *repair = context;
	if (repair->violation)
		repair->violation(repair->context, true, table, what);
}

static enum hf_err derive_again(struct hf_repair *repair, struct hf_txn *reader, struct hf_txn *txn, struct hf_why *why) {
	struct hf_verify_counts counts;
	struct rebuild r = {.before = {.txn = reader, .meta = *hf_store_meta(repair->store)}, .txn = txn, .why = why};
	enum hf_err err = rebuild(&r);
	hf_derive_free(&r.derive);
	if (!err)
		err = hf_verify(txn, note_remaining, repair, why, &counts);
	if (err)
		return err;
	repair->remaining = counts.violations;
	for (size_t i = 0; i < sizeof DERIVED / sizeof *DERIVED; i++)
		repair->rows[DERIVED[i]] = compare(reader, txn, DERIVED[i]);
	repair->rows[HF_POOLS] = compare(reader, txn, HF_POOLS);
	err = hf_txn_fault(reader, why);
	return err ? err : hf_txn_fault(txn, why);
}

static enum hf_err keep_copy(struct hf_repair *repair, struct hf_why *why) {
	char file[PATH_MAX], aside[PATH_MAX];
	enum hf_err err = hf_datadir_file(repair->dir, why, file);
	if (!err)
		err = hf_datadir_aside(repair->dir, "before-repair", hf_store_now_ms(repair->store), why, aside);
	if (!err)
		err = hf_file_copy(file, aside, 0, why);
	if (err)
		return err;
	memcpy(repair->aside, aside, sizeof aside);
	return hf_datadir_sync(repair->dir, why);
}

static enum hf_err repair_found(struct hf_repair *repair, struct hf_txn *reader, struct hf_why *why) {
	struct hf_txn *txn;
	enum hf_err err = hf_store_begin_alone(repair->store, why, &txn);
	if (err)
		return err;
	err = derive_again(repair, reader, txn, why);
	if (!err && repair->apply && repair->remaining == 0)
		err = keep_copy(repair, why); /* until the commit no page of the old trees is overwritten */
	if (err || !repair->apply || repair->remaining > 0) {
		hf_txn_abort(txn);
		return err;
	}
	err = hf_txn_commit(txn, why);
	repair->applied = !err;
	if (err) {
		unlink(repair->aside);
		repair->aside[0] = '\0';
	}
	return err;
}

enum hf_err hf_repair(struct hf_repair *repair, struct hf_why *why) {
	struct hf_verify_counts counts;
	struct hf_txn *reader;
	repair->found = repair->remaining = 0;
	repair->applied = false;
	repair->aside[0] = '\0';
	memset(repair->rows, 0, sizeof repair->rows);
	enum hf_err err = hf_reader_open(repair->store, why, &reader);
	if (err)
		return err;
	err = hf_reader_begin(reader, why);
	if (!err)
		err = hf_verify(reader, note_found, repair, why, &counts);
	if (!err) {
		repair->found = counts.violations;
		if (counts.violations > 0)
			err = repair_found(repair, reader, why);
	}
	hf_reader_close(reader);
	return err;
}
