/* sync_judge.c — judges whether a sync's releases are allowed. */
#include <inttypes.h>
#include <stdio.h>

#include "storage/tables/lease_table.h"
#include "sync_internal.h"
#include "sync_judge.h"

static bool has_work(const struct hf_sync *sync) {
	for (uint32_t i = 0; i < sync->n_sorted; i++)
		if (sync->sorted[i]->todo != HF_SYNC_DONE)
			return true;
	return sync->released != NULL;
}

static bool has_new(const struct hf_sync *sync) {
	for (uint32_t i = 0; i < sync->n_sorted; i++)
		if (sync->sorted[i]->todo == HF_SYNC_CREATE)
			return true;
	return false;
}

/* Returns whether a full list has no item of the zone itself in its scope, valid or not. */
static bool is_empty(const struct hf_sync *sync) {
	for (uint32_t i = 0; i < sync->n_sorted; i++)
		if (!sync->sorted[i]->outside && strcmp((const char *)sync->sorted[i]->key, sync->zone) == 0)
			return false;
	return sync->mode == HF_SYNC_FULL;
}

/* The recent releases in a sync's scope. */
struct lately {
	struct hf_sync *sync;
	const struct hf_wear *wear;
	int64_t now_ms;
	uint64_t releases;
};

/* Returns how many recently released leases of a scope this sync restores. */
static uint64_t returning(const struct lately *lately, struct hf_slice scope) {
	const struct hf_sync *sync = lately->sync;
	uint64_t n = 0;
	for (uint32_t i = hf_sync_find(sync, scope); i < sync->n_sorted; i++) {
		const struct hf_sync_item *item = sync->sorted[i];
		if (!hf_slice_extends(hf_sync_key(item), scope))
			break;
		n += item->outcome == HF_SYNC_RESTORED && hf_wear_has(lately->wear, scope, item->lease_revision, lately->now_ms);
	}
	return n;
}

static void add_lately(void *context, struct hf_slice scope, uint64_t releases) {
	struct lately *lately = context;
	if (!hf_sync_in_scope(lately->sync, scope))
		return;
	uint64_t back = returning(lately, scope), left = releases > back ? releases - back : 0;
	lately->releases += left;
	for (struct hf_sync_part *part = lately->sync->parts; part; part = part->next)
		if (hf_slice_compare(part->scope, scope) == 0)
			part->lately = left;
}

/* What is judged: the whole scope, or one mesh and kind in it. */
struct judged {
	uint64_t active, releases, lately;
	bool empty;
	char where[HF_NAME_MAX + 64]; /* "" for the whole */
};

/* Counts the recent releases both as active leases and as releases of this sync. */
static enum hf_err judge(const struct hf_sync *sync, const struct judged *j, struct hf_why *why) {
	char lately[96] = "";
	if (!hf_rules_mass_release(j->releases + j->lately, j->active + j->lately, sync->max_release_percent, j->empty))
		return HF_OK;
	if (j->lately > 0)
		snprintf(lately, sizeof lately, ", after %" PRIu64 " of %" PRIu64 " that syncs released in the last ten minutes",
			 j->lately, j->active + j->lately);
	return hf_fail(why, HF_E_MASS_RELEASE_GUARD,
		       "the sync would release %" PRIu64 " of %" PRIu64 " active leases%s%s%s; maxRelease allows %d percent. "
		       "Nothing was changed",
		       j->releases, j->active, j->where, j->empty ? ", as it lists none of the zone's services there" : "", lately,
		       sync->max_release_percent);
}

static enum hf_err judge_part(const struct hf_sync *sync, const struct hf_sync_part *part, struct hf_why *why) {
	struct judged j = {.active = part->active, .releases = part->releases, .lately = part->lately, .empty = part->empty};
	const char *mesh = (const char *)part->scope.data + strlen(sync->zone) + 1;
	enum hf_kind kind = ((const uint8_t *)part->scope.data)[part->scope.len - 1];
	if (!sync->mesh[0] || !sync->kind)
		snprintf(j.where, sizeof j.where, " of kind %s in mesh \"%s\"", hf_kind_name(kind), mesh);
	return judge(sync, &j, why);
}

enum hf_err hf_sync_judge(struct hf_sync *sync, const struct hf_wear *wear, int64_t now_ms, struct hf_why *why) {
	struct lately lately = {.sync = sync, .wear = wear, .now_ms = now_ms};
	if (sync->releases == 0)
		return HF_OK;
	if (sync->zone_offline && !sync->force)
		return hf_fail(why, HF_E_ZONE_OFFLINE,
			       "zone \"%s\" is offline, and the sync would release %" PRIu64 " of its leases; force=true does so",
			       sync->zone, sync->releases);
	hf_wear_each(wear, (struct hf_slice){sync->zone, strlen(sync->zone) + 1}, now_ms, add_lately, &lately);
	struct judged whole = {
		.active = sync->active, .releases = sync->releases, .lately = lately.releases, .empty = is_empty(sync)};
	enum hf_err err = judge(sync, &whole, why);
	for (const struct hf_sync_part *part = sync->parts; !err && part; part = part->next)
		err = judge_part(sync, part, why);
	return err;
}

/* Ends a refused sync here too, unless its summary depends on applying it: on the addresses that new services would get. */
enum hf_err hf_sync_peek(struct hf_txn *reader, struct hf_sync *sync, struct hf_why *why, bool *ret_write) {
	enum hf_err err = hf_sync_decide(sync, reader, why);
	if (err)
		return err;
	sync->decided_at = sync->revision = hf_meta_read(reader).revision;
	sync->digest = hf_zone_sum(reader, sync->zone).digest;
	err = hf_txn_fault(reader, why);
	if (err)
		return err;
	if (sync->mode != HF_SYNC_MANIFEST)
		err = hf_sync_judge(sync, NULL, 0, why);
	bool tells_more = err == HF_E_MASS_RELEASE_GUARD && has_new(sync);
	if (err && !tells_more)
		return err;
	*ret_write = sync->mode != HF_SYNC_MANIFEST && has_work(sync);
	return HF_OK;
}
