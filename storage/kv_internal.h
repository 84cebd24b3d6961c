/* kv_internal.h — LMDB's handles, and what its errors mean; for kv.c and kv_open.c alone. */
#ifndef HF_STORAGE_KV_INTERNAL_H
#define HF_STORAGE_KV_INTERNAL_H

#include <limits.h>
#include <lmdb.h>

#include "kv.h"
#include "kv_pages.h"

#define HF_SNAPSHOT_TRIES 1000 /* each fails only if two commits come between two system calls */

struct hf_kv {
	MDB_env *env;
	MDB_dbi tables[HF_TABLES];
	_Atomic bool doubtful;
	int shared_fd;	/* of a file that is read alone, locked against a server; 0: none */
	int watches[2]; /* of the file's map and the lock table's (kv_fault.h), plus 1; 0: none */
	char file[PATH_MAX];
};

/* The one translation of LMDB's (and its system calls') errors. */
enum hf_err hf_kv_translate(int rc);

/* LMDB makes EIO of a write that the file system cut short, for which there is a better word. */
int hf_kv_true_error(struct hf_kv *kv, int rc);

/* The meta page of a transaction that is open, so that no page of its trees is overwritten. Its own is, by the second commit after
 * it: it is for certain as long as not one had ended when it was read. False: there was one. */
bool hf_kv_read_meta(MDB_env *env, MDB_txn *txn, int *ret_fd, struct hf_kv_meta *ret);

#endif
