/* write.h — one write on its way through the committer. */
#ifndef HF_STORAGE_STORE_WRITE_H
#define HF_STORAGE_STORE_WRITE_H

#include <stdbool.h>

#include "storage/base/err.h"
#include "storage/model/change.h"

/* The result of judging a request on a reader's snapshot. */
enum hf_peek {
	HF_PEEK_DONE,	   /* nothing to write: the result is set */
	HF_PEEK_READ_BODY, /* it depends on the fingerprint: read the body and peek again */
	HF_PEEK_WRITE	   /* pass it to the committer */
};

struct hf_batch;

/* The first member of every write request; the caller owns the memory until the write is done. `apply` decides first, and writes
 * only when nothing can be refused any more, so that a refused write never disturbs its batch. */
struct hf_write {
	/* Set by the request's begin function. Runs inside the write transaction; its result becomes `err`. */
	enum hf_err (*apply)(struct hf_batch *batch, struct hf_write *write, struct hf_why *why);
	/* Set by the caller that queues it: called once, on the committing thread, after `err` is final. Must not block. */
	void (*done)(struct hf_write *write);
	/* Set by the request's begin function: commits alone, never in a shared batch. If it is refused, its batch is rolled back,
	 * so it may write before it has decided. */
	bool solo;
	bool discard;		/* set by `apply` of a solo write: roll the batch back although it succeeded */
	char by[HF_BY_MAX + 1]; /* who asks for it, as its changes say; "": a caller without a name */
	void *context;		/* for `done` */
	struct hf_write *next;	/* the committer's */
	enum hf_err err;	/* HF_OK: the change is durable */
	struct hf_why why;
};

#endif
