/* limit_store.h — LMDB with the tables, keys and record sizes of Holdfast's and none of its rules: what a new lease costs at least.
 *
 * A put touches what hf_batch_change() touches for a new lease of one IPv4 address: a record each in leases, addresses and changes,
 * and the free extent, which moves on by one address; its batch, the pool, the scope and meta once. Every record begins with a
 * prefix of the stored bytes' own where Holdfast has digests, so that a look-up has something to compare.
 *
 * Faults end the program with a message: it is a benchmark. One write transaction at a time; a reader belongs to one thread.
 */
#ifndef HF_BENCH_LIMIT_STORE_H
#define HF_BENCH_LIMIT_STORE_H

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>

#define LIMIT_PREFIX_BYTES 64 /* of a body; Holdfast's record has two digests of 32 bytes */

struct limit_store;

struct limit_key {
	uint8_t bytes[511];
	uint16_t len;
};

/* Ends the program if a condition does not hold, or LMDB's result is no success. */
void limit_require(bool good, const char *what);
void limit_check(int rc, const char *what);

/* Creates a store in a new directory. Its caller closes it. */
struct limit_store *limit_store_open(const char *dir);
void limit_store_close(struct limit_store *store);

/* The key of a service of zone east in mesh default: identity bytes. The name has at most 400 bytes. */
void limit_key_of(const char *name, struct limit_key *ret);

/* A reader without a snapshot; mdb_txn_renew() takes one, mdb_txn_reset() lets it go, mdb_txn_abort() ends it. */
MDB_txn *limit_reader_open(struct limit_store *store);

/* The stored prefix of a lease, borrowed until the transaction ends; NULL if there is no such lease. */
const uint8_t *limit_get(struct limit_store *store, MDB_txn *txn, const struct limit_key *key);

/* A batch: begin, any number of puts, commit. A put of a key that is there alters its lease and adds a change, no more. Returns
 * whether it is new. The commit is durable when it returns. */
void limit_begin(struct limit_store *store);
bool limit_put(struct limit_store *store, const struct limit_key *key, const uint8_t prefix[LIMIT_PREFIX_BYTES]);
void limit_commit(struct limit_store *store);

#endif
