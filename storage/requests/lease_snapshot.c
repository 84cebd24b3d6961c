/* lease_snapshot.c — a snapshot that one thread reads record by record, and another may expire. */
#include "lease_snapshot.h"

#include <pthread.h>
#include <stdlib.h>

struct hf_snapshot {
	_Atomic bool expired;
	pthread_mutex_t lock; /* held while the transaction is read or released */
	struct hf_txn *txn;   /* NULL once released */
	struct hf_lease_walk walk;
	struct hf_filter filter;
	uint64_t revision;
};

enum hf_err hf_snapshot_open(struct hf_store *store, const struct hf_filter *filter, struct hf_why *why, struct hf_snapshot **ret) {
	struct hf_snapshot *snapshot = calloc(1, sizeof *snapshot);
	if (!snapshot)
		return hf_no_memory(why);
	enum hf_err err = hf_reader_open(store, NULL, &snapshot->txn);
	if (!err)
		err = hf_reader_begin(snapshot->txn, NULL);
	if (err) {
		hf_reader_close(snapshot->txn);
		free(snapshot);
		return hf_fail(why, HF_E_OVERLOADED, "no further snapshot can be opened");
	}
	pthread_mutex_init(&snapshot->lock, NULL);
	snapshot->filter = *filter;
	snapshot->revision = hf_meta_read(snapshot->txn).revision;
	hf_lease_walk_begin(&snapshot->walk, snapshot->txn, filter, NULL);
	*ret = snapshot;
	return HF_OK;
}

uint64_t hf_snapshot_revision(const struct hf_snapshot *snapshot) { return snapshot->revision; }

/* The caller holds the lock. */
static void release(struct hf_snapshot *snapshot) {
	if (snapshot->txn) {
		hf_cursor_close(&snapshot->walk.cursor);
		hf_reader_close(snapshot->txn);
	}
	snapshot->txn = NULL;
}

static enum hf_err next_lease(struct hf_snapshot *snapshot, struct hf_lease *ret) {
	while (!snapshot->expired && snapshot->txn) {
		if (!snapshot->walk.at_entry || !hf_lease_walk_read(&snapshot->walk, ret)) {
			enum hf_err err = hf_txn_fault(snapshot->txn, NULL);
			return err ? err : HF_E_NOT_FOUND;
		}
		hf_lease_walk_next(&snapshot->walk);
		if (hf_filter_passes(&snapshot->filter, ret))
			return HF_OK;
	}
	release(snapshot);
	return HF_E_OVERLOADED;
}

enum hf_err hf_snapshot_next(struct hf_snapshot *snapshot, struct hf_lease *ret) {
	pthread_mutex_lock(&snapshot->lock);
	enum hf_err err = next_lease(snapshot, ret);
	pthread_mutex_unlock(&snapshot->lock);
	if (snapshot->expired) /* perhaps by a thread that just failed to get the lock */
		hf_snapshot_expire(snapshot);
	return err;
}

void hf_snapshot_expire(struct hf_snapshot *snapshot) {
	snapshot->expired = true;
	if (pthread_mutex_trylock(&snapshot->lock) != 0)
		return; /* the reading thread holds it, and will check */
	release(snapshot);
	pthread_mutex_unlock(&snapshot->lock);
}

void hf_snapshot_close(struct hf_snapshot *snapshot) {
	hf_snapshot_expire(snapshot);
	pthread_mutex_destroy(&snapshot->lock);
	free(snapshot);
}
