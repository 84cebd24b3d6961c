/* lease_query.c — reads one lease, or a page of them. */
#include "lease_query.h"

#include "storage/store/store.h"
#include "storage/tables/lease_table.h"

enum hf_err hf_lease_get(struct hf_txn *reader, const struct hf_identity *id, struct hf_why *why, struct hf_lease *ret) {
	struct hf_key key;
	hf_identity_encode(id, &key);
	bool found = hf_lease_read(reader, &key, ret);
	enum hf_err err = hf_txn_fault(reader, why);
	return err || found ? err : hf_lease_not_found(id, why);
}

enum hf_err hf_lease_list(struct hf_txn *reader, const struct hf_filter *filter, const struct hf_key *after, int limit,
			  void (*each)(void *context, const struct hf_lease *lease), void *context, struct hf_why *why,
			  struct hf_list_page *ret) {
	struct hf_lease_walk walk;
	struct hf_lease lease;
	struct hf_list_page page = {.revision = hf_meta_read(reader).revision};
	int n = 0, examined = 0;
	for (hf_lease_walk_begin(&walk, reader, filter, after); walk.at_entry; hf_lease_walk_next(&walk)) {
		if (n == limit || examined == HF_LIST_EXAMINED_MAX) {
			page.more = true;
			break;
		}
		if (!hf_lease_walk_read(&walk, &lease))
			break;
		examined++;
		hf_identity_encode(&lease.id, &page.last);
		if (hf_filter_passes(filter, &lease)) {
			each(context, &lease);
			n++;
		}
	}
	hf_cursor_close(&walk.cursor);
	enum hf_err err = hf_txn_fault(reader, why);
	if (!err)
		*ret = page;
	return err;
}
