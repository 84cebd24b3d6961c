/* transfer.c — renames leases: judge all, then store all. */
#include "transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/model/zone_rules.h"
#include "storage/store/batch.h"
#include "storage/store/lease_change.h"
#include "storage/store/wear.h"

void hf_transfer_init(struct hf_transfer *transfer, struct hf_budget *budget) {
	*transfer = (struct hf_transfer){.arena = {.budget = budget}, .max_release_percent = 100, .failed = HF_TRANSFER_WHOLE};
	transfer->last = &transfer->first;
}

void hf_transfer_free(struct hf_transfer *transfer) {
	if (transfer->arena.budget)
		hf_arena_free(&transfer->arena);
}

static enum hf_err no_memory(struct hf_why *why) {
	return hf_fail(why, HF_E_OVERLOADED, "the transfers and syncs in progress use all the memory that they may; try again");
}

enum hf_err hf_transfer_add(struct hf_transfer *transfer, const struct hf_identity *from, const struct hf_identity *to,
			    struct hf_why *why) {
	struct hf_key old, new;
	if (transfer->n == HF_TRANSFER_MAX)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "more than %d items; send the rest in another transfer",
			       HF_TRANSFER_MAX);
	hf_identity_encode(from, &old);
	hf_identity_encode(to, &new);
	struct hf_transfer_item *item = hf_arena_alloc(&transfer->arena, sizeof *item + old.len + new.len);
	if (!item)
		return no_memory(why);
	uint8_t *keys = (uint8_t *)(item + 1);
	memcpy(keys, old.bytes, old.len);
	memcpy(keys + old.len, new.bytes, new.len);
	*item = (struct hf_transfer_item){
		.number = transfer->n++, .from = keys, .from_len = old.len, .to = keys + old.len, .to_len = new.len};
	*transfer->last = item;
	transfer->last = &item->next;
	return HF_OK;
}

/* Names the item that an error is about. */
static enum hf_err refuse(struct hf_transfer *transfer, const struct hf_transfer_item *item, enum hf_err err,
			  const struct hf_why *said, struct hf_why *why) {
	transfer->failed = item->number;
	return hf_fail(why, err, "item %" PRIu32 ": %.220s", item->number + 1, said->text);
}

static struct hf_slice from_of(const struct hf_transfer_item *item) { return (struct hf_slice){item->from, item->from_len}; }
static struct hf_slice to_of(const struct hf_transfer_item *item) { return (struct hf_slice){item->to, item->to_len}; }

static struct hf_identity identity_of(struct hf_slice key) {
	struct hf_identity id;
	if (!hf_identity_decode(key.data, key.len, &id))
		abort(); /* it was encoded from one */
	return id;
}

static int by_from(const void *a, const void *b) {
	return hf_slice_compare(from_of(*(struct hf_transfer_item *const *)a), from_of(*(struct hf_transfer_item *const *)b));
}

static int by_to(const void *a, const void *b) {
	return hf_slice_compare(to_of(*(struct hf_transfer_item *const *)a), to_of(*(struct hf_transfer_item *const *)b));
}

static enum hf_err refuse_twice(struct hf_transfer *transfer, struct hf_transfer_item **items,
				int order(const void *a, const void *b), struct hf_why *why) {
	char words[HF_IDENTITY_WORDS_MIN];
	qsort(items, transfer->n, sizeof *items, order);
	for (uint32_t i = 1; i < transfer->n; i++) {
		if (order(&items[i - 1], &items[i]) != 0)
			continue;
		bool first = items[i - 1]->number < items[i]->number;
		const struct hf_transfer_item *again = items[first ? i : i - 1];
		struct hf_identity id = identity_of(order == by_from ? from_of(again) : to_of(again));
		transfer->failed = again->number;
		return hf_fail(why, HF_E_INVALID_PARAMETER, "item %" PRIu32 ": %s is %s twice", again->number + 1,
			       hf_identity_words(&id, words, sizeof words), order == by_from ? "transferred" : "a target");
	}
	return HF_OK;
}

/* An identity begins with its zone and a NUL. */
static const char *zone_of(struct hf_slice key) { return key.data; }

