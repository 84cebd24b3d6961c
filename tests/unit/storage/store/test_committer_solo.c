/* Solo writes: each commits alone, leaves nothing behind if it is refused, and never stands twice in the way of a shared one. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/store/batch.h"
#include "tests/unit/support.h"

static struct fixture f;
static struct hf_committer *committer;
static atomic_int done, commits, failures, order;

/* A write that notes when its turn came, and in which transaction. */
struct step {
	struct hf_write write;
	atomic_int at; /* its place among all; 0: not yet */
	struct hf_batch *batch;
	atomic_bool hold; /* goes on when somebody clears it */
	enum { OBEY, WRITE, WRITE_AND_REFUSE, WRITE_AND_DISCARD, BREAK, BREAK_AND_REFUSE } what;
	struct hf_acquire acquire;
};

static void on_done(struct hf_write *write) {
	(void)write;
	done++;
}

static void on_committed(void *context, uint64_t revision) {
	(void)context, (void)revision;
	commits++;
}

static void on_failed(void *context, enum hf_err err, const struct hf_why *why) {
	(void)context;
	cr_expect_eq(err, HF_E_CORRUPT);
	cr_expect(strstr(why->text, "made by the test"), "%s", why->text);
	failures++;
}

static void start(int queue_max) {
	struct hf_committer_options options = {.queue_max = queue_max, .committed = on_committed, .failed = on_failed};
	cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
}

static void stop(void) {
	hf_committer_stop(committer);
	hf_committer_free(committer);
	committer = NULL;
}

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
	start(0);
}

static void teardown(void) {
	if (committer)
		stop();
	verify_clean(&f, "at the end");
	fixture_remove(&f);
}

TestSuite(committer_solo, .init = setup, .fini = teardown, .timeout = 600);

static void wait_until(atomic_int *counter, int value) {
	for (int i = 0; *counter < value && i < 600000; i++)
		usleep(1000);
	cr_assert_geq(*counter, value, "%d of %d", *counter, value);
}

/* Writes in every way that a batch has: a lease with its zone and scope, a pool more, a pool less, an address. */
static void write_much(struct hf_batch *batch, struct step *step) {
	struct hf_pool *pool;
	cr_expect_eq(step->acquire.write.apply(batch, &step->acquire.write, NULL), HF_OK);
	if (step->what == WRITE)
		return;
	cr_expect_eq(hf_batch_add_pool(batch, "half-made", &pool), HF_OK);
	hf_batch_drop_pool(batch, hf_batch_pool(batch, "meshexternalservice"));
	hf_batch_count_vip_change(batch, HF_CAUSE_REQUEST);
}

static enum hf_err apply(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	struct step *step = (struct step *)write;
	step->batch = batch;
	step->at = ++order;
	while (step->hold)
		usleep(100);
	if (step->what != OBEY)
		write_much(batch, step);
	if (step->what == BREAK || step->what == BREAK_AND_REFUSE)
		hf_txn_corrupt(hf_batch_txn(batch), HF_LEASES, "made by the test");
	write->discard = step->what == WRITE_AND_DISCARD;
	return step->what == WRITE_AND_REFUSE || step->what == BREAK_AND_REFUSE
		       ? hf_fail(why, HF_E_MASS_RELEASE_GUARD, "refused by the test")
		       : HF_OK;
}

static void prepare(struct step *step, bool solo, int what, const char *service) {
	memset(step, 0, sizeof *step);
	step->write = (struct hf_write){.apply = apply, .done = on_done, .solo = solo};
	step->what = what;
	step->acquire = acquire_request(identity("east", "default", service), "{}");
	hf_acquire_begin(&step->acquire);
}

static void submit(struct step *step) { cr_assert_eq(hf_committer_submit(committer, &step->write, NULL), HF_OK); }

static uint64_t revision(void) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	uint64_t revision = hf_meta_read(f.reader).revision;
	hf_reader_end(f.reader);
	return revision;
}

