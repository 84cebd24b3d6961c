/* store_internal.h — the inside of a store, for storage/store/ alone. */
#ifndef HF_STORAGE_STORE_STORE_INTERNAL_H
#define HF_STORAGE_STORE_STORE_INTERNAL_H

#include <limits.h>
#include <sys/stat.h>

#include "batch.h"
#include "storage/tables/deadline.h"
#include "storage/tables/moves.h"
#include "ttl.h"
#include "wear.h"

/* "The writer" is the thread that has the writer's turn: the committer's, or the only one of a command.
 *
 * Invariants:
 *  1. Outside a batch, `meta`, `pools` and `vip_changes` equal the records on disk, unless pools_stale is set.
 *  2. A batch alters `pools` in place and `meta` in a copy of its own. A commit sets `meta` only after the disk has the batch. A
 * batch that fails or is aborted sets pools_stale, and the next one reads the pools from the disk before it uses them; it also
 * resets next_deadline_ms and passed_over.
 *  3. `revision` equals meta.revision, and changes only after a commit: a new snapshot has every revision that a thread reads here.
 *  4. Nothing becomes due before next_deadline_ms, unless that is 0. A batch that adds an earlier deadline lowers it.
 *  5. Every deadline up to passed_over is of history that the lag still keeps, or is not due.
 *  6. `wear` counts committed releases only: what a batch adds takes effect when it is committed.
 *  7. Outside a batch, `ttl` has the time of each online zone with a ttl, unless ttl_stale is set: the next batch then reads the
 * zones from the disk. A batch alters `ttl` in place, and sets zones_put until it ends.
 *  8. lock_fd and file_fd are locked as long as the store is open for writing; device and inode are those of file_fd. */
struct hf_store {
	struct hf_env *env;
	int lock_fd;	    /* of holdfast.lock; -1: opened for reading only */
	int file_fd;	    /* of the database, locked; -1: likewise */
	unsigned format;    /* the format found at the opening */
	bool is_new;	    /* created by this opening */
	bool is_open;	    /* the opening has checked everything */
	int64_t checked_ms; /* how long the opening took to read all pages; -1: it did not */
	char aside[PATH_MAX];
	/* The path of the database (presence.h); "": opened for reading only. */
	char file[PATH_MAX];
	dev_t device;
	ino_t inode;
	_Atomic bool gone;
	struct hf_store_options options; /* defaults filled in */
	/* The writer's copies of records. */
	struct hf_meta meta;
	int n_pools;
	struct hf_pool **pools; /* sorted by name */
	struct hf_wear *wear;	/* recent releases by syncs */
	bool pools_stale;
	struct hf_ttl *ttl;
	bool ttl_stale, zones_put;
	_Atomic int64_t next_deadline_ms; /* 0: unknown. Any thread reads it */
	/* The oldest snapshot in use at the last check, unless it was the last commit's; only the writer uses it. */
	uint64_t oldest_txn;
	_Atomic int64_t oldest_since_us;	     /* since when, on the monotonic clock; 0: none. Any thread reads it */
	_Atomic uint64_t revision;		     /* any thread reads it */
	_Atomic uint64_t vip_changes[HF_CAUSES + 1]; /* moves.h; any thread reads it */
	/* The store's time (clock.h). The writer sets it, any thread reads it. */
	_Atomic int64_t offset_ms;	     /* the store's time less the monotonic clock's */
	_Atomic int64_t lag_ms, lag_from_ms; /* as in struct hf_clock_record */
	/* Following the wall clock (follow.h); only the writer uses these. */
	struct hf_deadline passed_over;
	bool clock_unset;		/* at the last check */
	bool booting;			/* the wall clock was not followed since a boot, and must be, whatever it shows */
	int64_t away_ms, away_since_ms; /* a step of the wall clock that is not followed yet; since when, on the monotonic clock */
	struct hf_clock_news clock_start;
	_Atomic uint64_t clock_steps[2];
};

/* Sets the time of each zone that has one, as the zones are on the disk. A damaged record is skipped.
 * Fails with HF_E_OVERLOADED if out of memory.
 * Fails with the transaction's fault. */
enum hf_err hf_store_load_ttl(struct hf_store *store, struct hf_txn *txn, struct hf_why *why) HF_CHECKED;

/* Reads the pools from the disk into the writer's copies.
 * Fails with HF_E_OVERLOADED if memory runs out.
 * Fails with the transaction's fault. */
enum hf_err hf_store_load_pools(struct hf_store *store, struct hf_txn *txn, struct hf_why *why) HF_CHECKED;

/* Returns the longest time that history or feed keep anything. */
int64_t hf_store_longest_kept_ms(const struct hf_store *store);

#endif
