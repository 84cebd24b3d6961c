/* alloc.c — what an allocation costs, in CPU time, by how full and how large its pool is.
 *
 * Measured: the time of this thread (CLOCK_THREAD_CPUTIME_ID, kernel included) for one batch of BATCH acquires of new leases
 * through the storage verb, from the batch's begin to the end of its commit, divided by BATCH. "choose" is the verb without the
 * commit, which grows with the pages that were touched: free addresses that are scattered touch more of them than a run does.
 *
 * Like is compared with like. Every candidate is a store of its own with HELD leases in all, in the measured pool as far as it is
 * to be full and in another one for the rest, so that all tables but "free" have the same number of rows. After each batch its
 * leases are purged, and the clock is set 91 days on, so that the history which they left is carried away: each batch finds the
 * same store. The feed is at its limit from the start. The candidates take turns, and the figures are medians, so that what else
 * runs on the machine meets all of them alike. A store lies below $TMPDIR or in /dev/shm; it should be on tmpfs.
 *
 * A pool of as many ranges and reserved ranges as it may have has the size of a /16, too: what is left of its cost is its free
 * addresses, which are scattered over 8,192 extents. "written" is the bytes of a commit of one new lease.
 *
 * Names are spread over the table of leases, as new services' are, and in a second pair they are neighbours: then the leases of a
 * batch share a page, and what is left of the full pool's cost is its scattered addresses. It is the harder comparison.
 *
 *   bench_alloc [REPETITIONS]
 *
 * Exit status 1: a ratio is beyond its limit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/store/upkeep.h"
#include "tests/unit/support.h"

#define BATCH 64
#define SIZE 65536 /* of a /16 */
#define SPARE 65   /* what 99.9 % full leaves free */
#define HELD (SIZE - SPARE)
#define SETUP_BATCH 1024
#define HISTORY_MS ((int64_t)91 * 24 * 3600 * 1000)
#define REPETITIONS 300
#define NOISE 1.1		/* medians of equals differ by less */
#define SINGLES 64		/* commits of one lease, for their bytes */
#define MANY "10.1.0.0/16 many" /* in place of a CIDR: that one in HF_POOL_RANGES_MAX parts, an address of each reserved */

static struct candidate {
	const char *name, *cidr;
	enum hf_strategy strategy;
	int in_pool;	 /* leases in the measured pool */
	bool neighbours; /* of names */
	struct fixture f;
	double *choose_ns, *total_ns; /* of each repetition, for one allocation */
	double written;		      /* bytes of a commit of one allocation */
} CANDIDATES[] = {
	{.name = "/16 empty", .cidr = "10.1.0.0/16", .strategy = HF_SEQUENTIAL},
	{.name = "/16 half full", .cidr = "10.1.0.0/16", .strategy = HF_SEQUENTIAL, .in_pool = SIZE / 2},
	{.name = "/16 99.9 % full", .cidr = "10.1.0.0/16", .strategy = HF_SEQUENTIAL, .in_pool = HELD},
	{.name = "/24 empty", .cidr = "10.1.0.0/24", .strategy = HF_SEQUENTIAL},
	{.name = "/64 empty", .cidr = "fd00:1::/64", .strategy = HF_SEQUENTIAL},
	{.name = "/16 empty, hashed", .cidr = "10.1.0.0/16", .strategy = HF_HASHED},
	{.name = "/16 99.9 % full, hashed", .cidr = "10.1.0.0/16", .strategy = HF_HASHED, .in_pool = HELD},
	{.name = "/24 empty, hashed", .cidr = "10.1.0.0/24", .strategy = HF_HASHED},
	{.name = "/64 empty, hashed", .cidr = "fd00:1::/64", .strategy = HF_HASHED},
	{.name = "/16 empty, neighbours", .cidr = "10.1.0.0/16", .strategy = HF_SEQUENTIAL, .neighbours = true},
	{.name = "/16 99.9 % full, neighbours",
	 .cidr = "10.1.0.0/16",
	 .strategy = HF_SEQUENTIAL,
	 .in_pool = HELD,
	 .neighbours = true},
	{.name = "4,096 ranges empty", .cidr = MANY, .strategy = HF_SEQUENTIAL},
	{.name = "4,096 ranges empty, hashed", .cidr = MANY, .strategy = HF_HASHED},
};
enum {
	EMPTY_16,
	HALF_16,
	FULL_16,
	EMPTY_24,
	EMPTY_64,
	EMPTY_16_HASHED,
	FULL_16_HASHED,
	EMPTY_24_HASHED,
	EMPTY_64_HASHED,
	EMPTY_16_NEIGHBOURS,
	FULL_16_NEIGHBOURS,
	EMPTY_MANY,
	EMPTY_MANY_HASHED,
	N
};

