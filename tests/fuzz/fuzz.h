/* fuzz.h — the targets of the fuzzer. Each reads one text with api/ or storage/ and by simpler means, and compares. */
#ifndef HF_TESTS_FUZZ_H
#define HF_TESTS_FUZZ_H

#include <stddef.h>

/* Returns NULL, or what the two readings differ in. `text` ends where it ends: a byte after it belongs to nobody. */
const char *fuzz_configuration(const char *text, size_t len);
const char *fuzz_list(const char *text, size_t len);
const char *fuzz_export(const char *text, size_t len);
const char *fuzz_address(const char *text, size_t len);
const char *fuzz_target(const char *text, size_t len);
const char *fuzz_tokens(const char *text, size_t len);

#endif
