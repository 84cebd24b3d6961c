/* move_rules.h — the rules for moving a lease to another address, and to another identity. Pure and thread-safe.
 *
 * An active lease moves only by an administrator's act. With an overlap, the addresses that it leaves become previous ones, which
 * stay bound to it until the overlap ends.
 */
#ifndef HF_STORAGE_MODEL_MOVE_RULES_H
#define HF_STORAGE_MODEL_MOVE_RULES_H

#include "lease_rules.h"
#include "pool.h"

/* What a move asks for. */
struct hf_move_request {
	struct hf_identity id; /* names checked */
	struct hf_guard guard;
	char pool[HF_NAME_MAX + 1]; /* to move to; "" if no pool is named */
	int n_addresses;	    /* to move to; at most one per family */
	struct hf_addr addresses[HF_FAMILIES];
	uint32_t overlap_seconds; /* 0 to HF_OVERLAP_MAX_SECONDS */
	bool force;		  /* even if the zone is offline */
};

/* Judges a move in this order: epoch, conditions, existence of the lease, its state, and whether it is already where it is to be;
 * then *ret_moves is false. `current` is NULL if no lease exists.
 * Fails with HF_E_STALE_EPOCH if the stated epoch is not the zone's current one.
 * Fails with HF_E_PRECONDITION_FAILED if a condition does not hold.
 * Fails with HF_E_NOT_FOUND if no lease exists.
 * Fails with HF_E_LEASE_EXISTS if the lease is in quarantine.
 * Fails with HF_E_ZONE_OFFLINE if the zone is offline and `force` is not set. */
enum hf_err hf_rules_move(const struct hf_lease *current, const struct hf_zone *zone, const struct hf_move_request *request,
			  struct hf_why *why, bool *ret_moves) HF_CHECKED;

/* Sets *ret to the lease after a move to `n` addresses of a pool, IPv4 first. The caller sets its revision. An address that it
 * moves back to is no longer a previous one. Fails with HF_E_LEASE_EXISTS if it would have more than HF_PREVIOUS_MAX previous
 * addresses. */
enum hf_err hf_rules_moved(const struct hf_lease *current, const char *pool, const struct hf_addr *vips, int n,
			   uint32_t overlap_seconds, int64_t now_ms, struct hf_why *why, struct hf_lease *ret) HF_CHECKED;

/* Judges the transfer of a lease to another identity. `from` is the lease, `target` the lease of the identity `to`; each is NULL if
 * it does not exist. `pool` is the lease's. Fails with HF_E_INVALID_PARAMETER if both identities are the same. Fails with
 * HF_E_NOT_FOUND if `from` does not exist. Fails with HF_E_LEASE_EXISTS if `target` exists. Fails with HF_E_ADDRESS_OUTSIDE_POOL if
 * the pool serves the old identity but not the new one. */
enum hf_err hf_rules_transfer(const struct hf_identity *from_id, const struct hf_lease *from, const struct hf_identity *to,
			      const struct hf_lease *target, const struct hf_pool *pool, struct hf_why *why) HF_CHECKED;

/* Returns the lease after a transfer to another identity, with everything it has. The digest of its document is dropped: that
 * document names the old identity. The caller sets its revision. */
struct hf_lease hf_rules_transferred(const struct hf_lease *from, const struct hf_identity *to, int64_t now_ms);

#endif
