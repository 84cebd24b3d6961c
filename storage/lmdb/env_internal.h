/* env_internal.h — LMDB's handles, and what its errors mean; for txn.c and env.c alone. */
#ifndef HF_STORAGE_LMDB_ENV_INTERNAL_H
#define HF_STORAGE_LMDB_ENV_INTERNAL_H

#include <limits.h>
#include <lmdb.h>

#include "storage/disk/lmdb_file.h"
#include "txn.h"

struct hf_kv {
	MDB_env *env;
	MDB_dbi tables[HF_TABLES];
	_Atomic bool doubtful;
	int shared_fd;	/* of a file that is read alone, locked against a server; 0: none */
	int watches[2]; /* of the file's map and the lock table's (fault.h), plus 1; 0: none */
	char file[PATH_MAX];
};

/* The one translation of LMDB's (and its system calls') errors. */
enum hf_err hf_kv_translate(int rc);

/* LMDB makes EIO of a write that the file system cut short, for which there is a better word. */
int hf_kv_true_error(struct hf_kv *kv, int rc);

/* Renews a read transaction that is open, and reads the meta page of its snapshot. LMDB overwrites that page by the second commit
 * after its own; it was whole if no commit has ended since it was read, which the reader's own slot says: another one is not
 * needed, as there may be none left. Not mdb_env_info(), which sees a commit that is still being flushed. LMDB's error, or
 * HF_KV_TOO_FAST; then the transaction is reset. */
#define HF_KV_TOO_FAST (-1)
int hf_kv_renew_meta(MDB_env *env, MDB_txn *txn, int *ret_fd, struct hf_kv_meta *ret);

/* What such an error means. */
enum hf_err hf_kv_no_snapshot(int rc, struct hf_why *why);

#endif
