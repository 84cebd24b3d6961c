/* transfer.h — renames many leases at once: each goes to another identity with everything it has, all of them or none.
 *
 * No address is free at any moment. The transfer is one write that commits alone.
 *
 * Use: call hf_transfer_init(), set the request's members, call hf_transfer_add() for each item, hf_transfer_close_list(), then
 * hf_transfer_begin() and the committer. Results stay until hf_transfer_free(). One thread uses a transfer at a time. Its memory
 * comes from a shared budget.
 */
#ifndef HF_STORAGE_REQUESTS_TRANSFER_H
#define HF_STORAGE_REQUESTS_TRANSFER_H

#include "storage/base/arena.h"
#include "storage/model/move_rules.h"
#include "storage/store/store.h"
#include "storage/store/write.h"

#define HF_TRANSFER_MAX 100000	     /* items of one transfer */
#define HF_TRANSFER_WHOLE UINT32_MAX /* no item's number */

/* An item and its result. */
struct hf_transfer_item {
	struct hf_transfer_item *next; /* in the order in which they were added */
	uint32_t number;	       /* in that order, from 0 */
	uint16_t from_len, to_len;
	const uint8_t *from, *to; /* identity bytes */
	bool active;		  /* set when it is judged: the lease is */
	/* The result. */
	uint64_t revision; /* of the change */
	int n_vips;
	struct hf_addr vips[HF_FAMILIES];
};

struct hf_transfer {
	struct hf_write write;
	/* The request. */
	bool has_epoch; /* fenced by this epoch of the one zone that all items are of */
	uint64_t epoch;
	bool dry_run;		 /* judge and apply, but write nothing */
	bool force;		 /* take leases away from a zone that is offline */
	int max_release_percent; /* 0 to 100: how many of a zone's leases, and of each mesh and kind in it, may leave it within ten
				  * minutes, releases by syncs included; see hf_rules_mass_release() and wear.h */
	struct hf_arena arena;
	struct hf_transfer_item *first, **last;
	struct hf_transfer_item **sorted; /* by the old identity, from the end of the list on */
	uint32_t n;
	/* The result. */
	uint64_t revision; /* of the store after it */
	uint32_t failed;   /* after an error of one item: its number; else HF_TRANSFER_WHOLE */
};

void hf_transfer_init(struct hf_transfer *transfer, struct hf_budget *budget);

/* Frees all memory. A transfer that was never initialised must be all zeros. */
void hf_transfer_free(struct hf_transfer *transfer);

/* Adds an item, whose names have been checked; copies both identities.
 * Fails with HF_E_INVALID_PARAMETER if it is one more than HF_TRANSFER_MAX.
 * Fails with HF_E_OVERLOADED if the budget is exceeded. */
enum hf_err hf_transfer_add(struct hf_transfer *transfer, const struct hf_identity *from, const struct hf_identity *to,
			    struct hf_why *why) HF_CHECKED;

/* Completes the list.
 * Fails with HF_E_INVALID_PARAMETER if it is empty, if an identity occurs twice as the old or twice as the new one, or if an epoch
 * is stated and the items are not all of one zone. Fails with HF_E_OVERLOADED if the budget is exceeded. */
enum hf_err hf_transfer_close_list(struct hf_transfer *transfer, struct hf_why *why) HF_CHECKED;

/* Prepares the write. The first item that is refused fails it, and `failed` has its number; nothing has changed then:
 * Fails as hf_rules_transfer() does.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_ZONE_OFFLINE if leases would leave a zone that is offline, and `force` is not set.
 * Fails with HF_E_MASS_RELEASE_GUARD if too many leases would leave their zone, or their mesh and kind in it.
 * Fails with HF_E_OVERLOADED if the budget is exceeded. */
void hf_transfer_begin(struct hf_transfer *transfer);

#endif
