/* writers.c — threads that write, each to leases of its own, so that it knows what every answer must be. */
#include <string.h>
#include <time.h>

#include "arena.h"

#define BURST 8

void asker_begin(struct asker *a, struct arena *arena, int number) {
	*a = (struct asker){.arena = arena, .number = number, .random = (unsigned)number * 7919 + 1};
	sem_init(&a->answered, 0, 0);
	REQUIRE(hf_reader_open(arena->f.store, NULL, &a->reader) == HF_OK, "asker %d", number);
}

void asker_end(struct asker *a) {
	hf_reader_close(a->reader);
	sem_destroy(&a->answered);
}

int asker_draw(struct asker *a, int n) { return rand_r(&a->random) % n; }

void asker_pause(struct asker *a) { nanosleep(&(struct timespec){0, asker_draw(a, 2000000)}, NULL); }

static void wait_for(sem_t *answered) {
	while (sem_wait(answered) != 0)
		continue;
}

static void on_done(struct hf_write *write) { sem_post(write->context); }

enum hf_err asker_commit(struct asker *a, struct hf_write *write) {
	struct hf_why why;
	if (hf_committer_try(a->arena->committer, write, a))
		return write->err;
	write->context = &a->answered;
	write->done = on_done;
	enum hf_err err = hf_committer_submit(a->arena->committer, write, &why);
	if (err)
		return err;
	wait_for(&a->answered);
	return write->err;
}

struct hf_identity writer_identity(int writer, int name) {
	char zone[16], service[32];
	snprintf(zone, sizeof zone, "writer-%d", writer);
	snprintf(service, sizeof service, "service-%d", name);
	return identity(zone, "default", service);
}

static const char *config_text(int config) { return config == 0 ? "one" : config == 1 ? "two" : "three"; }

/* What the outcome must be, from what the writer knows. */
static void check_acquired(struct writer *w, int name, int config, const struct hf_acquire *got, bool written) {
	struct known *known = &w->known[name];
	bool same_vip = got->lease.vips[0].n == known->vip.n;
	if (known->state == ACTIVE) {
		bool same = known->config == config;
		REQUIRE(got->outcome == (same ? HF_UNCHANGED : HF_UPDATED), "service %d: %d", name, got->outcome);
		REQUIRE(written != same, "service %d", name);
		REQUIRE(same_vip && got->lease.generation == known->generation + !same, "service %d", name);
	} else if (known->state == RELEASED && got->outcome == HF_RESTORED) {
		REQUIRE(same_vip, "service %d", name);
	} else {
		/* Gone; restored if it went by the end of a quarantine, and its address is remembered. */
		REQUIRE((got->outcome == HF_CREATED || got->outcome == HF_RESTORED) && got->lease.generation == 1, "service %d: %d",
			name, got->outcome);
	}
	*known = (struct known){ACTIVE, got->lease.vips[0], config, got->lease.generation};
}

static void acquire_one(struct writer *w, int name, int config) {
	struct hf_acquire request = acquire_request(writer_identity(w->base.number, name), config_text(config));
	struct hf_why why = {""};
	enum hf_peek peek;
	REQUIRE(hf_reader_begin(w->base.reader, NULL) == HF_OK, "reader");
	REQUIRE(hf_acquire_peek(w->base.reader, &request, &why, &peek) == HF_OK, "%s", why.text);
	hf_reader_end(w->base.reader);
	if (peek == HF_PEEK_WRITE) {
		hf_acquire_begin(&request);
		REQUIRE(asker_commit(&w->base, &request.write) == HF_OK, "%s", request.write.why.text);
		w->writes++;
	}
	check_acquired(w, name, config, &request, peek == HF_PEEK_WRITE);
}

static void release_one(struct writer *w, int name, bool purge) {
	struct hf_release request = {.want.id = writer_identity(w->base.number, name), .want.purge = purge};
	struct known *known = &w->known[name];
	hf_release_begin(&request);
	enum hf_err err = asker_commit(&w->base, &request.write);
	w->writes++;
	if (err == HF_E_NOT_FOUND) {
		REQUIRE(known->state != ACTIVE, "service %d is gone", name);
		known->state = NEVER;
		return;
	}
	REQUIRE(err == HF_OK, "%s", request.write.why.text);
	REQUIRE(known->state != NEVER && request.lease.vips[0].n == known->vip.n, "service %d", name);
	known->state = purge ? NEVER : RELEASED;
}

/* Several writes in the queue at once, from one thread. */
static void burst(struct writer *w) {
	struct hf_acquire requests[BURST];
	struct hf_why why;
	for (int i = 0; i < BURST; i++) {
		requests[i] = acquire_request(writer_identity(w->base.number, NAMES + i), "burst");
		hf_acquire_begin(&requests[i]);
		requests[i].write.context = &w->base.answered;
		requests[i].write.done = on_done;
		REQUIRE(hf_committer_submit(w->base.arena->committer, &requests[i].write, &why) == HF_OK, "%s", why.text);
	}
	for (int i = 0; i < BURST; i++)
		wait_for(&w->base.answered);
	for (int i = 0; i < BURST; i++) {
		struct hf_release purge = {.want.id = requests[i].want.id, .want.purge = true};
		REQUIRE(requests[i].write.err == HF_OK && requests[i].outcome == HF_CREATED, "%s", requests[i].write.why.text);
		hf_release_begin(&purge);
		REQUIRE(asker_commit(&w->base, &purge.write) == HF_OK, "%s", purge.write.why.text);
		REQUIRE(purge.lease.vips[0].n == requests[i].lease.vips[0].n, "burst");
	}
	w->writes += 2 * BURST;
}

void *writer_run(void *context) {
	struct writer *w = context;
	while (!w->base.arena->over) {
		int name = asker_draw(&w->base, NAMES), draw = asker_draw(&w->base, 100);
		if (draw < 60)
			acquire_one(w, name, asker_draw(&w->base, 3));
		else if (draw < 95)
			release_one(w, name, draw >= 85);
		else if (draw < 97)
			burst(w);
	}
	return NULL;
}

/* An administrator writes and deletes a pool again and again. */
void *pool_writer_run(void *context) {
	struct asker *a = context;
	for (int i = 0; !a->arena->over; i++, asker_pause(a)) {
		POOL_PUT_REQUEST put = pool_request("extra", i % 2 ? "10.1.0.0/24" : "10.1.0.0/25", "10.1.0.9", 60);
		POOL_DELETE_REQUEST del = {.name = "extra"};
		REQUIRE(asker_commit(a, &put.write) == HF_OK, "%s", put.write.why.text);
		hf_pool_delete_begin(&del);
		if (i % 4 == 3)
			REQUIRE(asker_commit(a, &del.write) == HF_OK, "%s", del.write.why.text);
	}
	return NULL;
}
