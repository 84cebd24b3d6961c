/* presence.c — compares the open database file with its path. */
#include "presence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "store_internal.h"

enum hf_err hf_store_look(struct hf_store *store, struct hf_why *why) {
	static const char way_out[] =
		"take a backup now (holdfast backup), and stop the server only after that: it has the only copy";
	struct statx st;
	if (!store->file[0])
		return HF_OK;
	/* Does not ask for times: on a file system with multigrain timestamps, asking makes the next write's time cost another
	 * commit of the journal. */
	bool seen = statx(AT_FDCWD, store->file, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO, &st) == 0;
	store->gone = !seen || makedev(st.stx_dev_major, st.stx_dev_minor) != store->device || st.stx_ino != store->inode;
	if (!store->gone)
		return HF_OK;
	if (seen)
		return hf_fail(why, HF_E_STORE_GONE, "%.80s was replaced by another file: %s", store->file, way_out);
	return hf_fail(why, HF_E_STORE_GONE, "%.80s was deleted or moved away (%s): %s", store->file, strerror(errno), way_out);
}

bool hf_store_is_gone(const struct hf_store *store) { return store->gone; }
