/* property.c — random operations on a store and on a naive model of the design, which must agree after each.
 *
 * property [--ops N] [--seed S] [--verbose]
 *
 * Without a seed, one run for each of RUNS seeds. A run prints its seed when it starts; the same seed and number of operations
 * replay it exactly. A difference prints seed, operation and what differs, and ends the program with status 1.
 *
 *	model.h    the design once more, naively        random.h   what is done next
 *	check.h    store against model                  words.h    saying what was done
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "check.h"
#include "storage/expiry.h"
#include "storage/feed.h"
#include "storage/upkeep.h"
#include "storage/zone_rules.h"
#include "words.h"

#define RUNS 10
#define DEFAULT_OPS 25000
#define CHECK_ALL_EVERY 50
#define BATCH_MAX 8
#define CHANGES_A_RUN 2000000
#define UPKEEP_BUDGET 1000

static const struct profile PROFILES[] = {
	/* clang-format off */
	/* name       ids acq rel prg put del tim upk bat abo rea rare v6 hsh opt changes age */
	{"mixed",      120, 42, 18, 3,  3,  1,  8,  2,  6,  2, 12,  10, 40, 40, 10,   400,  7 * 86400000LL},
	{"exhaustion", 160, 50, 14, 2,  2,  1, 10,  1,  5,  2, 10,   4, 30, 30,  6,   150, 900 * 86400000LL},
	{"pool edits", 100, 34, 14, 4, 16,  5,  8,  2,  6,  3,  8,  20, 50, 40,  8,  2000,  7 * 86400000LL},
	{"churn",       60, 34, 26, 8,  2,  1, 12,  4,  6,  2,  6,  30, 50, 20,  8,   300,  600000},
	{"options",    100, 44, 18, 3,  3,  1,  8,  2,  6,  2, 10,  30, 50, 50, 40, 20000,  0},
	/* clang-format on */
};

struct op {
	enum { ACQUIRE, RELEASE, POOL_PUT, POOL_DELETE } verb;
	union {
		struct hf_write write;
		struct hf_acquire acquire;
		struct hf_release release;
		struct hf_pool_put put;
		struct hf_pool_delete del;
	};
};

/* Whether two sort and judge a configuration alike; only a valid one becomes a request. */
static bool check_config(struct run *run, struct hf_pool_put *put) {
	static struct hf_pool_config is, expected;
	is = expected = put->config;
	enum hf_err err = hf_pool_config_check(&is, NULL);
	c_err(run, "configuration", err, m_pool_config(&expected));
	if (!err && !hf_pool_config_equal(&is, &expected))
		c_fail(run, "the checked configuration has other ranges");
	put->config = is;
	return err == HF_OK;
}

/* Makes a random write and puts it in words. False: it was refused before it became one. */
static bool random_write(struct run *run, struct op *op) {
	struct world *w = &run->world;
	const struct profile *p = w->profile;
	int at = w_below(w, p->acquire + p->release + p->purge + p->pool_put + p->pool_delete);
	if ((at -= p->acquire) < 0) {
		op->verb = ACQUIRE;
		w_acquire(w, &run->model, &op->acquire);
		say_acquire(run, &op->acquire);
	} else if ((at -= p->release + p->purge) < 0) {
		op->verb = RELEASE;
		w_release(w, &run->model, at + p->purge >= 0, &op->release);
		say_release(run, &op->release);
	} else if ((at -= p->pool_put) < 0) {
		op->verb = POOL_PUT;
		w_pool_put(w, &run->model, &op->put);
		say_put(run, &op->put);
		return check_config(run, &op->put);
	} else {
		op->verb = POOL_DELETE;
		op->del = (struct hf_pool_delete){.write = {.apply = NULL}};
		strcpy(op->del.name, M_POOL_NAMES[w_below(w, M_POOLS)]);
		hf_pool_delete_begin(&op->del);
		say(run, "delete pool %s", op->del.name);
	}
	return true;
}

/* What the writes of all runs were answered: a run that never meets a refusal does not test it. */
static uint64_t seen_errors[HF_E_CORRUPT + 1], seen_outcomes[HF_OUTCOMES], seen_expired;

