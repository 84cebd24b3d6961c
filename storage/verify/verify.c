/* verify.c — the order of the passes, what they share, and the checks of the small tables. */
#include "verify_pass.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "storage/model/zone_rules.h"
#include "storage/tables/meta_table.h"

#define WHAT_MAX 1280 /* bytes of a sentence, with its NUL */
#define HEX_BYTES 48  /* of a damaged key, shown */

void hf_verify_say(struct hf_verify *v, enum hf_table table, const char *format, ...) {
	char what[WHAT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	v->counts.violations++;
	if (v->violation)
		v->violation(v->context, table, what);
}

void hf_verify_damaged(struct hf_verify *v, enum hf_table table, struct hf_slice key) {
	char hex[2 * HEX_BYTES + 1] = "";
	for (size_t i = 0; i < key.len && i < HEX_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)key.data)[i]);
	hf_verify_say(v, table, "key %s%s: the record cannot be decoded", hex, key.len > HEX_BYTES ? "…" : "");
}

bool hf_verify_lease(struct hf_verify *v, const struct hf_identity *id, struct hf_lease *ret) {
	struct hf_key key;
	struct hf_slice value;
	hf_identity_encode(id, &key);
	struct hf_slice k = {key.bytes, key.len};
	return hf_txn_get(v->txn, HF_LEASES, k, &value) && hf_lease_decode(k, value, ret);
}

bool hf_verify_holder(struct hf_verify *v, struct hf_addr a, struct hf_holder *ret) {
	uint8_t bytes[HF_ADDR_BYTES];
	struct hf_addr of;
	struct hf_slice key = {bytes, sizeof bytes}, value;
	hf_addr_put(a, bytes);
	return hf_txn_get(v->txn, HF_ADDRESSES, key, &value) && hf_holders_decode_present(key, value, &of, ret);
}

bool hf_verify_change(struct hf_verify *v, uint64_t revision, struct hf_change *ret) {
	uint8_t bytes[HF_CHANGE_KEY_BYTES];
	struct hf_slice key = hf_change_key(revision, bytes), value;
	return hf_txn_get(v->txn, HF_CHANGES, key, &value) && hf_change_decode(key, value, ret);
}

static void check_meta(struct hf_verify *v) {
	if (!hf_clock_record_is_sound(v->txn))
		hf_verify_say(v, HF_META, "the record of the store's time is damaged; a server refuses to start with it");
	if (v->meta.compacted > v->meta.revision)
		hf_verify_say(v, HF_META, "the feed is compacted up to %" PRIu64 ", beyond the store's revision %" PRIu64,
			      v->meta.compacted, v->meta.revision);
	if (v->meta.store_epoch == 0)
		hf_verify_say(v, HF_META, "the store epoch is 0; the first is 1");
	if (v->meta.store_epoch > HF_STORE_EPOCH_MAX)
		hf_verify_say(v, HF_META, "the store epoch is %" PRIu64 "; it is at most %" PRIu64, v->meta.store_epoch,
			      HF_STORE_EPOCH_MAX);
	else if (v->meta.revision >= hf_meta_limit(&v->meta))
		hf_verify_say(v, HF_META, "the revision is %" PRIu64 "; at store epoch %" PRIu64 " it is below %" PRIu64,
			      v->meta.revision, v->meta.store_epoch, hf_meta_limit(&v->meta));
}

static bool instances_are_sound(const struct hf_zone *zone) {
	for (int i = 0; i < zone->n_instances; i++) {
		if (!zone->instances[i][0])
			return false;
		for (int k = 0; k < i; k++)
			if (strcmp(zone->instances[k], zone->instances[i]) == 0)
				return false;
	}
	return true;
}

/* Every connection except a refresh raises the epoch; each of these except the first raises `reconnects`; a new instance always
 * does both. A restore raises only the epoch. */
static void check_zone(struct hf_verify *v, const struct hf_zone *zone) {
	bool managed = zone->epoch > 0;
	if (hf_name_check("zone", zone->name, HF_NAME_MAX, NULL))
		hf_verify_say(v, HF_ZONES, "zone \"%s\": the name is invalid", zone->name);
	if ((zone->state != HF_ZONE_RETIRED && managed != (zone->state != HF_ZONE_UNMANAGED)) || managed != (zone->n_instances > 0))
		hf_verify_say(v, HF_ZONES, "zone \"%s\": epoch %" PRIu64 ", state %d and %d instances contradict each other",
			      zone->name, zone->epoch, (int)zone->state, zone->n_instances);
	if (managed && strcmp(zone->name, HF_ZONE_GLOBAL) == 0)
		hf_verify_say(v, HF_ZONES, "zone \"%s\" has connected; it cannot", zone->name);
	if (!instances_are_sound(zone))
		hf_verify_say(v, HF_ZONES, "zone \"%s\": an instance has no name, or occurs twice", zone->name);
	if (zone->reconnects + managed > zone->epoch || zone->reconnects + 1 < (uint64_t)zone->n_instances)
		hf_verify_say(v, HF_ZONES, "zone \"%s\": %" PRIu64 " reconnects do not fit epoch %" PRIu64 " and %d instances",
			      zone->name, zone->reconnects, zone->epoch, zone->n_instances);
	if (zone->store_epoch > v->meta.store_epoch || managed != (zone->store_epoch > 0))
		hf_verify_say(v, HF_ZONES, "zone \"%s\": it connected at store epoch %" PRIu64 "; the store's is %" PRIu64,
			      zone->name, zone->store_epoch, v->meta.store_epoch);
}

