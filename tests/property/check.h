/* check.h — the store against the model: answers to writes and reads, and the whole state. */
#ifndef HF_TESTS_CHECK_H
#define HF_TESTS_CHECK_H

#include "random.h"
#include "tests/unit/support.h"

#define RUN_BACKUPS 3 /* that are kept */

struct run_backup {
	bool taken, plain; /* plain: a copy of the file, not marked */
	int number;	   /* the newest has the highest */
};

/* One run: a seed, its store and its model. */
struct run {
	uint64_t seed;
	int ops, op;	 /* how many; the one that is being done */
	bool verbose;	 /* prints every operation */
	char text[8192]; /* the operation in words */
	struct world world;
	struct model model, spare;
	struct fixture f;
	uint64_t feed_checked;		    /* changes up to here were compared */
	uint64_t revision, epochs[M_ZONES]; /* the highest before the restores: nothing at or below comes again */
	struct model kept[RUN_BACKUPS];	    /* what is in the backups */
	struct run_backup backups[RUN_BACKUPS];
};

/* Prints seed, operation and difference, and ends the program with status 1. */
_Noreturn void c_fail(struct run *run, const char *format, ...) HF_PRINTF(2, 3);

void c_err(struct run *run, const char *what, enum hf_err is, enum hf_err expected);
void c_lease(struct run *run, const char *what, const struct hf_lease *is, int who, const struct m_lease *expected);
void c_pool(struct run *run, const struct hf_pool *is);
void c_zone(struct run *run, const struct hf_zone_info *is);

/* Reads of one thing, chosen at random, on a reader that has begun. */
void c_random_read(struct run *run);

/* Compares the changes that are new since the last time. */
void c_new_changes(struct run *run);

/* Everything there is, and the invariants. */
void c_all(struct run *run);

/* Dumps the store, loads that into a new one, and compares every table. */
void c_dump(struct run *run);

#endif
