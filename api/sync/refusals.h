/* refusals.h — which refusals of syncs are worth a line in the log: of each zone and code one in ten seconds, and how many were
 * not.
 *
 * Whoever is refused tries again, a thousand times a second if he likes. The first refusal is logged at once; those of the next ten
 * seconds are counted, and the number comes out with the next line, or by a line of its own when the ten seconds are over. Zones
 * that the store does not know count as one, as anybody can think of names; so do all beyond a bound. Thread-safe.
 */
#ifndef HF_API_SYNC_REFUSALS_H
#define HF_API_SYNC_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

#define HF_REFUSALS_QUIET_MS 10000
#define HF_REFUSALS_MAX 1024 /* zones and codes that are told apart */

struct hf_refusals;

struct hf_refusals *hf_refusals_new(void);	     /* NULL: out of memory */
void hf_refusals_free(struct hf_refusals *refusals); /* NULL is fine */

/* Notes a refusal of a zone ("": one that the store does not know) at a time of the monotonic clock. True: it is worth a line, and
 * *ret_unlogged refusals before it were not. */
bool hf_refusals_note(struct hf_refusals *refusals, const char *zone, enum hf_err code, int64_t now_ms, uint64_t *ret_unlogged);

/* Calls each() with what was counted and has not come out in ten seconds, or with all of that; zone "" as above. To be called every
 * second or so, and before the end. */
void hf_refusals_report(struct hf_refusals *refusals, int64_t now_ms, bool all,
			void (*each)(void *context, const char *zone, enum hf_err code, uint64_t unlogged), void *context);

#endif
