/* The committer: group commit, the bounded queue, writes inline, stopping, and storage faults. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/requests/lease_query.h"
#include "storage/store/batch.h"
#include "tests/unit/support.h"

static struct fixture f;
static struct hf_committer *committer;
static atomic_int done, commits, failures;
static _Atomic uint64_t committed_revision;
static _Atomic enum hf_err failed_err;

static void on_done(struct hf_write *write) {
	(void)write;
	done++;
}

static void on_committed(void *context, uint64_t revision) {
	(void)context;
	committed_revision = revision;
	commits++;
}

static void on_failed(void *context, enum hf_err err, const struct hf_why *why) {
	(void)context;
	cr_expect_str_not_empty(why->text);
	failed_err = err;
	failures++;
}

static void start(int queue_max) {
	struct hf_committer_options options = {.queue_max = queue_max, .committed = on_committed, .failed = on_failed};
	fixture_open(&f);
	cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
}

static void stop(void) {
	hf_committer_stop(committer);
	hf_committer_free(committer);
	committer = NULL;
}

static void setup(void) { fixture_dir(&f); }

static void teardown(void) {
	if (committer)
		stop();
	fixture_remove(&f);
}

TestSuite(committer, .init = setup, .fini = teardown, .timeout = 600);

static void wait_until(atomic_int *counter, int value) {
	for (int i = 0; *counter < value && i < 600000; i++)
		usleep(1000);
	cr_assert_geq(*counter, value, "%d of %d", *counter, value);
}

/* A write that holds the committing thread until it is let go. */
static atomic_int held, let_go;

static enum hf_err apply_hold(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	(void)batch, (void)write, (void)why;
	held = 1;
	wait_until(&let_go, 1);
	return HF_OK;
}

static struct hf_write hold = {.apply = apply_hold, .done = on_done};

static void hold_committer(void) {
	cr_assert_eq(hf_committer_submit(committer, &hold, NULL), HF_OK);
	wait_until(&held, 1);
}

static struct hf_acquire prepared(const char *service) {
	struct hf_acquire a = acquire_request(identity("east", "default", service), "{}");
	hf_acquire_begin(&a);
	a.write.done = on_done;
	return a;
}

static enum hf_err read_lease(struct hf_identity id, struct hf_lease *ret) {
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	enum hf_err err = hf_lease_get(f.reader, &id, NULL, ret);
	hf_reader_end(f.reader);
	return err;
}

Test(committer, what_is_queued_is_committed_together) {
	static struct hf_acquire writes[100];
	start(0);
	hold_committer();
	for (int i = 0; i < 100; i++) {
		char name[16];
		snprintf(name, sizeof name, "s%d", i);
		writes[i] = prepared(name);
		cr_assert_eq(hf_committer_submit(committer, &writes[i].write, NULL), HF_OK);
	}
	cr_assert_eq(hf_committer_stats(committer)->queued, 100);
	cr_assert_eq(done, 0, "answered before the commit");
	let_go = 1;
	wait_until(&done, 101);
	cr_assert_eq(commits, 1, "%d commits", commits);
	cr_assert_eq(committed_revision, 103);
	cr_assert_eq(hf_committer_stats(committer)->queued, 0);
	for (int i = 0; i < 100; i++) {
		struct hf_lease lease;
		cr_assert_eq(writes[i].write.err, HF_OK);
		cr_assert_eq(writes[i].lease.revision, 4 + (uint64_t)i, "in the order of the queue");
		cr_assert_eq(read_lease(writes[i].want.id, &lease), HF_OK);
		cr_assert_eq(lease.vips[0].n, writes[i].lease.vips[0].n);
	}
}

Test(committer, a_full_queue_is_overloaded_at_once) {
	struct hf_acquire a = prepared("a"), b = prepared("b"), c = prepared("c");
	struct hf_why why = {""};
	start(2);
	hold_committer();
	cr_assert_eq(hf_committer_submit(committer, &a.write, NULL), HF_OK);
	cr_assert_eq(hf_committer_submit(committer, &b.write, NULL), HF_OK);
	cr_assert_eq(hf_committer_submit(committer, &c.write, &why), HF_E_OVERLOADED);
	cr_assert(strstr(why.text, "2 writes are waiting"), "%s", why.text);
	cr_assert_eq(hf_committer_stats(committer)->refused_overloaded, 1);
	let_go = 1;
	wait_until(&done, 3);
	struct hf_lease lease;
	cr_assert_eq(read_lease(c.want.id, &lease), HF_E_NOT_FOUND);
	cr_assert_eq(hf_committer_submit(committer, &c.write, NULL), HF_OK, "there is room again");
	wait_until(&done, 4);
	cr_assert_eq(read_lease(c.want.id, &lease), HF_OK);
}

