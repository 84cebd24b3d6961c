/* readers.c — threads that read, wait and stream while others write, and the one that turns the clock. */
#include <string.h>
#include <time.h>

#include "arena.h"
#include "storage/requests/address_query.h"
#include "storage/requests/lease_query.h"
#include "storage/requests/lease_snapshot.h"
#include "storage/requests/totals.h"
#include "storage/tables/holders.h"

static void check_fault(struct hf_txn *reader) {
	struct hf_why why = {""};
	enum hf_err err = hf_txn_fault(reader, &why);
	REQUIRE(err == HF_OK, "%s", why.text);
}

struct counting {
	uint64_t n;
	struct hf_lease last;
};

static void count_lease(void *context, const struct hf_lease *lease) {
	struct counting *counting = context;
	counting->n++;
	counting->last = *lease;
}

static void no_lease(void *context, const struct hf_lease *lease) { (void)context, (void)lease; }

/* In one snapshot everything agrees: the pages, the totals, and an address's way to its lease. */
static void check_snapshot(struct hf_txn *reader, int limit) {
	static const struct hf_filter all;
	struct counting counting = {0};
	struct hf_list_page page = {.more = true};
	struct hf_totals totals;
	struct hf_address_info info;
	struct hf_holder holders[HF_HISTORY_HOLDERS];
	for (bool first = true; page.more; first = false) {
		struct hf_key after = page.last;
		REQUIRE(hf_lease_list(reader, &all, first ? NULL : &after, limit, count_lease, &counting, NULL, &page) == HF_OK,
			"list");
	}
	REQUIRE(hf_totals_read(reader, NULL, &totals) == HF_OK, "totals");
	REQUIRE(totals.active + totals.quarantined == counting.n, "%lu leases listed", (unsigned long)counting.n);
	if (counting.n == 0)
		return;
	struct hf_addr vip = counting.last.vips[0];
	REQUIRE(hf_address_read(reader, vip, NULL, &info) == HF_OK && info.has_lease, "address");
	REQUIRE(strcmp(info.lease.id.service, counting.last.id.service) == 0, "%s", info.lease.id.service);
	int n = hf_holders_read(reader, vip, -1, 0, holders);
	REQUIRE(n > 0 && holders[0].to_ms == 0 && strcmp(holders[0].id.service, counting.last.id.service) == 0, "%d holders", n);
}

void *reader_run(void *context) {
	struct asker *a = context;
	struct hf_filter of_writer = {.has_kind = true, .kind = HF_MESH_SERVICE, .mesh = "default"};
	uint64_t used_bytes, map_bytes;
	for (; !a->arena->over; asker_pause(a)) {
		struct hf_identity id = writer_identity(asker_draw(a, WRITERS), asker_draw(a, NAMES));
		struct hf_lease lease;
		struct hf_list_page page;
		REQUIRE(hf_reader_begin(a->reader, NULL) == HF_OK, "reader");
		check_snapshot(a->reader, 20 + asker_draw(a, 100));
		enum hf_err err = hf_lease_get(a->reader, &id, NULL, &lease);
		REQUIRE(err == HF_OK || err == HF_E_NOT_FOUND, "%s", hf_err_slug(err));
		memcpy(of_writer.zone, id.zone, sizeof of_writer.zone);
		REQUIRE(hf_lease_list(a->reader, &of_writer, NULL, 50, no_lease, NULL, NULL, &page) == HF_OK, "list");
		check_fault(a->reader);
		hf_reader_end(a->reader);
		struct hf_committer_stats *stats = hf_committer_stats(a->arena->committer); /* as /metrics does */
		REQUIRE(stats->failed_batches == 0 && stats->queued >= 0, "a batch failed");
		hf_store_size(a->arena->f.store, &used_bytes, &map_bytes);
		REQUIRE(used_bytes <= map_bytes && hf_store_vip_changes(a->arena->f.store, HF_CAUSE_REQUEST) == 0, "a VIP changed");
	}
	return NULL;
}

struct following {
	uint64_t revision; /* the last seen */
};

static void follow(void *context, const struct hf_change *change) {
	struct following *following = context;
	REQUIRE(change->revision == following->revision + 1, "the feed has a gap before %lu", (unsigned long)change->revision);
	following->revision = change->revision;
}

