/* build.c — checks the lines of an export, and writes their records. */
#include "build.h"

#include <inttypes.h>
#include <stdlib.h>

#include "derive.h"
#include "storage/model/zone_rules.h"
#include "storage/tables/meta_table.h"
#include "storage/tables/pool_table.h"

#define LINES_A_COMMIT 10000
#define KEY_BYTES_MAX 512

struct hf_load {
	struct hf_env *env;
	struct hf_txn *txn; /* NULL after the end, or after a failed commit */
	struct hf_meta meta;
	struct hf_derive derive;
	int lines; /* in this transaction */
	bool begun, whole;
	enum hf_line_sort sort; /* of the previous line */
	uint64_t counts[HF_LINE_SORTS];
	uint8_t key[KEY_BYTES_MAX]; /* of the previous line, if it is of the same sort */
	size_t key_len;
};

enum hf_err hf_load_begin(const char *dir, struct hf_why *why, struct hf_load **ret) {
	struct hf_load *load = calloc(1, sizeof *load);
	if (!load)
		return hf_no_memory(why);
	enum hf_err err = hf_env_open(dir, HF_DEFAULT_MAP_BYTES, why, &load->env);
	if (!err)
		err = hf_txn_begin(load->env, why, &load->txn);
	if (err) {
		hf_load_close(load);
		return err;
	}
	*ret = load;
	return HF_OK;
}

void hf_load_close(struct hf_load *load) {
	if (!load)
		return;
	if (load->txn)
		hf_txn_abort(load->txn);
	hf_derive_free(&load->derive);
	hf_env_close(load->env);
	free(load);
}

bool hf_load_is_whole(const struct hf_load *load) { return load->whole; }

const uint64_t *hf_load_counts(const struct hf_load *load) { return load->counts; }

/* Checks that the keys of a sort ascend, so that none is repeated, and the pages of a table fill up. */
static enum hf_err check_order(struct hf_load *load, struct hf_slice key, struct hf_why *why) {
	struct hf_slice before = {load->key, load->key_len};
	if (load->key_len > 0) {
		int order = hf_slice_compare(before, key);
		if (order == 0)
			return hf_fail(why, HF_E_CORRUPT, "the same %s as in the previous line", hf_line_name(load->sort));
		if (order > 0)
			return hf_fail(why, HF_E_CORRUPT, "out of order, or a duplicate: this %s belongs before the previous line",
				       hf_line_name(load->sort));
	}
	memcpy(load->key, key.data, key.len);
	load->key_len = key.len;
	return HF_OK;
}

static enum hf_err append(struct hf_load *load, enum hf_table table, struct hf_slice key, struct hf_slice value,
			  struct hf_why *why) {
	enum hf_err err = check_order(load, key, why);
	if (!err)
		hf_txn_append(load->txn, table, key, value);
	return err ? err : hf_txn_fault(load->txn, why);
}

static enum hf_err check_revision(const struct hf_load *load, uint64_t revision, struct hf_why *why) {
	if (revision == 0 || revision > load->meta.revision)
		return hf_fail(why, HF_E_CORRUPT, "revision %" PRIu64 " is not one of the store's, which are 1 to %" PRIu64,
			       revision, load->meta.revision);
	return HF_OK;
}

static enum hf_err load_store(struct hf_load *load, const struct hf_meta *meta, const struct hf_moves *moves, struct hf_why *why) {
	if (meta->compacted > meta->revision)
		return hf_fail(why, HF_E_CORRUPT, "the compacted revision %" PRIu64 " is beyond the revision %" PRIu64,
			       meta->compacted, meta->revision);
	if (meta->store_epoch > HF_STORE_EPOCH_MAX)
		return hf_fail(why, HF_E_CORRUPT, "the store epoch %" PRIu64 " is too large; it is at most %" PRIu64,
			       meta->store_epoch, HF_STORE_EPOCH_MAX);
	if (meta->revision >= hf_meta_limit(meta))
		return hf_fail(why, HF_E_CORRUPT, "the revision %" PRIu64 " is too large; at this store epoch it is below %" PRIu64,
			       meta->revision, hf_meta_limit(meta));
	load->meta = *meta;
	hf_format_write(load->txn);
	hf_meta_write(load->txn, meta);
	if (hf_moves_any(moves))
		hf_moves_write(load->txn, moves);
	return HF_OK;
}

/* Checks that a pool's draining ranges overlap neither each other nor its CIDRs. */
static enum hf_err check_draining(const struct hf_pool *pool, struct hf_why *why) {
	char a[HF_RANGE_TEXT], b[HF_RANGE_TEXT];
	for (int i = 0; i < pool->draining.n; i++) {
		const struct hf_range *range = &pool->draining.at[i], *other = hf_ranges_overlap(&pool->config.cidrs, *range);
		if (!other && i > 0 && hf_range_overlaps(range[-1], *range))
			other = &range[-1];
		if (!other)
			continue;
		hf_range_format(*range, a);
		hf_range_format(*other, b);
		return hf_fail(why, HF_E_CORRUPT, "its draining range %s overlaps its range %s", a, b);
	}
	return HF_OK;
}

