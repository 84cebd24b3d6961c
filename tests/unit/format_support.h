/* format_support.h — the examples of storage/FORMAT.md. */
#ifndef HF_TESTS_FORMAT_SUPPORT_H
#define HF_TESTS_FORMAT_SUPPORT_H

#include "support.h"

#define VECTOR_MAX 1024 /* bytes of an example */

/* The document's example of that name: hexadecimal digits behind "NAME: ", on lines that are indented from the second on. Fails the
 * test if it has none. */
struct hf_slice vector(const char *name, uint8_t buffer[VECTOR_MAX]);

/* Compares bytes with the example of that name. */
void expect_bytes(const char *name, struct hf_slice got);

#endif
