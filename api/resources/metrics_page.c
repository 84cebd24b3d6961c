/* metrics_page.c — GET /metrics, in the Prometheus text format (0.0.4). */
#include <inttypes.h>
#include <stdio.h>

#include "api/access/access.h"
#include "api/call/metrics.h"
#include "api/call/route.h"
#include "api/sync/sync_ledger.h"
#include "api/text/prometheus.h"
#include "resources.h"
#include "storage/base/monotonic.h"
#include "storage/requests/pool_requests.h"
#include "storage/requests/zone_requests.h"
#include "storage/store/presence.h"

static const char *method_name(enum hf_method method) {
	static const char *const names[] = {"GET", "PUT", "POST", "DELETE"};
	return names[method];
}

/* Writes the labels of a route, each followed by a comma. Requests without a route (404, 405) are counted as other, none. */
static void route_labels(const struct hf_api *api, int place, char ret[128]) {
	bool known = place < api->n_routes;
	snprintf(ret, 128, "method=\"%s\",route=\"%s\",", known ? method_name(api->routes[place].method) : "other",
		 known ? api->routes[place].pattern : "none");
}

static void write_requests(struct hf_buf *out, const struct hf_api *api) {
	struct hf_metrics *metrics = api->metrics;
	char labels[128];
	bool answered[HF_METRICS_ROUTES] = {false};
	hf_prometheus_head(out, "holdfast_http_requests_total", "counter", "Requests answered, by route and status.");
	for (int r = 0; r < HF_METRICS_ROUTES; r++)
		for (size_t s = 0; s < HF_METRICS_STATUSES; s++) {
			uint64_t n = metrics->requests[r][s];
			if (n == 0)
				continue;
			answered[r] = true;
			route_labels(api, r, labels);
			hf_buf_printf(out, "holdfast_http_requests_total{%sstatus=\"%d\"} %" PRIu64 "\n", labels, HF_STATUSES[s],
				      n);
		}
	hf_prometheus_head(out, "holdfast_http_request_duration_seconds", "histogram",
			   "From a request's first byte to its answer, by route.");
	for (int r = 0; r < HF_METRICS_ROUTES; r++) {
		route_labels(api, r, labels);
		if (answered[r])
			hf_prometheus_histogram(out, "holdfast_http_request_duration_seconds", labels, &metrics->duration_us[r],
						1e6);
	}
}

static void write_committer(struct hf_buf *out, struct hf_committer_stats *stats) {
	hf_prometheus_head(out, "holdfast_commit_batch_writes", "histogram", "Writes that share one commit.");
	hf_prometheus_histogram(out, "holdfast_commit_batch_writes", "", &stats->batch_writes, 1);
	hf_prometheus_head(out, "holdfast_commit_duration_seconds", "histogram",
			   "From the start of a write transaction to its being durable.");
	hf_prometheus_histogram(out, "holdfast_commit_duration_seconds", "", &stats->batch_duration_us, 1e6);
	int64_t since_us = stats->since_us;
	hf_prometheus_head(out, "holdfast_commit_age_seconds", "gauge",
			   "Age of the commit in progress; 0 if none is. It grows while a disk hangs.");
	hf_buf_printf(out, "holdfast_commit_age_seconds %.6f\n", since_us ? (double)(hf_monotonic_us() - since_us) / 1e6 : 0.0);
	hf_prometheus_single(out, "holdfast_commit_slow_total", "counter", "Commits that took longer than a second.", stats->slow);
	hf_prometheus_single(out, "holdfast_commit_inline_total", "counter", "Commits of one write on its own worker.",
			     stats->inline_batches);
	hf_prometheus_single(out, "holdfast_commit_failures_total", "counter", "Commits that failed, whole.",
			     stats->failed_batches);
	hf_prometheus_single(out, "holdfast_commit_queue_depth", "gauge", "Writes that wait for a commit.",
			     (uint64_t)stats->queued);
	hf_prometheus_single(out, "holdfast_commit_queue_refused_total", "counter", "Writes refused with 503 overloaded.",
			     stats->refused_overloaded);
}

/* Writes the current state of the process and the database file. */
static void write_presence(struct hf_buf *out, const struct hf_api *api) {
	hf_prometheus_single(out, "holdfast_verifications_under_way", "gauge", "Checks that run, or wait for their turn.",
			     (uint64_t)api->checks);
}

static void write_operations(struct hf_buf *out, struct hf_metrics *metrics) {
	hf_prometheus_head(out, "holdfast_backups_total", "counter", "Backups sent whole, or cut off.");
	hf_buf_printf(out, "holdfast_backups_total{outcome=\"whole\"} %" PRIu64 "\n", (uint64_t)metrics->backups);
	hf_buf_printf(out, "holdfast_backups_total{outcome=\"cut\"} %" PRIu64 "\n", (uint64_t)metrics->backups_cut);
	hf_prometheus_single(out, "holdfast_backup_timestamp_seconds", "gauge",
			     "When the last whole backup was sent, since the start; 0: none yet.",
			     (uint64_t)(metrics->backup_ms / 1000));
	hf_prometheus_single(out, "holdfast_verifications_total", "counter", "Checks of the invariants by POST /v1/verify.",
			     metrics->verifications);
	hf_prometheus_single(out, "holdfast_verify_violations", "gauge", "Violations that the last check found.",
			     metrics->violations);
	hf_prometheus_single(out, "holdfast_verify_timestamp_seconds", "gauge",
			     "When the invariants were last checked, since the start; 0: not yet.",
			     (uint64_t)(metrics->verified_ms / 1000));
}