static void check_ttl(struct hf_verify *v, const struct hf_zone *zone) {
	if (zone->ttl_ms != 0 &&
	    (zone->ttl_ms < HF_TTL_MIN_SECONDS * 1000 || zone->ttl_ms > HF_TTL_MAX_SECONDS * 1000 || zone->epoch == 0))
		hf_verify_say(v, HF_ZONES, "zone \"%s\": a ttl of %" PRId64 " ms at epoch %" PRIu64 " is impossible", zone->name,
			      zone->ttl_ms, zone->epoch);
}

static void check_zone_epoch(struct hf_verify *v, const struct hf_zone *zone) {
	if (zone->epoch >= hf_meta_limit(&v->meta) && v->meta.store_epoch <= HF_STORE_EPOCH_MAX)
		hf_verify_say(v, HF_ZONES, "zone \"%s\": the epoch is %" PRIu64 "; at store epoch %" PRIu64 " it is below %" PRIu64,
			      zone->name, zone->epoch, v->meta.store_epoch, hf_meta_limit(&v->meta));
}

static void check_retired(struct hf_verify *v, const struct hf_zone *zone) {
	struct hf_slice prefix = {zone->name, strlen(zone->name) + 1}; /* with its NUL, so that it matches no other zone's scopes */
	struct hf_scope scope;
	uint64_t active = 0;
	HF_CURSOR scopes;
	hf_cursor_open(v->txn, HF_SCOPES, &scopes);
	for (bool found = zone->state == HF_ZONE_RETIRED && hf_cursor_seek(&scopes, prefix);
	     found && hf_slice_extends(scopes.key, prefix); found = hf_cursor_next(&scopes))
		if (hf_scope_decode(scopes.value, &scope))
			active += scope.active;
	if (active > 0)
		hf_verify_say(v, HF_ZONES, "zone \"%s\": it was retired, and has %" PRIu64 " active leases", zone->name, active);
}

static void check_zones(struct hf_verify *v) {
	struct hf_zone zone;
	HF_CURSOR zones;
	hf_cursor_open(v->txn, HF_ZONES, &zones);
	for (; hf_cursor_next(&zones); v->counts.zones++) {
		if (!hf_zone_decode(zones.key, zones.value, &zone)) {
			hf_verify_damaged(v, HF_ZONES, zones.key);
			continue;
		}
		check_zone(v, &zone);
		check_zone_epoch(v, &zone);
		check_ttl(v, &zone);
		check_retired(v, &zone);
	}
}

static void check_change(struct hf_verify *v, const struct hf_change *change) {
	bool of_pool = change->type == HF_CHANGE_POOL_WRITTEN || change->type == HF_CHANGE_POOL_DELETED;
	if (of_pool == change->has_lease)
		hf_verify_say(v, HF_CHANGES, "revision %" PRIu64 ": a change of type %s %s", change->revision,
			      hf_change_type_name(change->type), of_pool ? "names a lease" : "names no lease");
}

/* The feed has every revision after the compacted ones, up to the store's. */
static void check_changes(struct hf_verify *v) {
	struct hf_change change;
	uint64_t expected = v->meta.compacted + 1;
	HF_CURSOR changes;
	hf_cursor_open(v->txn, HF_CHANGES, &changes);
	for (; hf_cursor_next(&changes); v->counts.changes++) {
		if (!hf_change_decode(changes.key, changes.value, &change)) {
			hf_verify_damaged(v, HF_CHANGES, changes.key);
			continue;
		}
		if (change.revision != expected)
			hf_verify_say(v, HF_CHANGES, "found revision %" PRIu64 " where %" PRIu64 " was expected", change.revision,
				      expected);
		expected = change.revision + 1;
		check_change(v, &change);
	}
	if (expected != v->meta.revision + 1)
		hf_verify_say(v, HF_CHANGES, "the feed ends with revision %" PRIu64 "; the store's is %" PRIu64, expected - 1,
			      v->meta.revision);
}

enum hf_err hf_verify(struct hf_txn *reader, void (*violation)(void *context, enum hf_table table, const char *what), void *context,
		      struct hf_why *why, struct hf_verify_counts *ret) {
	struct hf_verify v = {.txn = reader, .violation = violation, .context = context};
	v.meta = hf_meta_read(reader);
	enum hf_err err = hf_txn_fault(reader, why);
	if (!err)
		err = hf_format_read(reader, why, &v.format);
	if (!err)
		err = hf_verify_load_pools(&v, why);
	if (err)
		return err;
	check_meta(&v);
	check_zones(&v);
	check_changes(&v);
	hf_verify_leases(&v);
	hf_verify_affinity(&v);
	hf_verify_pools(&v);
	hf_verify_free(&v);
	hf_verify_addresses(&v);
	hf_verify_deadlines(&v);
	hf_verify_free_pools(&v);
	err = hf_txn_fault(reader, why);
	if (!err)
		*ret = v.counts;
	return err;
}

/* Keeps the first violation in an empty struct hf_why. */
static void note_first(void *context, enum hf_table table, const char *what) {
	struct hf_why *first = context;
	if (!first->text[0])
		hf_fail(first, HF_OK, "%s: %s", hf_table_name(table), what);
}

enum hf_err hf_verify_sound(struct hf_txn *reader, const char *subject, struct hf_why *why, struct hf_verify_counts *ret) {
	struct hf_why first = {""};
	enum hf_err err = hf_verify(reader, note_first, &first, why, ret);
	if (err || ret->violations == 0)
		return err;
	return hf_fail(why, HF_E_CORRUPT, "%.80s breaks %" PRIu64 " invariants, the first: %.150s", subject, ret->violations,
		       first.text);
}
