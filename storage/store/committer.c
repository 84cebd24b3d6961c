/* committer.c — the queues, the writer's turn, and group commit. */
#include "committer.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "follow.h"
#include "presence.h"
#include "storage/base/monotonic.h"
#include "store_internal.h"
#include "upkeep.h"

#define BATCH_MAX 1024
#define ALONE_US 10000
#define UPKEEP_INTERVAL_MS 1000
#define BUSY_RETRY_MS 10

struct queue {
	struct hf_write *head, *tail;
	int n;
};

/* Invariants:
 *  1. At most one thread has the writer's turn: the one that set `busy`, under the lock. Only it uses upkeep_reader, was_gone, the
 * store's copies and the batch.
 *  2. A write is in one of the queues, or in the list of the thread that has the turn. Its `done` is called once, without the
 * lock.
 *  3. A write's result is final before its `done`; HF_OK is final only after its batch is on disk and the database was seen at its
 * path.
 *  4. While solo writes wait, before_solo <= shared.n. That many shared writes go before the next solo write; none if it is <= 0.
 *  5. Once `stopping` is set, no further write is queued, and the thread ends when `shared` is empty. */
struct hf_committer {
	struct hf_store *store;
	struct hf_committer_options options;
	struct hf_committer_stats stats;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the following members */
	pthread_cond_t changed;
	struct queue shared; /* writes that share their commits */
	struct queue solo;   /* writes that commit alone */
	int before_solo;     /* how many shared writes go before the next solo one */
	bool busy;	     /* a thread is committing: it has the writer's turn */
	bool stopping;
	const void *last_source;
	int64_t last_source_us;	      /* time of that write */
	struct hf_txn *upkeep_reader; /* used by the thread that has the turn */
	bool was_gone;		      /* the database was missing at the last check; used like upkeep_reader */
};

static void report(struct hf_committer *c, enum hf_err err, const struct hf_why *why) {
	c->stats.failed_batches++;
	if (c->options.failed)
		c->options.failed(c->options.context, err, why);
}

static void notify_committed(struct hf_committer *c, uint64_t before) {
	if (c->store->meta.revision != before && c->options.committed)
		c->options.committed(c->options.context, c->store->meta.revision);
	struct hf_ttl_news news;
	while (hf_ttl_next_news(c->store->ttl, &news)) {
		c->stats.zones_lapsed++;
		if (c->options.zone_lapsed)
			c->options.zone_lapsed(c->options.context, &news);
	}
}

/* Commits the batch; rolls it back if its solo write was refused, or asks for that. */
static enum hf_err end_batch(struct hf_batch *batch, const struct hf_write *first, struct hf_why *why) {
	if (!first->solo || (!first->err && !first->discard))
		return hf_upkeep_commit(batch, why);
	enum hf_err err = hf_txn_fault(hf_batch_txn(batch), why);
	hf_batch_abort(batch);
	return err;
}

/* Checks that the database exists at its path; reports when that changes. */
static enum hf_err look(struct hf_committer *c, struct hf_why *why) {
	enum hf_err err = hf_store_look(c->store, why);
	if ((err != HF_OK) != c->was_gone) {
		c->was_gone = err != HF_OK;
		if (c->options.presence)
			c->options.presence(c->options.context, c->was_gone, why);
	}
	return err;
}

/* Applies and commits a list of writes as one batch, and sets every write's result. */
static void commit_list(struct hf_committer *c, struct hf_write *list) {
	struct hf_batch *batch;
	struct hf_why why = {""};
	uint64_t before = c->store->meta.revision;
	enum hf_err err = look(c, &why);
	if (!err)
		err = hf_upkeep_begin(c->store, &why, &batch);
	if (!err) {
		for (struct hf_write *write = list; write; write = write->next) {
			hf_batch_set_by(batch, write->by);
			write->err = write->apply(batch, write, &write->why);
		}
		err = end_batch(batch, list, &why);
		if (!err) {
			notify_committed(c, before);
			err = look(c, &why); /* acknowledge nothing that a restart would not find */
		}
	}
	if (!err)
		return;
	for (struct hf_write *write = list; write; write = write->next) {
		write->err = err;
		write->why = why;
	}
	report(c, err, &why);
}

/* Starts the writer's turn. */
static void begin_turn(struct hf_committer *c) { c->stats.since_us = hf_monotonic_us(); }