static void print_seen(void) {
	for (int i = 0; i < HF_OUTCOMES; i++)
		printf("%s %" PRIu64 ", ", hf_outcome_name((enum hf_outcome)i), seen_outcomes[i]);
	for (int i = HF_OK + 1; i <= HF_E_CORRUPT; i++)
		if (seen_errors[i])
			printf("%s %" PRIu64 ", ", hf_err_slug((enum hf_err)i), seen_errors[i]);
	printf("deadlines %" PRIu64 "\n", seen_expired);
}

/* Applies a write to both. Returns whether the model wrote. */
static bool apply(struct run *run, struct hf_batch *batch, struct op *op) {
	struct model *m = &run->model;
	struct m_answer expected;
	int outcome = 0;
	switch (op->verb) {
	case ACQUIRE:
		expected = m_acquire(m, &op->acquire, true);
		break;
	case RELEASE:
		expected = m_release(m, &op->release, true);
		break;
	case POOL_PUT:
		expected = m_pool_put(m, &op->put, &outcome);
		break;
	default:
		expected = m_pool_delete(m, &op->del);
	}
	op->write.err = op->write.apply(batch, &op->write, &op->write.why);
	if (op->write.err != expected.err)
		c_fail(run, "the answer is %s (%s), expected %s", hf_err_slug(op->write.err), op->write.why.text,
		       hf_err_slug(expected.err));
	seen_errors[expected.err]++;
	if (expected.err)
		return false;
	if (op->verb == ACQUIRE)
		seen_outcomes[expected.outcome]++;
	if (op->verb == ACQUIRE && op->acquire.outcome != expected.outcome)
		c_fail(run, "the outcome is %s, expected %s", hf_outcome_name(op->acquire.outcome),
		       hf_outcome_name(expected.outcome));
	if (op->verb == ACQUIRE)
		c_lease(run, "acquired", &op->acquire.lease, m_find_identity(m, &op->acquire.id), &expected.lease);
	if (op->verb == RELEASE)
		c_lease(run, "released", &op->release.lease, m_find_identity(m, &op->release.id), &expected.lease);
	if (op->verb == POOL_PUT && (int)op->put.outcome != outcome)
		c_fail(run, "the outcome is %d, expected %d", (int)op->put.outcome, outcome);
	if (op->verb == POOL_PUT)
		c_pool(run, &op->put.pool);
	return expected.writes;
}

/* The compaction of the feed is free to be late, within bounds; what it has dropped it must have been allowed to. */
static void check_compaction(struct run *run, uint64_t compacted) {
	struct model *m = &run->model;
	const struct hf_store_options *options = &run->f.options;
	if (compacted < m->compacted || compacted > m->revision)
		c_fail(run, "compacted up to %" PRIu64 ", after %" PRIu64, compacted, m->compacted);
	for (uint64_t r = m->compacted + 1; r <= compacted; r++)
		if (m->revision - r < options->changes_max && m->changes[r].at_ms + options->changes_age_ms > run->f.now_ms)
			c_fail(run, "revision %" PRIu64 " is gone from the feed, but neither old nor one too many", r);
	if (m->revision - compacted > options->changes_max)
		c_fail(run, "the feed keeps %" PRIu64 " changes", m->revision - compacted);
	m->compacted = compacted;
}

static void check_meta(struct run *run) {
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	struct hf_meta meta = hf_meta_read(run->f.reader);
	if (meta.revision != run->model.revision)
		c_fail(run, "the store's revision is %" PRIu64 ", expected %" PRIu64, meta.revision, run->model.revision);
	check_compaction(run, meta.compacted);
	if (hf_txn_count(run->f.reader, HF_CHANGES) != meta.revision - meta.compacted)
		c_fail(run, "the feed has gaps");
	hf_reader_end(run->f.reader);
}

/* The file's time of change: set into the past before an operation, so that any write to it shows. */
static struct stat file_stat(struct run *run, bool age) {
	static const struct timespec past[2] = {{1, 0}, {1, 0}};
	char path[160];
	struct stat st;
	snprintf(path, sizeof path, "%s/data.mdb", run->f.dir);
	if ((age && utimensat(AT_FDCWD, path, past, 0) != 0) || stat(path, &st) != 0)
		c_fail(run, "%s cannot be looked at", path);
	return st;
}

