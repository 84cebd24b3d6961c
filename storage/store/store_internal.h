/* store_internal.h — the store's inside, for storage/ alone. */
#ifndef HF_STORAGE_STORE_STORE_INTERNAL_H
#define HF_STORAGE_STORE_STORE_INTERNAL_H

#include <limits.h>
#include <sys/stat.h>

#include "batch.h"
#include "storage/tables/deadline.h"
#include "storage/tables/moves.h"
#include "wear.h"

struct hf_store {
	struct hf_kv *kv;
	int lock_fd;	    /* -1: it is only read */
	int file_fd;	    /* the database's, locked; -1 as above */
	unsigned format;    /* that was found */
	bool is_new;	    /* there was none */
	bool is_open;	    /* all of it is known to be good */
	int64_t checked_ms; /* for how long all pages were looked at, at the opening; -1: they were not */
	char aside[PATH_MAX];
	/* The database as its path should name it (presence.h); "": it is only read. */
	char file[PATH_MAX];
	dev_t device;
	ino_t inode;
	_Atomic bool gone;
	struct hf_store_options options; /* defaults filled in */
	/* The writer's copies, guarded by the write transaction. */
	struct hf_meta meta;
	int n_pools;
	struct hf_pool **pools; /* sorted by name */
	struct hf_wear *wear;	/* what syncs released lately */
	bool pools_stale;	/* a batch that failed left them altered: the next one reads them anew */
	/* No deadline is due before; guarded as above but read by anybody. 0: look. */
	_Atomic int64_t next_deadline_ms;
	/* The oldest snapshot that was read at the last look, if it was not of the last commit, and since when; the writer's, but
	 * for the second. */
	uint64_t oldest_txn;
	_Atomic int64_t oldest_since_us;	     /* monotonic; 0: there was none */
	_Atomic uint64_t revision;		     /* the meta record's, read by anybody */
	_Atomic uint64_t vip_changes[HF_CAUSES + 1]; /* moves.h, as committed */
	/* The store's time (clock.h), written by whoever has the writer's turn. */
	_Atomic int64_t offset_ms;	     /* it is the monotonic clock's and this */
	_Atomic int64_t lag_ms, lag_from_ms; /* as in struct hf_clock_record */
	struct hf_deadline passed_over; /* every one up to here is of history that the lag holds, or not due by it; the writer's */
	bool clock_unset;		/* when it was last looked at; the writer's */
	bool booting; /* the wall clock was not followed yet since a boot, which is to be done whatever it says; the writer's */
	int64_t away_ms, away_since_ms; /* the wall clock stepped by so much, and is not followed yet; by the monotonic clock; the
					   writer's */
	struct hf_clock_news clock_start;
	_Atomic uint64_t clock_steps[2];
};

/* Reads the pools anew into the writer's copies. */
enum hf_err hf_store_load_pools(struct hf_store *store, struct hf_txn *txn, struct hf_why *why) HF_CHECKED;

/* How long history or feed keep anything, at the longest. */
int64_t hf_store_longest_kept_ms(const struct hf_store *store);

#endif
