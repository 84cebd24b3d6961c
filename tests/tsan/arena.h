/* arena.h — what the threads of the concurrency test share. */
#ifndef HF_TESTS_ARENA_H
#define HF_TESTS_ARENA_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/http/lane.h"
#include "server/http/wakeups.h"
#include "storage/base/arena.h"
#include "storage/tables/change_table.h"
#include "tests/unit/support.h"

#define WRITERS 4
#define NAMES 64 /* of one writer */
#define SYNC_ZONES 2

#define REQUIRE(condition, ...)                                                                                                    \
	do {                                                                                                                       \
		if (!(condition)) {                                                                                                \
			fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #condition);                                    \
			fprintf(stderr, __VA_ARGS__);                                                                              \
			fputc('\n', stderr);                                                                                       \
			abort();                                                                                                   \
		}                                                                                                                  \
	} while (0)

struct arena {
	struct fixture f; /* its clock stands still; the store's is this: */
	_Atomic int64_t now_ms;
	struct hf_committer *committer;
	struct hf_wakeups *wakeups;
	struct hf_lane *lane;
	struct hf_budget budget;   /* of syncs; not enough for all at once */
	_Atomic uint64_t syncs[2]; /* refused; carried out */
	_Atomic uint64_t revision; /* the newest that was committed */
	_Atomic bool over;
};

/* One thread that asks: its random numbers, its reader, and where its answers arrive. */
struct asker {
	struct arena *arena;
	int number;
	unsigned random;
	struct hf_txn *reader;
	sem_t answered;
};

/* What a writer knows of one of its leases; nobody else touches it, but a quarantine may end. */
struct known {
	enum { NEVER, ACTIVE, RELEASED } state;
	struct hf_addr vip;
	int config;
	uint64_t generation;
};

struct writer {
	struct asker base;
	struct known known[NAMES];
	uint64_t writes;
};

void asker_begin(struct asker *a, struct arena *arena, int number);
void asker_end(struct asker *a);
int asker_draw(struct asker *a, int n); /* 0 to n - 1 */
void asker_pause(struct asker *a);	/* about a millisecond, so that the others get their turn */

/* Commits as server/http/exchange.c does: on this thread if it is alone, else through the queue. */
enum hf_err asker_commit(struct asker *a, struct hf_write *write);

struct hf_identity writer_identity(int writer, int name);
const char *sync_zone(int i); /* of SYNC_ZONES, which nobody else writes to */

/* The threads; each runs until the arena is over. */
void *writer_run(void *writer);
void *pool_writer_run(void *asker);
void *reader_run(void *asker);
void *feed_reader_run(void *asker);
void *streamer_run(void *asker);
void *waiter_run(void *asker);
void *upkeep_run(void *asker);
void *syncer_run(void *asker);
void *disturber_run(void *asker);
void *connector_run(void *asker);

/* Starts and stops committers on the arena's store while writes are queued. */
void stop_while_writing(struct arena *arena);

#endif
