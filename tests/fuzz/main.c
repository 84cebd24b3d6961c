/* main.c — one program for all targets, under libFuzzer:
 *
 *	fuzz TARGET [LIBFUZZER-OPTION…] [FOLDER…]
 *
 * ctest runs each target over its folder of tests/fuzz/corpus and then a fixed number of mutations of it, from a fixed seed. To
 *look for faults for as long as one likes, and to keep in the corpus only what reaches something that nothing else there reaches:
 *
 *	./scripts/test -R fuzz
 *	mkdir /tmp/found
 *	build/fuzz/tests/fuzz configuration -dict=tests/fuzz/json.dict -max_total_time=600 /tmp/found
 *tests/fuzz/corpus/configuration build/fuzz/tests/fuzz configuration -merge=1 tests/fuzz/corpus/configuration /tmp/found
 *
 * What makes it stop is written to crash-…; that file as the only argument after the target shows it again.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "fuzz.h"
#include "naive.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct target {
	const char *name;
	const char *(*differs)(const char *text, size_t len);
} TARGETS[] = {
	{"configuration", fuzz_configuration},
	{"list", fuzz_list},
	{"export", fuzz_export},
	{"address", fuzz_address},
	{"target", fuzz_target},
	{"tokens", fuzz_tokens},
};

static const struct target *target;

static const struct target *find_target(const char *name) {
	for (size_t i = 0; name && i < sizeof TARGETS / sizeof *TARGETS; i++)
		if (strcmp(name, TARGETS[i].name) == 0)
			return &TARGETS[i];
	return NULL;
}

/* Begins again with fixed addresses, where the system allows that: what libFuzzer finds from a seed depends on them. */
static void fix_addresses(char **argv) {
	int now = personality(0xffffffff);
	if (now != -1 && !(now & ADDR_NO_RANDOMIZE) && personality((unsigned long)now | ADDR_NO_RANDOMIZE) != -1)
		execv("/proc/self/exe", argv);
}

/* Takes the first argument; libFuzzer takes the others. What it runs of itself, for a merge, finds the target in the environment.
 */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
	fix_addresses(*argv);
	json_object_seed(1); /* random otherwise, and then no two runs find the same */
	target = find_target((*argv)[1]);
	if (target) {
		setenv("FUZZ_TARGET", target->name, 1);
		(*argv)[1] = (*argv)[0];
		(*argv)++;
		(*argc)--;
		return 0;
	}
	target = find_target(getenv("FUZZ_TARGET"));
	if (!target) {
		fprintf(stderr, "usage: fuzz configuration|list|export|address|target|tokens [LIBFUZZER-OPTION…] [FOLDER…]\n");
		exit(2);
	}
	return 0;
}

static void print_quoted(const uint8_t *data, size_t len) {
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, data[i] >= 0x20 && data[i] < 0x7f ? "%c" : "<%02x>", data[i]);
	fprintf(stderr, "\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	char *text = malloc(len); /* with nothing after it, so that the address sanitizer sees who reads on */
	if (len > 0)
		memcpy(text, data, len);
	const char *differs = target->differs(text, len);
	if (!differs && len > 0 && memcmp(text, data, len) != 0)
		differs = "the text itself: it was written to";
	if (differs) {
		fprintf(stderr, "%s, %zu bytes: %s differs\n", target->name, len, differs);
		print_quoted(data, len);
		abort();
	}
	free(text);
	naive_forget();
	return 0;
}
