/* writes.h — random writes to the store and to the model. */
#ifndef HF_TESTS_WRITES_H
#define HF_TESTS_WRITES_H

#include <sys/stat.h>

#include "check.h"

/* One write: looked at on a reader first, as a server does, or at once. */
void do_write(struct run *run);

/* Those writes; their answers may be refusals. */
void do_acquire(struct run *run, const struct hf_acquire *acquire);
void do_purge(struct run *run, int who);
void do_connect(struct run *run, const char *zone);

/* Several writes in one batch, committed or aborted. */
void do_batch(struct run *run, bool commits);

/* Puts the model back to what it was in run->spare, before a batch that was given up. */
void give_up(struct run *run);

/* The revision, and what the feed has dropped. */
void check_meta(struct run *run);

/* The file's time of change: set into the past before an operation, so that any write to it shows. */
struct stat age_file(struct run *run);
void check_file(struct run *run, const struct stat *before, bool writes);

#endif