static enum hf_err check_cursors(const struct hf_pool *pool, struct hf_why *why) {
	static const char *const names[HF_FAMILIES] = {[HF_IPV4] = "IPv4", [HF_IPV6] = "IPv6"};
	char text[HF_ADDR_TEXT];
	for (int family = 0; family < HF_FAMILIES; family++) {
		if (hf_pool_cursor_is_sound(pool, (enum hf_family)family))
			continue;
		hf_addr_format(pool->count[family].cursor, text);
		return hf_fail(why, HF_E_CORRUPT, "its %s cursor is %s", names[family], text);
	}
	return HF_OK;
}

/* Writes the configuration; the end writes it again, with its counters. */
static enum hf_err append_pool(struct hf_load *load, const struct hf_pool *pool, struct hf_why *why) {
	uint8_t *record = malloc(hf_pool_record_bytes(pool));
	if (!record)
		return hf_no_memory(why);
	enum hf_err err =
		append(load, HF_POOLS, (struct hf_slice){pool->name, strlen(pool->name)}, hf_pool_encode(pool, record), why);
	free(record);
	return err;
}

static enum hf_err load_pool(struct hf_load *load, const struct hf_pool *pool, struct hf_why *why) {
	struct hf_range ours, theirs;
	char a[HF_RANGE_TEXT], b[HF_RANGE_TEXT];
	if (pool->id == 0 || pool->id >= load->meta.next_pool_id)
		return hf_fail(why, HF_E_CORRUPT, "id %" PRIu32 " was never assigned; the next one is %" PRIu32, pool->id,
			       load->meta.next_pool_id);
	for (int i = 0; i < load->derive.n_pools; i++) {
		const struct hf_pool *other = load->derive.pools[i];
		if (other->id == pool->id)
			return hf_fail(why, HF_E_CORRUPT, "id %" PRIu32 " is also that of pool \"%s\"", pool->id, other->name);
		if (hf_pool_collides(pool, other, &ours, &theirs)) {
			hf_range_format(ours, a);
			hf_range_format(theirs, b);
			return hf_fail(why, HF_E_CORRUPT, "%s overlaps %s of pool \"%s\"", a, b, other->name);
		}
	}
	enum hf_err err = check_draining(pool, why);
	if (!err)
		err = check_cursors(pool, why);
	if (!err)
		err = check_revision(load, pool->revision, why);
	if (!err)
		err = append_pool(load, pool, why);
	return err ? err : hf_derive_pool(&load->derive, pool, why);
}

static enum hf_err load_zone(struct hf_load *load, const struct hf_zone *zone, struct hf_why *why) {
	uint8_t record[HF_ZONE_RECORD_MAX];
	if (zone->store_epoch > load->meta.store_epoch)
		return hf_fail(why, HF_E_CORRUPT, "it connected at store epoch %" PRIu64 "; the store's is %" PRIu64,
			       zone->store_epoch, load->meta.store_epoch);
	if (zone->epoch >= hf_meta_limit(&load->meta))
		return hf_fail(why, HF_E_CORRUPT, "the epoch %" PRIu64 " is too large; at the store's epoch it is below %" PRIu64,
			       zone->epoch, hf_meta_limit(&load->meta));
	return append(load, HF_ZONES, (struct hf_slice){zone->name, strlen(zone->name)}, hf_zone_encode(zone, record), why);
}

static enum hf_err load_scope(struct hf_load *load, const struct hf_identity *scope, struct hf_why *why) {
	struct hf_slice value;
	struct hf_key key;
	hf_identity_encode(scope, &key);
	enum hf_err err = check_order(load, (struct hf_slice){key.bytes, key.scope_len}, why);
	if (err)
		return err;
	if (!hf_txn_get(load->txn, HF_ZONES, (struct hf_slice){scope->zone, strlen(scope->zone)}, &value))
		return hf_fail(why, HF_E_CORRUPT, "zone \"%s\" does not exist", scope->zone);
	hf_derive_empty_scope(load->txn, scope);
	return HF_OK;
}

/* Checks what nothing else implies. The addresses are checked when they are entered. */
static enum hf_err check_lease(struct hf_load *load, const struct hf_line *line, const struct hf_key *key, struct hf_why *why) {
	const struct hf_lease *lease = &line->lease;
	struct hf_slice value;
	enum hf_err err = check_revision(load, lease->revision, why);
	if (!err && lease->n_vips == 2 && (hf_addr_family(lease->vips[0]) != HF_IPV4 || hf_addr_family(lease->vips[1]) != HF_IPV6))
		err = hf_fail(why, HF_E_CORRUPT, "two addresses are one IPv4 and then one IPv6 address");
	for (int i = 0; !err && i < hf_lease_bound(lease); i++)
		err = check_revision(load, line->bound[i].from_revision, why);
	bool same_scope =
		load->derive.scope_len == key->scope_len && memcmp(load->derive.scope_key, key->bytes, key->scope_len) == 0;
	if (!err && !same_scope && hf_txn_get(load->txn, HF_SCOPES, (struct hf_slice){key->bytes, key->scope_len}, &value))
		err = hf_fail(why, HF_E_CORRUPT, "an earlier line says that its zone, mesh and kind have no lease");
	return err;
}

