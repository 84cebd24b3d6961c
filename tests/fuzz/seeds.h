/* seeds.h — the texts that the fuzzer begins with: what control planes write, and everything that once was a trap. */
#ifndef HF_TESTS_SEEDS_H
#define HF_TESTS_SEEDS_H

#include <stddef.h>

struct seed {
	char *text;
	size_t len;
};

struct seeds {
	struct seed *items;
	size_t n;
	size_t n_documents; /* the first ones: whole resources, that can be read */
};

/* `folder`: the .json files there are lists of resources. Ends the program if they cannot be read. */
void seeds_load(struct seeds *seeds, const char *folder);
void seeds_free(struct seeds *seeds);

#endif
