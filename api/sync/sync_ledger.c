/* sync_ledger.c — limits of syncs, their memory, and the record of past ones. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "sync_ledger.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "api/call/api.h"
#include "api/text/prometheus.h"

struct zone_entry {
	char zone[HF_NAME_MAX + 1];
	bool lost; /* could not be hashed, out of memory */
	bool has_record;
	struct hf_sync_record record;
	uint64_t ends[HF_SYNC_ENDS];
	UT_hash_handle hh;
};

/* A zone's share of the memory while it has running syncs. */
struct share {
	struct hf_budget budget;
	char zone[HF_NAME_MAX + 1];
	int users;
	bool lost;
	UT_hash_handle hh;
};

#define ZONE_PARTS 3 /* a zone may use 1/3 of what is left, which is a quarter of all if it is alone */
#define ALWAYS_PART 256

struct hf_syncs {
	struct hf_syncs_options options;
	struct hf_refusals *refusals;
	struct hf_budget budget, strangers; /* strangers: zones that the store does not know */
	pthread_mutex_t lock;		    /* guards what follows */
	struct share *shares;
	struct zone_entry *zones; /* those of the store that were synchronised */
	uint64_t items[HF_SYNC_OUTCOMES];
	uint64_t reallocations_avoided, releases_skipped;
};

const char *hf_sync_end_name(enum hf_sync_end end) {
	static const char *const names[] = {"changed", "unchanged", "dry-run", "refused"};
	return names[end];
}

const char *hf_sync_mode_name(enum hf_sync_mode mode) {
	static const char *const names[] = {"full", "delta", "manifest"};
	return names[mode];
}

struct hf_syncs *hf_syncs_new(const struct hf_syncs_options *options) {
	struct hf_syncs *syncs = calloc(1, sizeof *syncs);
	struct hf_refusals *refusals = hf_refusals_new();
	if (!syncs || !refusals) {
		hf_refusals_free(refusals);
		free(syncs);
		return NULL;
	}
	syncs->refusals = refusals;
	syncs->options = *options;
	syncs->budget.max_bytes = options->memory_max_bytes;
	syncs->strangers =
		(struct hf_budget){.max_bytes = options->memory_max_bytes / ALWAYS_PART, .whole = &syncs->budget, .parts = 1};
	pthread_mutex_init(&syncs->lock, NULL);
	return syncs;
}

void hf_syncs_free(struct hf_syncs *syncs) {
	struct zone_entry *entry, *next;
	if (!syncs)
		return;
	HASH_ITER (hh, syncs->zones, entry, next) {
		HASH_DEL(syncs->zones, entry);
		free(entry);
	}
	hf_refusals_free(syncs->refusals);
	pthread_mutex_destroy(&syncs->lock);
	free(syncs);
}

const struct hf_syncs_options *hf_syncs_options(const struct hf_syncs *syncs) { return &syncs->options; }

struct hf_budget *hf_syncs_budget(struct hf_syncs *syncs) {
	return &syncs->budget;
}

struct hf_refusals *hf_syncs_refusals(struct hf_syncs *syncs) {
	return syncs->refusals;
}

static struct share *make_share(struct hf_syncs *syncs, const char *zone, bool is_known) {
	struct share *share = calloc(1, sizeof *share);
	if (!share)
		return NULL;
	strncpy(share->zone, zone, HF_NAME_MAX);
	share->budget.parts = ZONE_PARTS;
	share->budget.whole = is_known ? &syncs->budget : &syncs->strangers;
	share->budget.max_bytes = is_known ? syncs->options.memory_max_bytes / ALWAYS_PART : 0;
	HASH_ADD_STR(syncs->shares, zone, share);
	if (!share->lost)
		return share;
	free(share);
	return NULL;
}

struct hf_budget *hf_syncs_share(struct hf_syncs *syncs, const char *zone, bool is_known) {
	struct share *share;
	pthread_mutex_lock(&syncs->lock);
	HASH_FIND_STR(syncs->shares, zone, share);
	if (!share)
		share = make_share(syncs, zone, is_known);
	if (share)
		share->users++;
	pthread_mutex_unlock(&syncs->lock);
	return share ? &share->budget : NULL;
}

void hf_syncs_end_share(struct hf_syncs *syncs, struct hf_budget *budget) {
	struct share *share = (struct share *)budget; /* its first member */
	if (!share)
		return;
	pthread_mutex_lock(&syncs->lock);
	if (--share->users == 0) {
		HASH_DEL(syncs->shares, share);
		free(share);
	}
	pthread_mutex_unlock(&syncs->lock);
}

