/* limit_lmdb.c — what LMDB alone can do in process, with the records of limit_store.h.
 *
 *   bench_limit_lmdb DIR each SECONDS         new leases, one transaction each: the limit of NEW with one connection
 *   bench_limit_lmdb DIR batch N SECONDS      new leases, N a transaction
 *   bench_limit_lmdb DIR bulk N               N new leases in one transaction, then a look-up of each on one read transaction
 *
 * DIR must exist and be empty. Every commit is durable. Names come in no order. Prints one line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limit_store.h"

#define LOOKUP_ROUNDS 5 /* of which the median counts */

static double now_s(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void) {
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The n-th service's key. Multiplying by an odd number permutes 32 bits, so names come in no order. */
static struct limit_key key_of(unsigned n) {
	static const char *const words[] = {"gateway", "inventory", "notification", "session", "recommendation", "ledger", "audit"};
	struct limit_key key;
	char name[64];
	unsigned spread = n * 2654435761u;
	snprintf(name, sizeof name, "%s-api-%08x", words[spread / 64 % 7], spread);
	limit_key_of(name, &key);
	return key;
}

static const uint8_t PREFIX[LIMIT_PREFIX_BYTES] = "{\"type\":\"MeshService\"";

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void put_batches(struct limit_store *store, unsigned per_batch, double seconds) {
	unsigned n = 0, batches = 0;
	size_t room = 1u << 20;
	double *waits_ms = malloc(room * sizeof *waits_ms), start = now_s(), before = start, cpu = cpu_s(), now;
	limit_require(waits_ms != NULL, "out of memory");
	do {
		limit_begin(store);
		for (unsigned i = 0; i < per_batch; i++) {
			struct limit_key key = key_of(n++);
			limit_require(limit_put(store, &key, PREFIX), "a lease is there already");
		}
		limit_commit(store);
		now = now_s();
		waits_ms[batches++] = (now - before) * 1e3;
		before = now;
	} while (now - start < seconds && batches < room);
	cpu = cpu_s() - cpu;
	qsort(waits_ms, batches, sizeof *waits_ms, by_value);
	printf("{\"created\":%u,\"commits\":%u,\"seconds\":%.6f,\"cpu_us\":%.3f,\"p50_ms\":%.4f,\"p99_ms\":%.4f}\n", n, batches,
	       now - start, cpu * 1e6 / n, waits_ms[batches / 2], waits_ms[batches * 99ull / 100]);
	free(waits_ms);
}

/* Seconds that it takes to find every key and read its value. */
static double look_up(struct limit_store *store, MDB_txn *reader, const struct limit_key *keys, unsigned n) {
	double start = now_s();
	limit_check(mdb_txn_renew(reader), "snapshot");
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *stored = limit_get(store, reader, &keys[i]);
		limit_require(stored && memcmp(stored, PREFIX, LIMIT_PREFIX_BYTES) == 0, "a lease is missing");
	}
	mdb_txn_reset(reader);
	return now_s() - start;
}

static void put_bulk(struct limit_store *store, unsigned n) {
	struct limit_key *keys = malloc(n * sizeof *keys);
	double lookups_s[LOOKUP_ROUNDS];
	limit_require(n > 0 && keys != NULL, "out of memory");
	for (unsigned i = 0; i < n; i++)
		keys[i] = key_of(i);
	double start = now_s();
	limit_begin(store);
	for (unsigned i = 0; i < n; i++)
		limit_require(limit_put(store, &keys[i], PREFIX), "a lease is there already");
	limit_commit(store);
	double new_s = now_s() - start;
	MDB_txn *reader = limit_reader_open(store);
	for (int i = 0; i < LOOKUP_ROUNDS; i++)
		lookups_s[i] = look_up(store, reader, keys, n);
	mdb_txn_abort(reader);
	qsort(lookups_s, LOOKUP_ROUNDS, sizeof *lookups_s, by_value);
	printf("{\"n\":%u,\"new_s\":%.6f,\"lookup_s\":%.6f}\n", n, new_s, lookups_s[LOOKUP_ROUNDS / 2]);
	free(keys);
}

int main(int argc, char **argv) {
	const char *how = argc > 3 ? argv[2] : "";
	bool each = argc == 4 && strcmp(how, "each") == 0, bulk = argc == 4 && strcmp(how, "bulk") == 0;
	bool batch = argc == 5 && strcmp(how, "batch") == 0;
	limit_require(each || bulk || batch, "usage: bench_limit_lmdb DIR each SECONDS | batch N SECONDS | bulk N");
	struct limit_store *store = limit_store_open(argv[1]);
	if (bulk)
		put_bulk(store, (unsigned)strtoul(argv[3], NULL, 10));
	else
		put_batches(store, each ? 1 : (unsigned)strtoul(argv[3], NULL, 10), atof(argv[each ? 3 : 4]));
	limit_store_close(store);
	return 0;
}