static void require(enum hf_err err, const char *what) {
	if (err) {
		fprintf(stderr, "bench_alloc: %s: %s\n", what, hf_err_slug(err));
		exit(2);
	}
}

static double cpu_ns(void) {
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct hf_acquire acquire_in(const struct candidate *c, const char *pool, const char *prefix, int number) {
	char name[64];
	if (c->neighbours)
		snprintf(name, sizeof name, "%s-%08x", prefix, (unsigned)number);
	else
		snprintf(name, sizeof name, "%08x-%s", (unsigned)number * 2654435761u,
			 prefix); /* Knuth's multiplier: no two alike */
	struct hf_acquire request = acquire_request(identity("east", "default", name), "{}");
	strcpy(request.want.pool, pool);
	hf_acquire_begin(&request);
	return request;
}

static void apply(struct hf_batch *batch, struct hf_write *write) {
	require(write->apply(batch, write, &write->why), "a write was refused");
}

static struct hf_batch *begin(struct candidate *c) {
	struct hf_batch *batch;
	require(hf_upkeep_begin(c->f.store, NULL, &batch), "begin");
	return batch;
}

static void fill(struct candidate *c, const char *pool, int n) {
	for (int done = 0; done < n;) {
		struct hf_batch *batch = begin(c);
		for (int i = 0; i < SETUP_BATCH && done < n; i++, done++) {
			struct hf_acquire request = acquire_in(c, pool, pool, done);
			apply(batch, &request.write);
		}
		require(hf_upkeep_commit(batch, NULL), "commit");
	}
}

static void purge(struct hf_batch *batch, struct hf_identity id) {
	struct hf_release request = {.want.id = id, .want.purge = true};
	hf_release_begin(&request);
	apply(batch, &request.write);
}

/* Lets what is left of purged leases in the history run out. */
static void forget(struct candidate *c) {
	c->f.now_ms += HISTORY_MS;
	require(hf_upkeep_commit(begin(c), NULL), "sweep");
}

/* Cuts the ranges of a /16, and reserves the middle address of each. */
static void cut(struct hf_pool_config *config) {
	static struct hf_range cidrs[HF_POOL_RANGES_MAX], reserved[HF_POOL_RANGES_MAX];
	hf_u128 first = addr("10.1.0.0").n, size = SIZE / HF_POOL_RANGES_MAX;
	for (int i = 0; i < HF_POOL_RANGES_MAX; i++, first += size) {
		cidrs[i] = (struct hf_range){{first}, {first + size - 1}};
		reserved[i] = (struct hf_range){{first + size / 2}, {first + size / 2}};
	}
	hf_pool_config_drop(config);
	if (!hf_ranges_make(cidrs, HF_POOL_RANGES_MAX, &config->cidrs) ||
	    !hf_ranges_make(reserved, HF_POOL_RANGES_MAX, &config->reserved))
		require(HF_E_OVERLOADED, "ranges");
}

/* A pool is made 99.9 % full by filling it and purging leases all over it: free addresses that lie alone. */
static void set_up(struct candidate *c) {
	bool many = strcmp(c->cidr, MANY) == 0;
	POOL_PUT_REQUEST other = pool_request("other", "172.16.0.0/12", "", 60),
			 put = pool_request("pool", many ? "10.1.0.0/16" : c->cidr, "", 60);
	if (many)
		cut(&put.config);
	fixture_dir(&c->f);
	c->f.options.changes_max = 4096;
	fixture_open(&c->f);
	put.config.strategy = c->strategy;
	require(commit(&c->f, &other.write), "pool");
	require(commit(&c->f, &put.write), "pool");
	fill(c, "other", HELD - c->in_pool);
	fill(c, "pool", c->in_pool == HELD ? SIZE : c->in_pool);
	if (c->in_pool == HELD) {
		struct hf_batch *batch = begin(c);
		for (int i = 0; i < SPARE; i++)
			purge(batch, acquire_in(c, "pool", "pool", i * (SIZE / SPARE) + i * 389 % 800).want.id);
		require(hf_upkeep_commit(batch, NULL), "commit");
		forget(c);
	}
}

static void measure(struct candidate *c, int repetition) {
	struct hf_acquire requests[BATCH];
	for (int i = 0; i < BATCH; i++)
		requests[i] = acquire_in(c, "pool", "new", repetition * BATCH + i);
	double start = cpu_ns();
	struct hf_batch *batch = begin(c);
	for (int i = 0; i < BATCH; i++)
		apply(batch, &requests[i].write);
	double chosen = cpu_ns();
	require(hf_upkeep_commit(batch, NULL), "commit");
	double end = cpu_ns();
	c->choose_ns[repetition] = (chosen - start) / BATCH;
	c->total_ns[repetition] = (end - start) / BATCH;
	batch = begin(c);
	for (int i = 0; i < BATCH; i++)
		purge(batch, requests[i].want.id);
	require(hf_upkeep_commit(batch, NULL), "commit");
	forget(c);
}

/* Bytes that this process passed to the system to write. */
static double written(void) {
	unsigned long long bytes = 0;
	char line[64];
	FILE *file = fopen("/proc/self/io", "r");
	while (file && fgets(line, sizeof line, file) && sscanf(line, "wchar: %llu", &bytes) != 1)
		;
	if (file)
		fclose(file);
	return (double)bytes;
}

static void measure_bytes(struct candidate *c) {
	double before = written();
	for (int i = 0; i < SINGLES; i++) {
		struct hf_acquire request = acquire_in(c, "pool", "single", i);
		require(commit(&c->f, &request.write), "single");
	}
	c->written = (written() - before) / SINGLES;
	struct hf_batch *batch = begin(c);
	for (int i = 0; i < SINGLES; i++)
		purge(batch, acquire_in(c, "pool", "single", i).want.id);
	require(hf_upkeep_commit(batch, NULL), "commit");
	forget(c);
}

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *values, int n) {
	qsort(values, (size_t)n, sizeof *values, by_value);
	return values[n / 2];
}