/* Follows the feed; where it was compacted, it goes on from there. */
void *feed_reader_run(void *context) {
	struct asker *a = context;
	struct following following = {0};
	for (; !a->arena->over; asker_pause(a)) {
		struct hf_feed_query query = {.since = following.revision, .limit = 1 + asker_draw(a, 300)};
		struct hf_feed_page page;
		REQUIRE(hf_reader_begin(a->reader, NULL) == HF_OK, "reader");
		enum hf_err err = hf_feed_read(a->reader, &query, follow, &following, NULL, &page);
		if (err == HF_E_REVISION_COMPACTED)
			following.revision = hf_meta_read(a->reader).compacted;
		else
			REQUIRE(err == HF_OK && page.examined == following.revision, "%s", hf_err_slug(err));
		check_fault(a->reader);
		hf_reader_end(a->reader);
	}
	return NULL;
}

/* A stream and its expiry, as server/http/stream.c has them. */
struct sending {
	struct hf_wakeup wakeup;
	struct hf_snapshot *snapshot;
};

static void expire_sending(struct hf_wakeup *wakeup) { hf_snapshot_expire(((struct sending *)wakeup)->snapshot); }

void *streamer_run(void *context) {
	struct asker *a = context;
	static const struct hf_filter all;
	for (; !a->arena->over; asker_pause(a)) {
		struct sending sending = {.wakeup = {.revision = UINT64_MAX, .fire = expire_sending}};
		struct hf_lease lease;
		REQUIRE(hf_snapshot_open(a->arena->f.store, &all, NULL, &sending.snapshot) == HF_OK, "snapshot");
		sending.wakeup.deadline_us = hf_monotonic_us() + asker_draw(a, 3000);
		if (!hf_wakeups_add(a->arena->wakeups, &sending.wakeup))
			hf_snapshot_expire(sending.snapshot);
		enum hf_err err = HF_OK;
		while (!err) {
			err = hf_snapshot_next(sending.snapshot, &lease);
			if (!err)
				REQUIRE(lease.revision <= hf_snapshot_revision(sending.snapshot), "a lease of the future");
		}
		REQUIRE(err == HF_E_NOT_FOUND || err == HF_E_OVERLOADED, "%s", hf_err_slug(err));
		hf_wakeups_remove(a->arena->wakeups, &sending.wakeup);
		hf_snapshot_close(sending.snapshot);
	}
	return NULL;
}

/* Something that waits for the next change. */
struct waiting {
	struct hf_wakeup wakeup;
	_Atomic int fired;
	sem_t *woken;
};

static void on_wakeup(struct hf_wakeup *wakeup) {
	struct waiting *waiting = (struct waiting *)wakeup;
	waiting->fired++;
	sem_post(waiting->woken);
}

/* Waits for changes and deadlines; each wait that began ends once, by its wakeup or by its removal. Goes on after the stop. */
void *waiter_run(void *context) {
	struct asker *a = context;
	for (; !a->arena->over; asker_pause(a)) {
		struct waiting waiting = {.woken = &a->answered, .wakeup = {.fire = on_wakeup}};
		waiting.wakeup.revision = a->arena->revision;
		waiting.wakeup.deadline_us = hf_monotonic_us() + asker_draw(a, 20000);
		bool removed = asker_draw(a, 4) == 0;
		if (!hf_wakeups_add(a->arena->wakeups, &waiting.wakeup)) {
			REQUIRE(waiting.fired == 0, "a refused wakeup fired");
			continue;
		}
		if (removed)
			hf_wakeups_remove(a->arena->wakeups, &waiting.wakeup);
		if (!removed || waiting.fired)
			while (sem_wait(&a->answered) != 0)
				continue;
		REQUIRE(waiting.fired <= 1 && (removed || waiting.fired == 1), "fired %d times", waiting.fired);
		hf_wakeups_remove(a->arena->wakeups,
				  &waiting.wakeup); /* has no effect any more, but nobody touches it from here on */
	}
	return NULL;
}

/* Turns the clock by a quarter of the quarantine at a time, and carries out what is due beside the committer's own thread. */
void *upkeep_run(void *context) {
	struct asker *a = context;
	for (; !a->arena->over; asker_pause(a)) {
		a->arena->now_ms += 250;
		hf_committer_upkeep(a->arena->committer);
	}
	return NULL;
}