/* The caller holds the lock. Returns NULL if out of memory; the sync is then not recorded. */
static struct zone_entry *entry_of(struct hf_syncs *syncs, const char *zone) {
	struct zone_entry *entry;
	HASH_FIND_STR(syncs->zones, zone, entry);
	if (entry || !(entry = calloc(1, sizeof *entry)))
		return entry;
	strncpy(entry->zone, zone, HF_NAME_MAX);
	HASH_ADD_STR(syncs->zones, zone, entry);
	if (entry->lost) {
		free(entry);
		return NULL;
	}
	return entry;
}

void hf_syncs_note(struct hf_syncs *syncs, const char *zone, enum hf_sync_end end, const struct hf_sync_record *record) {
	pthread_mutex_lock(&syncs->lock);
	struct zone_entry *entry = entry_of(syncs, zone);
	if (entry)
		entry->ends[end]++;
	if (entry && (end == HF_SYNC_END_CHANGED || end == HF_SYNC_END_UNCHANGED)) {
		entry->has_record = true;
		entry->record = *record;
	}
	pthread_mutex_unlock(&syncs->lock);
}

void hf_syncs_count(struct hf_syncs *syncs, const struct hf_sync_summary *summary, uint64_t reallocations_avoided) {
	pthread_mutex_lock(&syncs->lock);
	for (int i = 0; i < HF_SYNC_OUTCOMES; i++)
		syncs->items[i] += summary->of[i];
	syncs->reallocations_avoided += reallocations_avoided;
	syncs->releases_skipped += summary->release_skipped;
	pthread_mutex_unlock(&syncs->lock);
}

bool hf_syncs_last(struct hf_syncs *syncs, const char *zone, struct hf_sync_record *ret) {
	struct zone_entry *entry;
	pthread_mutex_lock(&syncs->lock);
	HASH_FIND_STR(syncs->zones, zone, entry);
	bool found = entry && entry->has_record;
	if (found)
		*ret = entry->record;
	pthread_mutex_unlock(&syncs->lock);
	return found;
}

void hf_sync_write_summary(struct hf_json *json, const struct hf_sync_summary *summary) {
	hf_json_open(json, '{');
	for (int i = 0; i < HF_SYNC_NEEDED; i++)
		hf_json_member_uint(json, hf_sync_outcome_name((enum hf_sync_outcome)i), summary->of[i]);
	hf_json_member_uint(json, "releaseSkipped", summary->release_skipped);
	hf_json_close(json, '}');
}

static void write_zones(const struct hf_syncs *syncs, struct hf_buf *out) {
	struct zone_entry *entry, *next;
	hf_prometheus_head(out, "holdfast_syncs_total", "counter",
			   "Syncs of zones that have leases or have connected, by how they ended.");
	HASH_ITER (hh, syncs->zones, entry, next) {
		for (int i = 0; i < HF_SYNC_ENDS; i++)
			if (entry->ends[i])
				hf_buf_printf(out, "holdfast_syncs_total{zone=\"%s\",outcome=\"%s\"} %" PRIu64 "\n", entry->zone,
					      hf_sync_end_name((enum hf_sync_end)i), entry->ends[i]);
	}
}

void hf_syncs_write_metrics(struct hf_syncs *syncs, struct hf_buf *out) {
	pthread_mutex_lock(&syncs->lock);
	write_zones(syncs, out);
	hf_prometheus_head(out, "holdfast_sync_items_total", "counter", "Items of syncs that were carried out, by outcome.");
	for (int i = 0; i < HF_SYNC_NEEDED; i++)
		hf_buf_printf(out, "holdfast_sync_items_total{outcome=\"%s\"} %" PRIu64 "\n",
			      hf_sync_outcome_name((enum hf_sync_outcome)i), syncs->items[i]);
	hf_prometheus_single(out, "holdfast_sync_reallocations_avoided_total", "counter",
			     "Services in syncs that did not claim the address that they hold, and kept it.",
			     syncs->reallocations_avoided);
	hf_prometheus_single(out, "holdfast_sync_releases_skipped_total", "counter",
			     "Leases that full syncs did not list and did not release, because an item could not be identified.",
			     syncs->releases_skipped);
	hf_prometheus_single(out, "holdfast_sync_memory_bytes", "gauge", "Memory that running syncs use.",
			     syncs->budget.used_bytes);
	pthread_mutex_unlock(&syncs->lock);
}

static void report_refusal(void *context, const char *zone, enum hf_err code, uint64_t unlogged) {
	char pairs[160];
	snprintf(pairs, sizeof pairs, "zone=%s code=%s unlogged=%" PRIu64, zone[0] ? zone : "*", hf_err_slug(code), unlogged);
	hf_api_event(context, HF_EVENT_INFO, "syncs refused", pairs);
}

void hf_syncs_report_refusals(struct hf_api *api, bool all) {
	hf_refusals_report(hf_syncs_refusals(api->syncs), hf_store_monotonic_ms(api->store), all, report_refusal, api);
}
