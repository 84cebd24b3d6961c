/* refusals.h — limits the log of refused syncs and strangers to one line per zone, or per address, and code in ten seconds, and
 * counts the rest.
 *
 * A refused client may try again a thousand times a second. The first refusal is logged at once; those of the next ten
 * seconds are counted, and the number is reported with the next line, or in a line of its own after the ten seconds. Zones that the
 * store does not know count as one, because a client can invent names; so do all zones or addresses beyond a bound. Thread-safe.
 */
#ifndef HF_API_ACCESS_REFUSALS_H
#define HF_API_ACCESS_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/base/err.h"

#define HF_REFUSALS_QUIET_MS 10000
#define HF_REFUSALS_MAX 1024 /* pairs of zone and code that are distinguished */

struct hf_refusals;

struct hf_refusals *hf_refusals_new(void);	     /* NULL: out of memory */
void hf_refusals_free(struct hf_refusals *refusals); /* NULL is fine */

/* Notes a refusal of a zone ("": one that the store does not know) or an address at a time of the monotonic clock, in ms. Returns
 * true if it should be logged, and sets *ret_unlogged to the number of refusals since the last line. */
bool hf_refusals_note(struct hf_refusals *refusals, const char *zone, enum hf_err code, int64_t now_ms, uint64_t *ret_unlogged);

/* Calls each() for the counts that have not been reported for ten seconds, or for `all` counts; zone "" as above. Call it about
 * once a second, and before the end. */
void hf_refusals_report(struct hf_refusals *refusals, int64_t now_ms, bool all,
			void (*each)(void *context, const char *zone, enum hf_err code, uint64_t unlogged), void *context);

#endif
