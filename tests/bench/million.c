/* million.c — fills a new data directory with leases, through the storage verbs, and says what lies where on disk.
 *
 *   bench_million DIR [LEASES]      default 1,000,000; DIR must not hold a store
 *   bench_million --tables DIR      only the tables of a store that nobody has open
 *   bench_million --paths LEASES N  the paths of N of so many leases, spread over all of them
 *
 * Identities have realistic lengths (a service is name.namespace, some 33 characters) and come in no order, so that pages are as
 * full as they are in a store that has lived. Options are the defaults, the feed's retention included. tests/bench/part_stores.py
 * measures the server on the result.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "storage/disk/descriptors.h"
#include "storage/requests/leases.h"
#include "storage/store/open.h"
#include "storage/store/upkeep.h"

#define BATCH 1000
#define ZONES 40

static void require(bool good, const char *what, const char *why) {
	if (!good) {
		fprintf(stderr, "bench_million: %s: %s\n", what, why);
		exit(1);
	}
}

/* The n-th identity. Multiplying by an odd number permutes 32 bits, so names are unlike and in no order. */
static struct hf_identity identity_of(unsigned n) {
	static const char *const teams[] = {"payments-prod", "identity", "catalogue-search", "logistics-eu",
					    "platform-observability"};
	static const char *const words[] = {"gateway", "inventory", "notification", "session", "recommendation", "ledger", "audit"};
	struct hf_identity id = {.kind = HF_MESH_SERVICE};
	unsigned spread = n * 2654435761u;
	snprintf(id.zone, sizeof id.zone, "zone-eu-west-%02u", spread % ZONES);
	snprintf(id.mesh, sizeof id.mesh, "%s", spread % 7 ? "default" : "restricted");
	snprintf(id.service, sizeof id.service, "%s-api-%08x.%s", words[spread / 64 % 7], spread, teams[spread / 8 % 5]);
	return id;
}

/* A configuration of about 600 bytes leaves two digests, whatever is in it. */
static struct hf_acquire request_of(unsigned n) {
	struct hf_acquire request = {
		.want.id = identity_of(n), .want.has_config = true, .want.has_fingerprint = true, .want.fingerprint_version = 1};
	request.want.fingerprint = hf_digest_of(&n, sizeof n);
	request.want.raw = hf_digest_of(request.want.fingerprint.bytes, HF_DIGEST_BYTES);
	hf_acquire_begin(&request);
	return request;
}

static void write_batch(struct hf_store *store, unsigned from, unsigned n) {
	struct hf_batch *batch;
	struct hf_why why = {""};
	require(hf_upkeep_begin(store, NULL, &batch) == HF_OK, "batch", "cannot be begun");
	for (unsigned i = 0; i < n; i++) {
		struct hf_acquire request = request_of(from + i);
		require(request.write.apply(batch, &request.write, &why) == HF_OK, request.want.id.service, why.text);
		require(request.outcome == HF_CREATED, request.want.id.service, "the directory holds a store already");
	}
	require(hf_upkeep_commit(batch, &why) == HF_OK, "commit", why.text);
}

static void fill(const char *dir, unsigned leases) {
	struct hf_store_options options = {.quarantine_seconds = 3600};
	struct hf_store *store;
	struct hf_why why = {""};
	struct timespec start, end;
	require(hf_store_open(dir, &options, &why, &store) == HF_OK, dir, why.text);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned done = 0; done < leases; done += BATCH)
		write_batch(store, done, leases - done < BATCH ? leases - done : BATCH);
	clock_gettime(CLOCK_MONOTONIC, &end);
	hf_store_close(store);
	double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	printf("%u leases in %.1f s, in batches of %d\n", leases, seconds, BATCH);
}

static void print_table(const char *name, const MDB_stat *stat, double leases) {
	size_t pages = stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
	printf("%-10s %9zu rows, depth %u, %7zu pages, %6.1f MiB, %5.1f bytes a lease\n", name, stat->ms_entries, stat->ms_depth,
	       pages, (double)(pages * stat->ms_psize) / 1048576, (double)(pages * stat->ms_psize) / leases);
}

/* Pages that no tree uses: the next writes take them. */
static size_t free_pages(MDB_txn *txn) {
	MDB_cursor *cursor;
	MDB_val key, value;
	size_t pages = 0;
	require(mdb_cursor_open(txn, 0, &cursor) == MDB_SUCCESS, "free list", "cursor");
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
		size_t n;
		memcpy(&n, value.mv_data, sizeof n);
		pages += n;
	}
	mdb_cursor_close(cursor);
	return pages;
}

static void print_file(const char *dir, size_t unused, size_t page_bytes, double leases) {
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	require(stat(path, &st) == 0, path, "cannot be read");
	printf("%-10s %31zu pages, %6.1f MiB, %5.1f bytes a lease\n", "unused", unused, (double)(unused * page_bytes) / 1048576,
	       (double)(unused * page_bytes) / leases);
	printf("%-10s %39s %6.1f MiB, %5.1f bytes a lease\n", "data.mdb", "", (double)st.st_size / 1048576,
	       (double)st.st_size / leases);
}

static void print_tables(const char *dir) {
	MDB_env *env;
	MDB_txn *txn;
	MDB_stat stats[HF_TABLES];
	bool good = mdb_env_create(&env) == MDB_SUCCESS && mdb_env_set_maxdbs(env, HF_TABLES) == MDB_SUCCESS &&
		    mdb_env_open(env, dir, MDB_RDONLY, 0) == MDB_SUCCESS &&
		    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == MDB_SUCCESS;
	require(good, dir, "is no store");
	for (int i = 0; i < HF_TABLES; i++) {
		MDB_dbi table;
		good = mdb_dbi_open(txn, hf_table_name((enum hf_table)i), 0, &table) == MDB_SUCCESS &&
		       mdb_stat(txn, table, &stats[i]) == MDB_SUCCESS;
		require(good, dir, "a table is missing");
	}
	double leases = (double)stats[HF_LEASES].ms_entries;
	for (int i = 0; i < HF_TABLES; i++)
		print_table(hf_table_name((enum hf_table)i), &stats[i], leases);
	print_file(dir, free_pages(txn), stats[0].ms_psize, leases);
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

static void print_paths(unsigned leases, unsigned n) {
	require(n > 0 && n <= leases, "paths", "from 1 to as many as there are leases");
	for (unsigned i = 0; i < n; i++) {
		struct hf_identity id = identity_of((unsigned)((uint64_t)i * leases / n));
		printf("/v1/meshes/%s/zones/%s/services/%s\n", id.mesh, id.zone, id.service);
	}
}

int main(int argc, char **argv) {
	if (!hf_descriptors_fill())
		return 1;
	bool tables_only = argc == 3 && strcmp(argv[1], "--tables") == 0;
	if (argc == 4 && strcmp(argv[1], "--paths") == 0) {
		print_paths((unsigned)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
		return 0;
	}
	require(argc == 2 || argc == 3, "usage", "bench_million DIR [LEASES] | --tables DIR | --paths LEASES N");
	if (!tables_only)
		fill(argv[1], argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000000);
	print_tables(argv[tables_only ? 2 : 1]);
	return 0;
}
