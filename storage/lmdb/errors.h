/* errors.h — what LMDB's errors mean; for lmdb/ alone. */
#ifndef HF_STORAGE_LMDB_ERRORS_H
#define HF_STORAGE_LMDB_ERRORS_H

#include <lmdb.h>

#include "storage/base/err.h"

#define HF_LMDB_TOO_FAST (-1) /* beside LMDB's: commits follow each other too quickly for a snapshot's meta page to be read */

/* The one translation of LMDB's (and its system calls') errors. */
enum hf_err hf_lmdb_translate(int rc);

/* LMDB reports EIO if the file system cut a write short; returns the real reason, such as ENOSPC. Any other `rc` stays. */
int hf_lmdb_true_error(MDB_env *env, int rc);

/* Fails with what an error of beginning or renewing a transaction means: HF_E_OVERLOADED if all reader slots are taken or for
 * HF_LMDB_TOO_FAST, else the translation. */
enum hf_err hf_lmdb_no_transaction(int rc, struct hf_why *why);

#endif
