/* presence.c — a database file by its name. */
#include "presence.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "store_internal.h"

enum hf_err hf_store_look(struct hf_store *store, struct hf_why *why) {
	static const char way_out[] =
		"take a backup now (holdfast backup), and stop the server only after that: it has the only copy";
	struct stat st;
	if (!store->file[0])
		return HF_OK;
	bool seen = lstat(store->file, &st) == 0;
	store->gone = !seen || st.st_dev != store->device || st.st_ino != store->inode;
	if (!store->gone)
		return HF_OK;
	if (seen)
		return hf_fail(why, HF_E_STORE_GONE, "%.80s was replaced by another file: %s", store->file, way_out);
	return hf_fail(why, HF_E_STORE_GONE, "%.80s was deleted or moved away (%s): %s", store->file, strerror(errno), way_out);
}

bool hf_store_is_gone(const struct hf_store *store) { return store->gone; }
