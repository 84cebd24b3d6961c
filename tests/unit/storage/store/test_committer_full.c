/* A store that is full: the batch fails as a whole, reads go on, and nothing that was acknowledged is lost. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/requests/lease_query.h"
#include "storage/store/upkeep.h"
#include "tests/unit/support.h"

#define BATCH 20
#define LEASES_MAX 4000

static struct fixture f;
static struct hf_lease kept[LEASES_MAX];
static int n_kept;
static atomic_int done, failures;

static void setup(void) {
	fixture_dir(&f);
	f.options.map_size_bytes = 512 << 10;
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(committer_full, .init = setup, .fini = teardown, .timeout = 600);

static void on_done(struct hf_write *write) {
	(void)write;
	done++;
}

static void on_failed(void *context, enum hf_err err, const struct hf_why *why) {
	(void)context;
	cr_expect_eq(err, HF_E_STORAGE_FULL);
	cr_expect(strstr(why->text, "MDB_MAP_FULL"), "%s", why->text);
	failures++;
}

static struct hf_identity service(int i) {
	char name[16];
	snprintf(name, sizeof name, "s%d", i);
	return identity("east", "default", name);
}

/* Holds the batch open until the whole round is queued, so that the round is the next batch. */
static atomic_int held, queued;

static enum hf_err apply_hold(struct hf_batch *batch, struct hf_write *write, struct hf_why *why) {
	(void)batch, (void)write, (void)why;
	for (held = 1; !queued;)
		usleep(100);
	return HF_OK;
}

/* Writes BATCH leases in one batch; HF_OK, or the one error that all of them have. */
static enum hf_err write_round(struct hf_committer *committer, int from) {
	static struct hf_acquire writes[BATCH];
	struct hf_write hold = {.apply = apply_hold, .done = on_done};
	done = held = queued = 0;
	cr_assert_eq(hf_committer_submit(committer, &hold, NULL), HF_OK);
	while (!held)
		usleep(100);
	for (int i = 0; i < BATCH; i++) {
		writes[i] = acquire_request(service(from + i), "{}");
		hf_acquire_begin(&writes[i]);
		writes[i].write.done = on_done;
		cr_assert_eq(hf_committer_submit(committer, &writes[i].write, NULL), HF_OK);
	}
	for (queued = 1; done < BATCH + 1;)
		usleep(100);
	for (int i = 0; i < BATCH; i++) {
		cr_assert_eq(writes[i].write.err, writes[0].write.err, "the batch is not of one mind");
		if (writes[i].write.err == HF_OK)
			kept[n_kept++] = writes[i].lease;
	}
	return writes[0].write.err;
}

static void count_lease(void *context, const struct hf_lease *lease) {
	(void)lease;
	++*(int *)context;
}

/* Every acknowledged lease is there as it was answered, and no other. */
static void check_kept(const char *when) {
	struct hf_filter all = {0};
	struct hf_list_page page;
	struct hf_lease lease;
	int n = 0;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	for (int i = 0; i < n_kept; i++) {
		cr_assert_eq(hf_lease_get(f.reader, &kept[i].id, NULL, &lease), HF_OK, "%s: %s is lost", when, kept[i].id.service);
		cr_assert_eq(lease.vips[0].n, kept[i].vips[0].n, "%s", when);
		cr_assert_eq(lease.revision, kept[i].revision, "%s", when);
	}
	cr_assert_eq(hf_lease_list(f.reader, &all, NULL, LEASES_MAX + 1, count_lease, &n, NULL, &page), HF_OK);
	cr_assert_eq(n, n_kept, "%s: %d leases, %d were acknowledged", when, n, n_kept);
	cr_assert_eq(page.revision, 3 + (uint64_t)n_kept, "%s", when);
	hf_reader_end(f.reader);
}

Test(committer_full, a_full_store_fails_the_whole_batch_and_keeps_what_was_acknowledged) {
	struct hf_committer_options options = {.failed = on_failed};
	struct hf_committer *committer;
	enum hf_err err = HF_OK;
	int next = 0;
	cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
	for (; !err && next + BATCH <= LEASES_MAX; next += BATCH)
		err = write_round(committer, next);
	cr_assert_eq(err, HF_E_STORAGE_FULL);
	cr_assert_eq(failures, 1);
	cr_assert_gt(n_kept, 100);
	check_kept("after the fault");
	struct hf_acquire again = acquire_request(kept[0].id, "{}");
	enum hf_peek peek;
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	cr_assert_eq(hf_acquire_peek(f.reader, &again, NULL, &peek), HF_OK, "an unchanged acquire still works");
	cr_assert_eq(peek, HF_PEEK_DONE);
	hf_reader_end(f.reader);
	cr_assert_eq(write_round(committer, next), HF_E_STORAGE_FULL, "and the next batch fails as well");
	check_kept("after the second fault");
	hf_committer_stop(committer);
	hf_committer_free(committer);
	fixture_close(&f);
	fixture_open(&f);
	check_kept("reopened");
}

Test(committer_full, a_larger_map_makes_a_full_store_writable_again) {
	struct hf_committer_options options = {.failed = on_failed};
	struct hf_committer *committer;
	int next = 0;
	cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
	for (; next + BATCH <= LEASES_MAX && write_round(committer, next) == HF_OK;)
		next += BATCH;
	hf_committer_stop(committer);
	hf_committer_free(committer);
	fixture_close(&f);
	f.options.map_size_bytes = 64 << 20;
	fixture_open(&f);
	cr_assert_eq(hf_committer_start(f.store, &options, NULL, &committer), HF_OK);
	cr_assert_eq(write_round(committer, next), HF_OK);
	cr_assert_eq(kept[n_kept - 1].vips[0].n, addr("241.0.0.0").n + (unsigned)n_kept - 1, "the failed batch left no trace");
	check_kept("in a larger map");
	hf_committer_stop(committer);
	hf_committer_free(committer);
}

Test(committer_full, the_writers_copies_are_as_before_the_failed_batch) {
	struct hf_batch *batch;
	struct hf_pool *pool;
	struct hf_acquire a = acquire_request(service(0), "{}"), b = acquire_request(service(1), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	hf_acquire_begin(&b);
	cr_assert_eq(b.write.apply(batch, &b.write, NULL), HF_OK);
	cr_assert_eq(hf_batch_add_pool(batch, "half-made", &pool), HF_OK);
	hf_batch_drop_pool(batch, hf_batch_pool(batch, "meshexternalservice"));
	hf_txn_corrupt(hf_batch_txn(batch), HF_LEASES, "a fault made by the test");
	struct hf_why why = {""};
	cr_assert_eq(hf_upkeep_commit(batch, &why), HF_E_CORRUPT);
	cr_assert(strstr(why.text, "a fault made by the test"));
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	cr_assert_null(hf_batch_pool(batch, "half-made"));
	cr_assert_not_null(hf_batch_pool(batch, "meshexternalservice"));
	cr_assert_eq(hf_batch_pool(batch, "meshservice")->active, 1);
	cr_assert_eq(hf_batch_pool(batch, "meshservice")->count[HF_IPV4].cursor.n, addr("241.0.0.1").n);
	cr_assert_eq(hf_batch_meta(batch)->revision, 4);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
	cr_assert_eq(acquire(&f, &b), HF_OK);
	cr_assert_str_eq(vip_text(&b.lease, 0), "241.0.0.1");
}
