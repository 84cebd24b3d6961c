/* concurrent.c — many threads on one store, for the thread sanitizer; a plain main, as Criterion dies under it.
 *
 * First, for some seconds: writers through the committer, syncs through a lane and the committer, readers, a stream that is expired
 * while it is read, waits for changes, and a clock that runs on so that quarantines end and the feed is compacted; the wakeups are
 * stopped on the way. Then committers that are stopped while writes are queued. At the end the store holds what was answered.
 * Whatever is wrong ends the program with a message.
 *
 *   concurrent [SECONDS]
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "storage/requests/lease_query.h"
#include "storage/store/open.h"

#define WAITERS 3
#define STREAMERS 2
#define READERS 2
#define SYNCERS 4
#define OTHERS (WAITERS + STREAMERS + READERS + SYNCERS + 5)

static int64_t arena_now(void *context) { return ((struct arena *)context)->now_ms; }

static void on_commit(void *context, uint64_t revision) {
	struct arena *arena = context;
	arena->revision = revision;
	hf_wakeups_committed(arena->wakeups, revision);
}

static void on_failure(void *context, enum hf_err err, const struct hf_why *why) {
	(void)context;
	REQUIRE(!err, "a batch failed: %s", why->text);
}

static void open_arena(struct arena *arena) {
	struct hf_why why = {""};
	fixture_dir(&arena->f);
	arena->now_ms = arena->f.now_ms;
	arena->f.options.clock = (struct hf_clock){.now_ms = arena_now, .context = arena};
	arena->f.options.quarantine_seconds = 1;
	arena->f.options.changes_max = 500;
	REQUIRE(hf_store_open(arena->f.dir, &arena->f.options, &why, &arena->f.store) == HF_OK, "%s", why.text);
	REQUIRE(hf_reader_open(arena->f.store, NULL, &arena->f.reader) == HF_OK, "reader");
	REQUIRE(hf_wakeups_start(&arena->wakeups) == HF_OK, "wakeups");
	REQUIRE(hf_lane_start(arena->f.store, &arena->lane) == HF_OK, "lane");
	arena->budget.max_bytes = 300000;
	struct hf_committer_options options = {.committed = on_commit, .failed = on_failure, .context = arena};
	REQUIRE(hf_committer_start(arena->f.store, &options, &why, &arena->committer) == HF_OK, "%s", why.text);
}

static void sleep_ms(int64_t ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

/* Everything at once; the wakeups are stopped when three quarters of the time are over. */
static void run_all(struct arena *arena, struct writer *writers, int seconds) {
	static void *(*const others[OTHERS])(void *) = {
		waiter_run,	 waiter_run, waiter_run, streamer_run, streamer_run, reader_run, reader_run,	feed_reader_run,
		pool_writer_run, upkeep_run, syncer_run, syncer_run,   syncer_run,   syncer_run, disturber_run, connector_run};
	pthread_t threads[WRITERS + OTHERS];
	struct asker askers[OTHERS];
	for (int i = 0; i < WRITERS; i++) {
		asker_begin(&writers[i].base, arena, i);
		REQUIRE(pthread_create(&threads[i], NULL, writer_run, &writers[i]) == 0, "thread");
	}
	for (int i = 0; i < OTHERS; i++) {
		asker_begin(&askers[i], arena, WRITERS + i);
		REQUIRE(pthread_create(&threads[WRITERS + i], NULL, others[i], &askers[i]) == 0, "thread");
	}
	sleep_ms(seconds * 750);
	hf_wakeups_stop(arena->wakeups);
	sleep_ms(seconds * 250);
	arena->over = true;
	for (int i = 0; i < WRITERS + OTHERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < OTHERS; i++)
		asker_end(&askers[i]);
	hf_lane_stop(arena->lane);
	hf_lane_free(arena->lane);
	hf_committer_stop(arena->committer);
	hf_committer_free(arena->committer);
	hf_wakeups_free(arena->wakeups);
	REQUIRE(arena->budget.used_bytes == 0, "syncs kept %lu bytes", (unsigned long)arena->budget.used_bytes);
}

