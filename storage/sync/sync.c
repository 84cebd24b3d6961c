/* sync.c — the items of a sync. */
#include "sync.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sync_internal.h"

const char *hf_sync_outcome_name(enum hf_sync_outcome outcome) {
	static const char *const names[] = {[HF_SYNC_RELEASED] = "released",
					    [HF_SYNC_FOREIGN] = "foreign",
					    [HF_SYNC_REJECTED] = "rejected",
					    [HF_SYNC_TRANSFERRED] = "transferred",
					    [HF_SYNC_NEEDED] = "needed"};
	return (int)outcome < HF_OUTCOMES ? hf_outcome_name((enum hf_outcome)outcome) : names[outcome];
}

bool hf_sync_claim_refused(const struct hf_sync_item *item) {
	for (int i = 0; i < item->n_claims; i++)
		if (item->refused[i] != HF_CLAIM_HAD)
			return true;
	return item->wrong_claims != NULL;
}

void hf_sync_init(struct hf_sync *sync, struct hf_budget *budget) {
	*sync = (struct hf_sync){.arena = {.budget = budget}, .max_release_percent = 100};
	sync->last = &sync->first;
	sync->last_released = &sync->released;
}

void hf_sync_free(struct hf_sync *sync) {
	if (sync->arena.budget)
		hf_arena_free(&sync->arena);
}

enum hf_err hf_sync_no_memory(const struct hf_sync *sync, struct hf_why *why) {
	size_t max_bytes = hf_budget_root(sync->arena.budget)->max_bytes;
	if (sync->arena.charged_bytes > max_bytes / 8)
		return hf_fail(
			why, HF_E_OVERLOADED,
			"a zone's syncs may use a quarter of the %zu bytes of memory for syncs, and this one alone uses most of "
			"it; send less at once, or let the server use more",
			max_bytes);
	return hf_fail(why, HF_E_OVERLOADED, "the zone's syncs in progress use all the memory that they may; try again");
}

static void *copy(struct hf_sync *sync, const void *data, size_t len) {
	void *memory = hf_arena_alloc(&sync->arena, len);
	if (memory && len)
		memcpy(memory, data, len);
	return memory;
}

void hf_sync_set_outcome(struct hf_sync *sync, struct hf_sync_item *item, enum hf_sync_outcome outcome) {
	sync->summary.of[item->outcome]--;
	sync->summary.of[outcome]++;
	item->outcome = outcome;
}

enum hf_err hf_sync_reject(struct hf_sync *sync, struct hf_sync_item *item, enum hf_err err, const char *text) {
	item->why = copy(sync, text, strlen(text) + 1);
	if (!item->why || !hf_arena_charge(&sync->arena, sync->answer_bytes)) /* the answer has the text too */
		return HF_E_OVERLOADED;
	item->err = err;
	item->todo = HF_SYNC_DONE;
	hf_sync_set_outcome(sync, item, HF_SYNC_REJECTED);
	return HF_OK;
}

struct hf_sync_item *hf_sync_new_item(struct hf_sync *sync, enum hf_sync_role role, const uint8_t *key, size_t key_len) {
	struct hf_sync_item *item = hf_arena_alloc(&sync->arena, sizeof *item);
	bool charged = sync->answers_spare > 0;
	if (!item || (!charged && !hf_arena_charge(&sync->arena, sync->answer_bytes)))
		return NULL;
	sync->answers_spare -= charged;
	*item = (struct hf_sync_item){.role = role, .key_len = (uint16_t)key_len};
	if (key_len && !(item->key = copy(sync, key, key_len)))
		return NULL;
	item->outcome = HF_SYNC_UNCHANGED;
	sync->summary.of[HF_SYNC_UNCHANGED]++;
	return item;
}

/* Returns why an item with a checked identity is outside the sync's scope; NULL if it is inside. */
static const char *outside(const struct hf_sync *sync, const struct hf_identity *id) {
	if (sync->kind && id->kind != sync->kind)
		return "its kind is not the one being synchronised";
	if (sync->mesh[0] && strcmp(id->mesh, sync->mesh) != 0)
		return "its mesh is not the one being synchronised";
	return NULL;
}