static enum hf_err load_lease(struct hf_load *load, const struct hf_line *line, struct hf_why *why) {
	uint8_t record[HF_LEASE_RECORD_MAX];
	struct hf_key key;
	hf_identity_encode(&line->lease.id, &key);
	enum hf_err err = check_lease(load, line, &key, why);
	if (!err)
		err = append(load, HF_LEASES, (struct hf_slice){key.bytes, key.len}, hf_lease_encode(&line->lease, record), why);
	return err ? err : hf_derive_lease(&load->derive, load->txn, &line->lease, line->bound, why);
}

static enum hf_err load_holder(struct hf_load *load, const struct hf_line *line, struct hf_why *why) {
	uint8_t bytes[HF_ADDR_BYTES + 8];
	struct hf_writer w = hf_writer_begin(bytes);
	hf_put_addr(&w, line->address);
	hf_put_uint(&w, line->holder.from_revision, 8);
	enum hf_err err = check_revision(load, line->holder.from_revision, why);
	if (!err)
		err = check_order(load, hf_writer_end(&w), why);
	if (err)
		return err;
	hf_holders_put(load->txn, line->address, &line->holder);
	hf_derive_past(load->txn, line->address, &line->holder);
	return line->remembered ? hf_derive_memory(&load->derive, load->txn, line->address, &line->holder, why) : HF_OK;
}

static enum hf_err load_change(struct hf_load *load, const struct hf_change *change, struct hf_why *why) {
	uint8_t key[HF_CHANGE_KEY_BYTES], record[HF_CHANGE_RECORD_MAX];
	uint64_t expected = load->meta.compacted + load->counts[HF_LINE_CHANGE] + 1;
	if (change->revision != expected)
		return hf_fail(why, HF_E_CORRUPT, "found revision %" PRIu64 " where %" PRIu64 " was expected", change->revision,
			       expected);
	return append(load, HF_CHANGES, hf_change_key(change->revision, key), hf_change_encode(change, record), why);
}

static enum hf_err commit(struct hf_load *load, struct hf_why *why) {
	struct hf_txn *txn = load->txn;
	load->txn = NULL;
	load->lines = 0;
	return hf_txn_commit(txn, why);
}

static enum hf_err load_end(struct hf_load *load, const uint64_t counts[HF_LINE_SORTS], struct hf_why *why) {
	for (enum hf_line_sort sort = HF_LINE_POOL; sort < HF_LINE_END; sort++)
		if (counts[sort] != load->counts[sort])
			return hf_fail(why, HF_E_CORRUPT, "the end counts %" PRIu64 " lines of sort %s; there were %" PRIu64,
				       counts[sort], hf_line_name(sort), load->counts[sort]);
	if (load->meta.compacted + load->counts[HF_LINE_CHANGE] != load->meta.revision)
		return hf_fail(why, HF_E_CORRUPT, "the changes end with revision %" PRIu64 "; the store's is %" PRIu64,
			       load->meta.compacted + load->counts[HF_LINE_CHANGE], load->meta.revision);
	hf_derive_end(&load->derive, load->txn);
	enum hf_err err = commit(load, why);
	load->whole = !err;
	return err;
}

static enum hf_err load_sort(struct hf_load *load, const struct hf_line *line, struct hf_why *why) {
	switch (line->sort) {
	case HF_LINE_STORE:
		return load_store(load, &line->store, &line->moves, why);
	case HF_LINE_POOL:
		return load_pool(load, &line->pool, why);
	case HF_LINE_ZONE:
		return load_zone(load, &line->zone, why);
	case HF_LINE_SCOPE:
		return load_scope(load, &line->scope, why);
	case HF_LINE_LEASE:
		return load_lease(load, line, why);
	case HF_LINE_HOLDER:
		return load_holder(load, line, why);
	case HF_LINE_CHANGE:
		return load_change(load, &line->change, why);
	default:
		return load_end(load, line->counts, why);
	}
}

enum hf_err hf_load_line(struct hf_load *load, const struct hf_line *line, struct hf_why *why) {
	if (load->whole)
		return hf_fail(why, HF_E_CORRUPT, "a line follows the end");
	if (load->begun != (line->sort != HF_LINE_STORE))
		return hf_fail(why, HF_E_CORRUPT, load->begun ? "a second line of the store" : "the first line is not the store's");
	if (load->begun && line->sort < load->sort)
		return hf_fail(why, HF_E_CORRUPT, "out of order: a %s belongs before a %s", hf_line_name(line->sort),
			       hf_line_name(load->sort));
	if (line->sort != load->sort)
		load->key_len = 0;
	load->sort = line->sort;
	load->begun = true;
	enum hf_err err = load_sort(load, line, why);
	if (!err && load->txn)
		err = hf_txn_fault(load->txn, why);
	if (err || load->whole)
		return err;
	load->counts[line->sort]++;
	if (++load->lines < LINES_A_COMMIT)
		return HF_OK;
	err = commit(load, why);
	return err ? err : hf_txn_begin(load->env, why, &load->txn);
}