enum hf_err hf_transfer_close_list(struct hf_transfer *transfer, struct hf_why *why) {
	struct hf_transfer_item **items = hf_arena_alloc(&transfer->arena, 2 * sizeof *items * transfer->n),
				*item = transfer->first;
	if (transfer->n == 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the transfer has no items");
	if (!items)
		return no_memory(why);
	for (uint32_t i = 0; item; item = item->next, i++) {
		items[i] = items[transfer->n + i] = item;
		if (!transfer->has_epoch || (strcmp(zone_of(from_of(item)), zone_of(from_of(transfer->first))) == 0 &&
					     strcmp(zone_of(to_of(item)), zone_of(from_of(transfer->first))) == 0))
			continue;
		transfer->failed = i;
		return hf_fail(why, HF_E_INVALID_PARAMETER,
			       "item %" PRIu32 ": the transfer states a zone's epoch, so all of its items must be of that zone",
			       i + 1);
	}
	transfer->sorted = items;
	enum hf_err err = refuse_twice(transfer, items, by_from, why);
	return err ? err : refuse_twice(transfer, items + transfer->n, by_to, why);
}

/* What leaves one scope (zone, mesh and kind), or a zone. */
struct part {
	struct part *next;
	struct hf_slice key; /* of the scope; of a zone, its name and NUL */
	bool is_zone;
	uint64_t active, leaves, lately;
};

/* The parts that the items in order of their old identity are of; such items of one part follow each other. */
struct leaving {
	struct part *scope, *zone;
};

struct work {
	struct hf_transfer *transfer;
	struct hf_batch *batch;
	int64_t now_ms;	     /* on the monotonic clock */
	struct part *newest; /* parts, the newest first */
};

static struct hf_slice scope_of(struct hf_slice key) {
	struct hf_identity id = identity_of(key);
	return (struct hf_slice){key.data, strlen(id.zone) + 1 + strlen(id.mesh) + 1 + 1};
}

static void add_lately(void *context, struct hf_slice scope, uint64_t releases) {
	(void)scope;
	((struct part *)context)->lately += releases;
}

/* Returns the part of a key, counted as it was before the transfer; NULL if the budget is exceeded. `last` (may be NULL): the one
 * that was returned before. */
static struct part *part_of(struct work *work, struct part *last, struct hf_slice key, bool is_zone) {
	struct hf_key scope = {.len = (uint16_t)key.len, .scope_len = (uint16_t)key.len};
	const struct hf_wear *wear = *hf_batch_wear(work->batch);
	if (last && hf_slice_compare(last->key, key) == 0)
		return last;
	struct part *part = hf_arena_alloc(&work->transfer->arena, sizeof *part);
	if (!part)
		return NULL;
	*part = (struct part){.next = work->newest, .key = key, .is_zone = is_zone};
	memcpy(scope.bytes, key.data, key.len);
	if (is_zone) {
		part->active = hf_batch_zone_sum(work->batch, key.data).active;
		hf_wear_each(wear, key, work->now_ms, add_lately, part);
	} else {
		struct hf_scope *sum = hf_batch_scope(work->batch, &scope);
		part->active = sum ? sum->active : 0;
		part->lately = hf_wear_of(wear, key, work->now_ms);
	}
	work->newest = part;
	return part;
}

/* Counts an active lease in the parts that it leaves. */
static enum hf_err note_leaving(struct work *work, struct leaving *leaving, const struct hf_transfer_item *item,
				struct hf_why *why) {
	struct hf_slice from = scope_of(from_of(item)), to = scope_of(to_of(item));
	struct hf_slice zone = {from.data, strlen(from.data) + 1};
	if (!item->active || hf_slice_compare(from, to) == 0)
		return HF_OK;
	leaving->scope = part_of(work, leaving->scope, from, false);
	if (!leaving->scope)
		return no_memory(why);
	leaving->scope->leaves++;
	if (strcmp(from.data, to.data) == 0)
		return HF_OK;
	leaving->zone = part_of(work, leaving->zone, zone, true);
	if (!leaving->zone)
		return no_memory(why);
	leaving->zone->leaves++;
	return HF_OK;
}

static enum hf_err judge_part(const struct work *work, const struct part *part, struct hf_why *why) {
	char where[HF_NAME_MAX + 64] = "", lately[64] = "";
	if (!hf_rules_mass_release(part->leaves + part->lately, part->active + part->lately, work->transfer->max_release_percent,
				   false))
		return HF_OK;
	if (!part->is_zone)
		snprintf(where, sizeof where, " of kind %s in mesh \"%s\"",
			 hf_kind_name((enum hf_kind)((const uint8_t *)part->key.data)[part->key.len - 1]),
			 (const char *)part->key.data + strlen(part->key.data) + 1);
	if (part->lately > 0)
		snprintf(lately, sizeof lately, ", after %" PRIu64 " of %" PRIu64 " in the last ten minutes", part->lately,
			 part->active + part->lately);
	return hf_fail(why, HF_E_MASS_RELEASE_GUARD,
		       "the transfer would take %" PRIu64 " of %" PRIu64
		       " active leases%s away from zone \"%s\"%s; maxRelease allows %d percent",
		       part->leaves, part->active, where, (const char *)part->key.data, lately,
		       work->transfer->max_release_percent);
}

static enum hf_err judge_zone(struct work *work, const struct hf_transfer_item *item, struct hf_why *why) {
	struct hf_zone zone;
	const struct hf_transfer *transfer = work->transfer;
	hf_zone_read(hf_batch_txn(work->batch), zone_of(from_of(item)), &zone);
	enum hf_err err = hf_zone_rules_fence(&zone, transfer->has_epoch, transfer->epoch, why);
	bool leaves = strcmp(zone.name, zone_of(to_of(item))) != 0;
	if (!err && leaves && zone.state == HF_ZONE_OFFLINE && !transfer->force)
		err = hf_fail(why, HF_E_ZONE_OFFLINE,
			      "zone \"%s\" is offline, and the transfer would take leases away from it; force=true does so",
			      zone.name);
	return err;
}

static bool read_lease(struct hf_batch *batch, struct hf_slice key, struct hf_lease *ret) {
	struct hf_key at = {.len = (uint16_t)key.len};
	memcpy(at.bytes, key.data, key.len);
	return hf_lease_read(hf_batch_txn(batch), &at, ret);
}

static enum hf_err judge_item(struct work *work, struct hf_transfer_item *item, struct hf_why *why) {
	static const struct hf_pool none;
	struct hf_lease from, target;
	struct hf_identity from_id = identity_of(from_of(item)), to_id = identity_of(to_of(item));
	bool exists = read_lease(work->batch, from_of(item), &from), taken = read_lease(work->batch, to_of(item), &target);
	const struct hf_pool *pool = exists ? hf_batch_pool(work->batch, from.pool) : &none;
	enum hf_err fault = hf_txn_fault(hf_batch_txn(work->batch), why);
	if (fault)
		return fault;
	enum hf_err err =
		hf_rules_transfer(&from_id, exists ? &from : NULL, &to_id, taken ? &target : NULL, pool ? pool : &none, why);
	item->active = exists && from.state == HF_ACTIVE;
	return err ? err : judge_zone(work, item, why);
}

static enum hf_err judge(struct work *work, struct hf_why *why) {
	struct hf_transfer *transfer = work->transfer;
	struct leaving leaving = {NULL, NULL};
	enum hf_err err = HF_OK;
	for (struct hf_transfer_item *item = transfer->first; item; item = item->next) {
		struct hf_why said = {""};
		err = judge_item(work, item, &said);
		if (err)
			return refuse(transfer, item, err, &said, why);
	}
	for (uint32_t i = 0; !err && i < transfer->n; i++)
		err = note_leaving(work, &leaving, transfer->sorted[i], why);
	for (const struct part *part = work->newest; !err && part; part = part->next)
		err = judge_part(work, part, why);
	return err;
}

/* Counts what left a scope as released from it, as a sync does; a transfer that may take everything means what it takes. */
static void note_wear(struct work *work, const struct hf_transfer_item *item, uint64_t revision) {
	struct hf_slice scope = scope_of(from_of(item));
	if (work->transfer->max_release_percent < 100 && hf_slice_compare(scope, scope_of(to_of(item))) != 0 &&
	    !hf_wear_add(hf_batch_wear(work->batch), scope, revision, work->now_ms))
		hf_txn_no_memory(hf_batch_txn(work->batch));
}

static void carry_out(struct work *work, struct hf_transfer_item *item) {
	struct hf_identity to = identity_of(to_of(item));
	struct hf_lease lease;
	if (!read_lease(work->batch, from_of(item), &lease))
		return; /* a fault, which sticks */
	struct hf_lease after = hf_rules_transferred(&lease, &to, hf_batch_now_ms(work->batch));
	hf_batch_change(work->batch, &lease, &after, HF_CHANGE_TRANSFERRED, HF_CAUSE_REQUEST);
	item->revision = after.revision;
	item->n_vips = after.n_vips;
	memcpy(item->vips, after.vips, sizeof item->vips);
	if (lease.state == HF_ACTIVE)
		note_wear(work, item, after.revision);
}

static enum hf_err apply(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_transfer *transfer = (struct hf_transfer *)write;
	struct work work = {.transfer = transfer, .batch = batch, .now_ms = hf_store_monotonic_ms(hf_batch_store(batch))};
	enum hf_err err = judge(&work, why);
	if (err)
		return err;
	for (struct hf_transfer_item *item = transfer->first; item; item = item->next)
		carry_out(&work, item);
	transfer->revision = hf_batch_meta(batch)->revision;
	write->discard = transfer->dry_run;
	return hf_txn_fault(hf_batch_txn(batch), why);
}

void hf_transfer_begin(struct hf_transfer *transfer) {
	transfer->write.apply = apply;
	transfer->write.solo = true;
}
