/* export.h — everything in a store's tables that cannot be derived from something else, record by record.
 *
 * What can be derived is left out (derive.h): free extents, the reverse index except when an address was bound, deadlines, sums and
 * counters. A line is one record; api/shapes/export_json.h gives it a text. The lines have a fixed order: the store, pools, zones,
 * scopes, leases, past holders, changes, each sort by its key, and an end that counts them.
 */
#ifndef HF_STORAGE_ADMIN_EXPORT_H
#define HF_STORAGE_ADMIN_EXPORT_H

#include "storage/model/lease.h"
#include "storage/model/zone.h"
#include "storage/store/store.h"
#include "storage/tables/holders.h"
#include "storage/tables/moves.h"

enum hf_line_sort {
	HF_LINE_STORE,
	HF_LINE_POOL,
	HF_LINE_ZONE,
	HF_LINE_SCOPE, /* of a scope that has no lease any more: only its existence is known */
	HF_LINE_LEASE,
	HF_LINE_HOLDER,
	HF_LINE_CHANGE,
	HF_LINE_END
};
#define HF_LINE_SORTS 8

const char *hf_line_name(enum hf_line_sort sort); /* "store", "pool", … */

/* Since when a lease has an address. */
struct hf_bound {
	uint64_t from_revision;
	int64_t from_ms;
};

struct hf_line {
	enum hf_line_sort sort;
	union {
		struct {
			struct hf_meta store;
			struct hf_moves moves;
		};
		struct hf_pool pool; /* of its counters only the cursors have a meaning */
		struct hf_zone zone;
		struct hf_identity scope; /* without a service */
		struct {
			struct hf_lease lease;
			struct hf_bound bound[HF_FAMILIES]; /* of each address */
		};
		struct {
			struct hf_addr address;
			struct hf_holder holder;
		};
		struct hf_change change;
		uint64_t counts[HF_LINE_SORTS]; /* of the end: how many lines of each sort, except the first and the last */
	};
};

/* Calls `each` for every line of the reader's snapshot; the line is valid only during the call, and an error of `each` ends the
 * dump. Memory is that of one line. HF_E_CORRUPT: a record is damaged, or a lease's address is not in the reverse index. Or a
 * fault. */
enum hf_err hf_dump(struct hf_txn *reader, enum hf_err (*each)(void *context, const struct hf_line *line, struct hf_why *why),
		    void *context, struct hf_why *why) HF_CHECKED;

#endif
