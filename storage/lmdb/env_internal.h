/* env_internal.h — LMDB's handles of an environment; for lmdb/ alone. */
#ifndef HF_STORAGE_LMDB_ENV_INTERNAL_H
#define HF_STORAGE_LMDB_ENV_INTERNAL_H

#include <limits.h>
#include <lmdb.h>

#include "env.h"
#include "storage/disk/lmdb_file.h"

#define HF_TABLE_ABSENT 0 /* instead of a handle; LMDB's own, of its free pages */

struct hf_env {
	MDB_env *lmdb;
	MDB_dbi tables[HF_TABLES];
	_Atomic bool doubtful;
	int shared_fd;	/* of a file opened for reading only, locked against a server; 0: not locked */
	int watches[2]; /* of the file's map and the lock table's (fault.h), plus 1; 0: not watched */
	char file[PATH_MAX];
};

/* Renews an open read transaction, and reads the meta page of its snapshot. The second commit after that snapshot's own overwrites
 * the page; it was whole if no commit has ended since it was read. The reader's own slot shows that, so no second slot is needed,
 * as none may be left. mdb_env_info() would not do: it shows a commit that is still being flushed. Returns LMDB's error, or
 * HF_LMDB_TOO_FAST (errors.h); the transaction is then reset. */
int hf_env_renew_meta(MDB_env *env, MDB_txn *txn, int *ret_fd, struct hf_lmdb_meta *ret);

#endif
