/* random.h — what the property test does next: a small generator, the names it uses, and random requests.
 *
 * All that is random comes from one splitmix64 seed, so that a seed replays the same run.
 */
#ifndef HF_TESTS_RANDOM_H
#define HF_TESTS_RANDOM_H

#include "model.h"

/* What a run is like: weights of the operations, and the shapes of pools. */
struct profile {
	const char *name;
	int identities; /* in use, up to M_IDENTITIES */
	int acquire, release, purge, pool_put, pool_delete, zone, sync, time, upkeep, batch, abort, read; /* weights */
	int rare;	  /* in 10,000: reopen, 91 days; each */
	int ipv6, hashed; /* percent of CIDRs, of pool edits */
	int options;	  /* percent of acquires with each unusual option */
	uint64_t changes_max;
	int64_t changes_age_ms; /* 0: for ever */
	int move, transfer;	/* weights */
};

struct world {
	uint64_t state;
	const struct profile *profile;
	struct hf_identity ids[M_IDENTITIES]; /* in key order */
	int config[M_IDENTITIES];	      /* that was last sent */
	const char *focus;		      /* the zone that most is about; NULL: none */
};

extern const char *const W_ZONES[M_ZONES];
extern const char *const W_MESHES[3];

void w_begin(struct world *w, uint64_t seed, const struct profile *profile);
uint64_t w_next(struct world *w);
int w_below(struct world *w, int n); /* 0 to n - 1 */
bool w_chance(struct world *w, int percent);

struct hf_addr w_address(struct world *w, const struct model *m); /* held, in a pool, or beside one */
int w_identity(struct world *w);
int w_zone(struct world *w);
const char *w_caller(struct world *w);		 /* a name, "" at times; a constant */
void w_focus(struct world *w, const char *zone); /* perhaps */
/* Mostly the zone's epoch; `others` percent of the time one beside it, or one from before all restores. */
uint64_t w_epoch(struct world *w, const struct m_zone *zone, int others);
/* Addresses that the identity had before a restore, mostly. Returns how many. */
int w_lost(struct world *w, const struct model *m, int who, struct hf_addr ret[HF_CLAIMS_MAX]);
/* A configuration's digests; `changed` percent of the time another than was last sent. */
void w_config(struct world *w, int who, int changed, struct hf_digest *ret_fingerprint, struct hf_digest *ret_raw);
/* Conditions and an epoch, at times. */
void w_guard(struct world *w, const struct model *m, int who, struct hf_guard *ret);
void w_acquire(struct world *w, const struct model *m, struct hf_acquire *ret);
void w_release(struct world *w, const struct model *m, bool purge, struct hf_release *ret);
void w_connect(struct world *w, const struct model *m, struct hf_zone_connect *ret);
void w_disconnect(struct world *w, const struct model *m, struct hf_zone_disconnect *ret);
void w_pool_put(struct world *w, const struct model *m, struct m_pool_put *ret); /* the configuration is not checked yet */

#endif