/* Rows of a table in the state that every batch finds. */
static unsigned long rows(struct candidate *c, enum hf_table table) {
	require(hf_reader_begin(c->f.reader, NULL), "reader");
	unsigned long n = hf_txn_count(c->f.reader, table);
	hf_reader_end(c->f.reader);
	return n;
}

static void print_row(struct candidate *c, int repetitions) {
	printf("%-28s %8.0f %8.0f %8.0f %8lu %8lu %8lu %8lu\n", c->name, median(c->choose_ns, repetitions),
	       median(c->total_ns, repetitions), c->written, rows(c, HF_FREE), rows(c, HF_LEASES), rows(c, HF_ADDRESSES),
	       rows(c, HF_HISTORY));
}

static bool print_ratio(int a, int b, double limit, int repetitions) {
	double ratio = median(CANDIDATES[a].total_ns, repetitions) / median(CANDIDATES[b].total_ns, repetitions);
	printf("%s : %s = %.2f, at most %.1f\n", CANDIDATES[a].name, CANDIDATES[b].name, ratio, limit);
	return ratio <= limit;
}

int main(int argc, char **argv) {
	int repetitions = argc > 1 ? atoi(argv[1]) : REPETITIONS;
	for (int i = 0; i < N; i++) {
		CANDIDATES[i].choose_ns = calloc((size_t)repetitions, sizeof(double));
		CANDIDATES[i].total_ns = calloc((size_t)repetitions, sizeof(double));
		set_up(&CANDIDATES[i]);
	}
	for (int r = 0; r < repetitions; r++)
		for (int i = 0; i < N; i++)
			measure(&CANDIDATES[(i + r) % N], r);
	printf("%d batches of %d, median ns of CPU for one allocation\n", repetitions, BATCH);
	printf("%-28s %8s %8s %8s %8s %8s %8s %8s\n", "pool", "choose", "all", "written", "free", "leases", "address", "history");
	for (int i = 0; i < N; i++)
		measure_bytes(&CANDIDATES[i]);
	for (int i = 0; i < N; i++)
		print_row(&CANDIDATES[i], repetitions);
	bool good = print_ratio(FULL_16, EMPTY_16, 2, repetitions);
	good &= print_ratio(EMPTY_64, EMPTY_24, NOISE, repetitions);
	good &= print_ratio(FULL_16_HASHED, EMPTY_16_HASHED, 2, repetitions);
	good &= print_ratio(EMPTY_64_HASHED, EMPTY_24_HASHED, NOISE, repetitions);
	good &= print_ratio(FULL_16_NEIGHBOURS, EMPTY_16_NEIGHBOURS, 2, repetitions);
	good &= print_ratio(EMPTY_MANY, EMPTY_16, 2, repetitions);
	good &= print_ratio(EMPTY_MANY_HASHED, EMPTY_16_HASHED, 2, repetitions);
	for (int i = 0; i < N; i++) {
		fixture_remove(&CANDIDATES[i].f);
		free(CANDIDATES[i].choose_ns);
		free(CANDIDATES[i].total_ns);
	}
	return good ? 0 : 1;
}