/* Applies writes in one batch to both, and commits or aborts it. */
static void write_all(struct run *run, struct op *ops, int n, bool commits) {
	struct hf_batch *batch;
	struct hf_why why = {""};
	struct stat before = file_stat(run, true);
	if (!commits)
		m_copy(&run->spare, &run->model);
	c_err(run, "begin", hf_upkeep_begin(run->f.store, NULL, &batch), HF_OK);
	int expired = m_begin(&run->model, run->f.now_ms, M_SWEEP);
	bool writes = expired > 0;
	seen_expired += (uint64_t)expired;
	for (int i = 0; i < n; i++)
		writes |= apply(run, batch, &ops[i]);
	if (commits) {
		enum hf_err err = hf_upkeep_commit(batch, &why);
		if (err)
			c_fail(run, "commit: %s", why.text);
	} else {
		hf_batch_abort(batch);
		m_copy(&run->model, &run->spare);
	}
	struct stat after = file_stat(run, false);
	bool wrote = after.st_mtime != before.st_mtime || after.st_size != before.st_size;
	if (wrote != (writes && commits))
		c_fail(run, "the file was %s", wrote ? "written, though nothing changed" : "not written");
	check_meta(run);
}

/* A request is looked at on a reader first, as a server does; often that settles it. */
static bool peek(struct run *run, struct op *op) {
	struct m_answer expected;
	enum hf_peek is = HF_PEEK_DONE;
	enum hf_err err;
	bool unread = op->verb == ACQUIRE && op->acquire.has_config && w_chance(&run->world, 50);
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	if (op->verb == ACQUIRE) {
		op->acquire.has_fingerprint = op->acquire.has_config && !unread;
		expected = m_acquire(&run->model, &op->acquire, false);
		err = hf_acquire_peek(run->f.reader, &op->acquire, NULL, &is);
	} else {
		expected = m_release(&run->model, &op->release, false);
		err = hf_release_peek(run->f.reader, &op->release, NULL, &is);
	}
	hf_reader_end(run->f.reader);
	c_err(run, "peek", err, expected.err);
	if (!err && is != expected.peek)
		c_fail(run, "peek answers %d, expected %d", (int)is, (int)expected.peek);
	if (!err && is == HF_PEEK_DONE && op->verb == ACQUIRE) {
		if (op->acquire.outcome != HF_UNCHANGED)
			c_fail(run, "peek is done with %s", hf_outcome_name(op->acquire.outcome));
		c_lease(run, "peek", &op->acquire.lease, m_find_identity(&run->model, &op->acquire.id), &expected.lease);
	}
	if (!err && is == HF_PEEK_DONE && op->verb == RELEASE)
		c_lease(run, "peek", &op->release.lease, m_find_identity(&run->model, &op->release.id), &expected.lease);
	if (op->verb == ACQUIRE)
		op->acquire.has_fingerprint = op->acquire.has_config;
	return err || is == HF_PEEK_DONE;
}

static struct op OPS[BATCH_MAX];

static void do_write(struct run *run) {
	if (!random_write(run, &OPS[0]))
		return;
	bool lease = OPS[0].verb == ACQUIRE || OPS[0].verb == RELEASE;
	if (lease && w_chance(&run->world, 70) && peek(run, &OPS[0]) && w_chance(&run->world, 70))
		return;
	write_all(run, OPS, 1, true);
}

static void do_batch(struct run *run, bool commits) {
	int n = 0, wanted = 1 + w_below(&run->world, BATCH_MAX);
	say(run, commits ? "batch: " : "aborted batch: ");
	for (int i = 0; i < wanted; i++, say(run, "; "))
		n += random_write(run, &OPS[n]);
	write_all(run, OPS, n, commits);
}

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
	hf_feed_compact(batch, UPKEEP_BUDGET);
	c_err(run, "commit", hf_upkeep_commit(batch, NULL), HF_OK);
	m_begin(m, run->f.now_ms, M_SWEEP);
	m_begin(m, run->f.now_ms, UPKEEP_BUDGET);
	check_meta(run);
	bool more =
		m->compacted < m->revision && m->changes[m->compacted + 1].at_ms + run->f.options.changes_age_ms <= run->f.now_ms;
	if (more && m->compacted - before < UPKEEP_BUDGET)
		c_fail(run, "revision %" PRIu64 " is too old for the feed", m->compacted + 1);
}

