/* errors.h — the meaning of LMDB's errors; for lmdb/ alone. */
#ifndef HF_STORAGE_LMDB_ERRORS_H
#define HF_STORAGE_LMDB_ERRORS_H

#include <lmdb.h>

#include "storage/base/err.h"

#define HF_LMDB_TOO_FAST (-1) /* not one of LMDB's: commits follow each other too quickly to read a snapshot's meta page */

/* Translates an error of LMDB or of its system calls. */
enum hf_err hf_lmdb_translate(int rc);

/* LMDB reports EIO if the file system cut a write short; returns the real reason, such as ENOSPC. Any other `rc` stays. */
int hf_lmdb_true_error(MDB_env *env, int rc);

/* Explains a failure to begin or renew a transaction: HF_E_OVERLOADED if all reader slots are taken or for HF_LMDB_TOO_FAST, else
 * the translation. */
enum hf_err hf_lmdb_no_transaction(int rc, struct hf_why *why);

#endif
