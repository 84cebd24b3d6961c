/* fingerprint.c — what it costs to read a configuration and make its fingerprint, beside parsing it with jansson alone.
 *
 *   bench_fingerprint FILE [ROUNDS]
 *
 * FILE holds one configuration. Rounds of calls take turns and each candidate's figure is the median of its rounds, in CPU time of
 * this thread (CLOCK_THREAD_CPUTIME_ID). Prints one line of JSON: bytes, and microseconds a call.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/kuma/canonical.h"

#define BODY_MAX 65536
#define CALLS 500
#define ROUNDS 31

static char BODY[BODY_MAX];
static size_t LEN;

static void require(bool good, const char *what) {
	if (good)
		return;
	fprintf(stderr, "bench_fingerprint: %s\n", what);
	exit(1);
}

static double cpu_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void fingerprint(void) {
	struct hf_config config;
	struct hf_why why = {""};
	require(hf_config_read(BODY, LEN, &why, &config) == HF_OK, why.text);
}

static void parse(void) {
	json_t *document = json_loadb(BODY, LEN, JSON_REJECT_DUPLICATES, NULL);
	require(document != NULL, "the configuration is no JSON");
	json_decref(document);
}

static void digest(void) {
	struct hf_digest d = hf_digest_of(BODY, LEN);
	require(d.bytes[0] || d.bytes[1] || d.bytes[2] || d.bytes[3], "a digest of zeros"); /* so that it is not left out */
}

static double one_round(void (*call)(void)) {
	double start = cpu_us();
	for (int i = 0; i < CALLS; i++)
		call();
	return (cpu_us() - start) / CALLS;
}

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, int n) {
	qsort(values, (size_t)n, sizeof *values, by_value);
	return values[n / 2];
}

int main(int argc, char **argv) {
	FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
	require(file != NULL, "usage: bench_fingerprint FILE [ROUNDS]");
	LEN = fread(BODY, 1, sizeof BODY, file);
	fclose(file);
	int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
	double *figures = calloc(3 * (size_t)(rounds > 0 ? rounds : 1), sizeof *figures);
	require(rounds > 0 && figures != NULL, "rounds");
	for (int i = 0; i < rounds; i++) {
		figures[i] = one_round(fingerprint);
		figures[rounds + i] = one_round(parse);
		figures[2 * rounds + i] = one_round(digest);
	}
	printf("{\"bytes\":%zu,\"fingerprint_us\":%.3f,\"jansson_us\":%.3f,\"digest_us\":%.3f}\n", LEN, median(figures, rounds),
	       median(figures + rounds, rounds), median(figures + 2 * rounds, rounds));
	free(figures);
	return 0;
}
