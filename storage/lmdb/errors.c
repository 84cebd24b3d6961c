/* errors.c — LMDB's errors in the words of err.h. */
#include "errors.h"

#include <errno.h>

#include "storage/disk/space.h"

enum hf_err hf_lmdb_translate(int rc) {
	switch (rc) {
	case MDB_SUCCESS:
		return HF_OK;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return HF_E_STORAGE_FULL;
	case MDB_PANIC:
		return HF_E_PANIC;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE: /* an entry where a table should be */
		return HF_E_CORRUPT;
	default:
		return hf_space_is_short(rc) ? HF_E_STORAGE_FULL : HF_E_STORAGE;
	}
}

int hf_lmdb_true_error(MDB_env *env, int rc) {
	int fd, lack = rc == EIO && mdb_env_get_fd(env, &fd) == MDB_SUCCESS ? hf_space_lack(fd) : 0;
	return hf_space_is_short(lack) ? lack : rc;
}

enum hf_err hf_lmdb_no_transaction(int rc, struct hf_why *why) {
	if (rc == HF_LMDB_TOO_FAST)
		return hf_fail(why, HF_E_OVERLOADED, "the database changes too fast to be read");
	if (rc == MDB_READERS_FULL)
		return hf_fail(why, HF_E_OVERLOADED, "the store has no reader left");
	return hf_fail(why, hf_lmdb_translate(rc), "a transaction cannot begin: %s", mdb_strerror(rc));
}