static bool copy_document(struct hf_sync *sync, struct hf_sync_item *item, const struct hf_sync_input *input) {
	item->raw = input->raw;
	item->fingerprint = input->fingerprint;
	item->fingerprint_version = input->fingerprint_version;
	item->claims_unread = input->claims_unread;
	item->in_cluster = input->in_cluster;
	item->n_claims = (uint8_t)input->n_claims;
	item->claims = copy(sync, input->claims, sizeof *input->claims * (size_t)input->n_claims);
	if (input->version)
		item->version = copy(sync, input->version, strlen(input->version) + 1);
	if (input->wrong_claims)
		item->wrong_claims = copy(sync, input->wrong_claims, sizeof *input->wrong_claims);
	return item->claims && (item->version || !input->version) && (item->wrong_claims || !input->wrong_claims);
}

enum hf_err hf_sync_add(struct hf_sync *sync, const struct hf_sync_input *input, struct hf_why *why) {
	struct hf_key key = {.len = 0};
	if (input->id)
		hf_identity_encode(input->id, &key);
	struct hf_sync_item *item = hf_sync_new_item(sync, input->role, key.bytes, key.len);
	if (!item || !copy_document(sync, item, input))
		return hf_sync_no_memory(sync, why);
	item->place = input->place;
	*sync->last = item;
	sync->last = &item->next;
	item->number = sync->n_items++;
	sync->n_unreadable += !input->id && input->role != HF_SYNC_NOBODYS;
	const char *excuse = input->id ? outside(sync, input->id) : NULL;
	item->outside = excuse != NULL;
	if (input->err)
		excuse = input->why;
	if (!excuse)
		return HF_OK;
	item->in_error = true;
	enum hf_err err = hf_sync_reject(sync, item, input->err ? input->err : HF_E_INVALID_PARAMETER, excuse);
	return err ? hf_sync_no_memory(sync, why) : HF_OK;
}

/* Orders by identity; listed items before removals, each in the body's order. */
static int by_key(const void *a, const void *b) {
	const struct hf_sync_item *one = *(struct hf_sync_item *const *)a, *two = *(struct hf_sync_item *const *)b;
	int order = hf_slice_compare(hf_sync_key(one), hf_sync_key(two));
	if (!order)
		order = (one->role == HF_SYNC_REMOVED) - (two->role == HF_SYNC_REMOVED);
	return order ? order : (one->number > two->number) - (one->number < two->number);
}

/* Rejects repeated identities except the first. The first counts even if it was itself rejected, because its lease is listed. A
 * listed item wins over any removal. */
static enum hf_err reject_repeated(struct hf_sync *sync, struct hf_why *why) {
	struct hf_sync_item *last = NULL;
	for (uint32_t i = 0; i < sync->n_sorted; i++) {
		struct hf_sync_item *item = sync->sorted[i];
		char text[96];
		if (!last || hf_slice_compare(hf_sync_key(last), hf_sync_key(item)) != 0) {
			last = item;
		} else if (!item->in_error) {
			if (item->role == HF_SYNC_REMOVED && last->role != HF_SYNC_REMOVED)
				snprintf(text, sizeof text,
					 "the same service is listed, at place %" PRIu32 ", and listing wins over removal",
					 last->place);
			else
				snprintf(text, sizeof text, "the same service is listed before, at place %" PRIu32, last->place);
			item->in_error = true;
			if (hf_sync_reject(sync, item, HF_E_INVALID_PARAMETER, text))
				return hf_sync_no_memory(sync, why);
		}
	}
	return HF_OK;
}

enum hf_err hf_sync_close_list(struct hf_sync *sync, struct hf_why *why) {
	sync->sorted = hf_arena_alloc(&sync->arena, sizeof *sync->sorted * ((size_t)sync->n_items + 1));
	if (!sync->sorted)
		return hf_sync_no_memory(sync, why);
	for (struct hf_sync_item *item = sync->first; item; item = item->next)
		if (item->key)
			sync->sorted[sync->n_sorted++] = item;
	qsort(sync->sorted, sync->n_sorted, sizeof *sync->sorted, by_key);
	return reject_repeated(sync, why);
}

uint32_t hf_sync_find(const struct hf_sync *sync, struct hf_slice key) {
	uint32_t low = 0, high = sync->n_sorted;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (hf_slice_compare(hf_sync_key(sync->sorted[middle]), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
