/* main.c — runs configuration.c on texts that chance makes of the seeds, for a while.
 *
 *	fuzz [SECONDS [SEED]]	10 seconds of the processor and seed 1 unless told; the same seed gives the same texts in the same
 *order fuzz --read FILE	one text fuzz --write FOLDER	writes the seeds there, one a file, for libFuzzer
 *
 * First come all seeds as they are, each piece that one of the small ones begins with, and each of them with a NUL in every place;
 * then mutations. A difference is printed with a text made as short as it still differs, and ends the program with status 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "configuration.h"
#include "mutate.h"
#include "seeds.h"

#define SMALL 100	   /* bytes of a seed that is tried in pieces */
#define LARGE 2500	   /* bytes of a seed that is rarely taken */
#define SHORTEN_SECONDS 20 /* that a difference may be made shorter for */

static struct text current, other;
static uint64_t n_runs, n_accepted, n_identified;

/* The address sanitizer asks for its options: most of a run is allocations, and what it is to keep of each can be little. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "malloc_context_size=3:quarantine_size_mb=4"; }

/* The sanitizers call this before they end the program. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void at_death(void) {
	fprintf(stderr, "run %llu, ", (unsigned long long)n_runs);
	configuration_print_text((const uint8_t *)current.data, current.len);
}

/* Of this process alone, so that a busy machine has as many texts tried. */
static double seconds_now(void) {
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *differs(const struct text *t) { return configuration_compare((const uint8_t *)t->data, t->len).differs; }

/* Takes away what the difference does not need. */
static void shorten(struct text *t) {
	double until = seconds_now() + SHORTEN_SECONDS;
	for (size_t piece = t->len / 2; piece > 0; piece /= 2)
		for (size_t at = 0; at + piece <= t->len && seconds_now() < until;) {
			other = *t;
			text_replace(t, at, piece, "", 0);
			if (!differs(t)) {
				*t = other;
				at += piece;
			}
		}
}

static void try_current(void) {
	struct outcome outcome = configuration_compare((const uint8_t *)current.data, current.len);
	n_runs++;
	n_accepted += outcome.accepted;
	n_identified += outcome.identified;
	if (!outcome.differs)
		return;
	fprintf(stderr, "run %llu: api and oracle differ in %s\n", (unsigned long long)n_runs, outcome.differs);
	shorten(&current);
	fprintf(stderr, "shortened: they differ in %s\n", differs(&current));
	configuration_print((const uint8_t *)current.data, current.len);
	exit(1);
}

static void try_seeds(const struct seeds *seeds) {
	for (size_t i = 0; i < seeds->n; i++) {
		const struct seed *seed = &seeds->items[i];
		text_set(&current, seed->text, seed->len);
		try_current();
		for (size_t at = 0; seed->len <= SMALL && at < seed->len; at++) {
			text_set(&current, seed->text, at);
			try_current();
			text_set(&current, seed->text, seed->len);
			text_replace(&current, at, 0, "\0", 1);
			try_current();
		}
	}
}

/* Mostly a document, and seldom a large text, as one takes as long as many others. */
static const struct seed *any_seed(const struct seeds *seeds, struct chance *c) {
	const struct seed *seed;
	do
		seed = &seeds->items[chance_below(c, chance_of(c, 85) ? seeds->n_documents : seeds->n)];
	while (seed->len > LARGE && chance_of(c, 95));
	return seed;
}

static void mutate(const struct seeds *seeds, struct chance *c) {
	const struct seed *seed = any_seed(seeds, c), *guest = any_seed(seeds, c);
	text_set(&current, seed->text, seed->len);
	text_set(&other, guest->text, guest->len);
	if (chance_of(c, 80))
		mutate_tree(&current, &other, 1 + chance_below(c, 5), c);
	for (size_t n = chance_below(c, 4); n > 0; n--)
		mutate_writing(&current, c);
	for (size_t n = chance_of(c, 25) ? 1 + chance_below(c, 2) : 0; n > 0; n--)
		mutate_bytes(&current, &other, c);
}

static int fuzz(const struct seeds *seeds, double seconds, uint64_t seed) {
	struct chance c = {seed};
	double start = seconds_now(), now = start;
	printf("fuzz: seed %llu, %.0f seconds\n", (unsigned long long)seed, seconds);
	fflush(stdout);
	try_seeds(seeds);
	uint64_t n_seeds = n_runs;
	n_accepted = n_identified = 0;
	double begun = now = seconds_now();
	while (now - start < seconds) {
		mutate(seeds, &c);
		try_current();
		now = seconds_now();
	}
	uint64_t n = n_runs - n_seeds;
	printf("fuzz: no difference in %llu texts from seeds and %llu mutations", (unsigned long long)n_seeds,
	       (unsigned long long)n);
	if (n > 0)
		printf(", %.0f a second, %llu %% accepted (%llu %% with an identity), %llu %% refused", (double)n / (now - begun),
		       (unsigned long long)(n_accepted * 100 / n), (unsigned long long)(n_identified * 100 / n),
		       (unsigned long long)(100 - n_accepted * 100 / n));
	printf("\n");
	return 0;
}

static int read_one(const char *path) {
	FILE *file = fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 2;
	}
	current.len = fread(current.data, 1, sizeof current.data, file);
	fclose(file);
	configuration_print((const uint8_t *)current.data, current.len);
	return differs(&current) ? 1 : 0;
}

static int write_seeds(const struct seeds *seeds, const char *folder) {
	char path[4096];
	for (size_t i = 0; i < seeds->n; i++) {
		snprintf(path, sizeof path, "%s/seed-%zu", folder, i);
		FILE *file = fopen(path, "wb");
		if (!file) {
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
			return 2;
		}
		fwrite(seeds->items[i].text, 1, seeds->items[i].len, file);
		fclose(file);
	}
	return 0;
}

int main(int argc, char **argv) {
	struct seeds seeds;
	int status;
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(at_death);
	if (argc == 3 && strcmp(argv[1], "--read") == 0)
		return read_one(argv[2]);
	seeds_load(&seeds, DOCUMENTS_FOLDER);
	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		status = write_seeds(&seeds, argv[2]);
	else
		status = fuzz(&seeds, argc > 1 ? atof(argv[1]) : 10, argc > 2 ? strtoull(argv[2], NULL, 0) : 1);
	seeds_free(&seeds);
	return status;
}
