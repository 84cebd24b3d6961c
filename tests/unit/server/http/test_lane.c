/* The lane for long requests: one key's jobs one after the other, other keys' while one waits. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/http/lane.h"
#include "tests/unit/support.h"

static struct fixture f;
static struct hf_lane *lane;

/* A job that waits as often as it is told, and counts what is done with it. */
struct job {
	struct hf_lane_job lane;
	int waits;
	bool ready_at_once; /* before it returns */
	atomic_bool hold;   /* in its first turn, until somebody clears it */
	atomic_int runs, ends;
	int first_turn, last_turn, end_turn;
};

static atomic_int turn, ended, running;

static bool run(struct hf_lane_job *lane_job, struct hf_txn *reader) {
	struct job *job = (struct job *)lane_job;
	cr_expect_eq(++running, 1, "two at once");
	cr_assert_eq(hf_reader_begin(reader, NULL), HF_OK, "the reader has no snapshot yet");
	job->last_turn = ++turn;
	if (job->runs++ == 0)
		job->first_turn = job->last_turn;
	while (job->hold)
		usleep(100);
	hf_reader_end(reader);
	running--;
	if (job->runs > job->waits)
		return true;
	if (job->ready_at_once)
		hf_lane_ready(lane, lane_job);
	return false;
}

static void on_done(struct hf_lane_job *lane_job) {
	struct job *job = (struct job *)lane_job;
	job->end_turn = ++turn;
	job->ends++;
	ended++;
}

static void prepare(struct job *job, const char *key, int waits) {
	memset(job, 0, sizeof *job);
	job->lane = (struct hf_lane_job){.key = key, .run = run, .done = on_done};
	job->waits = waits;
}

static void add(struct job *job) { cr_assert(hf_lane_add(lane, &job->lane)); }

static void wait_until(atomic_int *counter, int value) {
	for (int i = 0; *counter < value && i < 600000; i++)
		usleep(1000);
	cr_assert_geq(*counter, value, "%d of %d", *counter, value);
}

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
	cr_assert_eq(hf_lane_start(f.store, &lane), HF_OK);
}

static void teardown(void) {
	hf_lane_stop(lane);
	hf_lane_free(lane);
	fixture_remove(&f);
}

TestSuite(lane, .init = setup, .fini = teardown, .timeout = 600);

Test(lane, jobs_of_one_key_go_one_after_the_other) {
	static struct job jobs[3];
	static char keys[3][8]; /* equal, but not the same memory */
	for (int i = 0; i < 3; i++) {
		prepare(&jobs[i], strcpy(keys[i], "east"), 1);
		add(&jobs[i]);
	}
	for (int i = 0; i < 3; i++) {
		wait_until(&jobs[i].runs, 1);
		usleep(20000);
		for (int k = i + 1; k < 3; k++)
			cr_expect_eq(jobs[k].runs, 0, "number %d began while %d waited", k, i);
		hf_lane_ready(lane, &jobs[i].lane);
	}
	wait_until(&ended, 3);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(jobs[i].runs, 2);
		cr_expect_eq(jobs[i].ends, 1);
		cr_expect(i == 0 || jobs[i].first_turn > jobs[i - 1].end_turn);
	}
}

Test(lane, others_pass_while_one_waits) {
	static struct job east, behind, west, north;
	prepare(&east, "east", 1);
	prepare(&behind, "east", 0);
	prepare(&west, "west", 0);
	prepare(&north, "east-1", 2);
	north.ready_at_once = true;
	add(&east);
	wait_until(&east.runs, 1);
	add(&behind);
	add(&west);
	add(&north);
	wait_until(&ended, 2);
	cr_expect(west.ends == 1 && north.ends == 1 && north.runs == 3);
	cr_expect(east.ends == 0 && behind.runs == 0);
	hf_lane_ready(lane, &east.lane);
	wait_until(&ended, 4);
	cr_expect_gt(behind.first_turn, east.end_turn);
}

Test(lane, a_job_is_dropped_only_before_it_begins) {
	static struct job running_one, waiting, dropped, after;
	prepare(&waiting, "west", 1);
	prepare(&running_one, "east", 0);
	prepare(&dropped, "east", 0);
	prepare(&after, "east", 0);
	add(&waiting);
	wait_until(&waiting.runs, 1);
	running_one.hold = true;
	add(&running_one);
	wait_until(&running_one.runs, 1);
	add(&dropped);
	add(&after);
	cr_expect(!hf_lane_drop(lane, &running_one.lane), "it runs");
	cr_expect(!hf_lane_drop(lane, &waiting.lane), "it has begun");
	cr_expect(hf_lane_drop(lane, &dropped.lane));
	cr_expect(!hf_lane_drop(lane, &dropped.lane), "it is not there any more");
	running_one.hold = false;
	wait_until(&ended, 2);
	hf_lane_ready(lane, &waiting.lane);
	wait_until(&ended, 3);
	cr_expect(dropped.runs == 0 && dropped.ends == 0);
	cr_expect(running_one.ends == 1 && after.ends == 1 && waiting.ends == 1);
	cr_expect(!hf_lane_drop(lane, &after.lane), "it has ended");
}

