/* sync_ledger.h — what syncs share: limits, memory, and a record of past syncs for the life of the process. Thread-safe. */
#ifndef HF_API_SYNC_SYNC_LEDGER_H
#define HF_API_SYNC_SYNC_LEDGER_H

#include "api/access/refusals.h"
#include "api/text/buf.h"
#include "api/text/json.h"
#include "storage/sync/sync.h"

struct hf_syncs;
struct hf_api;

struct hf_syncs_options {
	size_t body_max_bytes;	 /* of one sync or manifest */
	uint32_t items_max;	 /* of one sync or manifest */
	size_t memory_max_bytes; /* of all running syncs */
};

/* How a sync ended. */
enum hf_sync_end { HF_SYNC_END_CHANGED, HF_SYNC_END_UNCHANGED, HF_SYNC_END_DRY_RUN, HF_SYNC_END_REFUSED };
#define HF_SYNC_ENDS 4
const char *hf_sync_end_name(enum hf_sync_end end);

/* A zone's last sync that was not refused and not a dry run. */
struct hf_sync_record {
	int64_t at_ms;
	enum hf_sync_mode mode;
	uint64_t zone_epoch, revision;
	int64_t duration_ms; /* from the request's headers to its result */
	struct hf_sync_summary summary;
};

/* NULL if out of memory. */
struct hf_syncs *hf_syncs_new(const struct hf_syncs_options *options);
void hf_syncs_free(struct hf_syncs *syncs); /* NULL is fine */

const struct hf_syncs_options *hf_syncs_options(const struct hf_syncs *syncs);
struct hf_budget *hf_syncs_budget(struct hf_syncs *syncs); /* of all syncs */

struct hf_refusals *hf_syncs_refusals(struct hf_syncs *syncs);

/* Logs the refused syncs that were counted but not logged for ten seconds, or all of them. Call it every second, and before the
 * end. */
void hf_syncs_report_refusals(struct hf_api *api, bool all);

/* Returns the memory that the running syncs of one zone share: up to a quarter of all, and at most a third of what is left. A zone
 * that the store knows may always use a 256th, however much others use. All unknown zones share one budget, because a client can
 * invent names. The caller ends the share after freeing its memory. NULL: out of memory. */
struct hf_budget *hf_syncs_share(struct hf_syncs *syncs, const char *zone, bool is_known);
void hf_syncs_end_share(struct hf_syncs *syncs, struct hf_budget *share); /* NULL is fine */

/* Notes how a sync of a zone that the store knows ended. `record` is kept unless the sync was refused or a dry run. */
void hf_syncs_note(struct hf_syncs *syncs, const char *zone, enum hf_sync_end end, const struct hf_sync_record *record);

/* Counts the outcomes of a sync's items, and the services that kept an address without claiming it. */
void hf_syncs_count(struct hf_syncs *syncs, const struct hf_sync_summary *summary, uint64_t reallocations_avoided);

/* Reads the zone's last sync since the process started; returns false if it has not had one. */
bool hf_syncs_last(struct hf_syncs *syncs, const char *zone, struct hf_sync_record *ret);

const char *hf_sync_mode_name(enum hf_sync_mode mode);

/* Writes {"created":…,…}, the summary as every answer shows it. */
void hf_sync_write_summary(struct hf_json *json, const struct hf_sync_summary *summary);

/* Writes the metrics of syncs in the Prometheus text format. */
void hf_syncs_write_metrics(struct hf_syncs *syncs, struct hf_buf *out);

#endif
