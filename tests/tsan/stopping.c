/* stopping.c — a committer that is stopped while writes are queued: each is answered once, and by what happened. */
#include <pthread.h>
#include <time.h>

#include "arena.h"
#include "storage/requests/lease_query.h"

#define ROUNDS 12
#define THREADS 4
#define WRITES 150 /* of one thread and round */
#define QUEUE_MAX 16

struct attempt {
	struct hf_acquire request;
	_Atomic int answers;
	bool made;
};

struct submitter {
	struct asker base;
	int round;
	struct attempt attempts[WRITES];
};

static void on_answer(struct hf_write *write) { ((struct attempt *)write->context)->answers++; }

static struct hf_identity attempt_identity(int round, int thread, int i) {
	char service[48];
	snprintf(service, sizeof service, "round-%d-%d-%d", round, thread, i);
	return identity("stopping", "default", service);
}

static void attempt(struct submitter *s, int i) {
	struct attempt *at = &s->attempts[i];
	struct hf_committer *committer = s->base.arena->committer;
	*at = (struct attempt){.made = true, .request = acquire_request(attempt_identity(s->round, s->base.number, i), "x")};
	struct hf_write *write = &at->request.write;
	hf_acquire_begin(&at->request);
	if (asker_draw(&s->base, 3) == 0 && hf_committer_try(committer, write, s)) {
		at->answers++;
		return;
	}
	struct hf_why why;
	write->context = at;
	write->done = on_answer;
	enum hf_err err = hf_committer_submit(committer, write, &why);
	if (err) {
		write->err = err;
		at->answers++;
	}
}

static void *submitter_run(void *context) {
	struct submitter *s = context;
	for (int i = 0; i < WRITES; i++) {
		attempt(s, i);
		if (asker_draw(&s->base, 8) == 0)
			nanosleep(&(struct timespec){0, 200000}, NULL);
	}
	return NULL;
}

/* After the stop everything is answered: OK is there, overloaded is not. Returns how many were OK. */
static int check_attempts(struct submitter *s) {
	int n = 0;
	REQUIRE(hf_reader_begin(s->base.reader, NULL) == HF_OK, "reader");
	for (int i = 0; i < WRITES; i++) {
		struct attempt *at = &s->attempts[i];
		struct hf_lease lease;
		REQUIRE(at->made && at->answers == 1, "write %d of thread %d was answered %d times", i, s->base.number,
			at->answers);
		enum hf_err err = at->request.write.err, found = hf_lease_get(s->base.reader, &at->request.want.id, NULL, &lease);
		REQUIRE(err == HF_OK || err == HF_E_OVERLOADED, "%s", hf_err_slug(err));
		REQUIRE(found == (err ? HF_E_NOT_FOUND : HF_OK), "%s was answered, but it is %s", hf_err_slug(err),
			hf_err_slug(found));
		REQUIRE(err || lease.vips[0].n == at->request.lease.vips[0].n, "another VIP than was answered");
		n += !err;
	}
	hf_reader_end(s->base.reader);
	return n;
}

static int stop_once(struct arena *arena, struct submitter *submitters, int round) {
	struct hf_committer_options options = {.queue_max = QUEUE_MAX};
	pthread_t threads[THREADS];
	int n = 0;
	REQUIRE(hf_committer_start(arena->f.store, &options, NULL, &arena->committer) == HF_OK, "committer");
	for (int i = 0; i < THREADS; i++) {
		submitters[i].round = round;
		asker_begin(&submitters[i].base, arena, i);
		submitters[i].base.random += (unsigned)round;
		REQUIRE(pthread_create(&threads[i], NULL, submitter_run, &submitters[i]) == 0, "thread");
	}
	nanosleep(&(struct timespec){0, 1000000 * round}, NULL);
	hf_committer_stop(arena->committer);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	hf_committer_free(arena->committer);
	for (int i = 0; i < THREADS; i++) {
		n += check_attempts(&submitters[i]);
		asker_end(&submitters[i].base);
	}
	return n;
}

void stop_while_writing(struct arena *arena) {
	struct submitter *submitters = calloc(THREADS, sizeof *submitters);
	int n = 0;
	REQUIRE(submitters, "out of memory");
	for (int round = 0; round < ROUNDS; round++)
		n += stop_once(arena, submitters, round);
	free(submitters);
	printf("stopping: %d of %d writes were carried out\n", n, ROUNDS * THREADS * WRITES);
}
