/* export.h — everything in a store's tables that cannot be derived from something else, record by record.
 *
 * What can be derived (derive.h) is left out: free extents, deadlines, sums, counters, and the reverse index except for the moment
 * when an address was bound. A line is one record; api/shapes/export_json.h writes it as text. The lines have a fixed order: the
 * store, pools, zones, scopes, leases, past holders, changes, each sort by its key, and an end line with their counts.
 */
#ifndef HF_STORAGE_ADMIN_EXPORT_H
#define HF_STORAGE_ADMIN_EXPORT_H

#include "storage/model/lease.h"
#include "storage/model/zone.h"
#include "storage/store/store.h"
#include "storage/tables/affinity.h"
#include "storage/tables/holders.h"
#include "storage/tables/moves.h"

enum hf_line_sort {
	HF_LINE_STORE,
	HF_LINE_POOL,
	HF_LINE_ZONE,
	HF_LINE_SCOPE, /* a scope without leases: only its existence is recorded */
	HF_LINE_LEASE,
	HF_LINE_HOLDER,
	HF_LINE_CHANGE,
	HF_LINE_END
};
#define HF_LINE_SORTS 8

const char *hf_line_name(enum hf_line_sort sort); /* "store", "pool", … */

/* When a lease got an address, and who asked for it. */
struct hf_bound {
	uint64_t from_revision;
	int64_t from_ms;
	char by[HF_BY_MAX + 1];
};

struct hf_line {
	enum hf_line_sort sort;
	union {
		struct {
			struct hf_meta store;
			struct hf_moves moves;
		};
		struct hf_pool pool; /* of its counters, only the cursors are meaningful; hf_line_drop() */
		struct hf_zone zone;
		struct hf_identity scope; /* without a service */
		struct {
			struct hf_lease lease;
			struct hf_bound bound[HF_BOUND_MAX]; /* of each address that is bound to it (lease.h) */
		};
		struct {
			struct hf_addr address;
			struct hf_holder holder;
			bool remembered; /* the address is free, and remembered for the holder (tables/affinity.h) */
		};
		struct hf_change change;
		uint64_t counts[HF_LINE_SORTS]; /* end line: the number of lines of each sort, except the first and the last */
	};
};

/* Gives up what a line owns: the ranges of a pool. The line can be used again. */
void hf_line_drop(struct hf_line *line);

/* Calls `each` for every line of the reader's snapshot. The line is valid only during the call. An error of `each` ends the dump,
 * and is returned. Needs memory for one line.
 * Fails with HF_E_CORRUPT if a record is damaged, or a lease's address is not in the reverse index.
 * Fails with the reader's fault. */
enum hf_err hf_dump(struct hf_txn *reader, enum hf_err (*each)(void *context, const struct hf_line *line, struct hf_why *why),
		    void *context, struct hf_why *why) HF_CHECKED;

#endif