Test(lane, made_ready_before_it_returns_is_not_lost) {
	static struct job job;
	prepare(&job, "east", 1000);
	job.ready_at_once = true;
	add(&job);
	wait_until(&ended, 1);
	cr_expect_eq(job.runs, 1001);
	cr_expect_eq(job.ends, 1);
}

/* What has begun goes on before anything new is begun. */
Test(lane, what_is_ready_goes_before_what_is_new) {
	static struct job first, holder, fresh;
	prepare(&first, "east", 1);
	prepare(&holder, "west", 0);
	prepare(&fresh, "north", 0);
	add(&first);
	wait_until(&first.runs, 1);
	holder.hold = true;
	add(&holder);
	wait_until(&holder.runs, 1);
	add(&fresh);
	hf_lane_ready(lane, &first.lane);
	holder.hold = false;
	wait_until(&ended, 3);
	cr_expect_lt(first.last_turn, fresh.first_turn);
}

static atomic_bool stopped;

static void *stop_it(void *context) {
	(void)context;
	hf_lane_stop(lane);
	stopped = true;
	return NULL;
}

/* Until hf_lane_add() refuses; what it still took is waited for by the stop. */
/* A zone that sends sync after sync shuts nobody out: each key has one turn in a round. */
Test(lane, keys_take_turns_however_many_jobs_each_has) {
	static const struct {
		const char *key;
		int n;
	} LINE[] = {{"busy", 6}, {"slow", 1}, {"busy", 3}, {"late", 2}};
	static const int TURNS[] = {0, 1, 6, 10, 2, 11, 3, 4, 5, 7, 8, 9};
	static struct job jobs[12];
	int n = 0;
	for (size_t i = 0; i < sizeof LINE / sizeof *LINE; i++)
		for (int k = 0; k < LINE[i].n; k++)
			prepare(&jobs[n++], LINE[i].key, 0);
	jobs[0].hold = true;
	add(&jobs[0]);
	wait_until(&running, 1);
	for (int i = 1; i < n; i++)
		add(&jobs[i]);
	jobs[0].hold = false;
	wait_until(&ended, n);
	for (int i = 1; i < n; i++)
		cr_expect_lt(jobs[TURNS[i - 1]].first_turn, jobs[TURNS[i]].first_turn, "number %d goes before %d", TURNS[i - 1],
			     TURNS[i]);
}

Test(lane, a_stop_waits_for_the_end_and_refuses_what_comes_later) {
	static struct job waiting, behind, late[10000];
	pthread_t thread;
	int taken = 0;
	prepare(&waiting, "east", 1);
	prepare(&behind, "east", 0);
	add(&waiting);
	add(&behind);
	wait_until(&waiting.runs, 1);
	cr_assert_eq(pthread_create(&thread, NULL, stop_it, NULL), 0);
	for (;; taken++) {
		prepare(&late[taken], "west", 0);
		if (!hf_lane_add(lane, &late[taken].lane))
			break;
		usleep(5000);
		cr_assert_lt(taken, 9999);
	}
	usleep(20000);
	cr_expect(!stopped, "there is one that waits");
	cr_expect_eq(late[taken].runs, 0);
	hf_lane_ready(lane, &waiting.lane);
	pthread_join(thread, NULL);
	cr_expect(waiting.ends == 1 && behind.ends == 1);
	cr_expect_eq(ended, 2 + taken);
	cr_expect_eq(late[taken].ends, 0);
	hf_lane_free(lane);
	lane = NULL; /* which is fine to stop and to free */
}

/* Many threads add and make ready; each job ends once, and those of one key in the order in which they were added. */
#define ADDERS 4
#define JOBS 300

static struct job many[ADDERS][JOBS];
static atomic_int adders_done;

static void *add_many(void *context) {
	int adder = (int)(intptr_t)context;
	static const char *const keys[ADDERS] = {"a", "b", "c", "d"};
	for (int i = 0; i < JOBS; i++) {
		struct job *job = &many[adder][i];
		prepare(job, keys[adder], i % 3);
		job->ready_at_once = i % 2;
		if (!hf_lane_add(lane, &job->lane))
			return NULL;
	}
	adders_done++;
	return NULL;
}

/* Makes ready again and again those that wait without having been made ready. */
static void *ready_many(void *context) {
	int adder = (int)(intptr_t)context;
	for (int i = 0; i < JOBS; i++) {
		struct job *job = &many[adder][i];
		if (i % 2)
			continue;
		for (int run = 1; run <= i % 3; run++) {
			while (adders_done < ADDERS || job->runs < run)
				usleep(50);
			hf_lane_ready(lane, &job->lane);
		}
	}
	return NULL;
}

Test(lane, many_threads) {
	pthread_t threads[2 * ADDERS];
	for (int i = 0; i < 2 * ADDERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, i < ADDERS ? add_many : ready_many, (void *)(intptr_t)(i % ADDERS)),
			     0);
	for (int i = 0; i < 2 * ADDERS; i++)
		pthread_join(threads[i], NULL);
	wait_until(&ended, ADDERS * JOBS);
	for (int adder = 0; adder < ADDERS; adder++)
		for (int i = 0; i < JOBS; i++) {
			struct job *job = &many[adder][i];
			cr_assert(job->ends == 1 && job->runs == job->waits + 1);
			cr_assert(i == 0 || job->first_turn > many[adder][i - 1].end_turn);
		}
}
