/* holders.h — who holds an address, and who held it: the tables "addresses" and "history".
 *
 * The current holder is the address's only row in "addresses", which serves uniqueness, reverse look-up and the newest entry of the
 * history. When the address is freed the row moves to "history", which keeps at most 16 past holders of an address, for 90 days. A
 * holder has an address from the change that bound it to the one that freed it, quarantine included.
 */
#ifndef HF_STORAGE_TABLES_HOLDERS_H
#define HF_STORAGE_TABLES_HOLDERS_H

#include "deadline.h"
#include "storage/model/change.h"

#define HF_HISTORY_HOLDERS 16
#define HF_HISTORY_AGE_MS ((int64_t)90 * 24 * 3600 * 1000)

struct hf_holder {
	struct hf_identity id;
	uint64_t from_revision; /* of the change that bound the address */
	int64_t from_ms;
	int64_t to_ms;		/* 0: still holds it */
	char by[HF_BY_MAX + 1]; /* who asked for that change; "": a caller without a name */
};

/* Reads the current holder; returns false if the address is not held, or after a fault. */
bool hf_holders_present(struct hf_txn *txn, struct hf_addr a, struct hf_holder *ret);

/* Make `holder` the current holder of an address that is not held; move the current holder to the history. Faults stick. */
void hf_holders_open(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder);
void hf_holders_close(struct hf_txn *txn, struct hf_addr a, int64_t to_ms);
/* Puts a past holder, as it was exported; the caller writes its deadline. */
void hf_holders_put(struct hf_txn *txn, struct hf_addr a, const struct hf_holder *holder);
/* Deletes a past holder whose deadline has come; the caller deletes the deadline. */
void hf_holders_drop(struct hf_txn *txn, struct hf_addr a, uint64_t from_revision);

/* Reads the last past holder of an address; returns false if no past holder is kept. */
bool hf_holders_last_past(struct hf_txn *txn, struct hf_addr a, struct hf_holder *ret);

/* Returns the deadline at which a past holder is dropped. */
struct hf_deadline hf_holders_deadline(struct hf_addr a, const struct hf_holder *holder);

/* Reads the holders of an address of the last 90 days, newest first, at most HF_HISTORY_HOLDERS; with at_ms >= 0 only the holder at
 * that moment. Returns how many; a fault sticks to the reader. */
int hf_holders_read(struct hf_txn *reader, struct hf_addr a, int64_t at_ms, int64_t now_ms,
		    struct hf_holder ret[HF_HISTORY_HOLDERS]);

/* Decode a row of "addresses" and of "history", for verify. Return false if it is damaged. */
bool hf_holders_decode_present(struct hf_slice key, struct hf_slice value, struct hf_addr *ret_addr,
			       struct hf_holder *ret) HF_CHECKED;
bool hf_holders_decode(struct hf_slice key, struct hf_slice value, struct hf_addr *ret_addr, struct hf_holder *ret) HF_CHECKED;

#endif