static void write_lapses(struct hf_buf *out, const struct hf_committer_stats *stats) {
	hf_prometheus_single(out, "holdfast_zone_ttl_expired_total", "counter",
			     "Zones taken offline because nobody refreshed their connection within its ttl.", stats->zones_lapsed);
}

static void write_problems(struct hf_buf *out, struct hf_metrics *metrics) {
	hf_prometheus_head(out, "holdfast_problems_total", "counter", "Problems answered, by code.");
	for (enum hf_err err = HF_OK + 1; err < HF_E_DATA_DIR; err++)
		hf_buf_printf(out, "holdfast_problems_total{code=\"%s\"} %" PRIu64 "\n", hf_err_slug(err),
			      (uint64_t)metrics->problems[err]);
}

struct pool_writer {
	struct hf_buf leases, addresses, previous, remembered, utilisation;
};

static double to_double(hf_u128 n) { return (double)(uint64_t)(n >> 64) * 18446744073709551616.0 + (double)(uint64_t)n; }

static void write_family(struct pool_writer *w, const struct hf_pool *pool, enum hf_family family) {
	struct hf_pool_usage u;
	char text[HF_COUNT_TEXT];
	const char *name = family == HF_IPV4 ? "ipv4" : "ipv6";
	hf_pool_usage(pool, family, &u);
	const struct {
		const char *state;
		hf_u128 n;
	} rows[] = {{"leased", u.leased}, {"quarantined", u.quarantined}, {"reserved", u.reserved}, {"free", u.free}};
	if (u.capacity == 0 && u.draining == 0)
		return;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		hf_buf_printf(&w->addresses, "holdfast_pool_addresses{pool=\"%s\",family=\"%s\",state=\"%s\"} %s\n", pool->name,
			      name, rows[i].state, hf_count_format(rows[i].n, text));
	hf_buf_printf(&w->previous, "holdfast_pool_previous_addresses{pool=\"%s\",family=\"%s\"} %s\n", pool->name, name,
		      hf_count_format(u.previous, text));
	hf_buf_printf(&w->remembered, "holdfast_pool_remembered_addresses{pool=\"%s\",family=\"%s\"} %s\n", pool->name, name,
		      hf_count_format(u.remembered, text));
	hf_u128 usable = u.capacity - u.reserved;
	double share = usable ? 1.0 - to_double(u.free) / to_double(usable) : 1.0;
	hf_buf_printf(&w->utilisation, "holdfast_pool_utilisation_ratio{pool=\"%s\",family=\"%s\"} %.6g\n", pool->name, name,
		      share);
}

static void write_pool(void *context, const struct hf_pool *pool) {
	struct pool_writer *w = context;
	hf_buf_printf(&w->leases, "holdfast_leases{pool=\"%s\",state=\"active\"} %" PRIu64 "\n", pool->name, pool->active);
	hf_buf_printf(&w->leases, "holdfast_leases{pool=\"%s\",state=\"quarantined\"} %" PRIu64 "\n", pool->name,
		      pool->quarantined);
	write_family(w, pool, HF_IPV4);
	write_family(w, pool, HF_IPV6);
}

static void append(struct hf_buf *out, struct hf_buf *part) {
	hf_buf_add(out, part->data, part->len);
	out->failed = out->failed || part->failed;
	hf_buf_free(part);
}

static enum hf_err write_pools(struct hf_buf *out, struct hf_call *call) {
	struct pool_writer w = {0};
	enum hf_err err = hf_pools_each(call->reader, write_pool, &w, &call->why);
	hf_prometheus_head(out, "holdfast_leases", "gauge", "Leases, by pool and state.");
	append(out, &w.leases);
	hf_prometheus_head(out, "holdfast_pool_addresses", "gauge", "Addresses, by pool, family and state.");
	append(out, &w.addresses);
	hf_prometheus_head(out, "holdfast_pool_previous_addresses", "gauge",
			   "Of those leased or quarantined, addresses that leases keep for a while after a move.");
	append(out, &w.previous);
	hf_prometheus_head(out, "holdfast_pool_remembered_addresses", "gauge",
			   "Of those free, addresses that are remembered for the service that had them.");
	append(out, &w.remembered);
	hf_prometheus_head(out, "holdfast_pool_utilisation_ratio", "gauge",
			   "Held addresses as a share of those that are not reserved.");
	append(out, &w.utilisation);
	return err;
}

