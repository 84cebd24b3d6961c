/* configuration.h — one text, read by api/ and by the oracle. */
#ifndef HF_TESTS_CONFIGURATION_H
#define HF_TESTS_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The entry point that libFuzzer calls. Prints and aborts if the two differ. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct outcome {
	bool accepted;	     /* as a configuration */
	bool identified;     /* as a document too */
	const char *differs; /* what the two differ in; NULL: nothing */
};

struct outcome configuration_compare(const uint8_t *data, size_t len);

/* Prints a text, readable and as hex; with what each of the two makes of it. To stderr. */
void configuration_print_text(const uint8_t *data, size_t len);
void configuration_print(const uint8_t *data, size_t len);

#endif
