/* property.c — random operations on a store and on a naive model of the design, which must agree after each.
 *
 * property [--ops N] [--seed S] [--verbose]
 *
 * Without a seed, one run for each of RUNS seeds. A run prints its seed when it starts; the same seed and number of operations
 * replay it exactly. A difference prints seed, operation and what differs, and ends the program with status 1.
 *
 *	model.h    the design once more, naively        random.h   what is done next
 *	check.h    store against model                  words.h    saying what was done
 *	writes.h   writes, alone and in batches         syncs.h    syncs and manifests, with other writes in between
 *	backups.h  backups and restores                 returns.h  who comes back after one
 *	moves.h    transfers of many leases             replay.h   the feed by itself: who has which address
 *	seen.h     counts: every branch must be met
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "backups.h"
#include "check.h"
#include "moves.h"
#include "replay.h"
#include "seen.h"
#include "storage/store/expiry.h"
#include "storage/store/upkeep.h"
#include "storage/tables/change_table.h"
#include "syncs.h"
#include "words.h"
#include "writes.h"

#define RUNS 12
#define DEFAULT_OPS 17000
#define CHECK_ALL_EVERY 50
#define CHANGES_A_RUN 2000000
#define UPKEEP_BUDGET 1000
#define BACKUPS 40 /* in 10,000 operations */
#define RESTORES 20

static const struct profile PROFILES[] = {
	/* clang-format off */
	/* name       ids acq rel prg put del zon syn tim upk bat abo rea rare v6 hsh opt changes age mov tra */
	{"mixed",      120, 34, 14, 3,  3,  1,  6, 16,  8,  2,  6,  2,  8,  10, 40, 40, 10,   400,  7 * 86400000LL, 10, 5},
	{"exhaustion", 160, 42, 10, 2,  2,  1,  5, 14, 10,  1,  5,  2,  8,   4, 30, 30,  6,   150, 900 * 86400000LL, 12, 4},
	{"pool edits", 100, 28, 12, 4, 16,  5,  4, 12,  8,  2,  6,  3,  6,  20, 50, 40,  8,  2000,  7 * 86400000LL, 12, 4},
	{"churn",       60, 28, 22, 8,  2,  1,  8, 14, 12,  4,  6,  2,  5,  30, 50, 20,  8,   300,  600000, 14, 8},
	{"options",    100, 36, 14, 3,  3,  1,  6, 14,  8,  2,  6,  2,  8,  30, 50, 50, 40, 20000,  0, 12, 5},
	{"zones",      160, 24,  8, 2,  1,  0, 12, 30, 10,  2,  4,  2,  5,  10, 40, 30,  6,  2000,  7 * 86400000LL, 8, 8},
	/* clang-format on */
};

static void do_time(struct run *run) {
	struct world *w = &run->world;
	static const int STEPS[] = {1, 1000, 10000, 60000, 600000, 3600001};
	int64_t step = w_below(w, STEPS[w_below(w, 6)] + 1);
	if (w_chance(w, 3))
		step = -w_below(w, 5000); /* clocks are set back */
	run->f.now_ms += step;
	say(run, "time passes: %" PRId64 " ms", step);
}

static void do_upkeep(struct run *run) {
	struct hf_batch *batch;
	struct model *m = &run->model;
	uint64_t before = m->compacted;
	say(run, "upkeep");
	c_err(run, "begin", hf_upkeep_begin(run->f.store, NULL, &batch), HF_OK);
	hf_expiry_sweep(batch, UPKEEP_BUDGET);
	hf_upkeep_compact(batch, UPKEEP_BUDGET);
	c_err(run, "commit", hf_upkeep_commit(batch, NULL), HF_OK);
	m_begin(m, run->f.now_ms, M_SWEEP);
	m_begin(m, run->f.now_ms, UPKEEP_BUDGET);
	check_meta(run);
	bool more =
		m->compacted < m->revision && m_change(m, m->compacted + 1)->at_ms + run->f.options.changes_age_ms <= run->f.now_ms;
	if (more && m->compacted - before < UPKEEP_BUDGET)
		c_fail(run, "revision %" PRIu64 " is too old for the feed", m->compacted + 1);
}

static void do_reopen(struct run *run) {
	say(run, "reopen");
	fixture_close(&run->f);
	fixture_open(&run->f);
	run->model.n_worn = 0;
	m_reopened(&run->model, run->f.monotonic_ms);
	seen.reopened++;
	check_meta(run);
	c_all(run);
	c_dump(run);
}

static void do_read(struct run *run) {
	say(run, "read");
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	c_random_read(run);
	hf_reader_end(run->f.reader);
}

static void do_rare(struct run *run, int which) {
	if (which == 0) {
		do_reopen(run);
	} else {
		run->f.now_ms += 91 * (int64_t)86400000;
		say(run, "91 days pass");
	}
}

/* The feed forgets what was written since. */
static void do_forget(struct run *run) {
	do_write(run);
	if (run->f.options.changes_age_ms < 8 * (int64_t)86400000)
		run->f.now_ms += run->f.options.changes_age_ms;
	say(run, "; the feed's age passes; ");
	do_upkeep(run);
}