Test(committer, a_refused_write_does_not_disturb_its_batch) {
	struct hf_acquire a = prepared("a"), refused = prepared("refused"), taken = prepared("taken"), b = prepared("b");
	snprintf(refused.want.pool, sizeof refused.want.pool, "absent");
	taken.want.addresses[taken.want.n_addresses++] = addr("241.0.0.0"); /* which `a` gets in the same batch */
	start(0);
	hold_committer();
	cr_assert_eq(hf_committer_submit(committer, &a.write, NULL), HF_OK);
	cr_assert_eq(hf_committer_submit(committer, &refused.write, NULL), HF_OK);
	cr_assert_eq(hf_committer_submit(committer, &taken.write, NULL), HF_OK);
	cr_assert_eq(hf_committer_submit(committer, &b.write, NULL), HF_OK);
	let_go = 1;
	wait_until(&done, 5);
	cr_assert_eq(a.write.err, HF_OK);
	cr_assert_eq(refused.write.err, HF_E_NO_POOL);
	cr_assert_eq(taken.write.err, HF_E_ADDRESS_TAKEN);
	cr_assert_eq(b.write.err, HF_OK);
	cr_assert_eq(b.lease.revision, a.lease.revision + 1);
	cr_assert_str_eq(vip_text(&b.lease, 0), "241.0.0.1");
	cr_assert_eq(commits, 1);
	cr_assert_eq(failures, 0);
}

Test(committer, a_write_alone_is_committed_inline) {
	int mine, other;
	struct hf_acquire a = prepared("a");
	start(0);
	cr_assert(hf_committer_try(committer, &a.write, &mine));
	cr_assert_eq(a.write.err, HF_OK);
	cr_assert_eq(done, 0, "`done` is for queued writes");
	cr_assert_eq(hf_committer_stats(committer)->inline_batches, 1);
	int refused = 0;
	for (int i = 0; i < 50; i++) {
		struct hf_acquire b = prepared("b"), c = prepared("c");
		cr_assert(!hf_committer_try(committer, &b.write, &mine) || b.write.err == HF_OK);
		refused += !hf_committer_try(committer, &c.write, &other);
	}
	cr_assert_gt(refused, 0, "two sources that take turns are not alone");
	struct hf_acquire d = prepared("d");
	bool tried = false;
	for (int i = 0; !tried && i < 100; i++) { /* upkeep may have its turn just then */
		usleep(30000);
		tried = hf_committer_try(committer, &d.write, &other);
	}
	cr_assert(tried);
}

Test(committer, nothing_is_committed_inline_while_the_committer_is_busy) {
	int source;
	struct hf_acquire a = prepared("a");
	start(0);
	hold_committer();
	cr_assert(!hf_committer_try(committer, &a.write, &source));
	cr_assert(!hf_committer_try(committer, &a.write, &source));
	let_go = 1;
	wait_until(&done, 1);
}

static void *stop_thread(void *context) {
	hf_committer_stop(context);
	return NULL;
}

Test(committer, stop_commits_what_is_queued_and_refuses_the_rest) {
	struct hf_acquire a = prepared("a"), b = prepared("b"), alone = prepared("alone"), late = prepared("late");
	struct hf_lease lease;
	pthread_t thread;
	int source;
	start(0);
	hold_committer();
	cr_assert_eq(hf_committer_submit(committer, &a.write, NULL), HF_OK);
	alone.write.solo = true;
	cr_assert_eq(hf_committer_submit(committer, &alone.write, NULL), HF_OK);
	cr_assert_eq(hf_committer_submit(committer, &b.write, NULL), HF_OK);
	cr_assert_eq(pthread_create(&thread, NULL, stop_thread, committer), 0);
	wait_until(&done, 1); /* the one that is alone was refused: it waits for the held batch */
	let_go = 1;
	pthread_join(thread, NULL);
	cr_assert_eq(done, 4);
	cr_assert_eq(read_lease(a.want.id, &lease), HF_OK);
	cr_assert_eq(read_lease(b.want.id, &lease), HF_OK);
	cr_assert_eq(alone.write.err, HF_E_OVERLOADED, "what commits alone may take long");
	cr_assert_eq(read_lease(alone.want.id, &lease), HF_E_NOT_FOUND);
	cr_assert_eq(hf_committer_submit(committer, &late.write, NULL), HF_E_OVERLOADED);
	cr_assert(!hf_committer_try(committer, &late.write, &source));
	hf_committer_free(committer);
	committer = NULL;
}

#define WRITERS 4
#define WRITES_EACH 60

static void on_answered(struct hf_write *write) { ++*(atomic_int *)write->context; }

static void *write_many(void *context) {
	int writer = (int)(intptr_t)context;
	for (int i = 0; i < WRITES_EACH; i++) {
		char name[32];
		snprintf(name, sizeof name, "w%d-%d", writer, i);
		struct hf_acquire a = prepared(name);
		atomic_int answered = 0;
		a.write.done = on_answered;
		a.write.context = &answered;
		if (!hf_committer_try(committer, &a.write, context)) {
			cr_assert_eq(hf_committer_submit(committer, &a.write, NULL), HF_OK);
			wait_until(&answered, 1);
		}
		cr_assert_eq(a.write.err, HF_OK);
	}
	return NULL;
}

Test(committer, concurrent_writers_all_get_addresses_of_their_own) {
	pthread_t threads[WRITERS];
	struct hf_lease lease;
	start(0);
	for (int i = 0; i < WRITERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, write_many, (void *)(intptr_t)(i + 1)), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	bool seen[WRITERS * WRITES_EACH] = {false};
	for (int w = 1; w <= WRITERS; w++)
		for (int i = 0; i < WRITES_EACH; i++) {
			char name[32];
			snprintf(name, sizeof name, "w%d-%d", w, i);
			cr_assert_eq(read_lease(identity("east", "default", name), &lease), HF_OK);
			hf_u128 at = lease.vips[0].n - addr("241.0.0.0").n;
			cr_assert(at < WRITERS * WRITES_EACH && !seen[at], "%s", name);
			seen[at] = true;
		}
}
