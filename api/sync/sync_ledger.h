/* sync_ledger.h — what syncs share: limits, memory, and what is remembered of them while the process lives. Thread-safe. */
#ifndef HF_API_SYNC_SYNC_LEDGER_H
#define HF_API_SYNC_SYNC_LEDGER_H

#include "api/text/buf.h"
#include "api/text/json.h"
#include "refusals.h"
#include "storage/sync/sync.h"

struct hf_syncs;
struct hf_api;

struct hf_syncs_options {
	size_t body_max_bytes;	 /* of one sync or manifest */
	uint32_t items_max;	 /* of one sync or manifest */
	size_t memory_max_bytes; /* of all that are under way */
};

/* How a sync ended. */
enum hf_sync_end { HF_SYNC_END_CHANGED, HF_SYNC_END_UNCHANGED, HF_SYNC_END_DRY_RUN, HF_SYNC_END_REFUSED };
#define HF_SYNC_ENDS 4
const char *hf_sync_end_name(enum hf_sync_end end);

/* A zone's last sync that was carried out. */
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
struct hf_budget *hf_syncs_budget(struct hf_syncs *syncs); /* the memory of all */

struct hf_refusals *hf_syncs_refusals(struct hf_syncs *syncs);

/* Writes lines for refused syncs that had none in ten seconds, or for all of them: every second, and before the end (sync.c). */
void hf_syncs_report_refusals(struct hf_api *api, bool all);

/* What the syncs of one zone that are under way share of the memory: up to a quarter of it, and always a third of what is left.
 * A zone that the store knows may use a 256th however much others do. All that it does not know share one half, as anybody can
 * think of names. To be given back once nothing of it is used. NULL: out of memory. */
struct hf_budget *hf_syncs_share(struct hf_syncs *syncs, const char *zone, bool is_known);
void hf_syncs_end_share(struct hf_syncs *syncs, struct hf_budget *share); /* NULL is fine */

/* Notes how a sync of a zone that the store knows ended. `record` is kept unless the sync was refused or a dry run. */
void hf_syncs_note(struct hf_syncs *syncs, const char *zone, enum hf_sync_end end, const struct hf_sync_record *record);

/* Counts what became of a sync's items, and the services that kept an address that they did not bring. */
void hf_syncs_count(struct hf_syncs *syncs, const struct hf_sync_summary *summary, uint64_t reallocations_avoided);

/* The zone's last sync since the process started; false if there was none. */
bool hf_syncs_last(struct hf_syncs *syncs, const char *zone, struct hf_sync_record *ret);

const char *hf_sync_mode_name(enum hf_sync_mode mode);

/* {"created":…,…}: the summary as every answer shows it. */
void hf_sync_write_summary(struct hf_json *json, const struct hf_sync_summary *summary);

/* The metrics of syncs, in the Prometheus text format. */
void hf_syncs_write_metrics(struct hf_syncs *syncs, struct hf_buf *out);

#endif