/* Ends the writer's turn. Returns its length in microseconds. */
static int64_t end_turn(struct hf_committer *c) {
	int64_t duration_us = hf_monotonic_us() - c->stats.since_us;
	c->stats.since_us = 0;
	if (duration_us > HF_COMMIT_SLOW_US) {
		c->stats.slow++;
		if (c->options.slow)
			c->options.slow(c->options.context, duration_us);
	}
	return duration_us;
}

static void commit_batch(struct hf_committer *c, struct hf_write *list) {
	uint64_t n = 0;
	for (struct hf_write *write = list; write; write = write->next)
		n++;
	begin_turn(c);
	commit_list(c, list);
	hf_histogram_observe(&c->stats.batch_writes, n);
	hf_histogram_observe(&c->stats.batch_duration_us, (uint64_t)end_turn(c));
}

/* Does one bounded round of upkeep; the caller has the writer's turn. Returns whether anything was due, in which case more may
 * be. */
static bool upkeep(struct hf_committer *c) {
	struct hf_why why = {""};
	uint64_t before = c->store->meta.revision;
	bool due = false;
	begin_turn(c);
	struct hf_clock_news news = {HF_CLOCK_CONTINUES, 0};
	if (look(c, &why)) {
		end_turn(c);
		return false;
	}
	enum hf_err err = hf_follow_clock(c->store, &why, &news);
	if (news.what != HF_CLOCK_CONTINUES && c->options.clock_news)
		c->options.clock_news(c->options.context, news);
	if (!err)
		err = hf_upkeep_is_due(c->store, c->upkeep_reader, &why, &due);
	if (!err && due)
		err = hf_upkeep_run(c->store, &why);
	if (err)
		report(c, err, &why);
	else if (due)
		notify_committed(c, before);
	end_turn(c);
	return !err && due;
}

/* Takes up to `max` writes from a queue; NULL if it is empty. */
static struct hf_write *take_from(struct queue *queue, int max, int *ret_n) {
	struct hf_write *list = queue->head, *last = list;
	int n = list ? 1 : 0;
	for (; last && last->next && n < max; n++)
		last = last->next;
	*ret_n = n;
	if (!list)
		return NULL;
	queue->head = last->next;
	if (!queue->head)
		queue->tail = NULL;
	queue->n -= n;
	last->next = NULL;
	return list;
}

/* Takes the writes to commit next; the caller holds the lock. All shared writes that were queued when a solo write ended go before
 * the next solo write, so that none waits for two solo writes. */
static struct hf_write *take(struct hf_committer *c) {
	struct hf_write *list;
	int n;
	if (c->solo.head && (c->before_solo <= 0 || !c->shared.head)) {
		list = take_from(&c->solo, 1, &n);
	} else {
		list = take_from(&c->shared, BATCH_MAX, &n);
		if (c->solo.head)
			c->before_solo -= n;
	}
	c->stats.queued -= n;
	return list;
}

static bool has_work(const struct hf_committer *c) { return c->shared.head || c->solo.head; }

static void answer(struct hf_write *list) {
	while (list) {
		struct hf_write *next = list->next; /* after `done` the write may be freed */
		list->done(list);
		list = next;
	}
}

static void wait_for_work(struct hf_committer *c, int64_t until_us) {
	while ((c->busy || !has_work(c)) && (c->busy || !c->stopping) && hf_condition_wait(&c->changed, &c->lock, until_us))
		continue;
}

