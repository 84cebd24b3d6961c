/* write.h — one write on its way through the committer. */
#ifndef HF_STORAGE_STORE_WRITE_H
#define HF_STORAGE_STORE_WRITE_H

#include <stdbool.h>

#include "storage/base/err.h"

/* What a verb's peek at a reader's snapshot tells. */
enum hf_peek {
	HF_PEEK_DONE,	   /* nothing has to be written: the result is set */
	HF_PEEK_READ_BODY, /* the fingerprint is needed to tell: read the body and peek again */
	HF_PEEK_WRITE	   /* hand it to the committer */
};

struct hf_batch;

/* The head of every write verb's struct; the caller owns the memory until the write is done. `apply` decides first and writes only
 * when nothing can be refused any more, so that one refused write never disturbs its batch. */
struct hf_write {
	/* Set by the verb's begin function. Runs inside the write transaction; the answer becomes `err`. */
	enum hf_err (*apply)(struct hf_batch *batch, struct hf_write *write, struct hf_why *why);
	/* Set by whoever queues it: called once, on the committing thread, after `err` is final. Must not block. */
	void (*done)(struct hf_write *write);
	/* Set by the verb's begin function. It commits alone, never in a shared batch; should it be refused, its batch is given up,
	 * so it may write before it knows. */
	bool solo;
	bool discard;	       /* set by `apply` of such a write: give the batch up although it succeeded */
	void *context;	       /* for `done` */
	struct hf_write *next; /* the committer's */
	enum hf_err err;       /* HF_OK: the change is durable */
	struct hf_why why;
};

#endif