Test(committer_solo, it_commits_alone) {
	static struct step steps[6];
	for (int i = 0; i < 6; i++) {
		char name[8];
		snprintf(name, sizeof name, "s%d", i);
		prepare(&steps[i], i == 2 || i == 4, WRITE, name);
	}
	steps[0].hold = true;
	submit(&steps[0]);
	wait_until(&steps[0].at, 1);
	for (int i = 1; i < 6; i++)
		submit(&steps[i]);
	cr_expect_eq(hf_committer_stats(committer)->queued, 5, "both queues are counted");
	steps[0].hold = false;
	wait_until(&done, 6);
	cr_expect_eq(commits, 4, "%d commits: the first, the shared ones, two solo ones", commits);
	static const int turns[] = {1, 2, 5, 3, 6, 4};
	for (int i = 0; i < 6; i++) {
		cr_expect_eq(steps[i].at, turns[i], "number %d had turn %d", i, steps[i].at);
		cr_expect_eq(steps[i].write.err, HF_OK);
		cr_expect_eq(steps[i].acquire.lease.revision, 3 + (uint64_t)turns[i]);
	}
	cr_expect_eq(hf_committer_stats(committer)->queued, 0);
	cr_expect_eq(hf_committer_stats(committer)->inline_batches, 0);
}

Test(committer_solo, it_is_never_committed_inline) {
	static struct step step;
	int source;
	prepare(&step, true, WRITE, "a");
	cr_expect(!hf_committer_try(committer, &step.write, &source));
	cr_expect_eq(step.at, 0);
	submit(&step);
	wait_until(&done, 1);
	cr_expect_eq(step.write.err, HF_OK);
}

static const struct {
	const char *name;
	int what;
	enum hf_err err;
	int failures;
} LEAVES_NOTHING[] = {
	{"refused", WRITE_AND_REFUSE, HF_E_MASS_RELEASE_GUARD, 0},
	{"discarded", WRITE_AND_DISCARD, HF_OK, 0},
	{"broken", BREAK, HF_E_CORRUPT, 1},
	{"broken and refused", BREAK_AND_REFUSE, HF_E_CORRUPT, 1},
};

Test(committer_solo, what_is_given_up_leaves_nothing_behind_and_the_next_batch_is_right) {
	for (size_t i = 0; i < sizeof LEAVES_NOTHING / sizeof *LEAVES_NOTHING; i++) {
		static struct step gone, next;
		char name[8], vip[16];
		uint64_t before = revision();
		struct hf_digest was = fixture_digest(&f);
		done = commits = failures = 0;
		prepare(&gone, true, LEAVES_NOTHING[i].what, "gone");
		submit(&gone);
		wait_until(&done, 1);
		cr_expect_eq(gone.write.err, LEAVES_NOTHING[i].err, "%s", LEAVES_NOTHING[i].name);
		cr_expect_eq(failures, LEAVES_NOTHING[i].failures, "%s: %d failures", LEAVES_NOTHING[i].name, failures);
		cr_expect_eq(commits, 0, "%s", LEAVES_NOTHING[i].name);
		struct hf_digest is = fixture_digest(&f);
		cr_expect(hf_digest_equal(&was, &is), "%s: something was written", LEAVES_NOTHING[i].name);
		snprintf(name, sizeof name, "s%zu", i);
		prepare(&next, false, WRITE, name);
		submit(&next);
		wait_until(&done, 2);
		cr_expect_eq(next.write.err, HF_OK, "%s", LEAVES_NOTHING[i].name);
		snprintf(vip, sizeof vip, "241.0.0.%zu", i);
		cr_expect_str_eq(vip_text(&next.acquire.lease, 0), vip, "%s", LEAVES_NOTHING[i].name);
		cr_expect_eq(next.acquire.lease.revision, before + 1, "%s", LEAVES_NOTHING[i].name);
		cr_expect_eq(hf_store_vip_changes(f.store, HF_CAUSE_REQUEST), 0, "%s", LEAVES_NOTHING[i].name);
		verify_clean(&f, LEAVES_NOTHING[i].name);
	}
	cr_expect_eq(done, 2);
	stop();
	fixture_close(&f);
	fixture_open(&f);
	cr_expect_eq(revision(), 3 + sizeof LEAVES_NOTHING / sizeof *LEAVES_NOTHING);
}