/* What a writer knows is there; a quarantine may have ended. Returns how many of its leases are active. */
static uint64_t check_writer(struct hf_txn *reader, const struct writer *w) {
	uint64_t n = 0;
	for (int i = 0; i < NAMES; i++) {
		const struct known *known = &w->known[i];
		struct hf_identity id = writer_identity(w->base.number, i);
		struct hf_lease lease;
		enum hf_err err = hf_lease_get(reader, &id, NULL, &lease);
		if (known->state == ACTIVE) {
			REQUIRE(err == HF_OK && lease.state == HF_ACTIVE, "%s %s is not there", id.zone, id.service);
			REQUIRE(lease.vips[0].n == known->vip.n && lease.generation == known->generation, "%s %s", id.zone,
				id.service);
			n++;
		} else if (known->state == RELEASED && !err) {
			REQUIRE(lease.state == HF_QUARANTINED && lease.vips[0].n == known->vip.n, "%s %s", id.zone, id.service);
		} else {
			REQUIRE(err == HF_E_NOT_FOUND, "%s %s: %s", id.zone, id.service, hf_err_slug(err));
		}
	}
	return n;
}

/* What the zones that were synchronised have, whoever wrote last. */
static uint64_t synced_leases(struct hf_txn *reader) {
	uint64_t n = 0;
	for (int i = 0; i < SYNC_ZONES; i++) {
		struct hf_zone_info info;
		REQUIRE(hf_zone_get(reader, sync_zone(i), NULL, &info) == HF_OK, "%s", sync_zone(i));
		n += info.sum.active;
	}
	return n;
}

struct held {
	size_t n;
	uint64_t active;
	struct hf_addr vips[1 << 16];
};

static void add_held(void *context, const struct hf_lease *lease) {
	struct held *held = context;
	held->active += lease->state == HF_ACTIVE;
	held->vips[held->n++] = lease->vips[0];
}

static int by_number(const void *a, const void *b) {
	hf_u128 x = ((const struct hf_addr *)a)->n, y = ((const struct hf_addr *)b)->n;
	return x < y ? -1 : x > y;
}

/* No address is held twice, and the pool counts what is there. `active`: how many leases must be, or 0 if that is not known. */
static void check_store(struct arena *arena, uint64_t active) {
	struct held *held = calloc(1, sizeof *held);
	struct hf_filter all = {0};
	struct hf_list_page page;
	HF_POOL pool = {.id = 0};
	REQUIRE(held && hf_reader_begin(arena->f.reader, NULL) == HF_OK, "reader");
	REQUIRE(hf_lease_list(arena->f.reader, &all, NULL, HF_LIST_EXAMINED_MAX, add_held, held, NULL, &page) == HF_OK, "list");
	REQUIRE(!page.more && (!active || held->active == active), "%lu leases", (unsigned long)held->active);
	REQUIRE(hf_pool_read(arena->f.reader, "meshservice", NULL, &pool) == HF_OK, "pool");
	REQUIRE(pool.active == held->active && pool.active + pool.quarantined == held->n, "the pool counts %lu",
		(unsigned long)pool.active);
	REQUIRE(pool.count[HF_IPV4].leased == pool.active && pool.count[HF_IPV4].quarantined == pool.quarantined, "addresses");
	qsort(held->vips, held->n, sizeof held->vips[0], by_number);
	for (size_t i = 1; i < held->n; i++)
		REQUIRE(held->vips[i].n != held->vips[i - 1].n, "an address is held twice");
	hf_reader_end(arena->f.reader);
	free(held);
}

int main(int argc, char **argv) {
	static struct arena arena;
	static struct writer writers[WRITERS];
	uint64_t active = 0, writes = 0;
	open_arena(&arena);
	run_all(&arena, writers, argc > 1 ? atoi(argv[1]) : 3);
	REQUIRE(hf_reader_begin(arena.f.reader, NULL) == HF_OK, "reader");
	for (int i = 0; i < WRITERS; i++) {
		active += check_writer(arena.f.reader, &writers[i]);
		writes += writers[i].writes;
		asker_end(&writers[i].base);
	}
	active += synced_leases(arena.f.reader);
	hf_reader_end(arena.f.reader);
	check_store(&arena, active);
	verify_clean(&arena.f, "after all of it");
	stop_while_writing(&arena);
	check_store(&arena, 0);
	verify_clean(&arena.f, "after the stops");
	fixture_remove(&arena.f);
	printf("concurrent: %lu writes, %lu syncs, %lu refused, %lu leases active, revision %lu\n", (unsigned long)writes,
	       (unsigned long)arena.syncs[1], (unsigned long)arena.syncs[0], (unsigned long)active, (unsigned long)arena.revision);
	return 0;
}