static void *run(void *context) {
	struct hf_committer *c = context;
	pthread_setname_np(pthread_self(), "committer"); /* shown by top -H */
	int64_t upkeep_us = hf_monotonic_us() + UPKEEP_INTERVAL_MS * 1000;
	pthread_mutex_lock(&c->lock);
	while (!c->stopping || has_work(c) || c->busy) {
		wait_for_work(c, upkeep_us);
		if (c->busy) {
			upkeep_us = hf_monotonic_us() + BUSY_RETRY_MS * 1000; /* another thread commits inline: try again soon */
			continue;
		}
		struct hf_write *list = take(c);
		bool solo = list && list->solo;
		c->busy = true;
		pthread_mutex_unlock(&c->lock);
		if (list)
			commit_batch(c, list);
		answer(list);
		if (hf_monotonic_us() >= upkeep_us && !upkeep(c))
			upkeep_us = hf_monotonic_us() + UPKEEP_INTERVAL_MS * 1000;
		pthread_mutex_lock(&c->lock);
		c->busy = false;
		if (solo)
			c->before_solo = c->shared.n;
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

enum hf_err hf_committer_start(struct hf_store *store, const struct hf_committer_options *options, struct hf_why *why,
			       struct hf_committer **ret) {
	struct hf_committer *c = calloc(1, sizeof *c);
	if (!c)
		return hf_no_memory(why);
	c->store = store;
	c->options = *options;
	if (!c->options.queue_max)
		c->options.queue_max = HF_DEFAULT_QUEUE;
	enum hf_err err = hf_reader_open(store, why, &c->upkeep_reader);
	if (err) {
		free(c);
		return err;
	}
	hf_condition_init(&c->changed);
	pthread_mutex_init(&c->lock, NULL);
	if (pthread_create(&c->thread, NULL, run, c) != 0) {
		hf_committer_free(c);
		return hf_fail(why, HF_E_STORAGE, "the committer's thread cannot be started");
	}
	*ret = c;
	return HF_OK;
}

/* Takes the waiting solo writes: each may take long, and stopping the committer should wait for at most one. */
static struct hf_write *refuse_solo(struct hf_committer *c) {
	int n;
	struct hf_write *list = take_from(&c->solo, c->solo.n, &n);
	c->stats.queued -= n;
	c->stats.refused_overloaded += (uint64_t)n;
	for (struct hf_write *write = list; write; write = write->next)
		write->err = hf_fail(&write->why, HF_E_OVERLOADED, "the server is stopping");
	return list;
}

void hf_committer_stop(struct hf_committer *c) {
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	struct hf_write *refused = refuse_solo(c);
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	answer(refused);
	pthread_join(c->thread, NULL);
}

void hf_committer_free(struct hf_committer *c) {
	if (!c)
		return;
	hf_reader_close(c->upkeep_reader);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

bool hf_committer_try(struct hf_committer *c, struct hf_write *write, const void *source) {
	int64_t now_us = hf_monotonic_us();
	pthread_mutex_lock(&c->lock);
	bool alone = c->last_source == source || now_us - c->last_source_us > ALONE_US;
	bool mine = alone && !c->busy && !has_work(c) && !c->stopping && !write->solo;
	c->last_source = source;
	c->last_source_us = now_us;
	if (mine)
		c->busy = true;
	pthread_mutex_unlock(&c->lock);
	if (!mine)
		return false;
	write->next = NULL;
	commit_batch(c, write);
	c->stats.inline_batches++;
	pthread_mutex_lock(&c->lock);
	c->busy = false;
	c->last_source_us = hf_monotonic_us();
	if (has_work(c) || c->stopping)
		pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return true;
}

static void append(struct queue *queue, struct hf_write *write) {
	if (queue->tail)
		queue->tail->next = write;
	else
		queue->head = write;
	queue->tail = write;
	queue->n++;
}

enum hf_err hf_committer_submit(struct hf_committer *c, struct hf_write *write, struct hf_why *why) {
	write->next = NULL;
	pthread_mutex_lock(&c->lock);
	bool full = c->stats.queued >= c->options.queue_max;
	if (full || c->stopping) {
		c->stats.refused_overloaded++;
		pthread_mutex_unlock(&c->lock);
		return full ? hf_fail(why, HF_E_OVERLOADED, "%d writes are waiting already; try again", c->options.queue_max)
			    : hf_fail(why, HF_E_OVERLOADED, "the server is stopping");
	}
	if (write->solo && !c->solo.head)
		c->before_solo = c->shared.n; /* set again when the current one ends */
	append(write->solo ? &c->solo : &c->shared, write);
	c->stats.queued++;
	if (!c->busy)
		pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return HF_OK;
}

void hf_committer_upkeep(struct hf_committer *c) {
	pthread_mutex_lock(&c->lock);
	while (c->busy) {
		pthread_mutex_unlock(&c->lock);
		nanosleep(&(struct timespec){0, 100000}, NULL);
		pthread_mutex_lock(&c->lock);
	}
	c->busy = true;
	pthread_mutex_unlock(&c->lock);
	upkeep(c);
	pthread_mutex_lock(&c->lock);
	c->busy = false;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

struct hf_committer_stats *hf_committer_stats(struct hf_committer *c) {
	return &c->stats;
}