/* While one solo write goes on, what is shared is queued; it goes before the next solo one, and what comes later behind it. */
Test(committer_solo, what_is_queued_when_one_ends_goes_before_the_next) {
	static struct step first, second, third, a, b, c;
	prepare(&first, true, WRITE, "first");
	prepare(&second, true, WRITE_AND_REFUSE, "second");
	prepare(&third, true, WRITE, "third");
	prepare(&a, false, WRITE, "a");
	prepare(&b, false, WRITE, "b");
	prepare(&c, false, WRITE, "c");
	first.hold = a.hold = second.hold = true;
	submit(&first);
	wait_until(&first.at, 1);
	submit(&second);
	submit(&third);
	submit(&a);
	first.hold = false;
	wait_until(&a.at, 1);
	submit(&b); /* after `first` had ended: behind `second`, but before `third` */
	a.hold = false;
	wait_until(&second.at, 1);
	submit(&c);
	second.hold = false;
	wait_until(&done, 6);
	const struct step *turns[] = {&first, &a, &second, &b, &c, &third};
	for (int i = 0; i < 6; i++)
		cr_expect_eq(turns[i]->at, i + 1, "%s had turn %d", turns[i]->acquire.want.id.service, turns[i]->at);
	cr_expect_eq(commits, 4, "%d commits", commits);
}

/* More than one batch takes. */
Test(committer_solo, however_many_were_queued_all_go_before_the_next) {
	static struct step first, second, many[1500];
	prepare(&first, true, OBEY, "first");
	prepare(&second, true, OBEY, "second");
	first.hold = true;
	submit(&first);
	wait_until(&first.at, 1);
	submit(&second);
	for (int i = 0; i < 1500; i++) {
		prepare(&many[i], false, OBEY, "s");
		submit(&many[i]);
	}
	first.hold = false;
	wait_until(&done, 1502);
	cr_expect_eq(second.at, 1502, "it had turn %d", second.at);
	for (int i = 0; i < 1500; i++)
		cr_expect_eq(many[i].at, i + 2);
}

Test(committer_solo, both_kinds_share_the_queues_bound) {
	static struct step first, solo, shared, late;
	struct hf_why why = {""};
	stop();
	start(2);
	prepare(&first, true, OBEY, "first");
	prepare(&solo, true, WRITE, "solo");
	prepare(&shared, false, WRITE, "shared");
	prepare(&late, true, WRITE, "late");
	first.hold = true;
	submit(&first);
	wait_until(&first.at, 1);
	submit(&solo);
	submit(&shared);
	cr_expect_eq(hf_committer_submit(committer, &late.write, &why), HF_E_OVERLOADED);
	first.hold = false;
	wait_until(&done, 3);
	cr_expect_eq(late.at, 0);
	submit(&late);
	wait_until(&done, 4);
}

/* A solo one that waits may take long: it is refused, unless its turn came before the stop. */
Test(committer_solo, a_stop_ends_all_that_is_queued) {
	static struct step steps[20];
	for (int i = 0; i < 20; i++) {
		char name[8];
		snprintf(name, sizeof name, "s%d", i);
		prepare(&steps[i], i % 3 == 0, WRITE, name);
	}
	steps[0].hold = true;
	submit(&steps[0]);
	wait_until(&steps[0].at, 1);
	for (int i = 1; i < 20; i++)
		submit(&steps[i]);
	steps[0].hold = false;
	hf_committer_stop(committer);
	cr_expect_eq(done, 20);
	uint64_t written = 0;
	for (int i = 0; i < 20; i++) {
		enum hf_err err = steps[i].write.err;
		cr_expect(err == HF_OK || (err == HF_E_OVERLOADED && i > 0 && i % 3 == 0), "%d: %s", i, hf_err_slug(err));
		written += err == HF_OK;
	}
	hf_committer_free(committer);
	committer = NULL;
	cr_expect_eq(revision(), 3 + written);
}