/* What happens while a sync is between its peek and its commit. */
static void do_between(struct run *run) {
	struct world *w = &run->world;
	for (int n = 1 + w_below(w, 3); n > 0; n--) {
		int at = w_below(w, 100);
		say(run, "; meanwhile: ");
		if (at < 55)
			do_write(run);
		else if (at < 70)
			do_batch(run, true);
		else if (at < 80)
			do_time(run);
		else if (at < 83)
			do_upkeep(run);
		else if (at < 87)
			do_forget(run);
		else if (at < 92)
			do_transfer(run);
		else
			do_sync(run, NULL);
	}
}

static void do_one(struct run *run) {
	struct world *w = &run->world;
	const struct profile *p = w->profile;
	int writes = p->acquire + p->release + p->purge + p->pool_put + p->pool_delete + p->zone + p->move;
	int at = w_below(w, writes + p->sync + p->transfer + p->time + p->upkeep + p->batch + p->abort + p->read),
	    rare = w_below(w, 10000);
	run->text[0] = '\0';
	if (rare < 2 * p->rare)
		do_rare(run, rare / p->rare);
	else if ((rare -= 2 * p->rare) < BACKUPS)
		do_backup(run, do_between);
	else if (rare < BACKUPS + RESTORES)
		do_restore(run);
	else if ((at -= writes) < 0)
		do_write(run);
	else if ((at -= p->sync) < 0)
		do_sync(run, do_between);
	else if ((at -= p->transfer) < 0)
		do_transfer(run);
	else if ((at -= p->time) < 0)
		do_time(run);
	else if ((at -= p->upkeep) < 0)
		do_upkeep(run);
	else if ((at -= p->batch) < 0)
		do_batch(run, true);
	else if ((at -= p->abort) < 0)
		do_batch(run, false);
	else
		do_read(run);
	if (run->verbose)
		printf("%d: %s\n", run->op, run->text);
}

/* The model begins as Kuma's defaults: a /8 for each kind. */
static void begin_model(struct run *run) {
	struct model *m = &run->model;
	m->ids = run->world.ids;
	m->now_ms = run->f.now_ms;
	m->by = "holdfast";
	for (int z = 0; z < M_ZONES; z++)
		m->zones[z] = (struct m_zone){.name = W_ZONES[z], .state = HF_ZONE_UNMANAGED};
	for (int p = 0; p < HF_KINDS; p++) {
		static struct m_pool_put put;
		hf_u128 first = (hf_u128)0xffff << 32 | (hf_u128)(241 + p) << 24;
		int outcome;
		memset(&put, 0, sizeof put);
		put.config = (struct m_config){.strategy = HF_SEQUENTIAL, .quarantine_seconds = 3600, .n_cidrs = 1};
		put.config.cidrs[0] = (struct hf_range){{first}, {first + 0xffffff}};
		put.config.kinds = 2u << p;
		strcpy(put.name, M_POOL_NAMES[p]);
		if (m_pool_put(m, &put, &outcome).err)
			c_fail(run, "the model refuses the default pools");
		m_change(m, m->revision)->cause = HF_CAUSE_START;
	}
}

static void run_seed(struct run *run, uint64_t seed, int ops, bool verbose) {
	const struct profile *profile = &PROFILES[seed % (sizeof PROFILES / sizeof PROFILES[0])];
	struct timespec start, end;
	clock_gettime(CLOCK_MONOTONIC, &start);
	printf("seed %" PRIu64 " (%s), %d operations … ", seed, profile->name, ops);
	fflush(stdout);
	run->seed = seed;
	run->ops = ops;
	run->verbose = verbose;
	run->feed_checked = 0;
	w_begin(&run->world, seed, profile);
	m_reset(&run->model);
	backups_begin(run);
	fixture_dir(&run->f);
	run->f.options.changes_max = profile->changes_max;
	run->f.options.remembered_max = run->model.remembered_max = 2 + seed % 13; /* of 64 addresses, so that it is reached */
	run->f.options.changes_age_ms = profile->changes_age_ms ? profile->changes_age_ms : INT64_MAX / 2;
	fixture_open(&run->f);
	begin_model(run);
	replay_begin(run);
	for (run->op = 1; run->op <= ops; run->op++) {
		do_one(run);
		if (run->op % CHECK_ALL_EVERY == 0)
			c_all(run);
	}
	c_all(run);
	fixture_remove(&run->f);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seen_met(&run->model.met);
	printf("ok, %" PRIu64 " revisions, %.1f s\n", run->model.revision,
	       (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
}

static _Noreturn void usage(void) {
	fprintf(stderr, "usage: property [--ops N] [--seed S] [--verbose]\n");
	exit(2);
}

int main(int argc, char **argv) {
	static struct run run;
	int ops = DEFAULT_OPS;
	const char *seed = NULL;
	bool verbose = false;
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--verbose") == 0)
			verbose = true;
		else if (strcmp(argv[i], "--ops") == 0 && i + 1 < argc)
			ops = atoi(argv[++i]);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = argv[++i];
		else
			usage();
	if (ops < 1)
		usage();
	m_new(&run.model, CHANGES_A_RUN);
	m_new(&run.spare, 0);
	backups_new(&run);
	for (uint64_t s = 1; !seed && s <= RUNS; s++)
		run_seed(&run, s, ops, verbose);
	if (seed)
		run_seed(&run, strtoull(seed, NULL, 0), ops, verbose);
	seen_print();
	return seed || ops < DEFAULT_OPS || seen_all() ? 0 : 1;
}
