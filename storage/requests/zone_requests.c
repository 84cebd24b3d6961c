/* zone_requests.c — the requests on zones. */
#include "zone_requests.h"

#include <inttypes.h>

#include "storage/store/batch.h"
#include "storage/store/ttl.h"
#include "storage/tables/lease_table.h"

/* Reads the zone into the request's result and judges the connection. */
static enum hf_err judge_connect(struct hf_txn *txn, struct hf_zone_connect *request, struct hf_why *why, bool *ret_exists) {
	struct hf_zone *zone = &request->info.zone;
	*ret_exists = hf_zone_read(txn, request->name, zone);
	enum hf_err err = hf_txn_fault(txn, why);
	if (!err)
		err = hf_zone_rules_fence(zone, request->has_epoch, request->epoch, why);
	return err ? err : hf_zone_rules_connect(zone, request->instance, why, &request->connection);
}

/* Sets the parts of the answer that describe the store. The result's zone is still the one before the connection. */
static void describe_store(struct hf_zone_connect *request, const struct hf_meta *meta, struct hf_scope sum) {
	request->info.sum = sum;
	request->revision = meta->revision;
	request->store_epoch = meta->store_epoch;
	request->incremental = hf_zone_rules_is_incremental(&request->info.zone, sum.active, meta->store_epoch);
}

/* Whether the connection changes neither the zone nor its ttl. */
static bool is_pure_refresh(const struct hf_zone_connect *request) {
	return request->connection == HF_CONNECTION_REFRESH && request->ttl_ms == request->info.zone.ttl_ms;
}

enum hf_err hf_zone_connect_peek(struct hf_store *store, struct hf_txn *reader, struct hf_zone_connect *request, struct hf_why *why,
				 enum hf_peek *ret) {
	bool exists;
	enum hf_err err = judge_connect(reader, request, why, &exists);
	if (err)
		return err;
	/* If the connection's time is over, or the snapshot is too old, the writer judges. */
	if (!is_pure_refresh(request) || (request->ttl_ms && !hf_store_refresh_zone(store, &request->info.zone))) {
		*ret = HF_PEEK_WRITE;
		return HF_OK;
	}
	struct hf_meta meta = hf_meta_read(reader);
	describe_store(request, &meta, hf_zone_sum(reader, request->name));
	*ret = HF_PEEK_DONE;
	return hf_txn_fault(reader, why);
}

static enum hf_err apply_connect(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_zone_connect *request = (struct hf_zone_connect *)write;
	const struct hf_meta *meta = hf_batch_meta(batch);
	struct hf_zone *zone = &request->info.zone;
	bool exists;
	enum hf_err err = judge_connect(hf_batch_txn(batch), request, why, &exists);
	if (err)
		return err;
	describe_store(request, meta, hf_batch_zone_sum(batch, request->name));
	if (is_pure_refresh(request)) {
		if (request->ttl_ms)
			hf_store_refresh_zone(hf_batch_store(batch), zone);
		return HF_OK;
	}
	if (request->connection == HF_CONNECTION_REFRESH)
		zone->ttl_ms = request->ttl_ms;
	else
		*zone = hf_zone_rules_connected(zone, request->instance, request->ttl_ms, meta->store_epoch,
						hf_batch_now_ms(batch));
	if (!exists)
		zone->created_ms = zone->changed_ms;
	hf_batch_put_zone(batch, zone);
	return HF_OK;
}

void hf_zone_connect_begin(struct hf_zone_connect *request) { request->write.apply = apply_connect; }

/* Reads the zone into the request's result and judges the disconnection. */
static enum hf_err judge_disconnect(struct hf_txn *txn, struct hf_zone_disconnect *request, struct hf_why *why, bool *ret_changes) {
	struct hf_zone *zone = &request->info.zone;
	hf_zone_read(txn, request->name, zone);
	enum hf_err err = hf_txn_fault(txn, why);
	if (!err)
		err = hf_zone_rules_fence(zone, request->has_epoch, request->epoch, why);
	return err ? err : hf_zone_rules_disconnect(zone, why, ret_changes);
}

enum hf_err hf_zone_disconnect_peek(struct hf_txn *reader, struct hf_zone_disconnect *request, struct hf_why *why,
				    enum hf_peek *ret) {
	bool changes;
	enum hf_err err = judge_disconnect(reader, request, why, &changes);
	if (err)
		return err;
	if (!changes)
		request->info.sum = hf_zone_sum(reader, request->name);
	*ret = changes ? HF_PEEK_WRITE : HF_PEEK_DONE;
	return hf_txn_fault(reader, why);
}

static enum hf_err apply_disconnect(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct hf_zone_disconnect *request = (struct hf_zone_disconnect *)write;
	bool changes;
	enum hf_err err = judge_disconnect(hf_batch_txn(batch), request, why, &changes);
	if (err)
		return err;
	request->info.sum = hf_batch_zone_sum(batch, request->name);
	if (!changes)
		return HF_OK;
	request->info.zone.state = HF_ZONE_OFFLINE;
	request->info.zone.changed_ms = hf_batch_now_ms(batch);
	hf_batch_put_zone(batch, &request->info.zone);
	return HF_OK;
}

void hf_zone_disconnect_begin(struct hf_zone_disconnect *request) { request->write.apply = apply_disconnect; }

enum hf_err hf_zone_get(struct hf_txn *reader, const char *name, struct hf_why *why, struct hf_zone_info *ret) {
	struct hf_zone_info info;
	bool found = hf_zone_read(reader, name, &info.zone);
	if (found)
		info.sum = hf_zone_sum(reader, name);
	enum hf_err err = hf_txn_fault(reader, why);
	if (!err && found && info.zone.state == HF_ZONE_RETIRED)
		err = hf_fail(why, HF_E_NOT_FOUND, "zone \"%s\" was retired at epoch %" PRIu64, name, info.zone.epoch);
	if (!err && !found)
		err = hf_fail(why, HF_E_NOT_FOUND, "zone \"%s\" does not exist: it never had a lease or a connection", name);
	if (!err)
		*ret = info;
	return err;
}

enum hf_err hf_zones_page(struct hf_txn *reader, const char *after, bool (*take)(void *context, const struct hf_zone_info *info),
			  void *context, struct hf_why *why, bool *ret_more) {
	struct hf_zone_info info;
	HF_CURSOR cursor;
	bool more = false;
	hf_cursor_open(reader, HF_ZONES, &cursor);
	bool found = hf_cursor_seek_after(&cursor, (struct hf_slice){after, strlen(after)});
	for (; !more && hf_zone_at(&cursor, found, &info.zone); found = hf_cursor_next(&cursor)) {
		if (info.zone.state == HF_ZONE_RETIRED)
			continue;
		info.sum = hf_zone_sum(reader, info.zone.name);
		if (hf_txn_fault(reader, why))
			break;
		more = !take(context, &info);
	}
	*ret_more = more;
	return hf_txn_fault(reader, why);
}

enum hf_err hf_zones_count(struct hf_txn *reader, struct hf_why *why, uint64_t ret[HF_ZONE_STATES]) {
	uint64_t counts[HF_ZONE_STATES] = {0};
	struct hf_zone zone;
	HF_CURSOR cursor;
	hf_cursor_open(reader, HF_ZONES, &cursor);
	while (hf_zone_at(&cursor, hf_cursor_next(&cursor), &zone))
		counts[zone.state]++;
	enum hf_err err = hf_txn_fault(reader, why);
	if (!err)
		memcpy(ret, counts, sizeof counts);
	return err;
}