static void do_reopen(struct run *run) {
	say(run, "reopen");
	fixture_close(&run->f);
	fixture_open(&run->f);
	check_meta(run);
	c_all(run);
}

/* A zone's control plane connects: a record with the next epoch, changed long ago, so that no quarantine is held. */
static void do_connect(struct run *run) {
	struct model *m = &run->model;
	uint8_t record[HF_ZONE_RECORD_MAX];
	struct hf_batch *batch;
	int z = w_below(&run->world, M_ZONES);
	if (strcmp(m->zones[z], HF_ZONE_GLOBAL) == 0)
		return;
	struct hf_zone zone = {.state = HF_ZONE_ONLINE,
			       .epoch = m->epochs[z] + 1,
			       .reconnects = m->epochs[z],
			       .store_epoch = 1,
			       .n_instances = 1,
			       .instances = {"cp"}};
	say(run, "zone %s connects", m->zones[z]);
	c_err(run, "begin", hf_upkeep_begin(run->f.store, NULL, &batch), HF_OK);
	m_begin(m, run->f.now_ms, M_SWEEP);
	hf_txn_put(hf_batch_txn(batch), HF_ZONES, (struct hf_slice){m->zones[z], strlen(m->zones[z])},
		   hf_zone_encode(&zone, record));
	c_err(run, "commit", hf_upkeep_commit(batch, NULL), HF_OK);
	m->epochs[z]++;
	m->zone_seen[z] = true;
	check_meta(run);
}

static void do_read(struct run *run) {
	say(run, "read");
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	c_random_read(run);
	hf_reader_end(run->f.reader);
}

static void do_rare(struct run *run, int which) {
	if (which == 0)
		do_reopen(run);
	else if (which == 1)
		do_connect(run);
	else
		run->f.now_ms += 91 * (int64_t)86400000;
	if (which == 2)
		say(run, "91 days pass");
}

static void do_one(struct run *run) {
	struct world *w = &run->world;
	const struct profile *p = w->profile;
	int writes = p->acquire + p->release + p->purge + p->pool_put + p->pool_delete;
	int at = w_below(w, writes + p->time + p->upkeep + p->batch + p->abort + p->read), rare = w_below(w, 10000);
	run->text[0] = '\0';
	if (rare < 3 * p->rare)
		do_rare(run, rare / p->rare);
	else if ((at -= writes) < 0)
		do_write(run);
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
	memcpy(m->zones, W_ZONES, sizeof m->zones);
	for (int p = 0; p < HF_KINDS; p++) {
		static struct hf_pool_put put;
		hf_u128 first = (hf_u128)0xffff << 32 | (hf_u128)(241 + p) << 24;
		int outcome;
		memset(&put, 0, sizeof put);
		put.config = (struct hf_pool_config){.strategy = HF_SEQUENTIAL, .quarantine_seconds = 3600, .n_cidrs = 1};
		put.config.cidrs[0] = (struct hf_range){{first}, {first + 0xffffff}};
		put.config.kinds = 2u << p;
		strcpy(put.name, M_POOL_NAMES[p]);
		if (m_pool_put(m, &put, &outcome).err)
			c_fail(run, "the model refuses the default pools");
		m->changes[m->revision].cause = HF_CAUSE_START;
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
	fixture_dir(&run->f);
	run->f.options.changes_max = profile->changes_max;
	run->f.options.changes_age_ms = profile->changes_age_ms ? profile->changes_age_ms : INT64_MAX / 2;
	fixture_open(&run->f);
	begin_model(run);
	for (run->op = 1; run->op <= ops; run->op++) {
		do_one(run);
		if (run->op % CHECK_ALL_EVERY == 0)
			c_all(run);
	}
	c_all(run);
	fixture_remove(&run->f);
	clock_gettime(CLOCK_MONOTONIC, &end);
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
	for (uint64_t s = 1; !seed && s <= RUNS; s++)
		run_seed(&run, s, ops, verbose);
	if (seed)
		run_seed(&run, strtoull(seed, NULL, 0), ops, verbose);
	print_seen();
	return 0;
}
