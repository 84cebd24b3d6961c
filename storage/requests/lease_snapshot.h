/* lease_snapshot.h — all leases of one snapshot, one after the other, in bounded memory. */
#ifndef HF_STORAGE_REQUESTS_LEASE_SNAPSHOT_H
#define HF_STORAGE_REQUESTS_LEASE_SNAPSHOT_H

#include "lease_filter.h"
#include "storage/store/store.h"

/* An open snapshot keeps old pages alive, so its owner must expire it in time. One thread at a time may use it, except for
 * hf_snapshot_expire(). */
struct hf_snapshot;

/* Opens the current snapshot. Copies the filter. The caller closes it.
 * Fails with HF_E_OVERLOADED if all reader slots are taken, or memory runs out. */
enum hf_err hf_snapshot_open(struct hf_store *store, const struct hf_filter *filter, struct hf_why *why,
			     struct hf_snapshot **ret) HF_CHECKED;
uint64_t hf_snapshot_revision(const struct hf_snapshot *snapshot);

/* Reads the next lease that passes the filter.
 * Fails with HF_E_NOT_FOUND after the last lease.
 * Fails with HF_E_OVERLOADED if the snapshot has expired.
 * Fails with the reader's fault. */
enum hf_err hf_snapshot_next(struct hf_snapshot *snapshot, struct hf_lease *ret) HF_CHECKED;

/* Releases the snapshot's pages at once, or after the record being read. Never blocks. Any thread may call it before the snapshot
 * is closed. */
void hf_snapshot_expire(struct hf_snapshot *snapshot);
void hf_snapshot_close(struct hf_snapshot *snapshot);

#endif