static void write_clock(struct hf_buf *out, const struct hf_store *store) {
	hf_prometheus_head(out, "holdfast_clock_steps_total", "counter",
			   "Steps of the wall clock by more than 2 s, since the start.");
	hf_buf_printf(out, "holdfast_clock_steps_total{direction=\"forward\"} %" PRIu64 "\n", hf_store_clock_steps(store, true));
	hf_buf_printf(out, "holdfast_clock_steps_total{direction=\"backward\"} %" PRIu64 "\n", hf_store_clock_steps(store, false));
	hf_prometheus_head(
		out, "holdfast_clock_offset_seconds", "gauge",
		"How far the wall clock is from the store's time: beyond 2 s only before it is followed, or if it is not set.");
	hf_buf_printf(out, "holdfast_clock_offset_seconds %.3f\n", (double)hf_store_clock_offset_ms(store) / 1000);
}

static enum hf_err write_zones(struct hf_call *call, struct hf_buf *out) {
	uint64_t zones[HF_ZONE_STATES];
	enum hf_err err = hf_zones_count(call->reader, &call->why, zones);
	if (err)
		return err;
	hf_prometheus_head(out, "holdfast_zones", "gauge", "Zones, by state; retired zones are no longer listed.");
	for (int state = 1; state < HF_ZONE_STATES; state++)
		hf_buf_printf(out, "holdfast_zones{state=\"%s\"} %" PRIu64 "\n", hf_zone_state_name((enum hf_zone_state)state),
			      zones[state]);
	return HF_OK;
}

enum hf_err hf_handle_metrics(struct hf_call *call) {
	struct hf_api *api = call->api;
	struct hf_buf *out = &call->response.body;
	struct hf_meta meta = hf_meta_read(call->reader);
	uint64_t used_bytes, map_bytes;
	out->len = 0;
	write_requests(out, api);
	hf_traffic_write(&api->traffic, out);
	write_problems(out, api->metrics);
	hf_access_write(api->access, out);
	write_presence(out, api);
	write_operations(out, api->metrics);
	hf_shares_write(&api->shares, out);
	hf_syncs_write_metrics(api->syncs, out);
	write_committer(out, hf_committer_stats(api->committer));
	write_lapses(out, hf_committer_stats(api->committer));
	enum hf_err err = write_pools(out, call);
	write_clock(out, api->store);
	if (!err)
		err = write_zones(call, out);
	if (err)
		return err;
	hf_prometheus_head(out, "holdfast_acquires_total", "counter", "Acquires answered, by outcome.");
	for (int i = 0; i < HF_OUTCOMES; i++)
		hf_buf_printf(out, "holdfast_acquires_total{outcome=\"%s\"} %" PRIu64 "\n", hf_outcome_name((enum hf_outcome)i),
			      (uint64_t)api->metrics->outcomes[i]);
	hf_prometheus_head(out, "holdfast_vip_changes_total", "counter",
			   "Leases whose address changed while they existed, by cause.");
	for (int cause = 1; cause <= HF_CAUSES; cause++)
		hf_buf_printf(out, "holdfast_vip_changes_total{cause=\"%s\"} %" PRIu64 "\n", hf_cause_name((enum hf_cause)cause),
			      hf_store_vip_changes(api->store, (enum hf_cause)cause));
	hf_store_size(api->store, &used_bytes, &map_bytes);
	hf_prometheus_single(out, "holdfast_store_revision", "gauge", "The store's revision.", meta.revision);
	hf_prometheus_single(out, "holdfast_store_epoch", "gauge", "The store's epoch, raised by a restore.", meta.store_epoch);
	hf_prometheus_single(out, "holdfast_store_used_bytes", "gauge", "Bytes of the database file, free pages included.",
			     used_bytes);
	hf_prometheus_single(out, "holdfast_store_free_pages", "gauge", "Pages of the database file that will be used again.",
			     hf_txn_free_pages(call->reader));
	hf_prometheus_single(out, "holdfast_store_oldest_reader_seconds", "gauge",
			     "For how long the oldest snapshot that is read has been out of date; it holds pages back.",
			     (uint64_t)hf_store_oldest_reader_ms(api->store) / 1000);
	hf_prometheus_single(out, "holdfast_store_gone", "gauge", "1: the database file was deleted, replaced or moved away.",
			     hf_store_is_gone(api->store));
	hf_prometheus_single(out, "holdfast_store_map_bytes", "gauge", "The database file's limit in bytes.", map_bytes);
	hf_prometheus_single(out, "holdfast_log_lines_dropped_total", "counter",
			     "Lines of the log that nobody read in time, and that are lost.",
			     api->lines_dropped ? api->lines_dropped() : 0);
	hf_prometheus_head(out, "holdfast_build_info", "gauge", "Always 1; the version is a label.");
	hf_buf_printf(out, "holdfast_build_info{version=\"%s\"} 1\n", HOLDFAST_VERSION);
	call->response.status = 200;
	call->response.content_type = "text/plain; version=0.0.4; charset=utf-8";
	return hf_txn_fault(call->reader, &call->why);
}
